source "docker" "a" { image = "debian" }
source "docker" "b" { image = "alpine" }
source "null" "a" {}

build {
  name        = "first"
  description = "Two sources."
  sources     = ["source.docker.a"]
  source "docker.b" {
    name   = "renamed"
    commit = true
  }

  provisioner "shell" {
    only         = ["docker.a"]
    inline       = ["a"]
    pause_before = "10s"
    timeout      = "5m"
    max_retries  = 2
  }
  provisioner "shell" {
    except   = ["docker.a"]
    inline   = ["b"]
    override = { renamed = { inline = ["overridden"] } }
  }
  error-cleanup-provisioner "shell-local" {
    inline = ["oops"]
  }
  post-processor "manifest" {}
  post-processors {
    post-processor "docker-tag" {
      name                = "tag"
      repository          = "r"
      keep_input_artifact = true
    }
    post-processor "docker-push" {}
  }
}

build {
  sources = ["null.a"]
}
