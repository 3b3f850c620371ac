#!/bin/bash
# A private image registry for tests: Debian's docker-registry on a loopback port that the kernel chooses, without TLS
# and without credentials.
#
#   registry.sh start STATE_DIR    start it and print HOST:PORT when it listens
#   registry.sh stop STATE_DIR     stop it and remove STATE_DIR
#
# Exit status 77: docker-registry is not installed.
set -euo pipefail

registry=/usr/bin/docker-registry

usage() {
  sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

# starttime of process $1: with the id it names a process for good
started_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

# The registry that start wrote down, if it is still the same process.
registry_pid() {
  local pid since
  [ -f "$state/registry" ] && read -r pid since <"$state/registry" && [ "$(started_at "$pid")" = "$since" ] && echo "$pid"
}

# The address from the log's line "listening on 127.0.0.1:PORT"
address() { sed -n 's/.*listening on \(127\.0\.0\.1:[0-9]*\).*/\1/p' "$state/registry.log" 2>/dev/null | head -n 1; }

start() {
  if [ ! -x "$registry" ]; then
    echo "skipped: docker-registry is not installed" >&2
    exit 77
  fi
  if registry_pid >/dev/null; then
    echo "registry: already running in $state" >&2
    exit 1
  fi
  mkdir -p "$state/data"
  cat >"$state/registry.yml" <<EOF
version: 0.1
log: {level: info, formatter: json}
storage: {filesystem: {rootdirectory: $state/data}, delete: {enabled: true}}
http: {addr: 127.0.0.1:0}
EOF
  # Its own session, so that signals to the caller's group do not reach it.
  OTEL_TRACES_EXPORTER=none setsid "$registry" serve "$state/registry.yml" >"$state/registry.log" 2>&1 </dev/null &
  local pid=$! end=$((SECONDS + 30))
  echo "$pid $(started_at "$pid")" >"$state/registry"
  until [ -n "$(address)" ]; do
    if [ "$SECONDS" -ge "$end" ] || ! registry_pid >/dev/null; then
      echo "registry: it does not listen; its last words:" >&2
      tail -n 20 "$state/registry.log" >&2
      stop_registry
      exit 1
    fi
    sleep 0.1
  done
  address
}

stop_registry() {
  local pid
  pid=$(registry_pid) || return 0
  kill -TERM "$pid"
  for _ in $(seq 50); do
    registry_pid >/dev/null || return 0
    sleep 0.1
  done
  kill -KILL "$pid"
}

stop() {
  [ -d "$state" ] || exit 0
  stop_registry
  rm -rf "$state"
}

[ $# -eq 2 ] || usage
mkdir -p "$(dirname "$2")"
state=$(cd "$(dirname "$2")" && pwd -P)/$(basename "$2")
case $1 in
  start) start ;;
  stop) stop ;;
  *) usage ;;
esac
