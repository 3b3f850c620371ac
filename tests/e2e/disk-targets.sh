#!/usr/bin/env bash
# One template, one build: a Docker image, an EC2 disk, a Compute Engine image and a disk in several formats from the same steps.
# Shared steps run once; an unchanged build does nothing; a change runs what stands on it and nothing else; cold builds agree.
. "$(dirname "$0")/../support/e2e.sh"
# shellcheck source=../support/machine.sh
. "$TREE/tests/support/machine.sh"

machine_base base.tar
write_template() { # write_template SHARED-WORD MACHINE-WORD
  cat >t.pkr.hcl <<HCL
source "docker" "t" {
  image  = "tar:base.tar"
  commit = true
}
source "amazon-ebs" "t" {
  source_ami    = "tar:base.tar"
  ami_name      = "t"
  instance_type = "m6i.large"
  launch_block_device_mappings {
    device_name = "/dev/xvda"
    volume_size = 2
  }
}
source "googlecompute" "t" {
  source_image = "tar:base.tar"
  image_name   = "t"
}
source "disk" "t" {
  base      = "tar:base.tar"
  formats   = ["raw", "qcow2", "vmdk", "vhd", "squashfs", "wsl"]
  disk_size = "1500M"
}
build {
  sources = ["source.docker.t", "source.amazon-ebs.t", "source.googlecompute.t", "source.disk.t"]
  provisioner "shell" { inline = ["echo first > /first"] }
  provisioner "shell" { inline = ["echo $1 > /shared"] }
  provisioner "shell" {
    except = ["docker.t"]
    inline = ["echo $2 > /machine", "mkdir -p /etc/default", "echo 'GRUB_CMDLINE_LINUX_DEFAULT=\"quiet panic=5\"' > /etc/default/grub", "echo 'tmpfs /scratch tmpfs defaults 0 0' > /etc/fstab"]
  }
  post-processor "manifest" {}
}
HCL
}
files=(out/t-docker.tar out/t-ec2.raw out/t-gce.tar.gz out/t.raw out/t.qcow2 out/t.vmdk out/t.vhd out/t.squashfs out/t.wsl)

write_template one one
build t.pkr.hcl
for file in "${files[@]}"; do [ -f "$file" ] || fail "no $file"; done
[ "$(ran | grep -c '^base ')" = 1 ] || fail "the base was made more than once"
[ "$(ran | grep -c '^run ')" = 3 ] || fail "a shared step ran more than once: $(ran)"
[ "$(ran | grep -c '^boot ')" = 3 ] || fail "three kinds of machine need three boot layers: $(ran)"
says "not needed by kiln: instance_type"

python3 - out/packer-manifest.json <<'PY' || fail "the manifest"
import json, sys
builds = {b["builder_type"]: b for b in json.load(open(sys.argv[1]))["builds"]}
assert sorted(builds) == ["amazon-ebs", "disk", "docker", "googlecompute"], builds
assert len({b["packer_run_uuid"] for b in builds.values()}) == 1
assert [f["name"].split("/")[-1] for f in builds["disk"]["files"]] == ["t." + end for end in ("raw", "qcow2", "vmdk", "vhd", "squashfs", "wsl")]
assert builds["amazon-ebs"]["files"][0]["size"] == 2 << 30
assert builds["amazon-ebs"]["artifact_id"].startswith("sha256:")
PY

# What strangers say.
check_disk out/t-ec2.raw
check_disk out/t.raw
[ "$(stat -c %s out/t.raw)" = $((1500 << 20)) ] || fail "the disk has not the size that was asked for"
[ "$(du -m out/t-ec2.raw | cut -f1)" -lt 200 ] || fail "the EC2 disk is not sparse"
qemu-img check -q out/t.qcow2 || fail "qemu-img check"
for other in "qcow2 t.qcow2" "vmdk t.vmdk" "vpc t.vhd"; do
  qemu-img compare -q -f raw -F "${other% *}" out/t.raw "out/${other#* }" || fail "${other#* } holds another disk"
done
unsquashfs -l out/t.squashfs | grep '^squashfs-root/machine$' >/dev/null || fail "the squashfs has not the tree"
[ "$(tar -xOzf out/t.wsl shared)" = one ] || fail "the archive for WSL has not the tree"
tar -tzf out/t.wsl | grep '^boot/.' >/dev/null && fail "the archive for WSL has a kernel"
[ "$(tar -tf out/t-gce.tar.gz)" = disk.raw ] || fail "members of the Compute Engine image"
tar -xSf out/t-gce.tar.gz
check_disk disk.raw
[ "$(stat -c %s disk.raw)" = $((1 << 30)) ] || fail "the Compute Engine image is no whole GiB"

# What boots: the kernel line is the tree's own with what is missing, ids agree.
uuid=$(in_root out/t-ec2.raw /etc/fstab | sed -n 's|^UUID=\(.*\) / ext4 rw,discard,errors=remount-ro 0 1$|\1|p')
[ -n "$uuid" ] || fail "fstab names no root"
[ "$(blkid -p -O 134217728 -s UUID -o value out/t-ec2.raw)" = "$uuid" ] || fail "the root has another UUID than fstab says"
esp=$(dd if=out/t-ec2.raw bs=1M skip=4 count=1 status=none | blkid -p -s UUID -o value /dev/stdin 2>/dev/null || true)
in_root out/t-ec2.raw /etc/fstab | grep "^UUID=[0-9A-F]\{4\}-[0-9A-F]\{4\} /boot/efi vfat umask=0077,nofail 0 1$" >/dev/null || fail "fstab names no ESP"
[ -z "$esp" ] || in_root out/t-ec2.raw /etc/fstab | grep "^UUID=$esp /boot/efi" >/dev/null || fail "the ESP has another UUID than fstab says"
in_root out/t-ec2.raw /etc/fstab | grep "^tmpfs /scratch" >/dev/null || fail "the tree's own line has gone from fstab"
line=$(in_root out/t-ec2.raw /boot/grub/grub.cfg | grep '  linux')
[ "$line" = "  linux /vmlinuz root=UUID=$uuid ro console=tty0 console=ttyS0,115200n8 nvme_core.io_timeout=4294967295 panic=5" ] || fail "kernel line: $line"
in_root disk.raw /boot/grub/grub.cfg | grep 'ro console=ttyS0,38400n8d panic=5$' >/dev/null || fail "kernel line of the Compute Engine image"
rm disk.raw

# Nothing changed: nothing is done.
cp out/packer-manifest.json manifest.before
stamp() { stat -c '%n %i %y' "${files[@]}"; }
stamp >before
build t.pkr.hcl
[ -z "$(ran)" ] || fail "an unchanged build ran: $(ran)"
stamp | cmp -s - before || fail "an unchanged build touched a file"
cmp -s out/packer-manifest.json manifest.before || fail "an unchanged build wrote the manifest"

# One file of several is gone: that source writes again, the others do not.
rm out/t.qcow2
build t.pkr.hcl
[ "$(ran | grep -c '^pack ')" = 1 ] || fail "after a lost file: $(ran)"
[ -f out/t.qcow2 ] || fail "the lost file was not written again"

# The last shared script: machine steps and writers again, nothing before.
write_template two one
build t.pkr.hcl
ran | grep '^base' >/dev/null && fail "the base ran again"
[ "$(ran | grep -c '^run ')" = 2 ] || fail "after a change of the last shared step: $(ran)"
[ "$(ran | grep -c '^boot ')" = 3 ] || fail "boot layers after a change below: $(ran)"
[ "$(ran | grep -c '^pack ')" = 4 ] || fail "writers after a change below: $(ran)"

# A step that machines alone have: the Docker image stays.
write_template two two
build t.pkr.hcl
[ "$(ran | grep -c '^run ')" = 1 ] || fail "after a change of a machine step: $(ran)"
[ "$(ran | grep -c '^pack ')" = 3 ] || fail "the Docker image was written again: $(ran)"

# A cold build elsewhere gives the same bytes as one that forgets what was here before; so does another folder, whatever
# the store knows of this one.
build -fresh-disks t.pkr.hcl
[ "$(ran | grep -c '^run ')" = 0 ] || fail "for fresh disks a step ran again: $(ran)"
[ "$(ran | grep -c '^pack ')" = 3 ] || fail "fresh disks were not written: $(ran)"
sha256sum "${files[@]}" >fresh
build -no-cache t.pkr.hcl
sha256sum --quiet -c fresh || fail "-no-cache and -fresh-disks differ"
mkdir other third
cp base.tar t.pkr.hcl other/
cp base.tar t.pkr.hcl third/
(cd third && build t.pkr.hcl)
(cd other && umask 077 && KILN_STORE=$WORK/store2 "$KILN_BIN" build -local t.pkr.hcl >"$WORK/log" 2>&1) || { cat log; fail "second cold build"; }
for file in "${files[@]}"; do
  cmp -s "$file" "other/$file" || fail "two cold builds differ in $file"
  cmp -s "$file" "third/$file" || fail "in another folder $file is another"
done
nothing_left
