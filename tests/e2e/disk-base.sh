#!/usr/bin/env bash
# disk: bases: the tree of a raw or qcow2 disk with an ext4 root is the base, and the same layer that the same tree makes
# as a tar. No loop device, no mount. What is damaged or not read is refused by name and leaves nothing.
. "$(dirname "$0")/../support/e2e.sh"
for tool in mke2fs sgdisk sfdisk qemu-img; do
  command -v $tool >/dev/null || skip "$tool is missing"
done
small_base base.tar
mkdir tree && tar -C tree -xpf base.tar
printf 'ID=test\n' >tree/etc/os-release
ln tree/etc/passwd tree/etc/passwd-too
python3 -c 'import os; os.setxattr("tree/etc/group", "user.note", b"kept")'
chmod 4755 tree/bin/busybox
truncate -s 3M tree/sparse
find tree -exec touch -h -d @1600000000 {} +
tar -C tree --sort=name --xattrs --xattrs-include='user.*' --owner=0 --group=0 --numeric-owner -cf base.tar .

mke2fs -q -t ext4 -d tree -E root_owner=0:0 root.raw 32M >/dev/null
truncate -s 48M gpt.raw
sgdisk -n 1:2048:+32M -t 1:8304 -c 1:root gpt.raw >/dev/null
dd if=root.raw of=gpt.raw bs=1M seek=1 conv=notrunc,sparse status=none
truncate -s 48M mbr.raw
printf 'label: dos\nstart=2048, size=65536, type=83\n' | sfdisk -q mbr.raw
dd if=root.raw of=mbr.raw bs=1M seek=1 conv=notrunc,sparse status=none
qemu-img convert -O qcow2 gpt.raw plain.qcow2
qemu-img convert -O qcow2 -c gpt.raw zlib.qcow2
qemu-img convert -O qcow2 -c -o compression_type=zstd gpt.raw zstd.qcow2
qemu-img convert -O qcow2 -o compat=0.10 mbr.raw old.qcow2

template() { # template BASE
  cat >t.pkr.hcl <<HCL
source "docker" "t" {
  image  = "$1"
  commit = true
}
build {
  sources = ["source.docker.t"]
  provisioner "shell" { inline = ["grep -q ID=test /etc/os-release", "test ! -e /lost+found", "echo more > /more"] }
}
HCL
}
layers() { # digests of the image's layers
  tar -xOf out/t-docker.tar manifest.json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["Layers"])'
}

template tar:base.tar
build t.pkr.hcl
layers >wanted
for disk in root.raw gpt.raw mbr.raw plain.qcow2 zlib.qcow2 zstd.qcow2 old.qcow2; do
  template "disk:$disk"
  rm -rf out
  build t.pkr.hcl
  layers >made
  cmp -s wanted made || fail "$disk: other layers than those of the same tree as a tar: $(cat wanted made)"
done
build t.pkr.hcl
[ -z "$(ran)" ] || fail "an unchanged build ran: $(ran)"

# The file's content is what counts: touched it is the same base, with other content another one.
touch old.qcow2
build t.pkr.hcl
[ -z "$(ran)" ] || fail "a touched base ran: $(ran)"
cp zlib.qcow2 old.qcow2
build t.pkr.hcl
[ "$(ran | head -1)" = "base disk:old.qcow2" ] || fail "a changed base did not run: $(ran)"

refused() { # refused FILE TEXT
  template "disk:$1"
  build_fails "$2" t.pkr.hcl
  [ ! -e out/t-docker.tar ] || fail "$1 was refused and an image is there"
}
rm -rf out
qemu-img create -q -f qcow2 -b zlib.qcow2 -F qcow2 over.qcow2
refused over.qcow2 "backing file 'zlib.qcow2', not supported yet: make it whole first: qemu-img convert -O qcow2 FILE NEW.qcow2"
head -c 20M gpt.raw >short.raw
refused short.raw "its file is cut off, or the table damaged"
head -c 500000 zlib.qcow2 >short.qcow2
refused short.qcow2 "the file is cut off or damaged"
cp gpt.raw unclean.raw
debugfs -w -R "feature needs_recovery" root.raw >/dev/null 2>&1
dd if=root.raw of=unclean.raw bs=1M seek=1 conv=notrunc status=none
refused unclean.raw "unmounted uncleanly"
cp gpt.raw xfs.raw
printf XFSB | dd of=xfs.raw bs=1M seek=1 conv=notrunc status=none
refused xfs.raw "partition 1 'root' (XFS, 33.6 MB), not supported yet: raw and qcow2 disks with an ext4 root are"
refused missing.raw "missing.raw"
nothing_left
