#!/usr/bin/env bash
# How much of the EC2 disk of images/spark changes when a line is added to one file of the tree: laid out after the disk
# before it, and laid out afresh. In used regions of 512 KiB, which are what a cloud is sent.
#   bench/layout.sh        BUILD=build/release. Needs root; images/spark must have been built once
. "$(dirname "$0")/timing.sh"
[ "$(id -u)" = 0 ] || skip "layout needs root"
export KILN_DOWNLOADS=${KILN_DOWNLOADS:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln/downloads}
cd "$WORK"
cp -r "$TREE/images" .
bake() { "$KILN" build -local -color=false -only='amazon-ebs.*' "$@" images/spark/spark.pkr.hcl >log 2>&1 || { cat log; exit 1; }; }
compare() { python3 "$TREE/tests/support/changed-regions.py" before.raw "$1" | tail -1; }
bake -output=kept
mv kept/spark-ec2.raw before.raw
printf '\necho "one line more" >>/etc/motd\n' >>images/spark/scripts/90-node.sh
bake -output=kept
kept=$(compare kept/spark-ec2.raw)
bake -output=afresh
afresh=$(compare afresh/spark-ec2.raw)
echo "laid out after the disk before: $kept"
echo "laid out afresh:                $afresh"
awk -v a="${kept##*percent }" -v b="${afresh##*percent }" 'BEGIN { printf "ratio %.0f\n", b / a }'
