#!/bin/bash
# Stops the Worker that start-worker.sh started on this machine.
set -eu
home=$(cd "$(dirname "$0")/.." && pwd)
exec "$home/sbin/spark-daemon.sh" stop org.apache.spark.deploy.worker.Worker 1
