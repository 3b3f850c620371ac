#!/bin/bash
# spark_source=file: an uploaded archive of either kind becomes a Spark home; anything else is refused with a reason.
set -u
# shellcheck source=../support/spark-step.sh
. "$(dirname "$0")/../support/spark-step.sh"

archive=$work/uploads/spark-archive
export SPARK_SOURCE=file

make_distribution "$archive"
uses "a distribution"
[ ! -e "$work/opt/bin/spark-submit.cmd" ] || fail "scripts for Windows are left out"
refuses "another version than asked for" "the archive holds Spark $version, not 1.2.3" SPARK_VERSION=1.2.3
refuses "wrong hash" "spark_file is not the file that spark_sha256 names" SPARK_SHA256="$(printf '%064d' 0)"

make_package "$archive"
uses "a package of pyspark, with its hash" SPARK_SHA256="$(sha256sum "$archive" | cut -d ' ' -f 1)"

tar -czf "$archive" -C "$spark" files
refuses "an archive of something else" "neither a Spark distribution nor the pyspark package"
: >"$archive"
refuses "no file" "spark_source=file needs -var spark_file=PATH"
refuses "an unknown source" "spark_source is 'mirror'" SPARK_SOURCE=mirror
exit $((failures > 0))
