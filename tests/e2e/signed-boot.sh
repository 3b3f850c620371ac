#!/usr/bin/env bash
# A tree with a signed shim and a signed GRUB starts by them: both lie untouched on the EFI system partition, shim at the
# path of removable media with GRUB and the key manager beside it, and a configuration where this GRUB looks. grub-mkimage is
# not needed then. A tree with only one of the two gets the GRUB that grub-mkimage makes.
. "$(dirname "$0")/../support/e2e.sh"
# shellcheck source=../support/machine.sh
. "$TREE/tests/support/machine.sh"
command -v mcopy >/dev/null || skip "no mcopy"

signed=usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed shim=usr/lib/shim/shimx64.efi.signed
machine_base machine.tar usr/lib/grub/i386-pc
mkdir tree
add() { mkdir -p "tree/${1%/*}" && echo "stands for $1" >"tree/$1"; }
for file in $signed $shim usr/lib/shim/mmx64.efi.signed usr/lib/shim/fbx64.efi.signed; do add "$file"; done

base_without() { # base_without FILE PATH...: the machine and the signed files, without these
  rm -rf whole
  mkdir whole
  tar -C whole -xf machine.tar
  cp -r tree/. whole/
  (cd whole && rm -rf "${@:2}")
  tar -C whole --sort=name --mtime=@1600000000 --owner=0 --group=0 --numeric-owner -cf "$1" .
}
build_disk() { # build_disk BASE: leaves its EFI system partition in esp
  printf 'source "disk" "t" {\n  base = "tar:%s"\n  boot = ["uefi"]\n}\nbuild {\n  sources = ["source.disk.t"]\n}\n' "$1" >t.pkr.hcl
  build t.pkr.hcl
  check_disk out/t.raw
  dd if=out/t.raw of=esp bs=1M skip=4 count=124 status=none
}
on_esp() { mcopy -n -i esp "::/EFI/$1" - 2>/dev/null; }

base_without signed.tar usr/bin/grub-mkimage usr/lib/grub/x86_64-efi
build_disk signed.tar
on_esp BOOT/BOOTX64.EFI | cmp - tree/$shim || fail "shim is not what the firmware starts"
on_esp BOOT/grubx64.efi | cmp - tree/$signed || fail "the signed GRUB is not beside shim"
on_esp BOOT/mmx64.efi | cmp - tree/usr/lib/shim/mmx64.efi.signed || fail "the key manager is not beside shim"
on_esp BOOT/fbx64.efi >/dev/null && fail "fbx64.efi would write boot entries"
uuid=$(blkid -p -O 134217728 -s UUID -o value out/t.raw)
for folder in debian BOOT; do
  on_esp $folder/grub.cfg >grub.cfg
  # shellcheck disable=SC2016 # GRUB's own
  printf '%s\n' "search.fs_uuid $uuid root" 'set prefix=($root)/boot/grub' 'configfile $prefix/grub.cfg' | cmp - grub.cfg ||
    fail "EFI/$folder/grub.cfg: $(cat grub.cfg)"
done

for path in $shim $signed; do
  base_without half.tar "$path"
  build_disk half.tar
  on_esp BOOT/BOOTX64.EFI >loader
  [ "$(head -c 2 loader)" = MZ ] || fail "without $path no GRUB was made"
  on_esp BOOT/grubx64.efi >/dev/null && fail "without $path a signed GRUB is there"
done
exit 0
