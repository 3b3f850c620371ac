#!/usr/bin/env python3
"""Seeds for a harness: seeds.py HARNESS DIRECTORY.

Archives of every kind of member are made here, disks by mke2fs and qemu-img; templates and event logs come from the
tests.
"""
import gzip
import hashlib
import io
import json
import lzma
import os
import pathlib
import struct
import subprocess
import sys
import tarfile
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
CONFIG = b"""{"architecture":"amd64","config":{"Env":["A=1"],"Cmd":["sh"],"Labels":{"a":"b"},"ExposedPorts":{"80/tcp":{}}}}
ENV A=1 B="2 3"
ENTRYPOINT ["/x"]
LABEL a=b
ONBUILD RUN x"""


def tar_of(members, form):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, kind, data, extra in members:
            info = tarfile.TarInfo(name)
            info.type, info.size, info.mtime = kind, len(data), 1_600_000_000
            info.linkname = extra.pop("link", "")
            info.pax_headers = extra
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def layers():
    """Trees with links, devices, long names, whiteouts, attributes."""
    plain = [("d/", tarfile.DIRTYPE, b"", {}), ("d/f", tarfile.REGTYPE, b"text", {}),
             ("d/hard", tarfile.LNKTYPE, b"", {"link": "d/f"}), ("d/soft", tarfile.SYMTYPE, b"", {"link": "../x"}),
             ("fifo", tarfile.FIFOTYPE, b"", {}), ("null", tarfile.CHRTYPE, b"", {}),
             ("d/.wh.gone", tarfile.REGTYPE, b"", {}), ("d/.wh..wh..opq", tarfile.REGTYPE, b"", {})]
    yield "ustar", tar_of(plain, tarfile.USTAR_FORMAT)
    long = [("n" * 90 + "/" + "m" * 120, tarfile.REGTYPE, b"1", {}), ("l", tarfile.SYMTYPE, b"", {"link": "t" * 150})]
    yield "gnu", tar_of(long, tarfile.GNU_FORMAT)
    attributes = [("f", tarfile.REGTYPE, b"1", {"SCHILY.xattr.user.a": "v", "mtime": "1600000000.5", "path": "é" * 60})]
    yield "pax", tar_of(attributes, tarfile.PAX_FORMAT)
    sparse = [("s", tarfile.REGTYPE, b"1\n0\n1\n".ljust(512, b"\0") + b"x",
               {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "s", "GNU.sparse.realsize": "9"})]
    yield "sparse", tar_of(sparse, tarfile.PAX_FORMAT)


def archives():
    """A docker archive and an OCI archive of one layer."""
    layer = next(layers())[1]
    digest = hashlib.sha256(layer).hexdigest()
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Env": ["A=1"]},
                         "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest]}}).encode()
    name = hashlib.sha256(config).hexdigest()
    manifest = json.dumps([{"Config": name + ".json", "RepoTags": ["a:1"], "Layers": ["l/layer.tar"]}]).encode()
    yield "docker", [(name + ".json", config), ("l/layer.tar", layer), ("manifest.json", manifest)]
    kind = "application/vnd.oci.image."
    one = json.dumps({"schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
                      "config": {"mediaType": kind + "config.v1+json", "digest": "sha256:" + name, "size": len(config)},
                      "layers": [{"mediaType": kind + "layer.v1.tar", "digest": "sha256:" + digest,
                                  "size": len(layer)}]}).encode()
    top = hashlib.sha256(one).hexdigest()
    index = json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": kind + "manifest.v1+json",
                                                            "digest": "sha256:" + top, "size": len(one)}]}).encode()
    yield "oci", [("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), ("index.json", index),
                  ("blobs/sha256/" + top, one), ("blobs/sha256/" + name, config), ("blobs/sha256/" + digest, layer)]


def copies(pattern):
    """Files of the tests, by name."""
    return [(path.name, path.read_bytes()) for path in sorted(TOP.glob(pattern))]


def templates():
    """Templates of both syntaxes."""
    return copies("tests/spec/*.pkr.hcl") + copies("tests/spec/*.pkr.json")


def expressions():
    """Those whose values the tables of functions tell."""
    for table in sorted(TOP.glob("src/template/testdata/functions/*.txt")):
        lines = [line for line in table.read_text().splitlines() if line and not line.startswith((" ", "#"))]
        for number, line in enumerate(lines):
            yield f"{table.stem}-{number}", line.encode()


def old_templates():
    """Old templates, and the texts of their engine on their own."""
    yield from copies("tests/spec/legacy-*.json")
    engine = json.loads((TOP / "tests/spec/legacy-engine.json").read_text())
    for number, text in enumerate(engine["provisioners"][0]["inline"]):
        yield f"text-{number}", text.encode()


def unpackable():
    """Layers, and the same compressed."""
    for name, data in layers():
        yield from [(name, data), (name + ".gz", gzip.compress(data, mtime=0)), (name + ".xz", lzma.compress(data))]


def made(command, name):
    """The bytes of the file that a command makes in a directory of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        subprocess.run(["sh", "-e", "-c", command], cwd=folder, check=True, stdout=subprocess.DEVNULL, env=environment)
        return (pathlib.Path(folder) / name).read_bytes()


def disks():
    """Partition tables, and small qcow2 disks of each kind of cluster."""
    yield "gpt", made("truncate -s 40K d; sgdisk -a 1 -n 1:34:40 -t 1:8304 d", "d")
    table = "label: dos\\nstart=1,size=2,type=83\\nstart=4,size=70,type=5\\nstart=6,size=2,type=83\\n"
    yield "mbr", made(f"truncate -s 40K d; printf '{table}' | sfdisk -q d", "d")
    for name, options in [("plain", "cluster_size=512"), ("old", "cluster_size=512,compat=0.10"),
                          ("zlib -c", "cluster_size=512"), ("zstd -c", "cluster_size=512,compression_type=zstd")]:
        flag = "-c" if name.endswith("-c") else ""
        content = "truncate -s 4K d; printf '%0900d' 7 | dd of=d conv=notrunc status=none; "
        yield name.split()[0], made(content + f"qemu-img convert {flag} -O qcow2 -o {options} d q", "q")


def file_systems():
    """Small file systems of each kind, as the pieces of them that are not zero."""
    tree = ("mkdir -p t/d/e; echo text >t/d/f; ln t/d/f t/d/hard; ln -s ../x t/soft; mkfifo t/fifo; printf '%080d' 1 >t/l; "
            "ln -s $(cat t/l) t/long; truncate -s 9000 t/sparse; echo x >>t/sparse; ")
    for name, options in [("ext4", "-t ext4 -O ^metadata_csum,^has_journal,^resize_inode"),
                          ("sums", "-t ext4 -O ^has_journal,^resize_inode"), ("ext2", "-t ext2 -O ^resize_inode")]:
        disk = made(f"{tree} mke2fs -q -F -b 1024 -N 32 {options} -d t d 1M", "d")
        blocks = [(at, disk[at:at + 1024]) for at in range(0, len(disk), 1024)]
        yield name, b"".join(struct.pack("<IH", at, len(block.rstrip(b"\0"))) + block.rstrip(b"\0")
                             for at, block in blocks if block.strip(b"\0"))


def seeds_of(harness):
    """Name and content of each seed."""
    if harness == "archive":
        return [(name, tar_of([(path, tarfile.REGTYPE, data, {}) for path, data in files], tarfile.USTAR_FORMAT))
                for name, files in archives()]
    return {"tar": layers, "unpack": unpackable, "config": lambda: [("config", CONFIG)],
            "disk": disks, "ext4": file_systems, "template": templates, "expression": expressions, "legacy": old_templates,
            "events": lambda: copies("src/event/testdata/*.jsonl")}[harness]()


def main():
    harness, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    for name, data in seeds_of(harness):
        (folder / name).write_bytes(data)


main()
