#!/bin/sh
# Makes the tree that it runs in bootable, with the tree's own tools: fstab, grub.cfg, GRUB for BIOS and UEFI. The disk
# writer later turns what is in /boot/efi into the EFI system partition and embeds GRUB's boot.img and core.img.
# Environment: KILN_ROOT_UUID, KILN_ESP_ID (serial number of the ESP), KILN_KERNEL_OPTIONS, KILN_BIOS, KILN_UEFI (yes or no).
# The same tree and the same environment must give the same bytes.
set -eu

grub=/boot/grub
library=/usr/lib/grub
esp=/boot/efi

# What the tree's GRUB configuration sets stays, what is missing is added; no word that keeps the console silent. The
# update-grub of the running machine reads the same files, so it comes to the same kernel line.
write_defaults() {
  mkdir -p /etc/default/grub.d
  cat >/etc/default/grub.d/90-kiln.cfg <<END
# Made by kiln; update-grub reads it after /etc/default/grub. It adds what is not set there.
kiln_set=" \$GRUB_CMDLINE_LINUX \$GRUB_CMDLINE_LINUX_DEFAULT "
for kiln_option in $KILN_KERNEL_OPTIONS; do
  case "\$kiln_set" in
    *" \${kiln_option%%=*}="* | *" \$kiln_option "*) ;;
    *) GRUB_CMDLINE_LINUX="\${GRUB_CMDLINE_LINUX:+\$GRUB_CMDLINE_LINUX }\$kiln_option" ;;
  esac
done
kiln_set=
for kiln_option in \$GRUB_CMDLINE_LINUX_DEFAULT; do
  case "\$kiln_option" in
    quiet | splash | rhgb) ;;
    *) kiln_set="\${kiln_set:+\$kiln_set }\$kiln_option" ;;
  esac
done
GRUB_CMDLINE_LINUX_DEFAULT=\$kiln_set
: "\${GRUB_TERMINAL=console serial}" "\${GRUB_TIMEOUT=1}"
: "\${GRUB_SERIAL_COMMAND=serial --unit=0 --speed=115200}"
END
}

read_defaults() {
  GRUB_CMDLINE_LINUX='' GRUB_CMDLINE_LINUX_DEFAULT=''
  unset GRUB_TERMINAL GRUB_TIMEOUT GRUB_SERIAL_COMMAND
  set +eu
  for file in /etc/default/grub /etc/default/grub.d/*.cfg; do
    # shellcheck disable=SC1090  # the tree's own
    if [ -f "$file" ]; then . "$file"; fi
  done
  set -eu
  kernel_line="$GRUB_CMDLINE_LINUX${GRUB_CMDLINE_LINUX_DEFAULT:+ $GRUB_CMDLINE_LINUX_DEFAULT}"
}

# Debian's links, so that a newer kernel is found; else the newest kernel by name.
find_kernel() {
  kernel=/vmlinuz initrd=/initrd.img
  if [ ! -e "$kernel" ] || [ ! -e "$initrd" ]; then
    kernel=$(printf '%s\n' /boot/vmlinuz-* | sort -V | tail -n 1)
    initrd=/boot/initrd.img-${kernel#/boot/vmlinuz-}
    [ -e "$initrd" ] || { echo "there is no $initrd for $kernel" >&2; exit 1; }
  fi
}

write_grub_cfg() {
  cat >"$grub/grub.cfg" <<END
# Made by kiln. update-grub on the running machine replaces it.
if $GRUB_SERIAL_COMMAND; then
  terminal_input $GRUB_TERMINAL
  terminal_output $GRUB_TERMINAL
fi
set timeout=$GRUB_TIMEOUT
search.fs_uuid $KILN_ROOT_UUID root
menuentry "Linux" {
  linux $kernel root=UUID=$KILN_ROOT_UUID ro $kernel_line
  initrd $initrd
}
END
  if command -v grub-editenv >/dev/null; then grub-editenv "$grub/grubenv" create; fi
}

# search.fs_uuid finds the root file system wherever the firmware puts its disk.
write_early_cfg() {
  early=$(mktemp)
  cat >"$early" <<END
search.fs_uuid $KILN_ROOT_UUID root
set prefix=(\$root)$grub
END
}

copy_modules() { # copy_modules PLATFORM
  mkdir -p "$grub/$1"
  cp "$library/$1"/*.mod "$library/$1"/*.lst "$grub/$1/"
}

make_bios() {
  copy_modules i386-pc
  cp "$library/i386-pc/boot.img" "$grub/i386-pc/"
  grub-mkimage -O i386-pc -d "$library/i386-pc" -p "$grub" -c "$early" -o "$grub/i386-pc/core.img" \
    biosdisk part_gpt ext2 search_fs_uuid normal
}

# The path of removable media: no machine that starts from an image has boot entries of its own. Without fbx64.efi, which
# would write some and reboot.
make_uefi() {
  mkdir -p "$esp/EFI/BOOT"
  if [ -d "$library/x86_64-efi" ]; then copy_modules x86_64-efi; fi
  signed=$library/x86_64-efi-signed/grubx64.efi.signed shim=/usr/lib/shim/shimx64.efi.signed
  if [ -e "$signed" ] && [ -e "$shim" ]; then
    cp "$shim" "$esp/EFI/BOOT/BOOTX64.EFI"
    cp "$signed" "$esp/EFI/BOOT/grubx64.efi"
    for manager in /usr/lib/shim/mmx64.efi.signed /usr/lib/shim/mmx64.efi; do
      if [ -e "$manager" ]; then cp "$manager" "$esp/EFI/BOOT/mmx64.efi"; break; fi
    done
    mkdir -p "$esp/EFI/debian"
    sed '$a configfile $prefix/grub.cfg' "$early" >"$esp/EFI/debian/grub.cfg"
    cp "$esp/EFI/debian/grub.cfg" "$esp/EFI/BOOT/grub.cfg"
  else
    grub-mkimage -O x86_64-efi -d "$library/x86_64-efi" -p "$grub" -c "$early" -o "$esp/EFI/BOOT/BOOTX64.EFI" \
      part_gpt ext2 search_fs_uuid normal
  fi
}

# Other lines of the tree's fstab stay.
write_fstab() {
  others=$(sed -E '/^[[:space:]]*($|#)/d; /^[^[:space:]]+[[:space:]]+(\/|\/boot\/efi)[[:space:]]/d' /etc/fstab 2>/dev/null) || others=''
  {
    echo "UUID=$KILN_ROOT_UUID / ext4 rw,discard,errors=remount-ro 0 1"
    if [ "$KILN_UEFI" = yes ]; then echo "UUID=$KILN_ESP_ID $esp vfat umask=0077,nofail 0 1"; fi
    if [ -n "$others" ]; then echo "$others"; fi
  } >/etc/fstab
}

mkdir -p "$grub" "$esp"
write_defaults
read_defaults
find_kernel
write_grub_cfg
write_early_cfg
if [ "$KILN_BIOS" = yes ]; then make_bios; fi
if [ "$KILN_UEFI" = yes ]; then make_uefi; fi
rm "$early"
write_fstab
