variabel "a" {}
source "null" "a" "b" {}
source "null" {}
data "amazon-sm" "x" {}
toplevel = 1
build {
  source = ["null.a"]
  provisoner "shell" {}
  provisioner {}
  provisioner "shell" "x" {}
  post-processors {
    provisioner "x" {}
  }
  variable "x" {}
}
packer { required_version = "~> 1.9.0" }
packer { required_version = "new" }
hcp_packer_registry {}
