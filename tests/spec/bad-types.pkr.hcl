variable "a" {
  type    = number
  default = "many"
}
variable "b" {
  type = "string"
}
variable "c" { type = list }
variable "d" { type = strin }
variable "e" {
  type    = object({ a = string, b = optional(number, "x") })
  default = {}
}
variable "f" {
  type    = list(object({ a = string }))
  default = [{ a = "x" }, {}]
}
variable "g" {
  type  = bool
  defau = true
}
variable "h" { type = bool }
