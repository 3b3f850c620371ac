#!/usr/bin/env bash
# Runs harnesses, all or those named, for KILN_FUZZ_SECONDS each (10), one after the other: fuzz/run.sh [HARNESS...]
# fuzz/seeds.py gives them a start and libFuzzer's numbers are the same each time, so that a shorter run tries nothing
# that a longer one did not. An input that broke one is left as build/asan/HARNESS-crash-*. KILN_FUZZ_FOUND: a directory
# that keeps what was found on the way, to go on from.
set -euo pipefail
cd "$(dirname "$0")/.."
build=build/asan
[ $# -gt 0 ] || for program in "$build"/*_fuzz; do set -- "$@" "$(basename "$program" _fuzz)"; done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for name in "$@"; do
  [ -x "$build/${name}_fuzz" ] || { echo "fuzz: there is no $build/${name}_fuzz; make test builds all there are" >&2; exit 1; }
  seeds=$work/$name
  found=${KILN_FUZZ_FOUND:-$work/found}/$name
  mkdir -p "$seeds" "$found"
  fuzz/seeds.py "$name" "$seeds"
  options=("-max_total_time=${KILN_FUZZ_SECONDS:-10}" -seed=1 -timeout=120 -rss_limit_mb=2048 -max_len=65536 -verbosity=0
    -print_final_stats=1 "-artifact_prefix=$build/$name-")
  [ ! -f "fuzz/$name.dict" ] || options+=("-dict=fuzz/$name.dict")
  echo "== $name"
  "$build/${name}_fuzz" "${options[@]}" "$found" "$seeds" </dev/null
done
