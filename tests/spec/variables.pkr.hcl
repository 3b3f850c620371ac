variable "name" {
  type        = string
  default     = "spark"
  description = "What to call it."
}

variable "count" {
  type    = number
  default = "3"
}

variable "untyped" {
  default = ["a", "b"]
}

variable "shape" {
  type = object({
    size  = number
    label = optional(string, "none")
    parts = optional(list(string))
  })
  default = { size = 2 }
}

variables {
  plain = true
}

variable "password" {
  type      = string
  sensitive = true
  default   = "correct horse"
}

locals {
  greeting = "hello ${var.name}"
  quoted   = "say ${local.greeting} ${var.count}"
  hidden   = "pw=${var.password}"
}

local "token" {
  expression = upper("abcd")
  sensitive  = true
}

source "null" "a" {
  text   = local.quoted
  hidden = local.hidden
  shape  = var.shape
  token  = local.token
}

build {
  sources = ["null.a"]
}
