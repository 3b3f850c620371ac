#!/usr/bin/env bash
# How much of the EC2 disk of images/spark changes when a line is added to one file of the tree: laid out after the disk
# before it, and laid out afresh. In used regions of 512 KiB, which are what a cloud is sent.
#   bench/layout.sh        BUILD=build/release. Needs root; images/spark must have been built once
. "$(dirname "$0")/timing.sh"
a_spark_to_change
compare() { python3 "$TREE/tests/support/changed-regions.py" before.raw "$1" | tail -1; }
bake_ec2 -output=kept
mv kept/spark-ec2.raw before.raw
printf '\necho "one line more" >>/etc/motd\n' >>images/spark/scripts/90-node.sh
bake_ec2 -output=kept
kept=$(compare kept/spark-ec2.raw)
bake_ec2 -output=afresh
afresh=$(compare afresh/spark-ec2.raw)
echo "laid out after the disk before: $kept"
echo "laid out afresh:                $afresh"
awk -v a="${kept##*percent }" -v b="${afresh##*percent }" 'BEGIN { printf "ratio %.0f\n", b / a }'
