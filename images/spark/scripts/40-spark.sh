#!/bin/bash
# Apache Spark as a Spark home in /opt/spark: obtained, verified, unpacked, laid out.
# Reads SPARK_VERSION, SPARK_SOURCE (pyspark, apache or file), SPARK_SHA256, APACHE_URL, APACHE_ARCHIVE,
# APACHE_KEYS_URL, APACHE_SIGNERS; the files uploaded to /tmp as spark-*; KILN_DOWNLOADS, a folder kept between builds.
set -euo pipefail
umask 022
home=${SPARK_DEST:-/opt/spark}
uploads=${SPARK_UPLOADS:-/tmp}
archive=

fail() {
  echo "40-spark: $*" >&2
  exit 1
}

# pinned KIND [SUBJECT]: the third word of a matching line of the pins, or the second where no subject is given
pinned() {
  awk -v kind="$1" -v subject="${2-}" '$1 == kind && (subject == "" || $2 == subject) { print subject == "" ? $2 : $3 }' \
    "$uploads/spark-pins"
}

get_pyspark() {
  local sha256=${SPARK_SHA256:-$(pinned pyspark "$SPARK_VERSION")}
  test -n "$sha256" || fail "no SHA-256 is pinned for pyspark $SPARK_VERSION: give one with -var spark_sha256=..."
  archive=$(python3 "$uploads/spark-fetch.py" sdist pyspark "$SPARK_VERSION" "$sha256" "$downloads")
}

get_apache() {
  test -n "${APACHE_URL-}" || fail "spark_source=apache needs -var apache_url=..., the address above spark-$SPARK_VERSION/"
  local name=${APACHE_ARCHIVE:-spark-$SPARK_VERSION-bin-hadoop3.tgz}
  local base=${APACHE_URL%/}/spark-$SPARK_VERSION/$name
  local signers=${APACHE_SIGNERS:-$(pinned signer)}
  fetch "$base.sha512" "$work/$name.sha512"
  fetch "$base.asc" "$work/$name.asc"
  fetch "${APACHE_KEYS_URL:-${APACHE_URL%/}/KEYS}" "$work/KEYS"
  archive=$downloads/$name
  if ! is_release "$archive" "$signers" 2>/dev/null; then
    archive=$work/$name
    fetch "$base" "$archive"
    is_release "$archive" "$signers"
    test -z "${KILN_DOWNLOADS-}" || keep "$archive"
  fi
}

# keep FILE: a verified file, in the folder of downloads
keep() {
  cp --reflink=auto "$1" "$downloads/${1##*/}.$$.partial"
  mv "$downloads/${1##*/}.$$.partial" "$downloads/${1##*/}"
}

fetch() { python3 "$uploads/spark-fetch.py" url "$1" "$2"; }

is_release() {
  # shellcheck disable=SC2086 # a list of fingerprints
  test -f "$1" && python3 "$uploads/spark-verify.py" "$1" "$work/${1##*/}.sha512" "$work/${1##*/}.asc" "$work/KEYS" $2
}

get_file() {
  archive=$uploads/spark-archive
  test -s "$archive" || fail "spark_source=file needs -var spark_file=PATH, a Spark .tgz or a pyspark .tar.gz"
  test -z "${SPARK_SHA256-}" || echo "$SPARK_SHA256  $archive" | sha256sum --check --quiet ||
    fail "spark_file is not the file that spark_sha256 names"
}

# lay_out TREE: what the two kinds of archive have, in the places where Spark's own distribution has them
lay_out() {
  if test -d "$1/deps/jars"; then
    mkdir -p "$home/examples/src/main" "$home/python"
    mv "$1"/deps/{bin,sbin,jars,data,licenses} "$1"/{LICENSE,NOTICE,README.md} "$home/"
    mv "$1/deps/examples" "$home/examples/src/main/python"
    rm -rf "$1/pyspark/python"
    mv "$1/pyspark" "$1/lib" "$home/python/"
    echo "Spark $SPARK_VERSION (laid out from the pyspark package)" >"$home/RELEASE"
  elif test -d "$1/jars" && test -d "$1/bin"; then
    mv "$1"/* "$home/"
  else
    fail "the archive is neither a Spark distribution nor the pyspark package"
  fi
  rm -f "$home"/bin/*.cmd
  tar -C "$uploads/spark-home" -c . | tar -C "$home" -x --skip-old-files --touch --no-same-owner
  chmod -R u=rwX,go=rX "$home"
  chmod 755 "$home"/sbin/*.sh
  test "$(id -u)" != 0 || chown -R 0:0 "$home"
}

check_version() {
  local core=("$home"/jars/spark-core_*.jar)
  local version=${core[0]##*/spark-core_*-}
  test "${version%.jar}" = "$SPARK_VERSION" || fail "the archive holds Spark ${version%.jar}, not $SPARK_VERSION"
}

rm -rf "$home"
mkdir -p "$home"
# Beside the goal, so that moving is renaming.
work=$(mktemp -d "$home.XXXXXX")
trap 'rm -rf "$work"' EXIT
downloads=${KILN_DOWNLOADS:-$work}

case $SPARK_SOURCE in
  pyspark | apache | file) "get_$SPARK_SOURCE" ;;
  *) fail "spark_source is '$SPARK_SOURCE'; it can be pyspark, apache or file" ;;
esac
mkdir "$work/tree"
tar -xzf "$archive" -C "$work/tree" --strip-components=1 --no-same-owner
lay_out "$work/tree"
check_version
test -n "${SPARK_UPLOADS-}" || rm -rf /tmp/spark-*
