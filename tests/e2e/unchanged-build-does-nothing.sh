#!/usr/bin/env bash
# Unchanged: no step, no socket, nothing written below out/. A comment in the first script reruns that script and stops
# there; the last script alone reruns when it alone changed.
. "$(dirname "$0")/../support/e2e.sh"

small_base base.tar
printf '#!/bin/sh\nset -e\necho one > /one\n' >first.sh
printf '#!/bin/sh\nset -e\ncat /one > /two\n' >second.sh
printf '#!/bin/sh\nset -e\ncat /two /tmp/upload > /three\n' >third.sh
echo uploaded >upload
cat >t.pkr.hcl <<'HCL'
source "docker" "t" {
  image  = "tar:base.tar"
  commit = true
}
build {
  sources = ["source.docker.t"]
  provisioner "shell" { script = "first.sh" }
  provisioner "shell" { script = "second.sh" }
  provisioner "file" {
    source      = "upload"
    destination = "/tmp/upload"
  }
  provisioner "shell" { script = "third.sh" }
  post-processor "manifest" {}
}
HCL

build t.pkr.hcl
[ -f out/t-docker.tar ] || fail "no artifact"
[ -f out/packer-manifest.json ] || fail "no manifest beside it"
[ -L out/events.jsonl ] || fail "no link to the event log"
first=$(sha out/t-docker.tar)

before=$(find out -printf '%p %T@ %C@ %s\n' | sort)
command -v strace >/dev/null || skip "strace is not installed"
strace -f -o trace -e trace=socket,connect,clone,clone3,vfork,mount "$KILN_BIN" build -local t.pkr.hcl >log 2>&1
! grep -E '(^|[^_])(socket|connect|mount)\(' trace || fail "an unchanged build opened a socket or mounted something"
[ -z "$(ran)" ] || fail "an unchanged build ran: $(ran)"
[ "$before" = "$(find out -printf '%p %T@ %C@ %s\n' | sort)" ] || fail "an unchanged build wrote below out/"

touch first.sh second.sh upload
chmod g+w upload # of the mode only the part that the image gets counts
build t.pkr.hcl
[ -z "$(ran)" ] || fail "touching files ran: $(ran)"

echo '# a comment' >>first.sh
kiln plan -local t.pkr.hcl >log
says "first.sh changed"
says "may stop here"
build t.pkr.hcl
[ "$(ran)" = "run shell: first.sh" ] || fail "a comment in the first script ran: $(ran)"
[ "$(sha out/t-docker.tar)" = "$first" ] || fail "a comment changed the image"

echo 'echo more >> /three' >>third.sh
build t.pkr.hcl
[ "$(ran | grep -c '^run ')" = 1 ] || fail "changing the last script ran: $(ran)"
grep -qx 'run shell: third.sh' <<<"$(ran)" || fail "the last script did not run"
[ "$(sha out/t-docker.tar)" != "$first" ] || fail "the image did not change"

rm out/packer-manifest.json
build t.pkr.hcl
[ "$(ran)" = "post-process manifest" ] || fail "without its manifest a build ran: $(ran)"
nothing_left
