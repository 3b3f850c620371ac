#!/usr/bin/env bash
# Every comparison of this folder, one after the other; what cannot run here says why. RUNS and BUILD as in each.
set -euo pipefail
cd "$(dirname "$0")/.."
ninja -C "${BUILD:-build/release}" image_bench >/dev/null
status=0
for script in validate ten_steps layer_gzip base layout; do
  echo "== bench/$script.sh"
  code=0
  "bench/$script.sh" || code=$?
  case $code in
    0 | 77) ;;
    *) status=1 ;;
  esac
  echo
done
exit "$status"
