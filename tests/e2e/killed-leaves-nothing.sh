#!/usr/bin/env bash
# Builds killed at random moments (seeded): no mount, process or half file stays, the next build works and gives the same
# bytes. KILN_KILLS: how many (50).
. "$(dirname "$0")/../support/e2e.sh"

small_base base.tar
cat >t.pkr.hcl <<'HCL'
source "docker" "t" {
  image  = "tar:base.tar"
  commit = true
}
build {
  sources = ["source.docker.t"]
  provisioner "shell" { inline = ["seq 1 200000 > /one", "sleep 0.05 & sleep 0.02"] }
  provisioner "shell" { inline = ["cat /one /one > /two", "(sleep 300 &) ; sleep 0.02"] }
  provisioner "shell" { inline = ["sha256sum /two > /three"] }
  post-processor "manifest" {}
}
HCL
build t.pkr.hcl
good=$(sha out/t-docker.tar)

RANDOM=20260411
for ((i = 1; i <= ${KILN_KILLS:-50}; i++)); do
  rm -rf out
  # Every fifth build starts from an empty store, so that the base's import is hit as well.
  [ $((i % 5)) != 0 ] || rm -rf "$KILN_STORE"
  setsid env --default-signal=INT "$KILN_BIN" build -local -no-cache t.pkr.hcl >log 2>&1 &
  pid=$!
  sleep "0.$(printf '%03d' $((RANDOM % 400)))"
  case $((i % 3)) in
    0) kill -KILL -- "-$pid" 2>/dev/null || true ;;
    1) kill -KILL "$pid" 2>/dev/null || true ;;
    2) kill -INT "$pid" 2>/dev/null || true ;;
  esac
  wait "$pid" 2>/dev/null || true
  for ((n = 0; n < 50; n++)); do
    pgrep -f "sleep [3]00" >/dev/null || break
    sleep 0.1
  done
  ! pgrep -f "sleep [3]00" >/dev/null || fail "kill $i: a process of a step is left"
  ! grep -F "$WORK" /proc/self/mountinfo || fail "kill $i: a mount is left"
  if [ -e out/t-docker.tar ]; then
    [ "$(sha out/t-docker.tar)" = "$good" ] || fail "kill $i: a half file stands under the final name"
  fi
  if [ $((i % 10)) = 0 ]; then
    build t.pkr.hcl
    [ "$(sha out/t-docker.tar)" = "$good" ] || fail "kill $i: the next build gives other bytes"
    [ -z "$(find "$KILN_STORE/tmp" -mindepth 1 -maxdepth 1 ! -name '*.lock')" ] || fail "kill $i: scratch is left after the next build"
    kiln store verify >verify.log || { cat verify.log; fail "kill $i: the store is damaged"; }
  fi
done
build t.pkr.hcl
[ "$(sha out/t-docker.tar)" = "$good" ] || fail "the last build gives other bytes"
nothing_left
