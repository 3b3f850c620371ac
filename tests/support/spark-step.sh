# shellcheck shell=bash
# Sourced by tests of images/spark/scripts/40-spark.sh: archives that look like Spark, a server on loopback that plays
# mirror and index, and the step itself with its goal, its uploads and its cache below $work.

spark=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../images/spark" && pwd)
version=9.8.7
failures=0
server=
# Nothing of the machine's own settings
unset "${!PIP_@}" http_proxy HTTP_PROXY https_proxy HTTPS_PROXY
export PIP_CONFIG_FILE=/dev/null PIP_RETRIES=0 no_proxy=127.0.0.1

work=$(mktemp -d)
# shellcheck disable=SC2317 # called by the trap
clean_up() {
  [ -z "$server" ] || kill "$server" 2>/dev/null
  [ ! -d "$work/gnupg" ] || gpgconf --homedir "$work/gnupg" --kill all 2>/dev/null
  rm -rf "$work"
}
trap clean_up EXIT

mkdir -p "$work/uploads" "$work/cache" "$work/www"
cp "$spark/files/pins" "$work/uploads/spark-pins"
cp "$spark/files/fetch.py" "$work/uploads/spark-fetch.py"
cp "$spark/files/verify.py" "$work/uploads/spark-verify.py"
cp -R "$spark/files/spark-home" "$work/uploads/spark-home"
: >"$work/uploads/spark-archive"

# make_distribution FILE: as Apache's binary distribution is laid out
make_distribution() {
  local tree=$work/tree/spark-$version-bin-hadoop3
  mkdir -p "$tree/"{bin,jars,sbin}
  touch "$tree/bin/spark-submit" "$tree/bin/spark-submit.cmd" "$tree/jars/spark-core_2.13-$version.jar"
  echo "the distribution's own" >"$tree/sbin/start-master.sh"
  tar -C "$work/tree" -czf "$1" "${tree##*/}"
}

# make_package FILE: as the source distribution of pyspark is laid out
make_package() {
  local tree=$work/package/pyspark-$version
  mkdir -p "$tree/"{deps/{bin,data,examples,jars,licenses,sbin},lib,pyspark/python}
  touch "$tree/"{LICENSE,NOTICE,README.md,deps/bin/spark-submit,deps/examples/pi.py,lib/py4j-1.0-src.zip}
  touch "$tree/deps/jars/spark-core_2.13-$version.jar" "$tree/deps/sbin/spark-daemon.sh" "$tree/pyspark/__init__.py"
  tar -C "$work/package" -czf "$1" "${tree##*/}"
}

# serve: $work/www on loopback; sets url, and writes what was asked for to $work/server.log
serve() {
  python3 -u -m http.server --bind 127.0.0.1 --directory "$work/www" 0 >"$work/port" 2>"$work/server.log" &
  server=$!
  until [ -s "$work/port" ]; do
    sleep 0.1
    kill -0 "$server" || exit 1
  done
  # shellcheck disable=SC2034 # for the test
  url=http://127.0.0.1:$(sed 's/.* port \([0-9]*\).*/\1/' "$work/port")
}

# install NAME=VALUE...: the step
install() {
  env SPARK_VERSION=$version SPARK_DEST="$work/opt" SPARK_UPLOADS="$work/uploads" KILN_DOWNLOADS="$work/cache" \
    "$@" "$spark/scripts/40-spark.sh" >"$work/output" 2>&1
}

fail() {
  echo "FAIL $*"
  sed 's/^/     /' "$work/output"
  failures=$((failures + 1))
}

# uses NAME NAME=VALUE...: the step succeeds and leaves a Spark home
uses() {
  local name=$1
  shift
  if install "$@" && [ -e "$work/opt/jars/spark-core_2.13-$version.jar" ] && [ -x "$work/opt/sbin/start-worker.sh" ]; then
    echo "ok   $name"
  else
    fail "$name"
  fi
}

# refuses NAME WORDS NAME=VALUE...: the step fails with these words and keeps nothing
refuses() {
  local name=$1 words=$2 status
  shift 2
  install "$@"
  status=$?
  if [ "$status" != 1 ] || ! grep -q -- "$words" "$work/output"; then
    fail "$name: status $status, wanted 1 with: $words"
  elif [ -n "$(find "$work/cache" "$work"/opt.* -mindepth 1 2>/dev/null)" ]; then
    fail "$name: something of it was kept"
  else
    echo "ok   $name"
  fi
}
