#!/usr/bin/env bash
# validate of a small template, of images/spark and of a generated template of 10,000 lines: kiln against real Packer.
# A template of twice the lines should take about twice the time: evaluation is linear in the size of the template.
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
# lines FILE COUNT: so many lines, of variables, locals that use each other, and what a provisioner is given. One source
# only: the real Packer starts programs for each.
lines() {
  awk -v blocks="$(($2 / 10))" 'BEGIN {
    for (i = 1; i <= blocks; i++) {
      printf "variable \"v%d\" {\n  type    = string\n  default = \"value %d\"\n}\n", i, i
      before = i % 10 == 1 ? "\"x\"" : "length(local.l" i - 1 ")"
      printf "locals {\n  # %d\n  l%d = \"${upper(var.v%d)}-${%s}\"\n}\n", i, i, i, before
    }
    print "source \"null\" \"s\" {\n  communicator = \"none\"\n}\nbuild {\n  sources = [\"source.null.s\"]"
    print "  provisioner \"shell-local\" {\n    inline = [\"true\"]\n    environment_vars = concat(["
    for (i = 1; i <= blocks; i++) {
      printf "      \"K%d=${join(\",\", [var.v%d, local.l%d])}\",\n", i, i, i
      printf "      # %d\n", i
    }
    print "    ], [for k in [1, 2, 3] : \"K${k}=${k + 1}\"])\n  }\n}"
  }' >"$1"
}
lines "$WORK/large.pkr.hcl" 10000
lines "$WORK/twice.pkr.hcl" 20000
for _ in $(seq "$RUNS"); do
  time_of kiln-small "$KILN" validate "$WORK/small.pkr.hcl"
  time_of packer-small packer validate "$WORK/small.pkr.hcl"
  time_of kiln-large "$KILN" validate "$WORK/large.pkr.hcl"
  time_of kiln-twice "$KILN" validate "$WORK/twice.pkr.hcl"
  time_of packer-large packer validate "$WORK/large.pkr.hcl"
  time_of kiln-spark "$KILN" validate images/spark/spark.pkr.hcl
  time_of packer-spark packer validate images/spark/spark.pkr.hcl
done
echo "validate: $(machine)"
row kiln-small "kiln, small template"
row packer-small "packer, small template" kiln-small
row kiln-large "kiln, 10,000 lines" kiln-small
row packer-large "packer, 10,000 lines" kiln-large
row kiln-twice "kiln, 20,000 lines" kiln-large
row kiln-spark "kiln, images/spark"
row packer-spark "packer, images/spark" kiln-spark
