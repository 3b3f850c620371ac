#!/bin/sh
# Builds the unit tests with the address and undefined-behaviour sanitizers and runs them.
set -eu
cd "$(dirname "$0")/.."
tools/configure.sh asan
ninja -C build/asan unit_tests
export LSAN_OPTIONS="suppressions=$PWD/tools/lsan.supp:print_suppressions=0"
exec ctest --test-dir build/asan -L unit --output-on-failure --parallel 2 --no-tests=error
