#!/usr/bin/env bash
# kiln build -check runs every step of the Spark image twice and finds no path that differs.
. "$(dirname "$0")/../support/e2e.sh"
[ -f "${SPARK_DOCKER_TAR:-$TREE/out/spark-docker.tar}" ] || skip "the Spark image has not been built here"
# The base and the downloads of the machine's user; every other step runs again.
unset KILN_STORE
KILN_DOWNLOADS=${XDG_CACHE_HOME:-$HOME/.cache}/kiln/downloads
"$KILN_BIN" build -check -local -only='docker.*' -output="$WORK/out" "$TREE/images/spark/spark.pkr.hcl" >"$WORK/log" 2>&1 ||
  { tail -n 60 "$WORK/log"; fail "-check found a difference, or a step failed"; }
[ "$(sha out/spark-docker.tar)" = "$(sha "${SPARK_DOCKER_TAR:-$TREE/out/spark-docker.tar}")" ] || fail "-check made another image"
