# shellcheck shell=sh
# For the steps that only machines have: installing packages so that nothing but the packages stays in the step's layer.

# install_packages NAME...
install_packages() {
  DEBIAN_FRONTEND=noninteractive apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
  remove_traces
}

# Deleted in a later step they would still ship in this step's layer; keys and ids are for each machine to make.
remove_traces() {
  mountpoint -q /var/cache/apt/archives || apt-get clean # a mount is the builder's own cache
  find /var/lib/apt/lists /var/log/apt -type f ! -name lock -delete
  rm -f /var/cache/apt/*.bin /var/cache/debconf/*-old /var/cache/ldconfig/aux-cache /var/lib/dpkg/*-old
  rm -f /var/log/dpkg.log /var/log/alternatives.log
  rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub /etc/ssl/private/ssl-cert-snakeoil.key /etc/ssl/certs/ssl-cert-snakeoil.pem
  rm -f /var/lib/systemd/random-seed /var/lib/dbus/machine-id
  [ ! -d /var/lib/dbus ] || ln -s /etc/machine-id /var/lib/dbus/machine-id
  : >/etc/machine-id
}
