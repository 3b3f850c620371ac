#!/bin/bash
# Packer's old JSON templates: what the real Packer 1.6 makes of engine strings kiln makes of them too, and both accept
# and refuse the same templates.
set -u
kiln=${KILN_BIN:-$(dirname "$0")/../../build/release/kiln}
kiln=$(readlink -f "$kiln")
command -v packer >/dev/null || { echo "skipped: packer is not installed"; exit 77; }
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export CHECKPOINT_DISABLE=1 KILN_STORE="$work/store" PACKER_CONFIG_DIR="$work" E=env
exec python3 "$here/differential/legacy_cases.py" "$kiln" "$(command -v packer)"
