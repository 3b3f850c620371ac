#!/usr/bin/env bash
# The EC2 disk of Spark changes in few places when its tree does: at most 1 % of its used regions of 512 KiB after a change
# of one script, at most 3 % after one of all files of libssl3. What was built from a tree before comes out of it again.
. "$(dirname "$0")/../support/e2e.sh"
[ -f "${SPARK_DOCKER_TAR:-$TREE/out/spark-docker.tar}" ] || skip "the Spark image has not been built here"
for tool in debugfs e2fsck sgdisk; do
  command -v "$tool" >/dev/null || skip "$tool is not installed"
done
# The layers and the downloads of the machine's user.
unset KILN_STORE
KILN_DOWNLOADS=${XDG_CACHE_HOME:-$HOME/.cache}/kiln/downloads
cp -r "$TREE/images" .
script=images/spark/scripts/90-node.sh
only=(-only='amazon-ebs.*' -output=out images/spark/spark.pkr.hcl)

# changed PERCENT: the disk after the change of the script; tells whose blocks differ from those of before.raw.
changed() {
  build "${only[@]}"
  python3 "$TREE/tests/support/changed-regions.py" before.raw out/spark-ec2.raw | tee changes
  awk -v most="$1" '$1 == "regions" && $4 > 0 && $6 <= most { good = 1 } END { exit !good }' changes ||
    fail "more than $1 % of the disk changed, or nothing"
  dd if=out/spark-ec2.raw of=root.img bs=1M skip=128 conv=sparse status=none
  e2fsck -fn root.img >log 2>&1 || { cat log; fail "the file system is not clean"; }
}

build "${only[@]}"
mv out/spark-ec2.raw before.raw
echo "one line more in /etc/motd:"
printf '\necho "one line more" >>/etc/motd\n' >>$script
changed 1
echo "other and longer files of libssl3:"
cat >>$script <<'SH'
while read -r file; do
  [ -f "$file" ] && [ ! -L "$file" ] || continue
  { tr 'a-m' 'n-z' <"$file"; head -c 9000 "$file"; } >/tmp/other
  cat /tmp/other >"$file"
done <"/var/lib/dpkg/info/libssl3:$(dpkg --print-architecture).list"
rm /tmp/other
SH
changed 3
cp "$TREE/$script" $script
build "${only[@]}"
cmp before.raw out/spark-ec2.raw || fail "the first disk does not come out again"
