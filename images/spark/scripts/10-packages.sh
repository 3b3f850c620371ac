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
mountpoint -q /var/cache/apt/archives || apt-get clean # a mount is the builder's own cache
find /var/lib/apt/lists /var/log/apt -type f ! -name lock -delete
rm -f /var/cache/apt/*.bin /var/cache/debconf/*-old /var/cache/ldconfig/aux-cache /var/lib/dpkg/*-old
rm -f /var/log/dpkg.log /var/log/alternatives.log
