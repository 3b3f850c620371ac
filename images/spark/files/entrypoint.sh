#!/bin/bash
# What a Spark container runs, as process 1's child: tini -s -- /opt/entrypoint.sh ARGUMENTS
#
#   driver ARGUMENTS        spark-submit in client mode, as Spark on Kubernetes starts a driver
#   executor                an executor, as Spark on Kubernetes starts one: all of it is in the environment
#   master [OPTIONS]        a standalone Master; SPARK_MASTER_HOST, SPARK_MASTER_PORT
#   worker [URL] [OPTIONS]  a standalone Worker of spark://HOST:PORT, or of SPARK_MASTER_URL; waits for the Master up
#                           to SPARK_WORKER_WAIT seconds (30)
#   COMMAND ARGUMENTS       anything else
#
# Works as any user, with or without a name, and with a read-only root. The last thing is always exec, so that
# signals arrive.
set -eu

export SPARK_HOME=${SPARK_HOME:-/opt/spark}
export JAVA_HOME=${JAVA_HOME:-/opt/java}
export PATH=$SPARK_HOME/bin:$PATH

fail() {
  echo "entrypoint: $*" >&2
  exit 2
}

# The first place for temporary files that can be written; /dev/shm also is where the root is read-only.
find_scratch() {
  local dir
  for dir in "${TMPDIR:-/tmp}" /tmp /dev/shm; do
    if [ -d "$dir" ] && [ -w "$dir" ]; then
      echo "$dir"
      return
    fi
  done
  fail "no folder for temporary files: mount one, as with --tmpfs /tmp:exec"
}

# Spark's and Java's own temporary files go where they can.
use_scratch() {
  [ "$scratch" != /tmp ] || return 0
  export TMPDIR=$scratch
  export SPARK_LOCAL_DIRS=${SPARK_LOCAL_DIRS:-$scratch}
  export JDK_JAVA_OPTIONS="-Djava.io.tmpdir=$scratch ${JDK_JAVA_OPTIONS-}"
}

# Hadoop's and Java's login want a name for the user id, Ivy and pip want a home.
name_user() {
  local uid gid library
  uid=$(id -u)
  gid=$(id -g)
  [ -w "${HOME:-/}" ] && [ "${HOME:-/}" != / ] || HOME=$(mktemp -d "$scratch/home.XXXXXX")
  export HOME
  if getent passwd "$uid" >/dev/null; then return; fi
  for library in /usr/lib/*/libnss_wrapper.so /usr/lib*/libnss_wrapper.so; do
    [ -e "$library" ] || continue
    NSS_WRAPPER_PASSWD=$(mktemp "$scratch/passwd.XXXXXX")
    NSS_WRAPPER_GROUP=$(mktemp "$scratch/group.XXXXXX")
    { sed '/^spark:/d' /etc/passwd; echo "spark:x:$uid:$gid:Apache Spark:$HOME:/bin/bash"; } >"$NSS_WRAPPER_PASSWD"
    { cat /etc/group; getent group "$gid" >/dev/null || echo "user$gid:x:$gid:"; } >"$NSS_WRAPPER_GROUP"
    export NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP LD_PRELOAD="$library${LD_PRELOAD:+:$LD_PRELOAD}"
    return
  done
}

class_path() {
  local path=${SPARK_CONF_DIR:-$SPARK_HOME/conf}:
  path+="${HADOOP_CONF_DIR:+$HADOOP_CONF_DIR:}${SPARK_CLASSPATH:+$SPARK_CLASSPATH:}$SPARK_HOME/jars/*"
  if [ -n "${HADOOP_HOME-}" ] && [ -z "${SPARK_DIST_CLASSPATH-}" ]; then
    SPARK_DIST_CLASSPATH=$("$HADOOP_HOME/bin/hadoop" classpath)
  fi
  echo "$path${SPARK_EXTRA_CLASSPATH:+:$SPARK_EXTRA_CLASSPATH}:$PWD${SPARK_DIST_CLASSPATH:+:$SPARK_DIST_CLASSPATH}"
}

run_driver() {
  : "${SPARK_DRIVER_BIND_ADDRESS:?driver: set it to the address that the driver is to listen on}"
  exec "$SPARK_HOME/bin/spark-submit" \
    --conf "spark.driver.bindAddress=$SPARK_DRIVER_BIND_ADDRESS" \
    --conf "spark.executorEnv.SPARK_DRIVER_POD_IP=$SPARK_DRIVER_BIND_ADDRESS" \
    --deploy-mode client "$@"
}

# No launcher in between: Kubernetes' scheduler has composed the options, as SPARK_JAVA_OPT_0, _1, ...
run_executor() {
  local name options=()
  for name in SPARK_{DRIVER_URL,EXECUTOR_ID,EXECUTOR_CORES,EXECUTOR_MEMORY,APPLICATION_ID,EXECUTOR_POD_IP}; do
    [ -n "${!name-}" ] || fail "executor: $name is not set"
  done
  while read -r name; do
    options+=("${!name}")
  done < <(compgen -v SPARK_JAVA_OPT_ | sort -V)
  exec "$JAVA_HOME/bin/java" "${options[@]}" \
    "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" -cp "$(class_path)" \
    org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
    --driver-url "$SPARK_DRIVER_URL" \
    --executor-id "$SPARK_EXECUTOR_ID" \
    --cores "$SPARK_EXECUTOR_CORES" \
    --app-id "$SPARK_APPLICATION_ID" \
    --hostname "$SPARK_EXECUTOR_POD_IP" \
    --resourceProfileId "${SPARK_RESOURCE_PROFILE_ID:-0}" \
    --podName "${SPARK_EXECUTOR_POD_NAME:-$(hostname)}"
}

# wait_for URL: until one of spark://HOST:PORT,HOST:PORT answers. A Worker that comes too early would try again only
# after 5 to 15 seconds.
wait_for() {
  local address end=$((SECONDS + ${SPARK_WORKER_WAIT:-30})) addresses
  IFS=, read -ra addresses <<<"${1#spark://}"
  while [ "$SECONDS" -lt "$end" ]; do
    for address in "${addresses[@]}"; do
      if timeout 1 bash -c ": </dev/tcp/${address%:*}/${address##*:}" 2>/dev/null; then return; fi
    done
    sleep 0.1
  done
  echo "entrypoint: no Master answers at $1 yet; the Worker goes on trying" >&2
}

run_worker() {
  local argument url=
  for argument in "$@"; do
    case $argument in spark://*) url=$argument ;; esac
  done
  if [ -z "$url" ]; then
    url=${SPARK_MASTER_URL-}
    [ -n "$url" ] || fail "worker: give the address of the Master, spark://HOST:PORT, or set SPARK_MASTER_URL"
    set -- "$@" "$url"
  fi
  if [ ! -w "$SPARK_HOME/work" ]; then
    export SPARK_WORKER_DIR="${SPARK_WORKER_DIR:-$scratch/work}"
  fi
  wait_for "$url"
  exec "$SPARK_HOME/bin/spark-class" org.apache.spark.deploy.worker.Worker "$@"
}

scratch=$(find_scratch)
use_scratch
name_user

case ${1-} in
  driver) shift && run_driver "$@" ;;
  executor) run_executor ;;
  master) shift && exec "$SPARK_HOME/bin/spark-class" org.apache.spark.deploy.master.Master "$@" ;;
  worker) shift && run_worker "$@" ;;
  '') fail "usage: driver ARGUMENTS | executor | master [OPTIONS] | worker [URL] [OPTIONS] | COMMAND ARGUMENTS" ;;
  *) exec "$@" ;;
esac
