# shellcheck shell=bash
# Sourced by tests that run the Spark image in a real Docker Engine. Sets DOCKER, DOCKER_HOST and image (its name and
# tag), and cleans up at the end. Skips the test (77) where there is no image or no Engine.
#
#   SPARK_DOCKER_TAR   the image, default out/spark-docker.tar
#   KILN_TEST_ENGINE   state folder of an Engine that docker-engine.sh has started; default: one for this test alone

e2e=$(cd "$(dirname "${BASH_SOURCE[0]}")/../e2e" && pwd)
tar=${SPARK_DOCKER_TAR:-$e2e/../../out/spark-docker.tar}
failures=0

if [ ! -f "$tar" ]; then
  echo "skipped: no image at $tar; make spark writes it" >&2
  exit 77
fi

work=$(mktemp -d)
engine=${KILN_TEST_ENGINE:-$work/engine}
clean_up() {
  [ -z "${DOCKER-}" ] || "$DOCKER" ps -aq --filter "label=kiln-test=$$" | xargs -r "$DOCKER" rm -f >/dev/null 2>&1
  [ -n "${KILN_TEST_ENGINE-}" ] || "$e2e/docker-engine.sh" stop "$engine"
  rm -rf "$work"
}
trap clean_up EXIT
[ -n "${KILN_TEST_ENGINE-}" ] || "$e2e/docker-engine.sh" start "$engine" || exit
eval "$("$e2e/docker-engine.sh" env "$engine")"

image=$("$DOCKER" load -q -i "$tar" | sed -n 's/^Loaded image: //p' | head -n 1)
if [ -z "$image" ]; then
  echo "FAIL docker load names no image" >&2
  exit 1
fi

# container OPTIONS... IMAGE COMMAND...: docker run, marked for the clean-up
container() { "$DOCKER" run --label "kiln-test=$$" "$@"; }

# within SECONDS COMMAND...: until it succeeds
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.2
  done
}

# check NAME COMMAND...: says how it went, shows the end of what it printed when it went wrong
check() {
  local name=$1
  shift
  if "$@" >"$work/output" 2>&1; then
    echo "ok   $name"
  else
    echo "FAIL $name"
    tail -n 25 "$work/output" | sed 's/^/     /'
    failures=$((failures + 1))
  fi
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
