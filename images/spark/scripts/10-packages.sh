#!/bin/sh
# What every other step and a running Spark need from the distribution: certificates, tini as process 1,
# ps for Spark's own scripts, gpgv for signatures, libnss-wrapper for user ids without a name, libnss-myhostname for a
# host whose own name has no address (Spark does not start on one).
set -eu
umask 022
export DEBIAN_FRONTEND=noninteractive

apt-get update -q
apt-get install -q -y --no-install-recommends bash ca-certificates gpgv libnss-myhostname libnss-wrapper procps tini

# Deleted in a later step it would still ship in this step's layer.
apt-get clean
find /var/lib/apt/lists /var/cache/apt /var/log/apt -type f ! -name lock -delete
rm -f /var/log/dpkg.log /var/log/alternatives.log /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/cache/ldconfig/aux-cache
