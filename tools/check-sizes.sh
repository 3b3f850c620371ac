#!/bin/sh
# A file of code has at most 450 lines, a header 320: longer ones are two things. 800 is never allowed.
set -eu
cd "$(dirname "$0")/.."
git ls-files 'src/*.cc' 'src/*.h' | xargs wc -l | awk '
  $2 == "total" { next }
  { limit = $2 ~ /_test\.cc$/ ? 800 : $2 ~ /\.h$/ ? 320 : 450 }
  $1 > limit { print $2 ": " $1 " lines, " limit " allowed"; bad = 1 }
  END { exit bad }'
