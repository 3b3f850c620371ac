#!/bin/bash
# A private Docker Engine for tests: Debian's docker.io with everything below one folder, no network of its own and no
# registry.
#
#   docker-engine.sh start STATE_DIR    start it, return when it answers
#   docker-engine.sh env STATE_DIR      print variables for eval: DOCKER (the client to call) and DOCKER_HOST
#   docker-engine.sh stop STATE_DIR     stop it and remove STATE_DIR; leaves no process and no mount
#
# Containers use --network=host or --network=none. Exit status 77: docker.io is not installed, or not root.
set -euo pipefail

docker=/usr/bin/docker
dockerd=/usr/sbin/dockerd

skip() {
  echo "skipped: $*" >&2
  exit 77
}

usage() {
  sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
  exit 2
}

# When process $1 started, which with its id names it for good; nothing when it is gone or a zombie.
started_at() { sed -n 's/.*) \([^ ]*\)/\1/p' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" { print $20 }'; }

# The engine that start wrote down, if it is still the same process.
engine_pid() {
  local pid since
  [ -f "$state/engine" ] && read -r pid since <"$state/engine" && [ -n "$since" ] && [ "$(started_at "$pid")" = "$since" ] && echo "$pid"
}

# within SECONDS COMMAND...: until it succeeds
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}

answers() { "$docker" -H "unix://$state/docker.sock" version >/dev/null 2>&1; }
is_gone() { [ -z "$(started_at "$1")" ]; }
has_ended() { ! engine_pid >/dev/null; }

start() {
  [ "$(id -u)" = 0 ] || skip "a Docker Engine needs root"
  { [ -x "$dockerd" ] && [ -x "$docker" ]; } || skip "docker.io is not installed"
  if engine_pid >/dev/null; then
    echo "docker-engine: already running in $state" >&2
    exit 1
  fi
  mkdir -p "$state"/{data,exec}
  echo '{}' >"$state/daemon.json" # not the machine's own
  # Its own session, so that signals to the caller's group do not reach it.
  PATH=/usr/sbin:/usr/bin:/sbin:/bin setsid "$dockerd" \
    --data-root "$state/data" --exec-root "$state/exec" --pidfile "$state/docker.pid" \
    --host "unix://$state/docker.sock" --config-file "$state/daemon.json" \
    --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false --bridge=none \
    --live-restore=false --shutdown-timeout 5 --log-level warn \
    >"$state/engine.log" 2>&1 </dev/null &
  local pid=$!
  echo "$pid $(started_at "$pid")" >"$state/engine"
  if ! within 60 answers_or_dead || ! answers; then
    echo "docker-engine: the engine does not answer; its last words:" >&2
    tail -n 20 "$state/engine.log" >&2
    stop_engine
    exit 1
  fi
}

answers_or_dead() { answers || has_ended; }

# What the engine has left behind if it was killed: containerd, its shims, and below those the containers' first
# processes, with which all others of a container end.
children() {
  local shims
  shims=$(pgrep -d , -f -- "containerd.*$state/exec") || return 0
  pgrep -P "$shims" || true
  echo "${shims//,/$'\n'}"
}
mounts() { awk -v below="$state/" 'index($5, below) == 1 { print $5 }' /proc/self/mountinfo | sort -r; }

stop_engine() {
  local pid child
  if pid=$(engine_pid); then
    kill -TERM "$pid"
    within 30 has_ended || kill -KILL "$pid"
  fi
  for child in $(children); do
    kill -KILL "$child" 2>/dev/null || true
    within 5 is_gone "$child" || true
  done
  mounts | while read -r mount; do umount -l "$mount"; done
}

stop() {
  [ -d "$state" ] || exit 0
  stop_engine
  if [ -n "$(children)$(mounts)" ]; then
    echo "docker-engine: left behind: $(children) $(mounts)" >&2
    exit 1
  fi
  rm -rf "$state"
}

[ $# -eq 2 ] || usage
mkdir -p "$(dirname "$2")"
state=$(cd "$(dirname "$2")" && pwd -P)/$(basename "$2")
case $1 in
  start) start ;;
  stop) stop ;;
  env) printf 'export DOCKER=%q DOCKER_HOST=%q\n' "$docker" "unix://$state/docker.sock" ;;
  *) usage ;;
esac
