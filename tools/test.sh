#!/bin/sh
# Runs every test of a build directory; the slowest are named at the end. Needs root for real namespaces; says so where it
# is missing.
set -eu
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || echo "test: without root the tests that need namespaces are skipped" >&2
exec ctest --test-dir "$1" --output-on-failure --parallel 2 --no-tests=error
