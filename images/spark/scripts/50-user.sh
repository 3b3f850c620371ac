#!/bin/sh
# User spark (185, as in Spark's official images), the folders that Spark writes to, PySpark for the system's Python,
# Spark for login shells, the entry point of containers.
# Reads the files uploaded to /tmp as spark-*.
set -eu
umask 022

getent group spark >/dev/null || groupadd --system --gid 185 spark
getent passwd spark >/dev/null ||
  useradd --system --uid 185 --gid spark --no-log-init --create-home --home-dir /home/spark --shell /bin/bash \
    --comment 'Apache Spark' spark

# Any user id may run a container: writable by all, like /tmp.
install -d -m 1777 /opt/spark/work-dir /opt/spark/work /opt/spark/logs

packages=$(python3 -c 'import site; print(site.getsitepackages()[0])')
mkdir -p "$packages"
printf '%s\n' /opt/spark/python /opt/spark/python/lib/py4j-*-src.zip >"$packages/spark.pth"

install -m 644 /tmp/spark-profile.sh /etc/profile.d/spark.sh
install -m 755 /tmp/spark-entrypoint.sh /opt/entrypoint.sh
install -m 755 /tmp/spark-decom.sh /opt/decom.sh
rm -f /tmp/spark-profile.sh /tmp/spark-entrypoint.sh /tmp/spark-decom.sh
