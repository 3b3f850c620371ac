#!/usr/bin/env bash
# A disk of 20 GiB in every format at once: at most 128 MiB of memory, holes cost no time and no space.
. "$(dirname "$0")/../support/e2e.sh"
# shellcheck source=../support/machine.sh
. "$TREE/tests/support/machine.sh"

machine_base base.tar
cat >t.pkr.hcl <<'HCL'
source "disk" "t" {
  base      = "tar:base.tar"
  formats   = ["raw", "qcow2", "qcow2-zlib", "qcow2-zstd", "gce", "vhd", "vhd-dynamic", "vhdx", "vmdk", "ova", "squashfs", "wsl"]
  disk_size = "20G"
}
build {
  sources = ["source.disk.t"]
  provisioner "shell" {
    inline = [
      "mkdir /many && cd /many && for i in $(seq 10000); do echo $i > $i; done",
      "dd if=/dev/urandom of=/noise bs=1M count=48 2>/dev/null",
    ]
  }
}
HCL

# kib_of COMMAND...: the most memory that one process of it had.
kib_of() {
  python3 -c 'import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=sys.stderr)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)' "$@"
}
used=$(kib_of "$KILN_BIN" build -local t.pkr.hcl 2>log) || { cat log; fail "the build"; }
echo "20 GiB in twelve formats: $((used / 1024)) MiB of memory"
[ "$used" -le $((128 * 1024)) ] || fail "$((used / 1024)) MiB of memory"
[ "$(stat -c %s out/t.raw)" = $((20 << 30)) ] || fail "the disk has not its size"
for file in out/t.*; do
  [ "$(du -m "$file" | cut -f 1)" -lt 512 ] || fail "$file takes $(du -m "$file" | cut -f 1) MiB"
done
check_disk out/t.raw
