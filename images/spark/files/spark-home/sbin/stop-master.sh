#!/bin/bash
# Stops the Master that start-master.sh started on this machine.
set -eu
home=$(cd "$(dirname "$0")/.." && pwd)
exec "$home/sbin/spark-daemon.sh" stop org.apache.spark.deploy.master.Master 1
