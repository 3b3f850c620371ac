variable "a" { default = "default" }
