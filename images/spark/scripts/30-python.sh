#!/bin/sh
# Python for PySpark, and the wheel of pip that step 40 asks for the package index.
# Reads PYTHON_PACKAGES: further Debian packages, divided by spaces.
set -eu
umask 022
export DEBIAN_FRONTEND=noninteractive

apt-get update -q
# shellcheck disable=SC2086 # a list
apt-get install -q -y --no-install-recommends python3 python3-pip-whl $PYTHON_PACKAGES

mountpoint -q /var/cache/apt/archives || apt-get clean # a mount is the builder's own cache
find /var/lib/apt/lists /var/log/apt -type f ! -name lock -delete
rm -f /var/cache/apt/*.bin /var/cache/debconf/*-old /var/cache/ldconfig/aux-cache /var/lib/dpkg/*-old
rm -f /var/log/dpkg.log /var/log/alternatives.log
