#!/bin/bash
# secure-boot.sh: a machine of Debian's signed shim, GRUB and kernel starts where the firmware has Secure Boot on and
# Microsoft's keys, and its kernel knows; the same machine with grub-mkimage's GRUB is refused there, and starts where
# Secure Boot is off. Makes both disks, small ones that print what they see and end, from Debian's packages (as root).
#
#   KILN_BIN   the program (build/release/kiln)
#   and those of guest.sh
# shellcheck disable=SC2317 # functions are called by name
# shellcheck source=guest.sh
. "$(dirname "$0")/guest.sh"
kiln=${KILN_BIN:-$here/../../build/release/kiln}
[ "$(id -u)" = 0 ] || skip "making the disks needs root"
[ -x "$kiln" ] || skip "no kiln at $kiln; make kiln builds it"
[ -f /usr/share/OVMF/OVMF_VARS_4M.ms.fd ] || skip "ovmf has no variables with Microsoft's keys"

# Process 1 of the guests.
cat >"$work/says" <<'END'
#!/bin/sh
mount -t efivarfs none /sys/firmware/efi/efivars
mount -t securityfs none /sys/kernel/security
{
  echo "guest: Secure Boot is $(od -An -j 4 -N 1 -t u1 /sys/firmware/efi/efivars/SecureBoot-*)"
  echo "guest: lockdown is $(cat /sys/kernel/security/lockdown)"
  echo "guest: done"
} >/dev/console
echo o >/proc/sysrq-trigger
sleep 600
END

cat >"$work/t.pkr.hcl" <<'END'
source "disk" "signed" {
  base           = "bootstrap:debian/bookworm"
  boot           = ["uefi"]
  kernel_options = "console=ttyS0,115200n8 init=/says"
}
source "disk" "unsigned" {
  base           = "bootstrap:debian/bookworm"
  boot           = ["uefi"]
  kernel_options = "console=ttyS0,115200n8 init=/says"
}
build {
  sources = ["source.disk.signed", "source.disk.unsigned"]
  provisioner "file" {
    source      = "${path.root}/says"
    destination = "/says"
  }
  provisioner "shell" {
    inline = [
      "export DEBIAN_FRONTEND=noninteractive",
      "chmod 755 /says",
      "apt-get update -q",
      "apt-get install -qy --no-install-recommends initramfs-tools linux-image-cloud-amd64 systemd-sysv grub-common grub-efi-amd64-bin",
    ]
  }
  provisioner "shell" {
    only   = ["disk.signed"]
    inline = ["DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends grub-efi-amd64-signed shim-signed"]
  }
}
END

make_disks() {
  cd "$work"
  KILN_STORE=$work/store "$kiln" build -local -color=false t.pkr.hcl >"$work/log" 2>&1 && return
  tail -n 40 "$work/log"
  echo "FAIL the disks were not made"
  exit 1
}

# begins NAME FIRMWARE DISK: a guest that nobody talks to; its disk stays as it is
begins() {
  local machine=()
  firmware_of "$1" "$2"
  qemu-system-x86_64 -name "$1" -machine q35 -accel "$accel" -m 1024 -nodefaults -display none -no-reboot \
    -serial "file:$work/$1.serial" -drive "if=virtio,format=raw,snapshot=on,file=$work/out/$3.raw" "${machine[@]}" \
    >"$work/$1.qemu" 2>&1 &
  started+=($!)
  echo $! >"$work/$1.pid"
}

printed() { grep -aqE "$2" "$work/$1.serial"; }
has_ended() { ! kill -0 "$(cat "$work/$1.pid")" 2>/dev/null; }
ended_or_printed() { printed "$@" || has_ended "$1"; }

# sees NAME WHAT PATTERN: the guest prints it within the time that there is for a boot
sees() {
  within "$patience" ended_or_printed "$1" "$3" || true
  if printed "$1" "$3"; then pass "$1: $2"; else
    fail "$1: not $2"
    cat "$work/$1.qemu"
    console_of "$1"
  fi
}
ends() { kill "$(cat "$work/$1.pid")" 2>/dev/null || true; }

make_disks
pass "the disks"

begins signed secure signed
sees signed "the kernel says that Secure Boot is on" 'Secure boot enabled'
sees signed "the firmware says so to process 1" 'guest: Secure Boot is +1'
sees signed "the kernel is locked down" 'guest: lockdown is none \[integrity\]'
sees signed "it is over" 'guest: done'
ends signed

begins refused secure unsigned
sees refused "the firmware takes no GRUB without signature" 'failed to load Boot.*: (Access Denied|Security Violation)'
if printed refused 'GRUB|Linux version'; then fail "refused: it started all the same"; fi
ends refused

begins unsigned uefi unsigned
sees unsigned "it starts where Secure Boot is off" 'guest: Secure Boot is +0'
ends unsigned
exit $((failures > 0))
