#!/bin/bash
# A tree to an ext4 file system: kiln, from layers, against mke2fs -d on the same tree, best of RUNS, with the ratios of
# wall time and of CPU time (which a loaded machine leaves alone). Both results pass e2fsck.
#   bench/ext4.sh [BUILD_DIR]        (as root; needs the target ext4_bench; default build/release)
# MIB sets the size of the tree (1536), of files of this machine's /usr and of what does not compress; WORK is where it all
# goes (a temporary directory).
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/release}
bench=$(find "$build" -maxdepth 1 -name ext4_bench -type f -perm -u+x)
[ -n "$bench" ] || { echo "ext4: no ext4_bench in $build (ninja -C $build ext4_bench)" >&2; exit 1; }
mib=${MIB:-1536}
runs=${RUNS:-3}
work=$(mktemp -d -p "${WORK:-${TMPDIR:-/tmp}}")
trap 'rm -rf "$work"' EXIT
tree=$work/tree
mkdir "$tree" "$tree/jars"

fill_tree() {
  find /usr/lib /usr/share -xdev -type f -printf '%s\t%p\n' 2>/dev/null | LC_ALL=C sort -k 2 |
    awk -F '\t' -v room=$((mib * 1048576 / 2)) '{ room -= $1; if (room >= 0) print $2 }' >"$work/list"
  tar -cf - -T "$work/list" 2>/dev/null | tar -xf - -C "$tree"
  for i in $(seq $((mib / 16))); do head -c 8388608 /dev/urandom >"$tree/jars/$i.jar"; done
}

# best COMMAND...: "WALL CPU" in seconds of the run of $runs that was fastest in wall time.
best() {
  local TIMEFORMAT="%R %U %S"
  for _ in $(seq "$runs"); do
    { time "$@" >"$work/out" 2>"$work/err" || { cat "$work/err" >&2; exit 1; }; } 2>&1
  done | awk '{ cpu = $2 + $3; if (NR == 1 || $1 < wall) { wall = $1; used = cpu } } END { printf "%.2f %.2f", wall, used }'
}

with_kiln() {
  rm -f "$work/kiln.img"
  "$bench" "$work/kiln.img" "$bytes" "$tree" | tee "$work/facts"
}
with_mke2fs() {
  rm -f "$work/mke2fs.img"
  mke2fs -q -t ext4 -d "$tree" "$work/mke2fs.img" $((bytes / 1024))
}
row() { printf '%-10s %8s s  CPU %6s s  %6s x  CPU %6s x\n' "$@"; }

fill_tree
bytes=$(((mib * 5 / 4 + 512) * 1048576))
find "$tree" -type f -exec cat {} + >/dev/null
ours=$(best with_kiln)
theirs=$(best with_mke2fs)
e2fsck -fn "$work/kiln.img" >"$work/out" 2>&1 || { cat "$work/out" >&2; exit 1; }
e2fsck -fn "$work/mke2fs.img" >"$work/out" 2>&1 || { cat "$work/out" >&2; exit 1; }
echo "$(du -sm "$tree" | cut -f 1) MiB in $(find "$tree" | wc -l) files, $(nproc) cores; $(cat "$work/facts")"
awk -v a="$ours" -v b="$theirs" 'BEGIN { split(a, k, " "); split(b, m, " "); print k[1], k[2], "1.0", "1.0"
  printf "%s %s %.1f %.1f\n", m[1], m[2], m[1] / k[1], m[2] / k[2] }' | {
  read -r wall cpu x y && row kiln "$wall" "$cpu" "$x" "$y"
  read -r wall cpu x y && row mke2fs "$wall" "$cpu" "$x" "$y"
}
