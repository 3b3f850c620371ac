#!/bin/bash
# kiln fix prints what the real Packer 1.6 prints, byte for byte; what it prints is read, unless -validate=false.
# shellcheck source=../support/packer.sh
. "$(dirname "$0")/../support/packer.sh"

python3 "$here/differential/fix_cases.py" "$kiln" "$packer" || fail "kiln's fix differs from Packer's"

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
