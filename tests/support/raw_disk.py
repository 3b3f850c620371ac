"""Raw disks with a partition table, for the scripts that look into them."""
import re
import subprocess


def root_start(disk):
    """Where partition 1, kiln's root, starts, in bytes; 0 for a bare file system."""
    said = subprocess.run(["sgdisk", "-i", "1", disk], capture_output=True, text=True, check=False).stdout
    found = re.search(r"First sector: (\d+)", said)
    return int(found[1]) * 512 if found else 0
