#!/usr/bin/env bash
# All three targets of images/spark against the EC2 disk alone: cold stores, warm downloads. Ratio of wall times (goal: at
# most 1.3; Packer pays 2.5 to 3) and the peak memory of kiln itself (goal: at most 128 MiB).
#   bench/spark_targets.sh        RUNS=1 turns; BUILD=build/release. Needs root and the package archives
# Packages come from the cache of the store that KILN_STORE names, where an earlier build of all three left them; else
# they are downloaded first.
RUNS=${RUNS:-1}
. "$(dirname "$0")/timing.sh"
[ "$(id -u)" = 0 ] || skip "spark_targets needs root"
packages=${KILN_STORE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln/store}/dirs/cache-apt
export KILN_DOWNLOADS=${KILN_DOWNLOADS:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln/downloads}
spark=$TREE/images/spark/spark.pkr.hcl
cd "$WORK"

# watched NAME COMMAND...: runs it and notes the most memory that kiln itself had (not what ran inside the steps), in KiB.
watched() {
  local name=$1 pid peak=0 now
  shift
  "$@" &
  pid=$!
  while now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status" 2>/dev/null) && [ -n "$now" ]; do
    peak=$now
    sleep 0.1
  done
  echo "$peak" >>"$WORK/times/$name-peak"
  wait "$pid"
}

# bake NAME FLAGS...: from an empty store that has the packages which were downloaded before.
bake() {
  local name=$1
  shift
  rm -rf store out
  mkdir -p store/dirs
  [ ! -d apt ] || cp -r apt store/dirs/cache-apt
  KILN_STORE=$WORK/store time_of "$name" watched "$name" "$KILN" build -local -color=false "$@" "$spark"
}

# has PACKAGE: whether it was downloaded before.
has() { compgen -G "$packages/$1_*.deb" >/dev/null; }
if has linux-image-cloud-amd64 && has google-guest-agent && has amazon-ec2-utils; then
  cp -r "$packages" apt
else
  echo "downloading what the steps need"
  bake warm
  cp -r store/dirs/cache-apt apt
fi
for _ in $(seq "$RUNS"); do
  bake one -only=amazon-ebs.spark
  bake three
done
machine
row one "images/spark, the EC2 disk alone"
row three "images/spark, Docker, EC2 and Compute Engine" one
for name in one three; do
  echo "peak memory of kiln, $name: $(sort -n "times/$name-peak" | tail -n 1 | awk '{ printf "%.0f MiB", $1 / 1024 }')"
done
