#!/bin/bash
# spark_source=pyspark: the source distribution comes from the index that pip is configured for, is verified, kept and
# laid out as a Spark home. A server on loopback plays the index.
set -u
[ -e /usr/share/python-wheels ] || python3 -c 'import pip' 2>/dev/null || { echo "skipped: no pip" >&2; exit 77; }
# shellcheck source=../support/spark-step.sh
. "$(dirname "$0")/../support/spark-step.sh"

name=pyspark-$version.tar.gz
mkdir -p "$work/www/simple/pyspark"
make_package "$work/www/simple/pyspark/$name"
sha256=$(sha256sum "$work/www/simple/pyspark/$name" | cut -d ' ' -f 1)
# A wheel and another release, so that there is something to choose wrongly.
echo "<a href='$name'>$name</a> <a href='pyspark-9.9.9.tar.gz'>x</a> <a href='pyspark-$version-py3-none-any.whl'>y</a>" \
  >"$work/www/simple/pyspark/index.html"
serve
export SPARK_SOURCE=pyspark PIP_INDEX_URL=$url/simple PIP_TRUSTED_HOST=127.0.0.1 SPARK_SHA256=$sha256
empty_cache() { rm -f "$work/cache/"*; }

uses "the package of the configured index"
for path in bin/spark-submit examples/src/main/python/pi.py python/pyspark/__init__.py python/lib/py4j-1.0-src.zip \
  conf/spark-env.sh.template sbin/spark-daemon.sh sbin/start-master.sh LICENSE RELEASE; do
  [ -e "$work/opt/$path" ] || fail "laid out: $path"
done
[ "$(ls -A "$work/cache")" = "$name" ] || fail "kept under its own name, and nothing else"

: >"$work/server.log"
uses "a kept package"
[ ! -s "$work/server.log" ] || fail "the index was asked for what is there"

echo "damage" >>"$work/cache/$name"
uses "a damaged kept package is downloaded again"

empty_cache
echo "sha256 in a pins file of its own" >"$work/output"
echo "pyspark $version $sha256" >"$work/uploads/spark-pins"
uses "a pinned package" SPARK_SHA256=

empty_cache
refuses "wrong hash" "sha256 of what came is $sha256, expected 0\{64\}" SPARK_SHA256="$(printf '%064d' 0)"
refuses "a release without a pin" "no SHA-256 is pinned for pyspark 9.9.9" SPARK_VERSION=9.9.9 SPARK_SHA256=
refuses "a release that the index lacks" "no such version .* the newest is 9.9.9" SPARK_VERSION=9.9.8
refuses "an index that does not answer" "pip's index offers none; is it reachable" PIP_INDEX_URL=http://127.0.0.1:1/simple
exit $((failures > 0))
