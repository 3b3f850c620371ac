#!/bin/sh
# What only EC2 has: where cloud-init finds its data, the clock, the names of EBS volumes, the console.
set -eu
umask 022
# shellcheck source=../files/node-lib.sh
. /tmp/spark-node-lib.sh

# amazon-ec2-utils: /dev/xvdf and the like as names of NVMe volumes, and their time limits.
install_packages amazon-ec2-utils

# On one line, as cloud-init's first look is a line of shell. Version 2 of the metadata service is what it asks first.
cat >/etc/cloud/cloud.cfg.d/95_ec2.cfg <<END
datasource_list: [ Ec2, None ]
system_info:
  default_user:
    name: admin
END

echo 'server 169.254.169.123 prefer iburst minpoll 4 maxpoll 4' >/etc/chrony/sources.d/ec2.sources

cat >/etc/default/grub.d/60-ec2.cfg <<END
GRUB_CMDLINE_LINUX="console=tty0 console=ttyS0,115200n8 nvme_core.io_timeout=4294967295"
GRUB_SERIAL_COMMAND="serial --speed=115200"
END
