#!/bin/sh
# Debian's OpenJDK, headless, reachable as /opt/java whatever its version and architecture.
# Reads JAVA_VERSION.
set -eu
umask 022
export DEBIAN_FRONTEND=noninteractive
package=openjdk-$JAVA_VERSION-jre-headless

apt-get update -q
if ! apt-cache show "$package" >/dev/null 2>&1; then
  echo "20-java: this distribution has no $package; give another java_version or base" >&2
  exit 1
fi
apt-get install -q -y --no-install-recommends "$package" p11-kit p11-kit-modules
mkdir -p /opt
ln -sfn "$(dirname "$(dirname "$(readlink -f /usr/bin/java)")")" /opt/java

# The key store that the package has just made holds today's date, and certificates of the build machine if the
# bundle had some. Make it again from the distribution's certificates alone: trust writes the same bytes each time.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
grep '^[^#!]' /etc/ca-certificates.conf | sort | while read -r name; do
  cat "/usr/share/ca-certificates/$name"
done >"$work/bundle.pem"
mkdir -p /etc/pkcs11/modules
cat >/etc/pkcs11/modules/p11-kit-trust.module <<EOF
module: p11-kit-trust.so
trust-policy: yes
x-init-reserved: paths='$work/bundle.pem'
EOF
trust extract --overwrite --format=java-cacerts --filter=ca-anchors --purpose=server-auth "$work/cacerts"
rm -rf /etc/pkcs11
install -m 644 "$work/cacerts" /etc/ssl/certs/java/cacerts
apt-get purge -q -y p11-kit p11-kit-modules

mountpoint -q /var/cache/apt/archives || apt-get clean # a mount is the builder's own cache
find /var/lib/apt/lists /var/log/apt -type f ! -name lock -delete
rm -f /var/cache/apt/*.bin /var/cache/debconf/*-old /var/cache/ldconfig/aux-cache /var/lib/dpkg/*-old
rm -f /var/log/dpkg.log /var/log/alternatives.log
rm -rf /tmp/hsperfdata_*
