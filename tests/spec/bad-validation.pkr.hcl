variable "version" {
  default = "3"
  validation {
    condition     = length(split(".", var.version)) == 3
    error_message = "The version must look like 4.3.0."
  }
}
variable "password" {
  default   = "short"
  sensitive = true
  validation {
    condition     = length(convert(var.password, string)) != 5 || true
    error_message = "lower case"
  }
  validation {
    condition     = var.version == "3"
    error_message = "Not about this one."
  }
  validation {
    condition     = true
    error_message = "Always."
  }
  validation {
    condition     = var.password != "short"
    error_message = "The password must not be ${var.password}."
  }
}
