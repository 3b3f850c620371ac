# shellcheck shell=bash
# For end-to-end tests of machines, after e2e.sh: a small tree that has all that a boot layer asks for, and strangers that
# judge a disk.

for tool in sgdisk e2fsck fsck.fat qemu-img grub-mkimage grub-fstest; do
  command -v $tool >/dev/null || skip "no $tool"
done
for file in i386-pc/boot.img x86_64-efi/moddep.lst; do
  [ -e /usr/lib/grub/$file ] || skip "no GRUB for BIOS and UEFI"
done

# machine_base FILE [PATH...]: a tar of busybox, this machine's GRUB and words in place of kernel, initrd, systemd and
# cloud-init; without the paths that are named.
machine_base() {
  local root=$WORK/machine-root path applet
  small_base "$WORK/busybox.tar"
  mkdir "$root"
  tar -C "$root" -xf "$WORK/busybox.tar"
  for applet in mktemp sort cut ls printf; do ln -sf busybox "$root/bin/$applet"; done
  for path in boot/vmlinuz-6.1.0-test boot/initrd.img-6.1.0-test usr/lib/systemd/systemd usr/sbin/init usr/bin/cloud-init; do
    mkdir -p "$root/${path%/*}"
    echo "$path" >"$root/$path"
  done
  rmdir "$root/sbin"
  ln -s usr/sbin "$root/sbin"
  ln -s boot/vmlinuz-6.1.0-test "$root/vmlinuz"
  ln -s boot/initrd.img-6.1.0-test "$root/initrd.img"
  mkdir -p "$root/usr/lib/grub"/{i386-pc,x86_64-efi}
  cp /usr/lib/grub/i386-pc/*.{mod,lst,img} "$root/usr/lib/grub/i386-pc/"
  cp /usr/lib/grub/x86_64-efi/*.{mod,lst,img} "$root/usr/lib/grub/x86_64-efi/"
  cp "$(command -v grub-mkimage)" "$root/usr/bin/grub-mkimage"
  ldd /usr/bin/grub-mkimage | grep -o '/[^ ]*' | while read -r path; do cp --parents -L "$path" "$root/"; done
  ln -s ../usr/lib/systemd "$root/lib/systemd"
  for path in "${@:2}"; do rm -rf "${root:?}/$path"; done
  tar -C "$root" --sort=name --mtime=@1600000000 --owner=0 --group=0 --numeric-owner -cf "$1" .
  rm -rf "$root" "$WORK/busybox.tar"
}

# check_disk FILE: partition table, root and EFI file systems are as their own checkers want them.
check_disk() {
  sgdisk -v "$1" >"$WORK/judge" 2>&1 || true
  grep -q "No problems found" "$WORK/judge" || { cat "$WORK/judge"; fail "sgdisk -v $1"; }
  e2fsck -fn "$1?offset=134217728" >"$WORK/judge" 2>&1 || { cat "$WORK/judge"; fail "e2fsck -fn $1"; }
  dd if="$1" of="$WORK/esp" bs=1M skip=4 count=124 status=none
  fsck.fat -n "$WORK/esp" >"$WORK/judge" 2>&1 || { cat "$WORK/judge"; fail "fsck.fat -n $1"; }
  rm "$WORK/esp"
}

# in_root FILE PATH: a file of a disk's root file system, as GRUB reads it.
in_root() { grub-fstest "$1" cat "(loop0,gpt1)$2"; }
