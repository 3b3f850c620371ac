#!/bin/bash
# kiln fix prints what the real Packer 1.6 prints, byte for byte; what it prints is read, unless -validate=false.
set -u
kiln=${KILN_BIN:-$(dirname "$0")/../../build/release/kiln}
kiln=$(readlink -f "$kiln")
command -v packer >/dev/null || { echo "skipped: packer is not installed"; exit 77; }
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export CHECKPOINT_DISABLE=1 KILN_STORE="$work/store" PACKER_CONFIG_DIR="$work"
fail() { echo "FAIL: $*"; exit 1; }

python3 "$here/differential/fix_cases.py" "$kiln" "$(command -v packer)" || fail "kiln's fix differs from Packer's"

for template in '{"builders":[{"type":"null"}]}' '{"builders":[]}' '{"builders":[{"type":"null"}],"foo":1}' '[]'; do
  echo "$template" >t.json
  for flag in -validate=true -validate=false; do
    "$kiln" fix $flag t.json >mine 2>&1
    mine=$?
    packer fix $flag t.json >theirs 2>&1
    theirs=$?
    [ $mine = $theirs ] || fail "$template $flag: kiln $mine, packer $theirs: $(cat mine)"
  done
done
"$kiln" fix none.json >mine && fail "a missing file is fixed"
grep -q none.json mine || fail "a missing file is not named"
