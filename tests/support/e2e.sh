# shellcheck shell=bash
# For the end-to-end tests: a private place, kiln with a store of its own, a small base, and words for what is expected.
# Source it first:  . "$(dirname "$0")/../support/e2e.sh"
set -euo pipefail

KILN_BIN=${KILN_BIN:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/build/release/kiln}
export KILN_BIN
TREE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export TREE

skip() { echo "skipped: $*"; exit 77; }
fail() { echo "FAILED: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || skip "steps run in namespaces: this test needs root"
[ -x "$KILN_BIN" ] || fail "no kiln at $KILN_BIN; build it or set KILN_BIN"

WORK=$(mktemp -d "${TMPDIR:-/var/tmp}/kiln-e2e.XXXXXX")
cleanup=()
end() {
  local code=$?
  local i
  for ((i = ${#cleanup[@]} - 1; i >= 0; i--)); do eval "${cleanup[i]}" || true; done
  rm -rf "$WORK"
  exit "$code"
}
trap end EXIT
export KILN_STORE=$WORK/store KILN_DOWNLOADS=$WORK/downloads
cd "$WORK"

kiln() { "$KILN_BIN" "$@"; }

# small_base FILE: a tar of a tree with busybox in it, all times fixed.
small_base() {
  local root=$WORK/base-root applet
  mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,etc,tmp,root,var/log,dev,proc,sys,run}
  cp "$(command -v busybox)" "$root/bin/busybox"
  for applet in sh ls cat echo mkdir rm ln cp mv chmod chown sleep touch id grep sed test true false head tail env dd seq sync date find wc tr basename dirname sha256sum hostname; do
    ln -sf busybox "$root/bin/$applet"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
  chmod 1777 "$root/tmp"
  tar -C "$root" --sort=name --mtime=@1600000000 --owner=0 --group=0 --numeric-owner -cf "$1" .
  rm -rf "$root"
}

# build ARGS...: kiln build -local, its output kept in $WORK/log; prints it when the build failed.
build() {
  if ! kiln build -local "$@" >"$WORK/log" 2>&1; then
    cat "$WORK/log" >&2
    fail "kiln build $*"
  fi
}

# build_fails TEXT ARGS...: the build must end with 1 and say TEXT.
build_fails() {
  local text=$1 code=0
  shift
  kiln build -local "$@" >"$WORK/log" 2>&1 || code=$?
  [ "$code" = 1 ] || { cat "$WORK/log" >&2; fail "kiln build $* ended with $code, not 1"; }
  says "$text"
}

# says TEXT: the last build's output holds it.
says() { grep -qF -- "$1" "$WORK/log" || { cat "$WORK/log" >&2; fail "the output lacks: $1"; }; }

# ran: labels of the steps that the last build ran, one a line; from the event log that out/ points to or the newest one.
ran() {
  local log
  # shellcheck disable=SC2012  # names are UUIDs
  log=$(ls -t "$KILN_STORE"/dirs/logs/*.jsonl | head -1)
  python3 - "$log" <<'PY'
import json, sys
labels, out = {}, []
for line in open(sys.argv[1]):
    e = json.loads(line)
    for s in e.get("steps", []):
        labels[s["id"]] = s["kind"] + " " + s["label"]
    if e["fact"] == "step-started":
        out.append(labels[e["id"]])
print("\n".join(out))
PY
}

sha() { sha256sum "$1" | cut -d' ' -f1; }

# nothing_left: no mount, process or half file of a build of this test is there.
nothing_left() {
  if grep -F "$WORK" /proc/self/mountinfo; then fail "a mount is left"; fi
  if pgrep -f "$WORK/[s]tore" >/dev/null; then fail "a process is left"; fi
  if find "$WORK" -path "$KILN_STORE/tmp" -prune -o -name '*.partial' -print | grep .; then fail "a half file is left"; fi
}
