variable "a" {}
variable "a" {}
locals { x = 1 }
local "x" { expression = 2 }
source "null" "s" {}
source "null" "s" {}
build {
  sources = ["null.s"]
  error-cleanup-provisioner "shell" {}
  error-cleanup-provisioner "shell" {}
}
