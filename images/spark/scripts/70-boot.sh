#!/bin/sh
# Debian's kernel for clouds, its initrd, and GRUB for BIOS and UEFI. Nothing is put on a disk here: who writes the disk
# writes the boot sector, the EFI partition and the first grub.cfg; update-grub makes the next one in the running machine.
set -eu
umask 022
# shellcheck source=../files/node-lib.sh
. /tmp/spark-node-lib.sh

# What is there before the kernel: its initrd must not look for the swap space of the machine that builds.
mkdir -p /etc/initramfs-tools/conf.d
echo 'RESUME=none' >/etc/initramfs-tools/conf.d/resume

# grub-cloud-amd64 leaves disks alone until /etc/grub.d/enable_cloud exists (step 90), then keeps both firmwares' GRUB
# up to date.
install_packages grub-cloud-amd64 initramfs-tools linux-image-cloud-amd64 zstd

mkdir -p /etc/default/grub.d
cat >/etc/default/grub.d/50-spark.cfg <<END
GRUB_TIMEOUT=0
GRUB_CMDLINE_LINUX_DEFAULT=""
GRUB_TERMINAL="console serial"
END
