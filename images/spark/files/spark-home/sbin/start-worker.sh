#!/bin/bash
# Starts a standalone Worker as a daemon on this machine: start-worker.sh spark://HOST:PORT [options of the Worker]
set -eu
home=$(cd "$(dirname "$0")/.." && pwd)
if [ $# -eq 0 ]; then
  echo "usage: start-worker.sh spark://HOST:PORT [option ...]" >&2
  exit 2
fi
exec "$home/sbin/spark-daemon.sh" start org.apache.spark.deploy.worker.Worker 1 "$@"
