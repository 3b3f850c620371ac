#!/bin/bash
# The name of a persistent disk on NVMe is read from what the disk says of itself, and nothing else becomes a name. No disk
# but Google's says one, so the answer of the ioctl is this test's own.
set -u
cd "$(dirname "$0")/../.." || exit 1
PYTHONDONTWRITEBYTECODE=1 python3 - "$PWD/images/spark/files/gce-nvme-name" <<'PY'
import ctypes, importlib.machinery, importlib.util, io, struct, sys, unittest
from contextlib import redirect_stdout
from unittest import mock

loader = importlib.machinery.SourceFileLoader("gce_nvme_name", sys.argv.pop(1))
nvme = importlib.util.module_from_spec(importlib.util.spec_from_loader("gce_nvme_name", loader))
loader.exec_module(nvme)


def page(vendor):
    return bytes(384) + vendor.ljust(4096 - 384, b"\0")


def disk(answer):
    """An ioctl as the kernel's: only namespace 3 can be identified, into a page of 4096 bytes."""
    def ioctl(_, request, command=0):
        if request == 0x4E40:
            return 3
        assert request == 0xC0484E41 and len(command) == 72, (hex(request), len(command))
        opcode, namespace = command[0], struct.unpack_from("=I", command, 4)[0]
        address, length, cns = (struct.unpack_from(form, command, at)[0] for form, at in (("=Q", 24), ("=I", 36), ("=I", 40)))
        assert (opcode, namespace, length, cns) == (6, 3, 4096, 0)
        ctypes.memmove(address, answer, 4096)
        return 0
    return ioctl


class Name(unittest.TestCase):
    def test_is_printed_for_udev(self):
        out = io.StringIO()
        with mock.patch.object(nvme.fcntl, "ioctl", disk(page(b'{"device_name":"data-1","disk_type":"PERSISTENT"}'))), \
                mock.patch.object(sys, "argv", ["gce-nvme-name", "/dev/null"]), redirect_stdout(out):
            nvme.main()
        self.assertEqual(out.getvalue(), "SPARK_GCE_NAME=data-1\n")

    def test_no_other_thing_is_a_name(self):
        for vendor in (b"", b"{", b"[]", b"7", b'{"device_name":7}', b'{"name":"x"}', b'{"device_name":""}', b"\xff\xfe",
                       b'{"device_name":"../../sda"}', b'{"device_name":"a b"}', b'{"device_name":"a\\nX=1"}',
                       b'{"device_name":"' + b"a" * 64 + b'"}'):
            self.assertIsNone(nvme.name_in(page(vendor)), vendor)

    def test_what_is_no_such_disk_is_said(self):
        with mock.patch.object(sys, "argv", ["gce-nvme-name", "/dev/null"]), self.assertRaises(SystemExit) as end:
            nvme.main()
        self.assertEqual(end.exception.code, "gce-nvme-name: /dev/null: Inappropriate ioctl for device")


unittest.main(verbosity=0)
PY
