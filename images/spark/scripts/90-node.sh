#!/bin/sh
# The units that make the machine a node of a Spark cluster: the role comes from user data (docs/first-boot.md).
# Reads the files uploaded to /tmp/node.
set -eu
umask 022

install -d -m 755 /etc/spark
install -m 755 /tmp/node/spark-node /usr/local/sbin/spark-node
# The disk is laid out by this list; a machine has no use for it.
install -D -m 644 /tmp/node/first-read /usr/lib/kiln/first-read
install -m 644 /tmp/node/*.service /etc/systemd/system/
systemctl enable spark-role.service

# From here on a new version of GRUB is put on the machine's own disk, for both firmwares.
touch /etc/grub.d/enable_cloud

rm -rf /tmp/node /tmp/spark-node-lib.sh
