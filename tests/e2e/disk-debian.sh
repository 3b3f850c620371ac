#!/usr/bin/env bash
# A real machine: Debian's kernel, GRUB, systemd and cloud-init over a bootstrapped base. The checkers of others find its
# disks clean, GRUB reads kernel and initrd from them, and a cold build elsewhere gives the same bytes.
. "$(dirname "$0")/../support/e2e.sh"
# shellcheck source=../support/machine.sh
. "$TREE/tests/support/machine.sh"

cat >base.pkr.hcl <<'HCL'
source "docker" "base" {
  image       = "bootstrap:debian/bookworm"
  export_path = "base.tar"
}
build {
  sources = ["source.docker.base"]
}
HCL
kiln build -local base.pkr.hcl >log 2>&1 || { grep -q "mmdebstrap" log && { cat log; skip "no archive to bootstrap from"; }; cat log; fail "the base"; }

cat >t.pkr.hcl <<'HCL'
source "amazon-ebs" "deb" {
  source_ami = "tar:base.tar"
}
source "googlecompute" "deb" {
  source_image = "tar:base.tar"
}
build {
  sources = ["source.amazon-ebs.deb", "source.googlecompute.deb"]
  provisioner "shell" {
    environment_vars = ["DEBIAN_FRONTEND=noninteractive"]
    inline = [
      "apt-get update -q",
      "mkdir -p /etc/initramfs-tools/conf.d && echo RESUME=none > /etc/initramfs-tools/conf.d/resume",
      "apt-get install -y -q --no-install-recommends linux-image-cloud-amd64 initramfs-tools zstd grub-cloud-amd64 systemd-sysv udev cloud-init",
      "rm -rf /var/lib/apt/lists/*",
    ]
  }
  post-processor "manifest" {}
}
HCL
build t.pkr.hcl
check_disk out/deb-ec2.raw
tar -xSf out/deb-gce.tar.gz
check_disk disk.raw

# What GRUB reads is what the tree holds, through Debian's links; the signed loaders are in the EFI partition.
for path in /vmlinuz /initrd.img; do
  [ "$(in_root out/deb-ec2.raw $path | sha256sum)" = "$(kiln run -only=amazon-ebs.deb t.pkr.hcl -- /bin/cat $path | sha256sum)" ] ||
    fail "GRUB reads another $path"
done
dd if=out/deb-ec2.raw of=esp bs=1M skip=4 count=124 status=none
for file in EFI/BOOT/BOOTX64.EFI EFI/BOOT/grubx64.efi EFI/BOOT/grub.cfg EFI/debian/grub.cfg; do
  mdir -i esp "::/$file" >/dev/null 2>&1 || fail "no $file in the EFI partition"
done
mdir -b -s -i esp :: | grep -qi fbx64 && fail "fbx64.efi would write boot entries"

# Nothing of this machine is inside.
debugfs -R "cat /etc/machine-id" "out/deb-ec2.raw?offset=134217728" 2>/dev/null | grep . && fail "the machine has an id already"
for path in /etc/resolv.conf /etc/hostname /var/log/dpkg.log /etc/ssh/ssh_host_rsa_key; do
  if in_root out/deb-ec2.raw $path 2>/dev/null | grep -q .; then fail "$path is in the image"; fi
done

# Elsewhere, cold, with the packages that are downloaded already.
mkdir -p other "$WORK/store2/dirs"
cp base.tar t.pkr.hcl other/
cp -r "$KILN_STORE/dirs/cache-apt" "$WORK/store2/dirs/"
(cd other && TZ=Asia/Tokyo KILN_STORE=$WORK/store2 "$KILN_BIN" build -local t.pkr.hcl >"$WORK/log" 2>&1) || { cat log; fail "second cold build"; }
for file in deb-ec2.raw deb-gce.tar.gz; do
  cmp -s out/$file other/out/$file || fail "two cold builds differ in $file"
done
nothing_left
