#!/usr/bin/env bash
# A layer of jars to gzip with both its digests: kiln's compressor against tar+gzip, tar+pigz and buildah on the same tree.
#   bench/layer_gzip.sh           (needs the target image_bench)  RUNS=5 turns; BUILD=build/release
# MIB sets the size of the layer (1024). Jars are those of a pyspark package in the download cache, else made here.
. "$(dirname "$0")/timing.sh"
bench=$BUILD/image_bench
[ -x "$bench" ] || skip "no $bench (ninja -C $BUILD image_bench)"
mib=${MIB:-1024}
tree=$WORK/tree
mkdir "$tree"

# Fills the tree with copies of real jars, or with zips of text and noise in the proportions of jars.
fill_tree() {
  cache=${KILN_DOWNLOADS:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln/downloads}
  package=$(find "$cache" -name 'pyspark-*.tar.gz' 2>/dev/null | sort | tail -n 1)
  mkdir "$WORK/jars"
  if [ -n "$package" ]; then
    tar -xzf "$package" -C "$WORK/jars" --wildcards '*.jar'
  else
    python3 - "$WORK/jars" <<'PY'
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
    for jar in $(find "$WORK/jars" -name '*.jar' | LC_ALL=C sort); do  # no blanks in these names
      [ "$left" -gt 0 ] || break
      cp "$jar" "$tree/$copy/"
      left=$((left - $(wc -c <"$jar")))
    done
  done
  rm -rf "$WORK/jars"
}

with_kiln() { "$bench" "$tree" "$WORK/kiln.tar.gz"; }
with_gzip() { tar -C "$tree" -cf - . | tee >(sha256sum >"$WORK/sum") | gzip -n >"$WORK/gzip.tar.gz"; sha256sum "$WORK/gzip.tar.gz" >"$WORK/sum2"; }
with_pigz() { tar -C "$tree" -cf - . | tee >(sha256sum >"$WORK/sum") | pigz -n >"$WORK/pigz.tar.gz"; sha256sum "$WORK/pigz.tar.gz" >"$WORK/sum2"; }
store() { buildah --root "$WORK/buildah" --runroot "$WORK/buildah-run" --storage-driver vfs "$@"; }
with_buildah() { store commit -q --format oci "$container" "oci:$WORK/oci"; } # the layer is in its store before

fill_tree
cat "$tree"/*/* >/dev/null
rivals="kiln gzip"
if command -v pigz >/dev/null; then rivals+=" pigz"; else echo "pigz is missing"; fi
if [ "$(id -u)" = 0 ] && command -v buildah >/dev/null; then
  container=$(store from scratch)
  store add -q "$container" "$tree" / >/dev/null
  rivals+=" buildah"
else
  echo "buildah is missing"
fi
for _ in $(seq "$RUNS"); do
  for rival in $rivals; do
    rm -rf "$WORK/oci" "$WORK"/*.tar.gz
    sync  # what was written before is no part of it
    time_of "$rival" "with_$rival"
    case $rival in
      kiln) gzip -t "$WORK/kiln.tar.gz" ;;
    esac
    { du -cm "$WORK"/*.tar.gz "$WORK/oci" 2>/dev/null || true; } | tail -n 1 | cut -f1 >"$WORK/size-$rival" # one of both
  done
done
echo "layer of $(du -sm "$tree" | cut -f1) MiB of jars to gzip, both digests: $(machine)"
for rival in $rivals; do row "$rival" "$rival, $(cat "$WORK/size-$rival") MiB" "$([ "$rival" = kiln ] || echo kiln)"; done
