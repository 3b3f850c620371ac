variable "a" { default = 1 }
variable "b" { default = 1 }
variable "c" {
  type    = number
  default = 1
}
