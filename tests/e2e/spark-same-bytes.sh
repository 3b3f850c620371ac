#!/usr/bin/env bash
# A second cold build of the Spark image (its own store, another directory, umask, time zone and locale) gives the same
# bytes as the first. Downloads are shared: they are verified against pins.
. "$(dirname "$0")/../support/e2e.sh"
tar=${SPARK_DOCKER_TAR:-$TREE/out/spark-docker.tar}
[ -f "$tar" ] || skip "no image at $tar"
KILN_DOWNLOADS=${XDG_CACHE_HOME:-$HOME/.cache}/kiln/downloads
umask 077
mkdir -p deep/copy
cp -r "$TREE/images" deep/copy/
cd deep/copy
env TZ=America/St_Johns LC_ALL=C LANG=C "$KILN_BIN" build -local -only='docker.*' images/spark/spark.pkr.hcl >"$WORK/log" 2>&1 ||
  { tail -50 "$WORK/log"; fail "the second build"; }
[ "$(sha out/spark-docker.tar)" = "$(sha "$tar")" ] || fail "two cold builds differ: $(sha out/spark-docker.tar) $(sha "$tar")"
