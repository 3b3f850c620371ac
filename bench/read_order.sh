#!/usr/bin/env bash
# What a Master reads of its EC2 disk from power-on until it answers, as a lazily loaded volume has to fetch it: reads,
# seeks and regions of 512 KiB, laid out with the list of files that are read first and without. Boots two guests.
#   bench/read_order.sh        BUILD=build/release. Needs root, QEMU and patience; images/spark must have been built once
. "$(dirname "$0")/timing.sh"
a_spark_to_change
boot() { SPARK_EC2_DISK=$1/spark-ec2.raw "$TREE/tests/boot/read-order.sh" | tee "$1.said" | tail -n 1; }
bake_ec2 -output=with
: >images/spark/files/node/first-read
bake_ec2 -output=without
for layout in with without; do
  said=$(boot "$layout")
  echo "$layout the list: $said"
done
