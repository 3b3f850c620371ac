# shellcheck shell=bash
# Strangers that are built with Debian's Go: once, from modules that Go's checksums name, kept in the user's cache.
# Source it first:  . "$(dirname "$0")/../support/go.sh"
set -u
go=/usr/lib/go-1.19/bin/go
[ -x "$go" ] || go=$(command -v go) || { echo "skipped: golang-go is not installed"; exit 77; }
cache=${KILN_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln-tests}

# built_with_go NAME FUNCTION: sets $built to the directory of that name in the cache. Where it is missing FUNCTION WORK
# makes it: in a directory of its own, from modules below WORK/go, what is kept goes to WORK/bin. What cannot be built is
# skipped.
built_with_go() {
  built=$cache/$1
  [ ! -d "$built" ] || return 0
  mkdir -p "$cache" || exit 1
  local work code
  work=$(mktemp -d -p "$cache") || exit 1
  mkdir "$work/src" "$work/bin"
  (
    export GOPATH=$work/go GOBIN=$work/bin GOCACHE=$work/cache GOTOOLCHAIN=local GOFLAGS=-modcacherw
    cd "$work/src" && "$2" "$work"
  ) >"$work/log" 2>&1
  code=$?
  [ "$code" != 0 ] || mv -T "$work/bin" "$built" 2>/dev/null || [ -d "$built" ] || code=1 # another may have been first
  tail -3 "$work/log"
  rm -rf "$work"
  [ "$code" = 0 ] || { echo "skipped: $1 could not be built (no network?)"; exit 77; }
}
