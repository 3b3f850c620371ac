#!/bin/bash
# reads-clean.sh [IMAGE...]: machine images (raw, or the tar.gz of Compute Engine) are in order for the usual tools, and
# hold nothing of the machine that built them and nothing that each machine has to make for itself. Mounts nothing.
#
#   SPARK_EC2_DISK, SPARK_GCE_TAR   the images where none is given (out/spark-ec2.raw, out/spark-gce.tar.gz)
# shellcheck disable=SC2317 # check calls the functions
set -uo pipefail
out=$(cd "$(dirname "$0")/../.." && pwd)/out
[ $# -gt 0 ] || set -- "${SPARK_EC2_DISK:-$out/spark-ec2.raw}" "${SPARK_GCE_TAR:-$out/spark-gce.tar.gz}"
for image in "$@"; do
  [ -f "$image" ] || { echo "skipped: no image at $image; make spark writes it"; exit 77; }
done
for tool in sgdisk debugfs e2fsck dumpe2fs partx; do
  PATH=$PATH:/sbin:/usr/sbin command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
PATH=$PATH:/sbin:/usr/sbin
work=$(mktemp -d "${TMPDIR:-/var/tmp}/kiln-clean.XXXXXX")
trap 'rm -rf "$work"' EXIT
failures=0

check() { # check NAME COMMAND...
  local name=$1
  shift
  if "$@" >"$work/output" 2>&1; then echo "ok   $name"; else
    echo "FAIL $name"
    tail -n 12 "$work/output" | sed 's/^/     /'
    failures=$((failures + 1))
  fi
}

root_type=4f68bce3-e8cd-4db1-96e7-fbcaf984b709
esp_type=c12a7328-f81f-11d2-ba4b-00a0c93ec93b
partition() { awk -v type="$1" '$3 == type { print $1, $2 }' "$work/partitions"; } # partition TYPE: first sector, sectors
root_is_last() { [ "$(sort -n "$work/partitions" | tail -n 1 | cut -d ' ' -f 3)" = "$root_type" ]; }
gpt_is_good() { sgdisk -v "$disk" | tee /dev/stderr | grep -q 'No problems found'; }
esp_is_good() {
  local first sectors
  read -r first sectors < <(partition "$esp_type")
  dd if="$disk" of="$work/esp" bs=512 skip="$first" count="$sectors" conv=sparse status=none && fsck.fat -n "$work/esp"
}
root_is_good() { e2fsck -fn "$root"; }
grub_reads_it() { grub-fstest "$disk" ls '(loop0,gpt1)/boot/grub/' | tee /dev/stderr | grep -q grub.cfg; }
was_never_mounted() {
  dumpe2fs -h "$root" 2>/dev/null | tee /dev/stderr | grep -Eq '^Last mounted on: +<not available>' &&
    dumpe2fs -h "$root" 2>/dev/null | grep -Eq '^Mount count: +0$'
}

# nothing PATTERN...: no such path in the tree
nothing() { ! compgen -G "$tree/$1" || return 1; [ $# = 1 ] || nothing "${@:2}"; }
no_host_keys() { nothing 'etc/ssh/ssh_host_*' 'etc/ssl/private/ssl-cert-snakeoil*' 'etc/ssl/certs/ssl-cert-snakeoil*'; }
no_login_keys() { nothing 'root/.ssh/*' 'home/*/.ssh/*' 'root/.*history' 'home/*/.*history' 'root/.cache/*'; }
no_machine_id() { [ -f "$tree/etc/machine-id" ] && [ ! -s "$tree/etc/machine-id" ] && { [ ! -e "$tree/var/lib/dbus/machine-id" ] || [ -L "$tree/var/lib/dbus/machine-id" ]; }; }
no_seed_no_state() { nothing 'var/lib/systemd/random-seed' 'var/lib/cloud/*' 'var/lib/dhcp/*leases' 'var/lib/chrony/*' 'run/*' 'tmp/*' 'var/tmp/*'; }
no_resolver() { [ ! -e "$tree/etc/resolv.conf" ] || [[ $(readlink "$tree/etc/resolv.conf") == */run/systemd/resolve/* ]]; }
no_host_name() { nothing etc/hostname && ! grep -w kiln "$tree/etc/hosts" 2>/dev/null; }
no_lists_no_caches() {
  ! find "$tree/var/lib/apt/lists" "$tree/var/cache" -type f \( -name '*Packages*' -o -name '*Release*' -o -name '*.deb' -o -name '*.bin' \) | grep .
}
no_logs() { ! find "$tree/var/log" -type f -size +0 ! -name lastlog ! -name faillog | grep .; }
no_own_certificates() { nothing 'usr/local/share/ca-certificates/*' 'etc/pip.conf' 'etc/apt/apt.conf.d/*mmdebstrap*'; }
no_mirror() {
  local mirror
  # shellcheck disable=SC2016 # apt's own placeholders
  for mirror in $(apt-get indextargets --format '$(SITE)' 2>/dev/null | sed 's|.*//||; s|/.*||' | sort -u); do
    grep -qF "$mirror" "$tree/etc/apt/sources.list" && continue # the distribution's own
    ! grep -rlF "$mirror" "$tree" || return 1
  done
}

look_at() { # look_at IMAGE
  local folder
  disk=$1
  case $1 in *.tar.gz)
    [ "$(tar -tzf "$1")" = disk.raw ] || { echo "FAIL $1: not one disk.raw"; failures=$((failures + 1)); return; }
    tar -C "$work" -xSzf "$1"
    disk=$work/disk.raw
    ;;
  esac
  echo "$1"
  partx -g -b -o START,SECTORS,TYPE "$disk" | awk '{ $1 = $1; print }' >"$work/partitions"
  root="$disk?offset=$(($(partition "$root_type" | cut -d ' ' -f 1) * 512))"
  tree=$work/tree
  rm -rf "$tree"
  mkdir "$tree"
  for folder in etc var root home run tmp boot usr/local opt/spark/conf; do
    mkdir -p "$tree/$(dirname "$folder")"
    debugfs -R "rdump /$folder $tree/$(dirname "$folder")" "$root" 2>/dev/null
  done
  check "sgdisk: the partition table" gpt_is_good
  check "the root file system lies last" root_is_last
  check "e2fsck: the root file system" root_is_good
  command -v fsck.fat >/dev/null && check "fsck.fat: the EFI partition" esp_is_good
  command -v grub-fstest >/dev/null && check "GRUB reads it" grub_reads_it
  check "it was never mounted" was_never_mounted
  check "the tree can be read" test -f "$tree/etc/os-release" -o -L "$tree/etc/os-release"
  check "no host keys" no_host_keys
  check "no keys or histories of logins" no_login_keys
  check "the machine id is empty" no_machine_id
  check "no seed, no state of a machine" no_seed_no_state
  check "no resolver of the build machine" no_resolver
  check "no host name" no_host_name
  check "no package lists, no caches" no_lists_no_caches
  check "no logs" no_logs
  check "no certificates and settings of the build machine" no_own_certificates
  check "no mirror of the build machine" no_mirror
}

for image in "$@"; do look_at "$image"; done
exit $((failures > 0))
