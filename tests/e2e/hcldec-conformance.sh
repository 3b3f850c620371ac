#!/bin/bash
# kiln hcldec answers as hashicorp's own hcldec does: the same values, types and places of errors, over generated
# specifications and inputs; and hcl's own suite passes. KILN_HCLDEC_CASES says how many (default 300),
# KILN_HCLDEC_SEED which.
# Theirs is built once with Debian's Go, from the module that Go's checksums name, and kept in the user's cache.
set -u
kiln=${KILN_BIN:-$(dirname "$0")/../../build/release/kiln}
here=$(cd "$(dirname "$0")/.." && pwd)
version=v2.23.0 # the newest that Go 1.19 can build

go=/usr/lib/go-1.19/bin/go
[ -x "$go" ] || go=$(command -v go) || { echo "skipped: golang-go is not installed"; exit 77; }
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }

cache=${KILN_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln-tests}/hcldec-$version
if [ ! -x "$cache/hcldec" ] || [ ! -d "$cache/specsuite" ]; then
  mkdir -p "$cache" || exit 1
  work=$(mktemp -d "$cache/build.XXXXXX") || exit 1
  GOPATH=$work/go GOBIN=$work/bin GOCACHE=$work/cache GOTOOLCHAIN=local GOFLAGS=-modcacherw \
    "$go" install "github.com/hashicorp/hcl/v2/cmd/hcldec@$version" \
    "github.com/hashicorp/hcl/v2/cmd/hclspecsuite@$version" >"$work/log" 2>&1
  built=$?
  if [ "$built" = 0 ]; then
    mv "$work/bin/hcldec" "$work/bin/hclspecsuite" "$cache/"
    rm -rf "$cache/specsuite"
    cp -r "$work/go/pkg/mod/github.com/hashicorp/hcl/v2@$version/specsuite/tests" "$cache/specsuite"
  fi
  tail -3 "$work/log"
  rm -rf "$work"
  [ "$built" = 0 ] || { echo "skipped: hcldec could not be built (no network?)"; exit 77; }
fi

wrapper=$(mktemp) || exit 1
trap 'rm -f "$wrapper"' EXIT
printf '#!/bin/sh\nexec "%s" hcldec "$@"\n' "$(readlink -f "$kiln")" >"$wrapper"
chmod +x "$wrapper"
"$cache/hclspecsuite" "$cache/specsuite" "$wrapper" || { echo "FAIL: hcl's own suite"; exit 1; }

python3 "$here/differential/hcldec_cases.py" "$kiln" "$cache/hcldec" \
  -n "${KILN_HCLDEC_CASES:-300}" -s "${KILN_HCLDEC_SEED:-1}"
