#!/usr/bin/env bash
# Each write of an artifact fails once, with "no space left" or "input/output error": the build ends with 1 and says which,
# nothing but whole files is left, under their names, and the next build makes the same bytes as ever.
. "$(dirname "$0")/../support/e2e.sh"
# shellcheck source=../support/machine.sh
. "$TREE/tests/support/machine.sh"
machine_base base.tar
cat >t.pkr.hcl <<'HCL'
source "docker" "t" {
  image  = "tar:base.tar"
  commit = true
}
source "googlecompute" "t" {
  source_image = "tar:base.tar"
  image_name   = "t"
}
source "disk" "t" {
  base      = "tar:base.tar"
  formats   = ["raw", "qcow2", "vmdk", "vhd", "vhdx", "ova", "squashfs", "wsl"]
  disk_size = "700M"
}
build {
  sources = ["source.docker.t", "source.googlecompute.t", "source.disk.t"]
}
HCL
cc -O1 -shared -fPIC "$TREE/tests/support/failing-write.c" -o failing.so -ldl || skip "no C compiler"
build t.pkr.hcl
(cd out && find . -type f ! -name '*.json*' -exec sha256sum {} + | sort) >expected
[ "$(wc -l <expected)" -ge 10 ] || fail "artifacts: $(cat expected)"

for source in docker googlecompute disk; do
  whole=
  rm -rf out calls
  FAIL_UNDER=$WORK/out FAIL_COUNT=$WORK/calls LD_PRELOAD=$WORK/failing.so build -only="$source.t" t.pkr.hcl
  calls=$(($(stat -c %s calls) - 1)) # the last names the log of events, and no build fails for want of that
  [ "$calls" -gt 5 ] || fail "only $calls writes of $source were seen"
  # The first and the last few, and some between.
  for at in $( { seq 3; seq 5 $((calls / 4 + 1)) "$calls"; seq $((calls - 2)) "$calls"; } | sort -nu); do
    [ $((at % 2)) = 0 ] && with="28 No space left" || with="5 Input/output error"
    rm -rf out
    code=0
    FAIL_UNDER=$WORK/out FAIL_AT=$at FAIL_WITH=${with%% *} LD_PRELOAD=$WORK/failing.so \
      "$KILN_BIN" build -local -only="$source.t" t.pkr.hcl >log 2>&1 || code=$?
    [ "$code" = 1 ] || { cat log; fail "write $at of $calls of $source failed, and the build ended with $code"; }
    grep -i "${with#* }" log >/dev/null || { cat log; fail "write $at of $source: the error is not said"; }
    # Once the bytes are there and named, only saying so to the disk can fail.
    for file in $(cd out 2>/dev/null && find . -type f ! -name '*.json*'); do
      grep "^$(sha "out/$file")  $file\$" expected >/dev/null || fail "write $at of $calls of $source left half of $file"
      whole="$whole $at"
    done
  done
  echo "$source: $calls writes; whole files were left by${whole:- none}"
done
rm -rf out
build t.pkr.hcl
(cd out && find . -type f ! -name '*.json*' -exec sha256sum {} + | sort) | cmp - expected || fail "other bytes after failures"
nothing_left
