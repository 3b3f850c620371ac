variable "a" { default = "default" }
variable "b" { default = "default" }
variable "c" { default = "default" }
variable "d" {
  type    = list(string)
  default = []
}
variable "e" { type = number }
variable "f" {
  type    = bool
  default = false
}
variable "g" { type = map(number) }
