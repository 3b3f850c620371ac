packer {
  required_plugins {
    amazon = { source = "github.com/hashicorp/amazon", version = ">= 1.2.0" }
    docker = { source = "docker", version = "newest" }
    other  = { sauce = "a/b" }
    more   = 5
  }
}

variable "1x" {
  default = 1
}

variable "called" {
  default = upper("a")
}

variable "from_env" {
  default = env("NOTHING")
}

source "null" "a b" {}

build {
  sources = ["null.a b", "null.1"]
}
