#!/bin/sh
# Fails when a file includes a room that its own room does not list in kiln_room(... DEPENDS ...).
set -eu
cd "$(dirname "$0")/.."
{ sed -n 's/^ *kiln_room(\([a-z]*\)\(.*\)).*/allow \1 \2/p' CMakeLists.txt
  grep -rnoE --include='*.h' --include='*.cc' '^ *#include "[a-z_]+/' src; } |
awk '
  $1 == "allow" { ok[$2, $2] = 1; on = 0
                  for (i = 3; i <= NF; i++) { if ($i == "DEPENDS") on = 1; else if ($i == "LIBS") on = 0; else if (on) ok[$2, $i] = 1 }
                  next }
  { split($0, p, ":"); split(p[1], d, "/"); room = d[2]
    to = $0; sub(/.*"/, "", to); sub(/\/.*/, "", to)
    if (to == "support" && (p[1] ~ /_test\.cc$/ || p[1] ~ /[\/]test_[a-z]+\.h$/)) next  # tests/support serves the tests of every room
    if (!((room, to) in ok)) { print p[1] ":" p[2] ": " room " must not include " to; bad = 1 } }
  END { exit bad }'
