#!/usr/bin/env bash
# A minimal Debian: kiln's bootstrap: base against plain mmdebstrap, and kiln when it has the base already.
#   bench/base.sh                 RUNS=5 turns; BUILD=build/release
. "$(dirname "$0")/timing.sh"
[ "$(id -u)" = 0 ] || skip "base needs root"
command -v mmdebstrap >/dev/null || skip "mmdebstrap is missing"
cat >"$WORK/base.pkr.hcl" <<'HCL'
source "docker" "base" {
  image   = "bootstrap:debian/bookworm"
  discard = true
}
build { sources = ["source.docker.base"] }
HCL
export KILN_DOWNLOADS=$WORK/downloads
with_kiln() { KILN_STORE=$WORK/$1 "$KILN" build -local -output="$WORK/out" "$WORK/base.pkr.hcl"; }
with_mmdebstrap() { mmdebstrap --quiet --mode=root --variant=minbase bookworm "$WORK/plain"; }
# apt's archive of packages on this machine serves neither: both fetch everything each time.
for run in $(seq "$RUNS"); do
  time_of mmdebstrap with_mmdebstrap
  time_of kiln-cold with_kiln "store-$run"
  time_of kiln-unchanged with_kiln "store-$run"
  rm -rf "$WORK/plain" "$WORK/store-$run"
done
echo "minimal Debian bookworm: $(machine)"
row kiln-cold "kiln, cold"
row mmdebstrap "mmdebstrap --variant=minbase" kiln-cold
row kiln-unchanged "kiln, has it"
