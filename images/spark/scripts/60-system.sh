#!/bin/sh
# What turns the tree into the system of a machine: systemd as process 1, udev, network by netplan and networkd, sshd,
# cloud-init, clock, sudo. The kernel is step 70's, what differs between clouds is step 80's.
set -eu
umask 022
# shellcheck source=../files/node-lib.sh
. /tmp/spark-node-lib.sh

install_packages chrony cloud-guest-utils cloud-init dbus e2fsprogs iproute2 iputils-ping kmod less libnss-resolve \
  libpam-systemd netbase netplan.io openssh-server sudo systemd-resolved systemd-sysv tzdata udev

# What cloud-init finds there it leaves as it is, instead of generating a locale at every first boot.
echo 'LANG=C.UTF-8' >/etc/default/locale

# A cloud tells its own time server; a pool on the internet is out of reach of many networks, and its leap seconds differ.
sed -i '/^pool /d' /etc/chrony/chrony.conf

cat >/etc/sysctl.d/60-spark.conf <<END
# No host may change another's routes; a machine that panicked starts again.
net.ipv4.conf.all.accept_redirects = 0
net.ipv4.conf.default.accept_redirects = 0
net.ipv4.conf.all.send_redirects = 0
net.ipv4.conf.default.send_redirects = 0
net.ipv4.conf.all.accept_source_route = 0
net.ipv6.conf.all.accept_redirects = 0
net.ipv6.conf.default.accept_redirects = 0
net.ipv4.tcp_syncookies = 1
kernel.panic = 10
# Many connections at once while executors fetch from each other; memory is for executors, not for being swapped.
net.core.somaxconn = 4096
vm.swappiness = 10
END
