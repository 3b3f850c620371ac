source "null" "a" {
  communicator = "none"
}

build {
  sources = ["source.null.a"]
  provisioner "shell-local" {
    inline = ["echo ${source.name} of ${source.type} ${build.ID}", "{{ .Vars }} {{ .Path }}"]
  }
}
