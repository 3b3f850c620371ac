variable "needed" {
  type = string
}
locals { a = "${var.needed}!" }
