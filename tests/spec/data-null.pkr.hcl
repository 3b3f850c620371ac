data "null" "first" {
  input = local.word
}
data "null" "second" {
  input = "${data.null.first.output}!"
}
locals {
  word = "hi"
  both = "${data.null.first.output} ${data["null"].second.output}"
  all  = keys(data.null)
}
source "null" "a" {
  communicator = "none"
}
build {
  sources = ["null.a"]
  provisioner "shell" {
    inline = [local.both, join(",", local.all), data.null.second.output]
  }
}
