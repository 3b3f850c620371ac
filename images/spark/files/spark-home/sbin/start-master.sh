#!/bin/bash
# Starts a standalone Master as a daemon on this machine. Arguments go to the Master.
set -eu
home=$(cd "$(dirname "$0")/.." && pwd)
exec "$home/sbin/spark-daemon.sh" start org.apache.spark.deploy.master.Master 1 "$@"
