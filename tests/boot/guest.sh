# shellcheck shell=bash
# For the boot tests: guests under QEMU, each with a metadata service of its cloud on loopback, reached by ssh through a
# forwarded port. Source it first. Whatever was started ends with the test, by its process id.
#
#   KILN_TEST_ACCEL          tcg (default) or kvm
#   KILN_TEST_BOOT_SECONDS   how long a guest may take for one boot (1500: TCG on a busy machine)
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
accel=${KILN_TEST_ACCEL:-tcg}
patience=${KILN_TEST_BOOT_SECONDS:-1500}
started=()
failures=0
more=() # of QEMU's options

skip() { echo "skipped: $*"; exit 77; }
fail() { echo "FAIL $*"; failures=$((failures + 1)); }
pass() { printf '%5d s  ok   %s\n' "$SECONDS" "$*"; }

for tool in qemu-system-x86_64 qemu-img ssh ssh-keygen python3 busybox curl; do
  command -v "$tool" >/dev/null || skip "$tool is not installed"
done
[ -f /usr/share/OVMF/OVMF_CODE_4M.fd ] || skip "the package ovmf is not installed"

work=$(mktemp -d "${TMPDIR:-/var/tmp}/kiln-boot.XXXXXX")
end() {
  local code=$? pid
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  if [ -n "${KILN_TEST_KEEP-}" ]; then echo "kept: $work"; else rm -rf "$work"; fi
  exit "$code"
}
trap end EXIT
ssh-keygen -q -t ed25519 -N '' -C kiln-test -f "$work/key"

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# within SECONDS COMMAND...: until it succeeds
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 1
  done
}

# disk_of CLOUD GUEST IMAGE: a disk over the image, 1 GiB larger, so that the image stays as it is; prints its path
disk_of() {
  local raw=$3 size
  if [ "$1" = gce ]; then
    tar -C "$work" --transform "s/disk.raw/$2.raw/" -xSzf "$3"
    raw=$work/$2.raw
  fi
  size=$(stat -Lc %s "$raw")
  qemu-img create -q -f qcow2 -F raw -b "$(readlink -f "$raw")" "$work/$2.qcow2" $((size + (1 << 30)))
  echo "$work/$2.qcow2"
}

# settings NAME CLOUD USER_DATA ATTRIBUTES: what the metadata service tells
settings() {
  python3 - "$@" "$work/key.pub" <<'PY'
import json, sys, zlib
name, cloud, user_data, attributes, key = sys.argv[1:]
number = zlib.crc32(name.encode())
print(json.dumps({
    "id": f"i-{number:017x}" if cloud == "ec2" else str(number),
    "hostname": f"{name}.internal",
    "user": "tester",
    "key": open(key).read().strip(),
    "user_data": open(user_data).read() if user_data else "",
    "attributes": json.loads(attributes or "{}")}))
PY
}

# metadata NAME CLOUD USER_DATA ATTRIBUTES: starts the service; its port is in metadata_port
metadata() {
  settings "$@" >"$work/$1.json"
  mkfifo "$work/$1.hold"
  python3 "$here/metadata.py" "$2" "$work/$1.json" "$work/$1.requests" <>"$work/$1.hold" >"$work/$1.port" &
  started+=($!)
  within 30 test -s "$work/$1.port" || { echo "no metadata service"; exit 1; }
  metadata_port=$(cat "$work/$1.port")
}

# firmware_of NAME bios|uefi|secure: options of QEMU; secure is UEFI with Secure Boot on and Microsoft's keys. Only the
# firmware, in system management mode, may then write its variables.
firmware_of() {
  local code=OVMF_CODE_4M.fd variables=OVMF_VARS_4M.fd
  [ "$2" != bios ] || return 0
  if [ "$2" = secure ]; then
    code=OVMF_CODE_4M.secboot.fd variables=OVMF_VARS_4M.ms.fd
    machine+=(-machine smm=on -global "driver=cfi.pflash01,property=secure,value=on")
  fi
  cp "/usr/share/OVMF/$variables" "$work/$1.vars"
  machine+=(-drive "if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/$code"
    -drive "if=pflash,format=raw,unit=1,file=$work/$1.vars")
}

# Instances of EC2 have NVMe disks, and here a blank one besides; those of Compute Engine have SCSI disks.
hardware_of() { # hardware_of NAME CLOUD DISK
  machine+=(-drive "if=none,id=root,file=$3,discard=unmap,cache=unsafe")
  if [ "$2" = ec2 ]; then
    local uuid
    uuid=ec2e1916-9099-7caf-fd21-$(od -An -N6 -tx1 /dev/urandom | tr -d ' ')
    truncate -s 256M "$work/$1.scratch"
    machine+=(-uuid "$uuid" -smbios "type=1,manufacturer=Amazon EC2,serial=$uuid"
      -device "nvme,drive=root,serial=vol0123456789abcdef0,bootindex=0"
      -drive "if=none,id=scratch,format=raw,file=$work/$1.scratch" -device "nvme,drive=scratch,serial=AWS0123456789")
  else
    machine+=(-smbios "type=1,manufacturer=Google,product=Google Compute Engine,serial=GoogleCloud-0123456789"
      -device virtio-scsi-pci
      -device "scsi-hd,drive=root,vendor=Google,product=PersistentDisk,device_id=persistent-disk-0,bootindex=0")
  fi
}

# start NAME CLOUD FIRMWARE IMAGE USER_DATA ATTRIBUTES [FORWARD...]: a running guest. FORWARD names ports of the guest
# (port_of NAME PORT tells where they are), or ADDRESS:PORT=PORT, an address that the guest sees and the port on
# loopback that it leads to. The guest reaches nothing else.
start() {
  local name=$1 cloud=$2 firmware=$3 image=$4 net forward
  local machine=()
  metadata "$name" "$cloud" "$5" "$6"
  net="user,id=net,restrict=on,net=169.254.169.0/24,guestfwd=tcp:169.254.169.254:80-cmd:busybox nc 127.0.0.1 $metadata_port"
  shift 6
  for forward in 22 "$@"; do
    case $forward in
      *=*) net+=",guestfwd=tcp:${forward%=*}-cmd:busybox nc 127.0.0.1 ${forward#*=}" ;;
      *)
        free_port >"$work/$name.$forward"
        net+=",hostfwd=tcp:127.0.0.1:$(port_of "$name" "$forward")-:$forward"
        ;;
    esac
  done
  firmware_of "$name" "$firmware"
  hardware_of "$name" "$cloud" "$(disk_of "$cloud" "$name" "$image")"
  qemu-system-x86_64 -name "$name" -machine q35 -accel "$accel" -smp 2 -m 2048 -nodefaults -display none \
    -serial "file:$work/$name.serial" -device virtio-rng-pci -netdev "$net" \
    -device virtio-net-pci,netdev=net,mac=52:54:00:12:34:56 "${machine[@]}" "${more[@]}" >"$work/$name.qemu" 2>&1 &
  started+=($!)
  echo $! >"$work/$name.pid"
}

port_of() { cat "$work/$1.$2"; }

# in_guest NAME LOGIN COMMAND...
in_guest() {
  ssh -q -i "$work/key" -p "$(port_of "$1" 22)" -o StrictHostKeyChecking=no -o "UserKnownHostsFile=$work/$1.known" \
    -o ConnectTimeout=20 -o ServerAliveInterval=30 -o BatchMode=yes "$2@127.0.0.1" "${@:3}"
}

login_of() { if [ "$1" = ec2 ]; then echo admin; else echo tester; fi; }

# is_alive NAME, or the end of its console and the test
is_alive() {
  kill -0 "$(cat "$work/$1.pid")" 2>/dev/null && return
  cat "$work/$1.qemu"
  console_of "$1"
  echo "FAIL $1: QEMU ended"
  exit 1
}

# console_of NAME: the end of its serial console, readable
console_of() { tail -n 40 "$work/$1.serial" | tr -cd '\11\12\40-\176' | cut -c 1-160 | sed 's/^/     /'; }

# wait_for_login NAME CLOUD: until root's rights are there too, which Google's agent gives later than the login
wait_for_login() {
  local end=$((SECONDS + patience))
  until in_guest "$1" "$(login_of "$2")" sudo -n true 2>/dev/null; do
    is_alive "$1"
    if [ "$SECONDS" -ge "$end" ]; then
      console_of "$1"
      echo "FAIL $1: nobody can log in after $patience s"
      exit 1
    fi
    sleep 2
  done
  pass "$1: ssh with the key of the metadata"
}
