#!/bin/bash
# Kubernetes runs this before it stops an executor whose decommissioning is enabled (spark.decommission.enabled):
# asks the executor to hand on its work, and waits for its end, at most a minute.
set -eu
executor=$(pgrep -o -f '/java .*KubernetesExecutorBackend') || exit 0
kill -s PWR "$executor"
timeout 60 tail --pid="$executor" -f /dev/null || true
