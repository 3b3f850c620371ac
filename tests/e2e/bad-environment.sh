#!/usr/bin/env bash
# What the machine can lack or break: each time a message that says what to do, exit code 1, and afterwards the same store
# works and gives the same bytes.
# shellcheck disable=SC2016  # $KILN_BIN is for the inner shells
. "$(dirname "$0")/../support/e2e.sh"
small_base base.tar
cat >t.pkr.hcl <<'HCL'
source "docker" "t" {
  image  = "tar:base.tar"
  commit = true
}
build {
  sources = ["source.docker.t"]
  provisioner "shell" { inline = ["echo one > /one"] }
  provisioner "shell" { inline = ["echo two > /two"] }
}
HCL
chmod 755 "$WORK"
build t.pkr.hcl
good=$(sha out/t-docker.tar)

ends_with() { # ends_with CODE TEXT COMMAND...: a command's exit code and something it says (nothing asked where empty).
  local want=$1 text=$2 code=0
  shift 2
  "$@" >"$WORK/log" 2>&1 </dev/null || code=$?
  [ "$code" = "$want" ] || { cat "$WORK/log" >&2; fail "$* ended with $code, not $want"; }
  [ -z "$text" ] || says "$text"
}
still_good() {
  rm -rf out
  build t.pkr.hcl
  [ "$(sha out/t-docker.tar)" = "$good" ] || fail "$1: the next build gives other bytes"
}

# Stores that cannot be used.
mkdir other && touch other/file
ends_with 1 'set KILN_STORE to an empty directory' env KILN_STORE="$WORK/other" "$KILN_BIN" plan t.pkr.hcl
ends_with 1 'KILN_STORE' env KILN_STORE=/etc/passwd "$KILN_BIN" store ls
ends_with 1 'KILN_STORE' env KILN_STORE=/proc/none "$KILN_BIN" store ls
ends_with 1 'KILN_STORE' env KILN_STORE=/etc/passwd/none "$KILN_BIN" store ls
mkdir -p lay/{lower,upper,work,on}
if mount -t overlay -o "lowerdir=$WORK/lay/lower,upperdir=$WORK/lay/upper,workdir=$WORK/lay/work" none lay/on 2>/dev/null; then
  cleanup+=("umount -l '$WORK/lay/on' 2>/dev/null")
  ends_with 1 'set KILN_STORE to a directory on a local disk' env KILN_STORE="$WORK/lay/on/s" "$KILN_BIN" build -local t.pkr.hcl
  umount lay/on
fi
mkdir memory
if mount -t tmpfs -o size=64m none memory 2>/dev/null; then
  cleanup+=("umount -l '$WORK/memory' 2>/dev/null")
  KILN_STORE=$WORK/memory/s build -output=out2 t.pkr.hcl
  [ "$(sha out2/t-docker.tar)" = "$good" ] || fail "a store on a tmpfs gives other bytes"
  mount -o remount,ro memory
  ends_with 1 'Read-only file system' "$KILN_BIN" build -local -output=memory/out t.pkr.hcl
  umount memory
fi

# Rights that are missing.
mkdir -m 777 open
cp base.tar t.pkr.hcl "$KILN_BIN" open/  # the tree may lie where others cannot go
theirs=$WORK/open/kiln
user=(setpriv --reuid=12345 --regid=12345 --clear-groups env -C "$WORK/open")
ends_with 1 'start kiln as root or with sudo' "${user[@]}" KILN_STORE="$WORK/open/s" "$theirs" build -local t.pkr.hcl
ends_with 1 'Permission denied' "${user[@]}" KILN_STORE="$KILN_STORE" "$theirs" plan t.pkr.hcl
ends_with 0 'The configuration is valid' "${user[@]}" -u HOME -u KILN_STORE "$theirs" validate t.pkr.hcl
ends_with 1 'CAP_SYS_ADMIN' setpriv --bounding-set=-sys_admin "$KILN_BIN" build -local -no-cache t.pkr.hcl
if unshare -Ur true 2>/dev/null; then
  ends_with 1 'outside of this user namespace' unshare -Ur "$KILN_BIN" build -local -no-cache t.pkr.hcl
fi

# The output directory.
ends_with 1 '/etc/passwd' "$KILN_BIN" build -local -output=/etc/passwd t.pkr.hcl

# Standard output: full, closed, a reader that goes.
ends_with 1 'No space left on device' sh -c '"$KILN_BIN" plan t.pkr.hcl >/dev/full'
ends_with 0 '' sh -c '"$KILN_BIN" plan t.pkr.hcl >&- 2>&- <&-'
ends_with 0 'docker.t' bash -c 'set -o pipefail; "$KILN_BIN" plan t.pkr.hcl | head -1'
ends_with 0 '' bash -c '"$KILN_BIN" build -local -no-cache t.pkr.hcl >/dev/full'

# A parent that ignores every signal: an exit code is still seen, and SIGTERM still ends the build.
cat >ignore.py <<'PY'
import os, signal, sys
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.execv(sys.argv[1], sys.argv[1:])
PY
sed 's/echo two/exit 3; echo two/' t.pkr.hcl >exit3.pkr.hcl
ends_with 1 'exit status: 3' python3 ignore.py "$KILN_BIN" build -local exit3.pkr.hcl
cat >host.pkr.hcl <<'HCL'
source "null" "n" {}
build {
  sources = ["source.null.n"]
  provisioner "shell-local" { inline = ["exit 4"] }
}
HCL
ends_with 1 '4' python3 ignore.py "$KILN_BIN" build host.pkr.hcl
sed 's/echo two/sleep 60; echo two/' t.pkr.hcl >slow.pkr.hcl
python3 ignore.py "$KILN_BIN" build -local slow.pkr.hcl >log 2>&1 &
pid=$!
for ((n = 0; n < 100; n++)); do
  [ "$(grep -c 'shell: inline' log)" -lt 2 ] || break
  sleep 0.1
done
sleep 0.5
kill -TERM "$pid"
code=0
wait "$pid" || code=$?
[ "$code" = 1 ] || { cat log >&2; fail "SIGTERM ended the build with $code"; }

# Damage inside the store.
rm -rf "$KILN_STORE"/layers/*
still_good "layers deleted"
find "$KILN_STORE/results" "$KILN_STORE/aliases" "$KILN_STORE/records" -type f -exec sh -c 'echo "{\"at\":1,\"bo" >"$1"' _ {} \;
still_good "results cut short"
find "$KILN_STORE/results" "$KILN_STORE/records" -type f -exec truncate -s 0 {} \;
still_good "results empty"
find "$KILN_STORE" -type f -exec touch -d '2040-01-01' {} +
touch -d '2040-01-01' t.pkr.hcl base.tar
still_good "the clock set back"

# Two builds of one template at once over one store.
rm -rf "$KILN_STORE"
for n in 1 2 3; do kiln build -local -output="both$n" t.pkr.hcl >"log$n" 2>&1 & done
for n in 1 2 3; do wait -n || { cat log?; fail "a build beside others failed"; }; done
for n in 1 2 3; do [ "$(sha "both$n/t-docker.tar")" = "$good" ] || fail "builds at once give other bytes"; done
[ "$(cat log? | grep -c 'built shell: inline')" = 2 ] || { cat log?; fail "a step ran twice"; }
nothing_left
