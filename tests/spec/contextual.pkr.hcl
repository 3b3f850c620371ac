source "null" "a" {
  where   = [path.root, path.cwd]
  version = packer.version
  self    = "${source.type}.${source.name} of ${build.name}"
}
build {
  name    = "n"
  sources = ["source.null.a"]
  provisioner "shell" {
    inline = ["${build.name} ${source.name}", build.ID, "${build.Host}:${build.Port}"]
  }
}
