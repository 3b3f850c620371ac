#!/usr/bin/env bash
# Runs the harnesses for so many seconds each: fuzz/run.sh SECONDS [HARNESS...]. fuzz/seeds.py gives them a start; what libFuzzer finds on the way is kept in build/fuzz/found/HARNESS, a crash beside it.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=$1
shift
[ $# -gt 0 ] || set -- tar unpack archive config template events disk ext4
build=build/fuzz
tools/setup.sh build test
tools/configure.sh fuzz
ninja -C $build fuzz

for name in "$@"; do
  found=$build/found/$name
  fresh=$(mktemp -d)
  mkdir -p "$found"
  fuzz/seeds.py "$name" "$fresh"
  dictionary=()
  [ ! -f "fuzz/$name.dict" ] || dictionary=("-dict=fuzz/$name.dict")
  echo "== $name"
  $build/"${name}_fuzz" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
    -verbosity=0 -artifact_prefix="$build/found/$name-" "${dictionary[@]}" "$found" "$fresh" </dev/null
  rm -rf "$fresh"
done
