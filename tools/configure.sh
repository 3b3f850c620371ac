#!/bin/sh
# Configures build/PRESET once, and again when the build files changed.
set -eu
cd "$(dirname "$0")/.."
preset=$1
[ -f "build/$preset/build.ninja" ] || cmake --preset "$preset" >/dev/null
