#!/bin/bash
# read-order.sh [LIST]: boots the EC2 disk under QEMU with user data that makes it a Master, and says what it read of the disk
# until the Master answers: reads, seeks, regions of 512 KiB. With LIST, writes there which files these were, in order:
# images/spark/files/first-read was made so, of a disk that was laid out without it (kiln build -no-cache).
#
#   SPARK_EC2_DISK   the image (out/spark-ec2.raw)
#   and those of guest.sh
# shellcheck source=guest.sh
. "$(dirname "$0")/guest.sh"
disk=${SPARK_EC2_DISK:-$here/../../out/spark-ec2.raw}
[ -f "$disk" ] || skip "no image at $disk; make spark writes it"
qemu-system-x86_64 -trace help 2>/dev/null | grep '^blk_co_preadv$' >/dev/null || skip "this QEMU traces no reads"

master_is_alive() {
  curl -fsS --max-time 60 "http://127.0.0.1:$(port_of master 8080)/json/" |
    python3 -c 'import json, sys; sys.exit(json.load(sys.stdin)["status"] != "ALIVE")'
}
more=(-d trace:blk_co_preadv -D "$work/trace")
start master ec2 bios "$disk" "$here/../../images/spark/test/master.user-data" "" 8080
within "$patience" master_is_alive || { fail "no Master"; exit 1; }
pass "the Master answers"
kill "${started[-1]}"
wait "${started[-1]}" 2>/dev/null || true
"$here/reads.py" "$work/trace" "$(readlink -f "$disk")" "$@"
