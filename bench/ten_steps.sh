#!/usr/bin/env bash
# Ten trivial shell steps over the same base, which both sides have already, the image in the same Docker Engine at the
# end: kiln, docker build (classic builder) and real Packer (docker builder), cold and unchanged; and what one step of
# kiln costs beyond its own work.
#   bench/ten_steps.sh            RUNS=5 turns; BUILD=build/release
. "$(dirname "$0")/timing.sh"
[ "$(id -u)" = 0 ] || skip "ten_steps needs root"
code=0
"$TREE/tests/e2e/docker-engine.sh" start "$WORK/engine" || code=$?
[ "$code" = 0 ] || exit "$code"
cleanup+=("'$TREE/tests/e2e/docker-engine.sh' stop '$WORK/engine'")
eval "$("$TREE/tests/e2e/docker-engine.sh" env "$WORK/engine")"
export KILN_STORE=$WORK/store KILN_DOWNLOADS=$WORK/downloads DOCKER_BUILDKIT=0 CHECKPOINT_DISABLE=1
PATH=$(dirname "$DOCKER"):$PATH # the same client for Packer
cd "$WORK"

small_base base.tar
"$DOCKER" import base.tar bench-base:1 >/dev/null

# templates STEPS: kiln's, Packer's and docker's own way to say the same.
templates() {
  local i
  {
    printf 'variable "run" {\n  type    = string\n  default = ""\n}\n'
    printf 'source "docker" "ten" {\n  image   = "%s"\n  commit  = true\n  %s\n}\n' "$2" "$3"
    printf 'build {\n  sources = ["source.docker.ten"]\n'
    for ((i = 1; i <= $1; i++)); do
      # shellcheck disable=SC2016 # for the template
      printf '  provisioner "shell" { inline = ["echo ${var.run}-%d > /step-%d"] }\n' "$i" "$i"
    done
    printf '  post-processor "docker-tag" {\n    repository = "%s"\n    tags       = ["1"]\n  }\n}\n' "$4"
  } >"$4.pkr.hcl"
}
templates 10 docker-daemon:bench-base:1 '' kiln-ten
templates 1 docker-daemon:bench-base:1 '' kiln-one
templates 21 docker-daemon:bench-base:1 '' kiln-many
# shellcheck disable=SC1083 # Packer's own template language
templates 10 bench-base:1 'pull = false' packer-ten

dockerfile() { # dockerfile RUN
  mkdir -p context
  {
    echo 'FROM bench-base:1'
    for ((i = 1; i <= 10; i++)); do echo "RUN echo $1-$i > /step-$i"; done
  } >context/Dockerfile
}
with_kiln() { "$KILN" build -color=false -var "run=$1" kiln-ten.pkr.hcl; }
with_docker() { "$DOCKER" build --network=none -q -t docker-ten:1 context; }
with_packer() { packer build -color=false -var "run=$1" packer-ten.pkr.hcl; }
local_steps() { "$KILN" build -local -color=false -output="out-$1" -var "run=$2" "kiln-$1.pkr.hcl"; }

has_packer=
if command -v packer >/dev/null; then has_packer=1; else echo "packer is missing: only kiln and docker build"; fi
with_kiln warm >/dev/null # imports the base, which the others have
for run in $(seq "$RUNS"); do
  time_of kiln-cold with_kiln "$run"
  time_of kiln-unchanged with_kiln "$run"
  "$DOCKER" rmi kiln-ten:1 >/dev/null
  time_of load "$DOCKER" load -q -i out/ten-docker.tar
  dockerfile "$run"
  time_of docker-cold with_docker
  time_of docker-unchanged with_docker
  if [ -n "$has_packer" ]; then time_of packer with_packer "$run"; fi
  time_of kiln-one local_steps one "$run"
  time_of kiln-many local_steps many "$run"
done
[ "$("$DOCKER" run --rm --network=none kiln-ten:1 cat /step-10)" = "$RUNS-10" ] || { echo "kiln's image is wrong" >&2; exit 1; }
[ "$("$DOCKER" run --rm --network=none docker-ten:1 cat /step-10)" = "$RUNS-10" ] || { echo "docker's image is wrong" >&2; exit 1; }

echo "ten trivial steps, image in the Docker Engine: $(machine)"
row kiln-cold "kiln, every step run"
row load "... docker load of the same archive alone"
row docker-cold "docker build, every step run" kiln-cold
[ -z "$has_packer" ] || row packer "packer build" kiln-cold
row kiln-unchanged "kiln, unchanged"
row docker-unchanged "docker build, unchanged" kiln-unchanged
[ -z "$has_packer" ] || row packer "packer build, which knows no \"unchanged\"" kiln-unchanged
awk -v one="$(median kiln-one)" -v many="$(median kiln-many)" \
  'BEGIN { printf "one step of kiln, from builds of 1 and 21 without an Engine: %.1f ms\n", (many - one) / 20 * 1000 }'
