packer {
  required_version = ">= 1.7.0, < 2.0.0"
  required_plugins {
    docker = {
      version = ">= 1.0.8"
      source  = "github.com/hashicorp/docker"
    }
  }
}
source "null" "a" {}
build {
  sources = ["sources.null.a"]
  hcp_packer_registry { bucket_name = "b" }
}
