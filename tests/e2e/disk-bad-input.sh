#!/usr/bin/env bash
# What goes wrong with machines is said with what to do about it, before the work where that is possible; the other targets
# are finished, and nothing half-written stands under a final name.
. "$(dirname "$0")/../support/e2e.sh"
# shellcheck source=../support/machine.sh
. "$TREE/tests/support/machine.sh"

small_base small.tar
machine_base machine.tar
machine_base bare.tar usr/bin/cloud-init usr/lib/systemd usr/sbin/init

one() { # one TYPE OPTIONS [SCRIPT]: a template of one source named t
  printf 'source "%s" "t" {\n%s\n}\nbuild {\n  sources = ["source.%s.t"]\n  provisioner "shell" {\n    inline = ["%s"]\n  }\n}\n' \
    "$1" "$2" "$1" "${3:-true}" >t.pkr.hcl
}
nothing_made() { [ -z "$(find out -type f 2>/dev/null)" ] || fail "$1 left $(find out -type f)"; }

# A tree that is no machine: everything that is missing, with the packages.
one disk 'base = "tar:small.tar"'
build_fails "no kernel, no initrd, no init, no systemd, no grub-mkimage, no GRUB for BIOS, no GRUB for UEFI" t.pkr.hcl
says "linux-image-cloud-amd64 initramfs-tools systemd-sysv systemd grub-common grub-pc-bin grub-efi-amd64-bin"
one amazon-ebs 'source_ami = "tar:bare.tar"'
build_fails "it has no init, no systemd, no cloud-init; a provisioner has to install systemd-sysv systemd cloud-init" t.pkr.hcl
one googlecompute 'source_image = "tar:bare.tar"'
build_fails "no cloud-init or guest agent" t.pkr.hcl
nothing_made "a tree that is no machine"

# BIOS alone asks for no GRUB for UEFI.
machine_base bios.tar usr/lib/grub/x86_64-efi
one disk 'base = "tar:bios.tar"
  boot = ["bios"]'
build t.pkr.hcl
sgdisk -p out/t.raw | grep ' EF00 ' >/dev/null && fail "a disk for BIOS alone has an EFI partition"
one disk 'base = "tar:bios.tar"'
rm -rf out
build_fails "no GRUB for UEFI; a provisioner has to install grub-efi-amd64-bin" t.pkr.hcl

# The boot layer's own failure shows its words.
one disk 'base = "tar:machine.tar"' 'rm /usr/lib/grub/i386-pc/biosdisk.mod'
build_fails "making the boot layer ended with exit status" t.pkr.hcl
says "biosdisk.mod"
nothing_made "a failed boot layer"

# Too small: says what is needed.
one disk 'base = "tar:machine.tar"
  disk_size = "200M"' 'dd if=/dev/urandom of=/big bs=1M count=150'
build_fails "laying out the disk" t.pkr.hcl
grep -Eq 'needs.* [0-9.]+ (MiB|GiB)' log || { cat log; fail "it does not say how much is needed"; }
nothing_made "a disk that is too small"

# Options.
one amazon-ebs 'source_ami = "tar:machine.tar"
  ami_nam = "x"'
build_fails '"ami_name"?' t.pkr.hcl
one disk 'base = "tar:machine.tar"
  formats = ["raw", "qcow3"]'
build_fails '"qcow2"?' t.pkr.hcl

# Publishing is said to be impossible before anything is done.
one amazon-ebs 'source_ami = "tar:machine.tar"'
code=0
KILN_STORE=$WORK/fresh kiln build t.pkr.hcl >log 2>&1 || code=$?
[ "$code" = 1 ] || fail "a build that cannot publish ended with $code"
says "amazon-ebs.t: publishing to a cloud is not built yet; use -local for the disk files"
[ -z "$(find "$WORK/fresh" -path '*/layers/*' -print -quit)" ] || fail "work was done before"

# A full disk while three writers run: the small image is finished, the others leave nothing.
cat >t.pkr.hcl <<'HCL'
source "docker" "t" {
  image  = "tar:machine.tar"
  commit = true
}
source "amazon-ebs" "t" {
  source_ami = "tar:machine.tar"
}
source "googlecompute" "t" {
  source_image = "tar:machine.tar"
}
source "disk" "t" {
  base = "tar:machine.tar"
}
build {
  sources = ["source.docker.t", "source.amazon-ebs.t", "source.googlecompute.t", "source.disk.t"]
  provisioner "shell" {
    except = ["docker.t"]
    inline = ["dd if=/dev/urandom of=/big bs=1M count=40"]
  }
}
HCL
mkdir small
mount -t tmpfs -o size=32m small "$WORK/small" 2>/dev/null || skip "cannot mount a tmpfs here"
cleanup+=("umount -l '$WORK/small'")
build_fails "No space left" -output="$WORK/small/out" t.pkr.hcl
if grep -q 'writing .*: writing ' log; then fail "the error names the file twice"; fi
says "Imported Docker image"
left=$(find "$WORK/small" -type f -o -name '*.partial' | sort)
[ "$left" = "$WORK/small/out/t-docker.tar" ] || fail "a full disk left $left"
mount -o remount,size=600m "$WORK/small"
build -output="$WORK/small/out" t.pkr.hcl
[ "$(ran | grep -c '^pack ')" = 3 ] || fail "with room again: $(ran)"
check_disk small/out/t-ec2.raw
umount "$WORK/small"
cleanup=()
nothing_left
