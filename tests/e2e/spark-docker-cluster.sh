#!/bin/bash
# Containers of the Spark image form a cluster: Master and Worker; a driver and an executor that are started as
# Kubernetes starts them. All on loopback, in the host's network.
# shellcheck disable=SC2317 # check calls the functions
set -u
# shellcheck source=../support/spark-image.sh
. "$(dirname "$0")/../support/spark-image.sh"

pi=/opt/spark/examples/src/main/python/pi.py
port=$(free_port)
ui=$(free_port)
url=spark://127.0.0.1:$port

start() { container -d --network=host -e SPARK_LOCAL_IP=127.0.0.1 "$@"; }

# json EXPRESSION: of the Master's state d
json() {
  python3 -c '
import json, sys, urllib.request
d = json.load(urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/json/", timeout=5))
value = eval(sys.argv[2])
print(value)
sys.exit(not value)' "$ui" "$1"
}

worker_registers_with_a_late_master() {
  worker=$(start "$image" worker "$url" --webui-port 0 --cores 1 --memory 768m)
  sleep 2
  master=$(start "$image" master --host 127.0.0.1 --port "$port" --webui-port "$ui")
  within 180 json '[w["state"] for w in d["workers"]] == ["ALIVE"] and d["status"] == "ALIVE"' && return
  "$DOCKER" logs "$worker"
  "$DOCKER" logs "$master"
  return 1
}

driver_computes_on_the_worker() {
  container --rm --network=host -e SPARK_LOCAL_IP=127.0.0.1 -e SPARK_DRIVER_BIND_ADDRESS=127.0.0.1 "$image" \
    driver --master "$url" --conf spark.ui.enabled=false --conf spark.executor.memory=512m "$pi" |
    grep "Pi is roughly 3.1"
}

# The Worker is gone, so the only executor is the one started by Kubernetes' protocol.
executor_serves_the_driver() {
  local driver_port driver executor
  driver_port=$(free_port)
  "$DOCKER" stop "$worker"
  within 120 json '[w for w in d["workers"] if w["state"] == "ALIVE"] == []' || return 1
  driver=$(start -e SPARK_DRIVER_BIND_ADDRESS=127.0.0.1 "$image" driver --master "$url" \
    --conf spark.ui.enabled=false --conf spark.driver.host=127.0.0.1 --conf "spark.driver.port=$driver_port" "$pi")
  within 180 json '[a["id"] for a in d["activeapps"]]' || { "$DOCKER" logs "$driver"; return 1; }
  executor=$(start -e "SPARK_DRIVER_URL=spark://CoarseGrainedScheduler@127.0.0.1:$driver_port" \
    -e SPARK_EXECUTOR_ID=7 -e SPARK_EXECUTOR_CORES=1 -e SPARK_EXECUTOR_MEMORY=512m \
    -e "SPARK_APPLICATION_ID=$(json 'd["activeapps"][0]["id"]')" -e SPARK_EXECUTOR_POD_IP=127.0.0.1 \
    -e SPARK_RESOURCE_PROFILE_ID=0 -e SPARK_EXECUTOR_POD_NAME=executor-7 \
    -e SPARK_JAVA_OPT_0=--add-opens=java.base/java.nio=ALL-UNNAMED \
    -e SPARK_JAVA_OPT_1=--add-opens=java.base/sun.nio.ch=ALL-UNNAMED -e SPARK_JAVA_OPT_2=-Dkiln.test=yes \
    "$image" executor)
  within 180 has_ended "$driver"
  "$DOCKER" logs "$executor"
  "$DOCKER" logs "$driver" >"$work/driver" 2>&1
  cat "$work/driver"
  grep -q 'Registered executor.*with ID 7' "$work/driver" && grep -q 'Pi is roughly 3.1' "$work/driver"
}
has_ended() { [ "$("$DOCKER" inspect -f '{{.State.Running}}' "$1")" = false ]; }

executor_names_what_is_missing() {
  container --rm --network=none -e SPARK_DRIVER_URL=x "$image" executor 2>&1 | grep 'SPARK_EXECUTOR_ID is not set'
}

check "a Worker waits for its Master and registers" worker_registers_with_a_late_master
check "a driver as Kubernetes starts it computes on the Worker" driver_computes_on_the_worker
check "an executor as Kubernetes starts it serves a driver" executor_serves_the_driver
check "an executor names what its environment lacks" executor_names_what_is_missing
exit $((failures > 0))
