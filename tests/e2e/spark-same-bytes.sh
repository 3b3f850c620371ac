#!/usr/bin/env bash
# A second cold build of the Spark images (its own store, another directory, umask, time zone and locale) gives the same
# bytes as the first, for every target. Downloads are shared: they are verified against pins.
. "$(dirname "$0")/../support/e2e.sh"
first=$(dirname "${SPARK_DOCKER_TAR:-$TREE/out/spark-docker.tar}")
for file in spark-docker.tar spark-ec2.raw spark-gce.tar.gz; do
  [ -f "$first/$file" ] || skip "no $file in $first; make spark writes it"
done
KILN_DOWNLOADS=${XDG_CACHE_HOME:-$HOME/.cache}/kiln/downloads
umask 077
mkdir -p deep/copy
cp -r "$TREE/images" deep/copy/
cd deep/copy
env TZ=America/St_Johns LC_ALL=C LANG=C "$KILN_BIN" build -local images/spark/spark.pkr.hcl >"$WORK/log" 2>&1 ||
  { tail -50 "$WORK/log"; fail "the second build"; }
# The clock of an image is the archive's date: where that has changed between the two, they are of two days.
day() { skopeo inspect --format '{{.Created}}' "docker-archive:$1/spark-docker.tar"; }
if [ "$(day out)" != "$(day "$first")" ]; then
  env -u KILN_STORE "$TREE/tests/e2e/bake-spark.sh" "$first" >"$WORK/log" 2>&1 ||
    { tail -50 "$WORK/log"; fail "the first build, again"; }
fi
for file in spark-docker.tar spark-ec2.raw spark-gce.tar.gz; do
  cmp "out/$file" "$first/$file" || fail "two cold builds differ in $file"
done
