variable "untyped" { default = "x" }
variable "text" { type = string }
