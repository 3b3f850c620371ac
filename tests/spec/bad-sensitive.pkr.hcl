variable "list" {
  type      = list(string)
  sensitive = true
}
variable "pin" {
  type      = number
  sensitive = true
}
variable "key" {
  sensitive = true
  default   = "x"
  validation {
    condition     = length(split("", var.key)) > 20
    error_message = "The key is too short."
  }
}
variable "plain" {
  type      = string
  sensitive = true
}
