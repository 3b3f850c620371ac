#!/bin/sh
# A layer of jars to gzip: kiln's compressor against tar+gzip and tar+pigz on the same tree, best of RUNS, with ratios.
#   bench/layer_gzip.sh [BUILD_DIR]        (needs the target image_bench; default build/release)
# MIB sets the size of the layer (1024). Jars are those of a pyspark package in the download cache, else made here.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build/release}
bench=$(find "$build" -name image_bench -type f -perm -u+x | head -n 1)
[ -n "$bench" ] || { echo "layer_gzip: no image_bench in $build (ninja -C $build image_bench)" >&2; exit 1; }
mib=${MIB:-1024}
runs=${RUNS:-3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
mkdir "$tree"

# Fills the tree with copies of real jars, or with zips of text and noise in the proportions of jars.
fill_tree() {
  cache=${XDG_CACHE_HOME:-$HOME/.cache}/kiln/downloads
  package=$(find "$cache" -name 'pyspark-*.tar.gz' 2>/dev/null | sort | tail -n 1)
  mkdir "$work/jars"
  if [ -n "$package" ]; then
    tar -xzf "$package" -C "$work/jars" --wildcards '*.jar'
  else
    python3 - "$work/jars" <<'PY'
import random, sys, zipfile
random.seed(1)
words = [bytes(random.choices(range(97, 123), k=random.randint(3, 12))) for _ in range(3000)]
for n in range(32):
    with zipfile.ZipFile(f"{sys.argv[1]}/{n}.jar", "w", zipfile.ZIP_DEFLATED) as jar:
        for entry in range(400):
            text = b" ".join(random.choices(words, k=6000)) + random.randbytes(6000)
            jar.writestr(zipfile.ZipInfo(f"org/example/C{entry}.class"), text, zipfile.ZIP_DEFLATED)
PY
  fi
  left=$((mib * 1048576))
  copy=0
  while [ "$left" -gt 0 ]; do
    copy=$((copy + 1))
    mkdir "$tree/$copy"
    for jar in $(find "$work/jars" -name '*.jar' | LC_ALL=C sort); do  # no blanks in these names
      [ "$left" -gt 0 ] || break
      cp "$jar" "$tree/$copy/"
      left=$((left - $(wc -c <"$jar")))
    done
  done
  rm -rf "$work/jars"
}

seconds() {  # seconds COMMAND...: wall time of the best of $runs
  best=
  for _ in $(seq "$runs"); do
    start=$(date +%s.%N)
    "$@"
    end=$(date +%s.%N)
    best=$(printf '%s %s %s\n' "$start" "$end" "$best" |
      awk '{ t = $2 - $1; if ($3 != "" && $3 < t) t = $3; printf "%.2f", t }')
  done
  echo "$best"
}

with_kiln() { "$bench" "$tree" "$work/kiln.tar.gz" >"$work/kiln.txt"; }
with_gzip() { tar -C "$tree" -cf - . | gzip -n >"$work/gzip.tar.gz"; sha256sum "$work/gzip.tar.gz" >"$work/sum"; }
with_pigz() { tar -C "$tree" -cf - . | pigz -n >"$work/pigz.tar.gz"; sha256sum "$work/pigz.tar.gz" >"$work/sum"; }
row() { printf '%-10s %8s s %8s MB %8s x\n' "$1" "$2" "$(($(wc -c <"$3") / 1000000))" "$4"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", a / b }'; }

fill_tree
cat "$tree"/*/* >/dev/null 2>&1 || true
kiln=$(seconds with_kiln)
gzip -t "$work/kiln.tar.gz"
echo "layer of $(du -sm "$tree" | cut -f1) MiB, $(nproc) cores; kiln also computes both digests"
row kiln "$kiln" "$work/kiln.tar.gz" 1.0
gzip=$(runs=1 seconds with_gzip)
row tar+gzip "$gzip" "$work/gzip.tar.gz" "$(ratio "$gzip" "$kiln")"
if command -v pigz >/dev/null; then
  pigz=$(seconds with_pigz)
  row tar+pigz "$pigz" "$work/pigz.tar.gz" "$(ratio "$pigz" "$kiln")"
fi
