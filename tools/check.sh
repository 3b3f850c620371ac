#!/bin/sh
# Style checks: rooms, sizes, format, shell, words. -tidy adds clang-tidy over every file.
set -eu
cd "$(dirname "$0")/.."
status=0
say() { printf 'check: %s\n' "$*"; }

tools/check-layers.sh || { say "a room includes what it must not"; status=1; }
tools/check-names.py || { say "a name stands for two things in one room"; status=1; }
tools/check-sizes.sh || { say "a file is too long"; status=1; }

sources=$(git ls-files '*.cc' '*.h')
# shellcheck disable=SC2086
clang-format-14 --dry-run --Werror $sources || { say "clang-format-14 -i would change something"; status=1; }

scripts=$(git ls-files '*.sh' .ci/run ':!*/testdata/*')
# shellcheck disable=SC2086
shellcheck $scripts || { say "shellcheck found something"; status=1; }

if [ "${1:-}" = -tidy ]; then
  tools/tidy.py || { say "clang-tidy found something"; status=1; }
fi
exit $status
