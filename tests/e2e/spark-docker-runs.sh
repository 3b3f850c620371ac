#!/bin/bash
# The Spark image in a real Docker Engine: computes, as any user, with a read-only root, without a network; stops at
# once.
# shellcheck disable=SC2317 # check calls the functions
set -u
# shellcheck source=../support/spark-image.sh
. "$(dirname "$0")/../support/spark-image.sh"

pi=/opt/spark/examples/src/main/python/pi.py
run() { container --rm --network=none "$@"; }
computes_pi() { run "$@" spark-submit --master 'local[2]' "$pi" | grep "Pi is roughly 3.1"; }
default_user_is_spark() { [ "$(run "$image" id -u)" = 185 ] && [ "$(run "$image" whoami)" = spark ]; }
has_name_and_home() {
  # shellcheck disable=SC2016 # for the container's shell
  run --user 12345:54321 "$image" sh -c 'whoami && touch "$HOME/file" && python3 -c "import getpass; getpass.getuser()"'
}
pyspark_imports() { run "$image" python3 -c 'import py4j, pyspark; assert pyspark.__file__.startswith("/opt/spark/")'; }
passes_on_status() { run "$image" sh -c 'exit 7'; [ $? = 7 ]; }
says_usage() { run "$image" 2>&1 | grep 'entrypoint: usage'; }

stops_at_once() {
  local id started
  id=$(container -d --network=none "$image" master)
  within 180 master_is_up "$id" || return 1
  started=$SECONDS
  "$DOCKER" stop -t 20 "$id"
  echo "stopped after $((SECONDS - started)) s"
  [ $((SECONDS - started)) -lt 8 ] && [ "$("$DOCKER" inspect -f '{{.State.ExitCode}}' "$id")" = 143 ]
}
master_is_up() { "$DOCKER" logs "$1" 2>&1 | grep -q 'New state: ALIVE'; }

check "the default user is 185, spark" default_user_is_spark
check "spark-submit computes pi" computes_pi "$image"
check "... as 12345:0" computes_pi --user 12345:0 "$image"
check "... with a read-only root" computes_pi --read-only "$image"
check "... with a read-only root and /tmp, as 777:888" computes_pi --read-only --tmpfs /tmp:exec --user 777:888 "$image"
check "an unknown user has a name and a home" has_name_and_home
check "python3 finds pyspark" pyspark_imports
check "the exit status is the command's" passes_on_status
check "no command: usage" says_usage
check "SIGTERM ends the Master" stops_at_once
exit $((failures > 0))
