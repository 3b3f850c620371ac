#!/bin/bash
# What the tables of unknown values and of edge cases of functions (src/template/testdata/unknown.txt, edges.txt) say is
# what hashicorp's evaluator answers, with the go-cty that Packer uses. kiln is held to the same tables by its unit tests.
# Theirs is built once with Debian's Go, from the modules that Go's checksums name, and kept in the user's cache.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
tables=$here/../src/template/testdata
judge=$here/differential/unknown_values.go
hcl=v2.23.0 # the newest that Go 1.19 can build
cty=v1.13.3 # the fork that Packer takes

go=/usr/lib/go-1.19/bin/go
[ -x "$go" ] || go=$(command -v go) || { echo "skipped: golang-go is not installed"; exit 77; }

cache=${KILN_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln-tests}
program=$cache/unknown-values-$(cat "$judge" "$0" | sha256sum | head -c 16)
if [ ! -x "$program" ]; then
  mkdir -p "$cache" || exit 1
  work=$(mktemp -d "$cache/build.XXXXXX") || exit 1
  mkdir "$work/src" && cp "$judge" "$work/src/main.go"
  (
    cd "$work/src" || exit 1
    export GOPATH=$work/go GOCACHE=$work/cache GOTOOLCHAIN=local GOFLAGS=-modcacherw
    "$go" mod init judge && "$go" mod edit -require "github.com/hashicorp/hcl/v2@$hcl" \
      -require github.com/zclconf/go-cty@v1.13.0 \
      -replace "github.com/zclconf/go-cty=github.com/nywilken/go-cty@$cty" &&
      "$go" mod tidy && "$go" build -o ../judge .
  ) >"$work/log" 2>&1
  built=$?
  [ "$built" = 0 ] && mv "$work/judge" "$program"
  tail -3 "$work/log"
  rm -rf "$work"
  [ "$built" = 0 ] || { echo "skipped: the judge could not be built (no network?)"; exit 77; }
fi
"$program" "$tables/unknown.txt" "$tables/edges.txt"
