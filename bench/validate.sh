#!/usr/bin/env bash
# validate of a small template and of images/spark: kiln against real Packer.
#   bench/validate.sh             RUNS=5 turns; BUILD=build/release
. "$(dirname "$0")/timing.sh"
command -v packer >/dev/null || skip "packer is missing"
export CHECKPOINT_DISABLE=1
cat >"$WORK/small.pkr.hcl" <<'HCL'
variable "greeting" {
  type    = string
  default = "hello"
}
source "docker" "small" {
  image  = "debian:bookworm"
  commit = true
}
build {
  sources = ["source.docker.small"]
  provisioner "shell" { inline = ["echo ${upper(var.greeting)} > /greeting"] }
  post-processor "docker-tag" {
    repository = "small"
    tags       = ["1"]
  }
}
HCL
for _ in $(seq "$RUNS"); do
  time_of kiln-small "$KILN" validate "$WORK/small.pkr.hcl"
  time_of packer-small packer validate "$WORK/small.pkr.hcl"
  time_of kiln-spark "$KILN" validate images/spark/spark.pkr.hcl
  time_of packer-spark packer validate images/spark/spark.pkr.hcl
done
echo "validate: $(machine)"
row kiln-small "kiln, small template"
row packer-small "packer, small template" kiln-small
row kiln-spark "kiln, images/spark"
row packer-spark "packer, images/spark" kiln-spark
