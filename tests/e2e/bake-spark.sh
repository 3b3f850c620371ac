#!/usr/bin/env bash
# bake-spark.sh DIR: bakes every image of images/spark into DIR for the tests that look into them, by one build, from the
# store and the downloads of the machine's user, so that what was built once is not built again. Disks are fresh ones, and
# the base is of the archive's present day: they are compared with those of an empty store.
set -euo pipefail
out=$1
[ "$(id -u)" = 0 ] || { echo "skipped: steps run in namespaces: this needs root"; exit 77; }
cd "$(dirname "$0")/../.."
"$KILN_BIN" build -local -fresh-disks -refresh -output="$out" images/spark/spark.pkr.hcl
for file in spark-docker.tar spark-ec2.raw spark-gce.tar.gz packer-manifest.json; do [ -f "$out/$file" ]; done
[ -L "$out/events.jsonl" ]

# A second build does nothing, and says so.
"$KILN_BIN" build -local -fresh-disks -output="$out" images/spark/spark.pkr.hcl | grep 'nothing to do' >/dev/null
