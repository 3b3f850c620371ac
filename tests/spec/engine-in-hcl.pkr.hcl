variable "secret" {
  default   = "hush"
  sensitive = true
}

source "amazon-ebs" "b" {
  ami_name = "{{clean_resource_name `a:b`}} {{timestamp}} {{isotime `2006`}}"
  tags     = { Name = "{{build_type}}", Plain = "${1 + 1}" }
  launch_block_device_mappings {
    device_name = "{{build_name}}"
  }
}

build {
  sources = ["amazon-ebs.b"]
  provisioner "shell" {
    inline          = ["{{upper `x`}} {{.Names}} {{build `ID`}}", "${var.secret}-{{upper `y`}}", "{{`{{`}} {{template_dir}}"]
    execute_command = "{{.Vars}} {{ .Path }}"
    override        = { b = { remote_path = "/{{build_name}}" } }
  }
  post-processor "manifest" {
    custom_data = { a = "{{packer_version}}", b = "{{if eq build_name `b`}}yes{{end}}" }
  }
}
