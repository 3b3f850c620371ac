variable "disks" { default = { root = 10, data = 20 } }
source "amazon-ebs" "a" {
  dynamic "mapping" {
    for_each = var.disks
    iterator = disk
    content {
      device = disk.key
      size   = disk.value
      dynamic "tag" {
        for_each = ["x", "y"]
        labels   = [tag.value]
        content { of = "${disk.key}-${tag.key}" }
      }
    }
  }
  mapping { device = "fixed" }
}
build {
  sources = ["amazon-ebs.a"]
  dynamic "provisioner" {
    for_each = ["one", "two"]
    labels   = ["shell"]
    content { inline = ["echo ${provisioner.value}"] }
  }
}
