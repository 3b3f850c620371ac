# Only for a Packer that has no builders of its own (1.7 and later, which then reads this folder instead of the one
# file): packer init images/spark. kiln and Packer 1.6 need nothing of it.
packer {
  required_plugins {
    amazon = {
      source  = "github.com/hashicorp/amazon"
      version = ">= 1.0.0"
    }
    docker = {
      source  = "github.com/hashicorp/docker"
      version = ">= 1.0.0"
    }
    googlecompute = {
      source  = "github.com/hashicorp/googlecompute"
      version = ">= 1.0.0"
    }
  }
}
