#!/bin/bash
# A tree to a GPT disk in every format: kiln against mke2fs -d, sgdisk, qemu-img and tar with pigz or gzip, on the same
# tree, best of RUNS, with ratios of wall time and of CPU time (which a loaded machine leaves alone).
#   bench/disk.sh [BUILD_DIR [each|together]]   (as root; needs the target disk_bench; default build/release, each)
# "each" compares the formats one by one. "together" makes five at once: raw, compressed qcow2, VMDK streamOptimized, fixed
# VHD and Compute Engine's archive, kiln in one pass, the tools side by side after mke2fs: first in memory (/dev/shm), then
# on a disk (/var/tmp), for which both sides wait (sync).
# MIB sets the size of the tree (1024, together 1536): half of it files of this machine's /usr, half what does not compress.
# WORK is where it all goes: a temporary directory; together that place alone instead of the two.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/release}
bench=$(find "$build" -maxdepth 1 -name disk_bench -type f -perm -u+x)
[ -n "$bench" ] || { echo "disk: no disk_bench in $build (ninja -C $build disk_bench)" >&2; exit 1; }
what=${2:-each}
if [ "$what" = together ] && [ -z "${WORK-}" ]; then
  for place in /dev/shm /var/tmp; do WORK=$place "bench/${0##*/}" "$build" together; done
  exit
fi
mib=${MIB:-$([ "$what" = together ] && echo 1536 || echo 1024)}
runs=${RUNS:-3}
work=$(mktemp -d -p "${WORK:-${TMPDIR:-/tmp}}")
trap 'rm -rf "$work"' EXIT
tree=$work/tree
disk_bytes=
mkdir "$tree" "$tree/usr" "$tree/jars"

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
  rm -f "$work/kiln.$1"
  "$bench" "$1" "$work/kiln.$1" "$(nproc)" "$tree" | tee "$work/rss.$1"
}

# The disk as people make it without a loop device: a table, and a file system made at its place.
tools_raw() {
  rm -f "$work/tools.raw"
  truncate -s "$disk_bytes" "$work/tools.raw"
  sgdisk -n 1:262144:0 -t 1:8304 "$work/tools.raw"
  mke2fs -q -t ext4 -d "$tree" -E offset=134217728 "$work/tools.raw" $(((disk_bytes - 135266304) / 1024))
}
tools_qcow2() { tools_raw && qemu-img convert -O qcow2 "$work/tools.raw" "$work/tools.qcow2"; }
tools_qcow2_zlib() { tools_raw && qemu-img convert -c -O qcow2 "$work/tools.raw" "$work/tools.qcow2-zlib"; }
tools_qcow2_zstd() {
  tools_raw && qemu-img convert -c -O qcow2 -o compression_type=zstd "$work/tools.raw" "$work/tools.qcow2-zstd"
}
tools_gce() { tools_raw && tar_of_raw | pigz -n >"$work/tools.gce"; }
tools_gce_gzip() { tools_raw && tar_of_raw | gzip -n >"$work/tools.gce"; }
tar_of_raw() { tar --format=oldgnu -S -C "$work" --transform 's/tools.raw/disk.raw/' -cf - tools.raw; }

# row FORMAT TOOLS: both sides and their ratios.
row() {
  local ours theirs
  ours=$(best with_kiln "$1")
  theirs=$(best "$2")
  printf '%s %s %s %s %s %s\n' "$2" "$ours" "$theirs" "$(du -m "$work/kiln.$1" | cut -f 1)" \
    "$(du -m "$work/tools.$1" | cut -f 1)" "$(sed -n 's/.*rss_kib //p' "$work/rss.$1")" |
    awk '{ printf "%-17s kiln %6s s (CPU %6s) %5s MiB, %4.0f MiB of memory; tools %6s s (CPU %6s) %5s MiB; %5.1f x, CPU %5.1f x\n",
           substr($1, 7), $2, $3, $6, $8 / 1024, $4, $5, $7, $4 / $2, $5 / $3 }'
}

# All five formats: the raw disk first, for the others are made of it.
tools_together() {
  tools_raw
  local pids=()
  qemu-img convert -c -O qcow2 "$work/tools.raw" "$work/tools.qcow2-zlib" & pids+=($!)
  qemu-img convert -O vmdk -o subformat=streamOptimized "$work/tools.raw" "$work/tools.vmdk" & pids+=($!)
  qemu-img convert -O vpc -o subformat=fixed,force_size=on "$work/tools.raw" "$work/tools.vhd" & pids+=($!)
  { tar_of_raw | gzip -n >"$work/tools.gce"; } & pids+=($!)
  for pid in "${pids[@]}"; do wait "$pid"; done
  sync -f "$work"
}
kiln_together() {
  rm -f "$work"/kiln.*
  "$bench" "$together" "$work/kiln" "$(nproc)" "$tree" >"$work/rss"
}
together=raw,qcow2-zlib,vmdk,vhd,gce

# What strangers say of kiln's five files: every one holds the same disk.
judge_together() {
  qemu-img compare -q -f qcow2 -F raw "$work/kiln.qcow2-zlib" "$work/kiln.raw"
  qemu-img compare -q -f vmdk -F raw "$work/kiln.vmdk" "$work/kiln.raw"
  qemu-img compare -q -f vpc -F raw "$work/kiln.vhd" "$work/kiln.raw"
  tar -xOzf "$work/kiln.gce" | cmp - "$work/kiln.raw"
}

row_together() {
  local ours theirs
  ours=$(best kiln_together)
  judge_together
  for format in ${together//,/ }; do du -m "$work/kiln.$format" | cut -f 1 >"$work/size.$format"; done
  rm -f "$work"/kiln.*
  theirs=$(best tools_together)
  echo "$ours $theirs" | awk -v rss="$(sed -n 's/.*rss_kib //p' "$work/rss")" '{
    printf "five formats      kiln %6s s (CPU %6s), %4.0f MiB of memory; tools %6s s (CPU %6s); %5.1f x, CPU %5.1f x\n",
           $1, $2, rss / 1024, $3, $4, $3 / $1, $4 / $2 }'
  for format in ${together//,/ }; do
    echo "$format $(cat "$work/size.$format") $(du -m "$work/tools.$format" | cut -f 1)"
  done | awk '{ printf "  %-12s kiln %5d MiB, tools %5d MiB: %+5.1f %%\n", $1, $2, $3, ($2 / $3 - 1) * 100 }'
}

fill_tree
sync -f "$work"
if [ "$what" = together ]; then
  disk_bytes=$(with_kiln raw | sed 's/disk_bytes \([0-9]*\) .*/\1/')
  rm -f "$work"/kiln.*
  echo "tree of $(du -sm "$tree" | cut -f 1) MiB, disk of $((disk_bytes >> 20)) MiB, $(nproc) cores, in $(dirname "$work")"
  row_together
  exit
fi
disk_bytes=$(with_kiln raw | tee "$work/first" | sed 's/disk_bytes \([0-9]*\) .*/\1/')
echo "tree of $(du -sm "$tree" | cut -f 1) MiB, disk of $((disk_bytes >> 20)) MiB, $(nproc) cores; kiln waits for the disk, the tools do not"
row raw tools_raw
row qcow2 tools_qcow2
row qcow2-zlib tools_qcow2_zlib
row qcow2-zstd tools_qcow2_zstd
command -v pigz >/dev/null && row gce tools_gce
runs=1
row gce tools_gce_gzip
