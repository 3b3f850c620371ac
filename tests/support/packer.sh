# shellcheck shell=bash
# For the tests that run kiln and the real Packer beside it on cases of tests/differential: $kiln, $packer, $here (tests/)
# and an empty folder of their own. Source it first:  . "$(dirname "$0")/../support/packer.sh"
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
kiln=$(readlink -f "${KILN_BIN:-$here/../build/release/kiln}")
packer=$(command -v packer) || { echo "skipped: packer is not installed"; exit 77; }
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export kiln packer CHECKPOINT_DISABLE=1 KILN_STORE="$work/store" PACKER_CONFIG_DIR="$work" PYTHONDONTWRITEBYTECODE=1 E=env
fail() { echo "FAIL: $*"; exit 1; }
