#!/bin/sh
# Installs the Debian packages of the sections named (build, run, test) that are missing; does nothing when all are there.
# Says at once what the machine lacks for that.
set -eu
cd "$(dirname "$0")/.."

die() { echo "setup: $*" >&2; exit 1; }

[ -r /etc/debian_version ] || die "this is no Debian machine; kiln is built on Debian 12"
command -v apt-get >/dev/null || die "apt-get is missing"
[ "$(dpkg --print-architecture)" = amd64 ] || die "amd64 is what works today; this is $(dpkg --print-architecture)"

wanted=$(awk -v sections="$*" '
  BEGIN { n = split(sections, s, " "); for (i = 1; i <= n; i++) on["[" s[i] "]"] = 1 }
  /^#/ || NF == 0 { next }
  /^\[/ { use = $1 in on; next }
  use { print $1 }' tools/packages.txt)

missing=
for package in $wanted; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

root=
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || die "installing needs root or sudo; missing:$missing"
  root="sudo"
fi
echo "setup: installing$missing"
$root env DEBIAN_FRONTEND=noninteractive apt-get update -q >/dev/null
# A daemon that a package brings must not start: policy-rc.d answers no for the time of the installation.
policy=/usr/sbin/policy-rc.d
made=
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | $root tee "$policy" >/dev/null
  $root chmod 755 "$policy"
  made=1
fi
status=0
# shellcheck disable=SC2086  # a list of words
$root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing >build-setup.log 2>&1 || status=$?
[ -z "$made" ] || $root rm -f "$policy"
if [ "$status" != 0 ]; then
  tail -20 build-setup.log >&2
  die "apt-get install ended with $status (build-setup.log has all of it)"
fi
rm -f build-setup.log
