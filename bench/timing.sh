# shellcheck shell=bash
# For the benchmarks: a private place, wall times of both sides taken in turns, medians and ratios.
# Source it first:  . "$(dirname "$0")/timing.sh"
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
TREE=$PWD
BUILD=${BUILD:-$TREE/build/release}
KILN=$BUILD/kiln
RUNS=${RUNS:-5}

skip() { echo "skipped: $*"; exit 77; }
[ -x "$KILN" ] || skip "no kiln at $KILN (make kiln, or set BUILD)"

WORK=$(mktemp -d "${TMPDIR:-/var/tmp}/kiln-bench.XXXXXX")
cleanup=()
end() {
  local code=$? i
  for ((i = ${#cleanup[@]} - 1; i >= 0; i--)); do eval "${cleanup[i]}" || true; done
  rm -rf "$WORK"
  exit "$code"
}
trap end EXIT
mkdir "$WORK/times"

# time_of NAME COMMAND...: runs it and notes its seconds under the name; what it prints goes to a file.
time_of() {
  local name=$1 start=$EPOCHREALTIME
  shift
  if ! "$@" >"$WORK/said" 2>&1; then
    cat "$WORK/said" >&2
    echo "bench: failed: $*" >&2
    return 1
  fi
  awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.4f\n", b - a }' >>"$WORK/times/$name"
}

# median NAME: seconds.
median() { sort -n "$WORK/times/$1" | awk '{ t[NR] = $1 } END { print NR % 2 ? t[(NR + 1) / 2] : (t[NR / 2] + t[NR / 2 + 1]) / 2 }'; }

machine() {
  echo "$(nproc) cores, Linux $(uname -r), $RUNS runs in turns, medians; load when it began $(cut -d' ' -f1 /proc/loadavg)"
}

# row NAME TEXT [AGAINST]: median, fastest and slowest; with AGAINST how many times longer than that one it took.
row() {
  local times ratio=
  times=$(median "$1")
  [ -z "${3-}" ] || ratio=$(awk -v a="$times" -v b="$(median "$3")" 'BEGIN { printf "%.1f x", a / b }')
  printf '%-46s %8.3f s  (%s to %s) %10s\n' "$2" "$times" "$(sort -n "$WORK/times/$1" | head -n 1)" \
    "$(sort -n "$WORK/times/$1" | tail -n 1)" "$ratio"
}

# a_spark_to_change: a copy of images/spark in $WORK, and bake_ec2 FLAGS... for its EC2 disk from what was built once.
a_spark_to_change() {
  [ "$(id -u)" = 0 ] || skip "baking needs root"
  export KILN_DOWNLOADS=${KILN_DOWNLOADS:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln/downloads}
  cd "$WORK"
  cp -r "$TREE/images" .
}
bake_ec2() { "$KILN" build -local -color=false -only='amazon-ebs.*' "$@" images/spark/spark.pkr.hcl >log 2>&1 || { cat log; exit 1; }; }

# small_base FILE: a tar of a tree with busybox in it.
small_base() {
  local root=$WORK/base-root applet
  command -v busybox >/dev/null || skip "busybox is missing"
  mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,etc,tmp,root,var/log,dev,proc,sys,run}
  cp "$(command -v busybox)" "$root/bin/busybox"
  for applet in sh cat echo mkdir rm cp mv chmod chown id test true env; do ln -sf busybox "$root/bin/$applet"; done
  echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
  echo 'root:x:0:' >"$root/etc/group"
  chmod 1777 "$root/tmp"
  tar -C "$root" --sort=name --mtime=@1600000000 --owner=0 --group=0 --numeric-owner -cf "$1" .
}
