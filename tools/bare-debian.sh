#!/usr/bin/env bash
# bare-debian.sh [COMMAND...]: runs a command (default: .ci/run) in a clone of this tree on a bare Debian 12, as a new user
# would: a minimal system made for it, with nothing but git, make and certificates, an empty home and no cache. It is
# entered with mounts and processes of its own, and removed at the end. Needs root and mmdebstrap.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "bare-debian: entering a system of its own needs root" >&2; exit 1; }
command -v mmdebstrap >/dev/null || { echo "bare-debian: mmdebstrap is missing: apt-get install mmdebstrap" >&2; exit 1; }
[ $# != 0 ] || set -- .ci/run

place=$(mktemp -d "${TMPDIR:-/var/tmp}/kiln-bare.XXXXXX")
root=$place/root
trap 'rm -rf --one-file-system "$place"' EXIT
mmdebstrap --quiet --mode=root --variant=minbase --include=ca-certificates,git,make bookworm "$root"

# This machine's way to its package registries, which is no part of Debian: the client's settings and the certificates
# that its administrator added.
rm -f "$root/etc/apt/sources.list"
for path in etc/apt/sources.list etc/apt/sources.list.d etc/apt/apt.conf.d etc/apt/auth.conf.d etc/pip.conf \
  etc/resolv.conf etc/hosts etc/ssl/certs/ca-certificates.crt usr/local/share/ca-certificates; do
  [ ! -e "/$path" ] || { rm -rf "${root:?}/$path" && cp -rL "/$path" "$root/$path"; }
done
git clone -q . "$root/kiln"

# A chroot may make no user namespaces, so the system becomes the root of a mount namespace.
cat >"$root/enter" <<'SH'
set -eu
mount --bind "$1" "$1"
cd "$1"
for dir in dev sys; do mount --rbind "/$dir" "$dir" && mount --make-rslave "$dir"; done
mount -t proc proc proc
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mkdir -p before
pivot_root . before
umount -l before
rmdir before
shift
cd /kiln
exec env -i HOME=/root USER=root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
SH
unshare --mount --pid --fork --kill-child sh "$root/enter" "$root" "$@" &
system=$!
trap 'kill -KILL "$system"; exit 130' INT TERM  # the first process of a system hears no other signal
wait "$system"
