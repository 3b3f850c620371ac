#!/bin/bash
# Runs in the guest as root: what must be true after a first boot. inside.sh CLOUD ROLE; one line a check.
# shellcheck disable=SC2317 # functions are called by name
set -u
cloud=$1 role=$2 failures=0

check() { # check NAME COMMAND...
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then
    echo "ok   $name"
  else
    echo "FAIL $name: $(tail -n 12 <<<"$output")"
    failures=$((failures + 1))
  fi
}

cloud_init_is_done() { timeout 1200 cloud-init status --wait --long | tee /dev/stderr | grep -q '^status: done'; }
config_is_valid() { ! grep 'Invalid cloud-config' /var/log/cloud-init.log; }
boot_is_over() { timeout 600 systemctl is-system-running --wait | grep -qx running || { systemctl --failed --no-legend; false; }; }
no_cycle() { ! journalctl -b --no-pager -q | grep -i 'ordering cycle'; }
datasource() { cloud-init query platform | tee /dev/stderr | grep -qx "$cloud"; }
has_machine_id() { [[ $(cat /etc/machine-id) =~ ^[0-9a-f]{32}$ ]] && [ "$(readlink /var/lib/dbus/machine-id)" = /etc/machine-id ]; }
has_host_keys() { [ "$(find /etc/ssh -name 'ssh_host_*_key' -newer /etc/ssh/sshd_config.d | wc -l)" -ge 3 ]; }
root_has_grown() {
  local disk size
  disk=$(lsblk -no pkname "$(findmnt -no SOURCE /)")
  size=$(df -B1 --output=size / | tail -n 1)
  echo "$size of $(lsblk -bdno size "/dev/$disk")"
  [ "$size" -gt $(($(lsblk -bdno size "/dev/$disk") * 85 / 100)) ]
}
has_console() { grep -Eq 'console=tty0 .*console=ttyS0,' /proc/cmdline && ! grep -qw quiet /proc/cmdline && systemctl is-active serial-getty@ttyS0.service; }
has_efi() { findmnt /boot/efi && [ -f /boot/efi/EFI/BOOT/BOOTX64.EFI ]; }
keeps_time() { chronyc -n sources | tee /dev/stderr | grep -q "$1" && [ "$(chronyc -n sources | grep -c '^\^')" = 1 ]; }
role_is() { systemctl is-active "spark-$role.service" && [ "$(systemctl is-active spark-master.service spark-worker.service | grep -cx active)" = 1 ]; }
uses_scratch() { findmnt /mnt/spark-nvme1n1 && grep SPARK_LOCAL_DIRS=/mnt/spark-nvme1n1/local /run/spark-node/env; }
root_login_is_closed() { grep -q 'no-port-forwarding' /root/.ssh/authorized_keys || [ ! -s /root/.ssh/authorized_keys ]; }

check "cloud-init is done" cloud_init_is_done
check "cloud-init takes its configuration" config_is_valid
check "the boot is over, no unit failed" boot_is_over
check "no ordering cycle" no_cycle
check "cloud-init found $cloud" datasource
check "a machine id" has_machine_id
check "host keys" has_host_keys
check "root grew to the disk" root_has_grown
check "consoles" has_console
check "the EFI partition is mounted" has_efi
check "role $role" role_is
check "root cannot log in" root_login_is_closed
if [ "$cloud" = ec2 ]; then
  check "Amazon's clock alone" keeps_time 169.254.169.123
  [ "$role" != master ] || check "temporary files on the instance disk" uses_scratch
else
  check "Google's clock alone" keeps_time 169.254.169.254
  check "the disk has its name" test -e /dev/disk/by-id/google-persistent-disk-0
  check "Google's agent runs" systemctl is-active google-guest-agent.service
fi
echo "machine-id $(cat /etc/machine-id)"
echo "host-key $(cut -d ' ' -f 2 /etc/ssh/ssh_host_ed25519_key.pub)"
systemd-analyze 2>/dev/null | head -n 1
exit $((failures > 0))
