data "null" "loop" {
  input = local.loop
}
locals {
  loop = data.null.loop.output
  gone = data.null.gone.output
}
data "nul" "a" {}
data "amazon-sm" "b" { url = "x" }
data "null" "c" { inptu = "x" }
data "null" "c" { input = "x" }
data "null" {}
