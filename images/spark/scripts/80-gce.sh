#!/bin/sh
# What only Google Compute Engine has: its guest agent, where cloud-init finds its data, the clock, names of disks, the
# console.
set -eu
umask 022
# shellcheck source=../files/node-lib.sh
. /tmp/spark-node-lib.sh

install_packages google-guest-agent

# On one line, as cloud-init's first look is a line of shell.
cat >/etc/cloud/cloud.cfg.d/95_gce.cfg <<END
datasource_list: [ GCE, None ]
END

# cloud-init makes the host keys, once; the agent would make them again.
sed -i 's/^set_host_keys = true$/set_host_keys = false/; s/^set_multiqueue = false$/set_multiqueue = true/' \
  /etc/default/instance_configs.cfg
grep -q '^set_host_keys = false$' /etc/default/instance_configs.cfg

echo 'server metadata.google.internal iburst' >/etc/chrony/sources.d/gce.sources

# The metadata server's name, also before there is a name service.
cat >/etc/hosts <<END
127.0.0.1 localhost
::1 localhost ip6-localhost ip6-loopback
ff02::1 ip6-allnodes
ff02::2 ip6-allrouters
169.254.169.254 metadata.google.internal metadata
END

# Disks by the names that their machine gave them, as in Google's own images; no time limit on persistent disks. On SCSI
# the name is the serial number, on NVMe the disk has to be asked.
install -m 755 /tmp/spark-gce-nvme-name /usr/lib/udev/spark-gce-nvme-name
rm /tmp/spark-gce-nvme-name
cat >/etc/udev/rules.d/65-spark-gce-disks.rules <<'END'
SUBSYSTEM!="block", GOTO="end"
ENV{ID_VENDOR}=="Google", ENV{ID_SERIAL_SHORT}=="?*", ENV{SPARK_GCE_NAME}="$env{ID_SERIAL_SHORT}"
KERNEL=="nvme*n*", ENV{DEVTYPE}=="disk", ATTRS{model}=="nvme_card-pd", ATTR{queue/io_timeout}="4294967295"
KERNEL=="nvme*n*", ENV{DEVTYPE}=="disk", ATTRS{model}=="nvme_card-pd", IMPORT{program}="/usr/lib/udev/spark-gce-nvme-name $devnode"
KERNEL=="nvme*n*", ENV{DEVTYPE}=="partition", IMPORT{parent}="SPARK_GCE_NAME"
ENV{DEVTYPE}=="disk", ENV{SPARK_GCE_NAME}=="?*", SYMLINK+="disk/by-id/google-$env{SPARK_GCE_NAME}"
ENV{DEVTYPE}=="partition", ENV{SPARK_GCE_NAME}=="?*", SYMLINK+="disk/by-id/google-$env{SPARK_GCE_NAME}-part%n"
LABEL="end"
END

cat >/etc/default/grub.d/60-gce.cfg <<END
GRUB_CMDLINE_LINUX="console=tty0 console=ttyS0,38400n8d nvme_core.io_timeout=4294967295"
GRUB_SERIAL_COMMAND="serial --speed=38400"
END
