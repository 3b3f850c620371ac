#!/usr/bin/env bash
# A full disk for the store or for the output: a message that says so, no half file; with room the same store works.
. "$(dirname "$0")/../support/e2e.sh"
small_base base.tar
cat >t.pkr.hcl <<'HCL'
source "docker" "t" {
  image  = "tar:base.tar"
  commit = true
}
build {
  sources = ["source.docker.t"]
  provisioner "shell" { inline = ["dd if=/dev/urandom of=/big bs=1M count=24"] }
}
HCL
mkdir small
mount -t tmpfs -o size=16m,nr_inodes=400 small "$WORK/small" 2>/dev/null || skip "cannot mount a tmpfs here"
cleanup+=("umount -l '$WORK/small'")

KILN_STORE=$WORK/small/store build_fails "No space left" t.pkr.hcl
mount -o remount,size=256m,nr_inodes=40000 "$WORK/small"
KILN_STORE=$WORK/small/store build t.pkr.hcl
rm -rf "$WORK/small/store" out
mount -o remount,size=16m "$WORK/small"

build_fails "No space left" -output="$WORK/small/out" t.pkr.hcl
[ -z "$(find "$WORK/small" -type f)" ] || fail "a file is left on the full disk: $(find "$WORK/small" -type f)"
mount -o remount,size=256m "$WORK/small"
build -output="$WORK/small/out" t.pkr.hcl
[ -f "$WORK/small/out/t-docker.tar" ] || fail "no artifact after room was made"
