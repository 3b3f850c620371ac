#!/usr/bin/env python3
"""changed-regions.py BEFORE AFTER: how many of the used regions of 512 KiB differ between two raw disks, and whose blocks
these are (by debugfs, of the first ext4 partition of AFTER). Prints a line "regions USED changed CHANGED percent P"."""
import subprocess, sys

from raw_disk import root_start

REGION, BLOCK = 512 << 10, 4096


def regions(before, after):
    """Yields (number, used, [blocks of 4 KiB that differ])."""
    with open(before, "rb") as a, open(after, "rb") as b:
        number = 0
        while True:
            x, y = a.read(REGION), b.read(REGION)
            if not x and not y:
                return
            n = max(len(x), len(y))
            x, y = x.ljust(n, b"\0"), y.ljust(n, b"\0")
            differing = [] if x == y else [i for i in range(0, n, BLOCK) if x[i:i + BLOCK] != y[i:i + BLOCK]]
            yield number, bool(x.strip(b"\0") or y.strip(b"\0")), [number * REGION + i for i in differing]
            number += 1


def owners(disk, start, blocks):
    """{block: name} for blocks of the file system."""
    image = f"{disk}?offset={start}" if start else disk

    def ask(command, numbers):
        rows = []
        for at in range(0, len(numbers), 500):
            line = command + " " + " ".join(str(n) for n in numbers[at:at + 500])
            said = subprocess.run(["debugfs", "-R", line, image], capture_output=True, text=True).stdout
            rows += [r.split(None, 1) for r in said.splitlines() if r[:1].isdigit()]
        return rows

    inodes = {int(b): int(i) for b, i in ask("icheck", blocks) if i.strip().isdigit()}
    names = {int(i): n for i, n in ask("ncheck", sorted(set(inodes.values())))}
    return {b: names.get(inodes[b], f"inode {inodes[b]}") if b in inodes else "the file system's own" for b in blocks}


before, after = sys.argv[1:3]
used = changed = 0
differing = []
for number, is_used, blocks in regions(before, after):
    used += is_used
    changed += bool(blocks)
    differing += blocks
start = root_start(after)
inside = [(b - start) // BLOCK for b in differing if b >= start]
count = {}
for owner in owners(after, start, inside).values():
    count[owner] = count.get(owner, 0) + 1
outside = len(differing) - len(inside)
if outside:
    count["before the root partition"] = outside
for owner, blocks in sorted(count.items(), key=lambda c: -c[1])[:30]:
    print(f"  {blocks:6} blocks  {owner}")
print(f"regions {used} changed {changed} percent {100 * changed / max(used, 1):.2f}")
