#!/usr/bin/env bash
# Bad templates, options and bases: a clear message with the place, exit code 1, nothing left behind.
. "$(dirname "$0")/../support/e2e.sh"
small_base base.tar

template() { # template BODY-OF-BUILD [SOURCE-OPTIONS]
  printf 'source "docker" "t" {\n  image = "%s"\n  commit = true\n%s\n}\nbuild {\n  sources = ["source.docker.t"]\n%s\n}\n' \
    "${BASE:-tar:base.tar}" "${2:-}" "$1" >t.pkr.hcl
}

template 'provisioner "shel" { inline = ["true"] }'
build_fails 'Did you mean "shell"?' t.pkr.hcl
template 'provisioner "shell" { inlin = ["true"] }'
build_fails 'An argument named "inlin" is not expected' t.pkr.hcl
template 'provisioner "shell" { script = "missing.sh" }'
build_fails 'missing.sh' t.pkr.hcl
# shellcheck disable=SC2016  # the template expands it
template 'provisioner "shell" { inline = ["echo ${var.nope}"] }'
build_fails 't.pkr.hcl line' t.pkr.hcl
template 'provisioner "file" {
  source = "nowhere"
  destination = "/x"
}'
build_fails 'nowhere' t.pkr.hcl
template '' 'privileged = true'
build_fails 'allow-privileged' t.pkr.hcl
BASE=tar:missing.tar template ''
build_fails 'missing.tar' t.pkr.hcl
head -c 100000 /dev/urandom >garbage.tar
BASE=tar:garbage.tar template ''
build_fails 'garbage.tar' t.pkr.hcl
mkfifo fifo
BASE=tar:fifo template ''
build_fails 'not a regular file' t.pkr.hcl
BASE=bootstrap:plan9/four template ''
build_fails 'bootstrap:debian/SUITE' t.pkr.hcl
template 'provisioner "shell" { inline = ["printf \"\\033[2Jred\\n\"; exit 3"] }'
build_fails 'exit status: 3' t.pkr.hcl
! grep -q $'\033\\[2J' log || fail "a control sequence of a step reached the screen"

code=0
kiln frobnicate >log 2>&1 || code=$?
[ "$code" = 127 ] || fail "an unknown command ended with $code"
code=0
kiln build -frobnicate t.pkr.hcl >log 2>&1 || code=$?
[ "$code" = 1 ] || fail "an unknown flag ended with $code"
build_fails 'No builds to run' -only=nothing t.pkr.hcl
kiln build -help | grep -q 'kiln build -local' || fail "the help has no example"
[ ! -e out ] || [ -z "$(find out -type f)" ] || fail "a refused build left a file: $(find out)"
nothing_left
