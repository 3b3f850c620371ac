#!/bin/sh
# replay.sh HARNESS PROGRAM: feeds a harness its seeds once.
set -eu
cd "$(dirname "$0")/.."
seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT
fuzz/seeds.py "$1" "$seeds"
"$2" "$seeds"
