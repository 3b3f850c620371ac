#!/bin/bash
# cluster.sh MASTER WORKER [upgrade]: two machine images boot under QEMU and become a cluster by their user data alone: the
# first its Master, the second a Worker that is given the Master's address. MASTER and WORKER are ec2 or gce with -bios,
# -uefi or -secure (UEFI with Secure Boot on). Each guest is looked at from inside (inside.sh). With "upgrade" each also
# installs its kernel and GRUB again, runs update-grub and must come up once more.
#
#   SPARK_EC2_DISK, SPARK_GCE_TAR   the images (out/spark-ec2.raw, out/spark-gce.tar.gz)
#   and those of guest.sh
# shellcheck disable=SC2317 # functions are called by name
# shellcheck source=guest.sh
. "$(dirname "$0")/guest.sh"
out=$here/../../out
ec2=${SPARK_EC2_DISK:-$out/spark-ec2.raw}
gce=${SPARK_GCE_TAR:-$out/spark-gce.tar.gz}
examples=$here/../../images/spark/test
[ $# -ge 2 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }

image_of() { case $1 in ec2) echo "$ec2" ;; gce) echo "$gce" ;; *) echo "$1: unknown cloud" >&2; exit 2 ;; esac; }
for machine in "$1" "$2"; do
  [ -f "$(image_of "${machine%-*}")" ] || skip "no image at $(image_of "${machine%-*}"); make spark writes it"
done

master_json() { curl -fsS --max-time 60 "http://127.0.0.1:$(port_of master 8080)/json/"; }
master_is_alive() { master_json | python3 -c 'import json, sys; sys.exit(json.load(sys.stdin)["status"] != "ALIVE")'; }
worker_is_registered() {
  master_json | python3 -c 'import json, sys; w = json.load(sys.stdin)["workers"]; sys.exit([x["state"] for x in w] != ["ALIVE"])'
}

# look_inside NAME CLOUD ROLE: prints what inside.sh found, and keeps the machine's identity
look_inside() {
  in_guest "$1" "$(login_of "$2")" sudo bash -s "$2" "$3" <"$here/inside.sh" >"$work/$1.inside" 2>"$work/$1.errors" ||
    fail "$1: not as it should be"
  grep -v -E '^(machine-id|host-key) ' "$work/$1.inside" | sed "s/^/        $1: /"
  [ -s "$work/$1.inside" ] || cat "$work/$1.errors"
  grep -E '^(machine-id|host-key) ' "$work/$1.inside" >"$work/$1.identity" || fail "$1: no identity"
}

shows_login_prompt() { grep -aq "$1 login: " "$work/$1.serial"; }

# The first thing asked for is a token, and nothing was asked without one.
asked_as_it_should() {
  if [ "$2" = ec2 ]; then
    head -n 1 "$work/$1.requests" | grep -q '^200 PUT /latest/api/token' && ! grep -q '^40[013] ' "$work/$1.requests"
  else
    grep -q '^200 GET /computeMetadata/v1/' "$work/$1.requests" && ! grep -q '^403 ' "$work/$1.requests"
  fi
}

knows_of_secure_boot() {
  if in_guest "$1" "$(login_of "$2")" "sudo dmesg | grep -q 'Secure boot enabled'"; then pass "$1: Secure Boot is on"; else
    fail "$1: its kernel does not say that Secure Boot is on"
  fi
}

# boots NAME MACHINE USER_DATA ATTRIBUTES [FORWARD...]: to its role, with every check
boots() {
  local name=$1 cloud=${2%-*} firmware=${2#*-}
  echo "$name: $cloud, $firmware"
  start "$name" "$cloud" "$firmware" "$(image_of "$cloud")" "${@:3}"
  wait_for_login "$name" "$cloud"
  [ "$firmware" != secure ] || knows_of_secure_boot "$name" "$cloud"
  look_inside "$name" "$cloud" "$name"
  if within 120 shows_login_prompt "$name"; then pass "$name: login prompt on ttyS0"; else fail "$name: no prompt on ttyS0"; fi
  if asked_as_it_should "$name" "$cloud"; then pass "$name: metadata asked for properly"; else
    fail "$name: what it asked for: $(head -n 5 "$work/$name.requests")"
  fi
}

# fetch_packages NAME CLOUD: the very versions that the guest has, from the machine's package archive
fetch_packages() {
  local kernel wanted
  kernel=$(in_guest "$1" "$(login_of "$2")" uname -r)
  mkdir -p "$work/packages"
  # shellcheck disable=SC2016 # dpkg-query's own
  wanted=$(in_guest "$1" "$(login_of "$2")" "dpkg-query -W -f '\${Package}=\${Version} ' linux-image-$kernel grub-pc-bin")
  # shellcheck disable=SC2086 # a list
  (cd "$work/packages" && apt-get download -q -o APT::Sandbox::User=root $wanted >download.log 2>&1) ||
    { cat "$work/packages/download.log"; fail "$1: its packages cannot be had here: $wanted"; return 1; }
}

upgrade() { # upgrade NAME CLOUD
  local login before
  login=$(login_of "$2")
  fetch_packages "$1" "$2" || return 0
  before=$(in_guest "$1" "$login" cat /proc/sys/kernel/random/boot_id)
  (cd "$work/packages" && tar -c -- *.deb) | in_guest "$1" "$login" tar -C /tmp -x
  if in_guest "$1" "$login" "sudo sh -ec 'apt-get install -q -y --reinstall /tmp/*.deb; update-grub'" >"$work/$1.upgrade" 2>&1 &&
    grep -q 'Installing for i386-pc platform' "$work/$1.upgrade" && grep -q 'Installing for x86_64-efi platform' "$work/$1.upgrade" &&
    in_guest "$1" "$login" grep -q 10_linux /boot/grub/grub.cfg; then
    pass "$1: kernel and GRUB installed again, update-grub"
  else
    tail -n 30 "$work/$1.upgrade"
    fail "$1: the upgrade"
  fi
  in_guest "$1" "$login" sudo systemctl reboot || true
  within "$patience" is_another_boot "$1" "$login" "$before" || { console_of "$1"; fail "$1: does not come back"; return 0; }
  look_again "$1" "$2"
}
is_another_boot() { [ "$(in_guest "$1" "$2" cat /proc/sys/kernel/random/boot_id)" != "$3" ] && in_guest "$1" "$2" true; }

# look_again NAME CLOUD: the same machine, with the same role
look_again() {
  cp "$work/$1.identity" "$work/$1.first"
  look_inside "$1" "$2" "$1"
  if cmp "$work/$1.first" "$work/$1.identity"; then pass "$1: the same machine after its next boot"; else
    fail "$1: another identity after its next boot"
  fi
}

# Emulated machines may be too slow for Spark's own time limits; the disk for temporary files has QEMU's model.
slow='      SPARK_DAEMON_JAVA_OPTS=-XX:TieredStopAtLevel=1 -Dspark.network.timeout=1800s'
{ cat "$examples/master.user-data"; printf '%s\n' "$slow" '      SPARK_SCRATCH_MODELS=QEMU NVMe Ctrl'; } >"$work/master.user-data"
boots master "$1" "$work/master.user-data" '' 7077 8080
if within "$patience" master_is_alive; then pass "the Master is ALIVE"; else fail "no Master: $(master_json 2>&1 | head -c 300)"; fi

# A Worker of EC2 is told by user data, one of Compute Engine by attributes: both ways are used.
url=spark://169.254.169.200:7077
if [ "${2%-*}" = ec2 ]; then
  { sed "s|spark://MASTER:7077|$url|" "$examples/worker.user-data"; echo "$slow"; } >"$work/worker.user-data"
  attributes=
else
  : >"$work/worker.user-data"
  attributes="{\"spark-role\": \"worker\", \"spark-master-url\": \"$url\"}"
fi
boots worker "$2" "$work/worker.user-data" "$attributes" "169.254.169.200:7077=$(port_of master 7077)"
if within "$patience" worker_is_registered; then pass "the Worker is registered"; else fail "no Worker: $(master_json 2>&1 | head -c 600)"; fi
if cat "$work"/{master,worker}.identity | sort | uniq -d | grep .; then fail "two machines with one identity"; fi

if [ "${3-}" = upgrade ]; then
  upgrade master "${1%-*}"
  upgrade worker "${2%-*}"
  if within "$patience" worker_is_registered; then pass "the Worker is registered again"; else fail "no Worker after the upgrade"; fi
fi
exit $((failures > 0))
