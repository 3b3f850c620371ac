#!/usr/bin/env python3
"""reads.py TRACE DISK [LIST]: what a guest read of its root disk, from QEMU's trace of blk_co_preadv, up to the end of the trace.

Prints "reads N MIB m seeks S regions R": how many reads, how much, how many did not begin where the one before ended, how
many regions of 512 KiB they touched (which is what a lazily loaded volume fetches). With LIST, the files of the disk's
root file system whose content was read are written there in the order of their first reading, as absolute paths.
"""
import bisect
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from raw_disk import root_start

REGION, BLOCK = 512 << 10, 4096
READ = re.compile(r"blk_co_preadv blk (\S+) .* offset (\d+) bytes (\d+)")


def reads_of(trace):
    """[(offset, bytes)] of the disk that most was read of."""
    disks = {}
    with open(trace, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            found = READ.search(line)
            if found:
                disks.setdefault(found[1], []).append((int(found[2]), int(found[3])))
    return max(disks.values(), key=lambda reads: sum(n for _, n in reads), default=[])


def files_with_blocks(disk, start):
    """[(first block, last block, path)] of regular files, sorted: by one walk of debugfs for names, one for extents."""
    image = f"{disk}?offset={start}"

    def ask(lines):
        return subprocess.run(["debugfs", "-f", "-", image], input="\n".join(lines), capture_output=True, text=True,
                              check=True).stdout

    paths, folders = {}, ["/"]
    while folders:
        said = ask([f'ls -p "{folder}"' for folder in folders])
        parts = said.split("debugfs: ls -p ")[1:]
        found = []
        for folder, part in zip(folders, parts):
            for row in part.splitlines()[1:]:  # the first repeats the command
                fields = row.split("/")
                if len(fields) != 8 or fields[5] in (".", "..", ""):
                    continue
                inode, mode, name = int(fields[1]), int(fields[2], 8), fields[5]
                path = folder.rstrip("/") + "/" + name
                if mode >> 12 == 4:
                    found.append(path)
                elif mode >> 12 == 8:
                    paths.setdefault(inode, path)
        folders = found
    numbers = sorted(paths)
    extents = []
    for inode, part in zip(numbers, ask([f"blocks <{n}>" for n in numbers]).split("debugfs: blocks ")[1:]):
        blocks = [int(b) for b in part.split("\n", 1)[1].split() if b.isdigit() and b != "0"]
        first = last = None
        for b in blocks:
            if first is not None and b == last + 1:
                last = b
                continue
            if first is not None:
                extents.append((first, last, paths[inode]))
            first = last = b
        if first is not None:
            extents.append((first, last, paths[inode]))
    return sorted(extents)


def in_order(reads, extents, start):
    firsts, seen = [e[0] for e in extents], {}
    for offset, n in reads:
        if offset < start:
            continue
        block, last = (offset - start) // BLOCK, (offset + n - 1 - start) // BLOCK
        at = max(bisect.bisect_right(firsts, block) - 1, 0)
        while at < len(extents) and extents[at][0] <= last:
            if extents[at][1] >= block:
                seen.setdefault(extents[at][2])
            at += 1
    return list(seen)


def main():
    trace, disk = sys.argv[1:3]
    reads = reads_of(trace)
    regions = {r for offset, n in reads for r in range(offset // REGION, (offset + n - 1) // REGION + 1) if n}
    seeks = sum(b[0] != a[0] + a[1] for a, b in zip(reads, reads[1:]))
    print(f"reads {len(reads)} MiB {sum(n for _, n in reads) / 2**20:.1f} seeks {seeks} regions {len(regions)}")
    if len(sys.argv) > 3:
        start = root_start(disk)
        with open(sys.argv[3], "w", encoding="utf-8") as out:
            out.writelines(path + "\n" for path in in_order(reads, files_with_blocks(disk, start), start) if "\n" not in path)


main()
