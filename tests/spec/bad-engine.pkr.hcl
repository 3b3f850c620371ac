source "null" "a" {
  communicator = "none"
  option       = "{{isotime `2006`}}-{{upper nothing}}"
}

build {
  sources = ["null.a"]
  provisioner "shell" {
    inline = ["{{user `x`}}", "fine", "{{clean_resource_name `x`}}"]
    script = "{{if"
    env    = { A = "{{env `HOME`}}", B = "{{no}}", C = "{{eq 1 `1`}}" }
  }
}
