#!/usr/bin/env bash
# bake-spark.sh DIR: bakes the Docker image of images/spark into DIR for the tests that look into it, from the store and
# the downloads of the machine's user, so that what was built once is not built again.
set -euo pipefail
out=$1
[ "$(id -u)" = 0 ] || { echo "skipped: steps run in namespaces: this needs root"; exit 77; }
cd "$(dirname "$0")/../.."
"$KILN_BIN" build -local -only='docker.*' -output="$out" images/spark/spark.pkr.hcl
[ -f "$out/spark-docker.tar" ] && [ -f "$out/packer-manifest.json" ] && [ -L "$out/events.jsonl" ]

# A second build does nothing, and says so.
"$KILN_BIN" build -local -only='docker.*' -output="$out" images/spark/spark.pkr.hcl | grep -q 'nothing to do'
