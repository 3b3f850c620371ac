#!/usr/bin/env bash
# The three targets of images/spark by kiln and by the usual tools, one after the other: Packer's docker builder and docker
# save for the Docker image; for each disk mmdebstrap's tree, the same scripts under chroot, sgdisk, mke2fs -d, and tar and
# gzip for Compute Engine. Cold, with packages and Spark downloaded before. Goal: three times.
#   bench/spark_usual.sh        BUILD=build/release; RUNS=1 turns. Needs root, docker.io and an earlier make spark
# In the usual tools' favour: the base is made once for all three, nothing is verified, no boot loader is installed and
# no disk comes out the same twice.
RUNS=${RUNS:-1}
# shellcheck source=timing.sh
. "$(dirname "$0")/timing.sh"
[ "$(id -u)" = 0 ] || skip "spark_usual needs root"
for tool in packer docker mmdebstrap sgdisk mke2fs; do command -v "$tool" >/dev/null || skip "$tool is missing"; done
packages=${KILN_STORE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln/store}/dirs/cache-apt
export KILN_DOWNLOADS=${KILN_DOWNLOADS:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln/downloads}
compgen -G "$packages/linux-image-cloud-amd64_*.deb" >/dev/null || skip "no packages in $packages: make spark first"
spark=$TREE/images/spark
cd "$WORK"

# The machine's own archives of Debian.
# shellcheck disable=SC2016 # apt's own variables
apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
  awk '$2 ~ /^bookworm/ { print "deb", $1, $2, $3 }' | sort -u >sources.list
[ -s sources.list ] || skip "apt knows no archive of Debian 12"

# The packages that were downloaded before, in a copy that this run may add to.
fresh_packages() { rm -rf apt && cp -r "$packages" apt; }

by_kiln() {
  rm -rf store out
  mkdir -p store/dirs
  cp -r "$packages" store/dirs/cache-apt
  KILN_STORE=$WORK/store "$KILN" build -local -color=false "$spark/spark.pkr.hcl"
}

# The functions of this side are called where set -e does not count: what fails in the middle says so itself.
make_base() {
  rm -f base.tar
  mmdebstrap --variant=minbase --include=ca-certificates --setup-hook="mkdir -p \"\$1/var/cache/apt/archives\"" \
    --setup-hook="cp $WORK/apt/*.deb \"\$1/var/cache/apt/archives/\"" bookworm base.tar sources.list
}

docker_by_packer() {
  "$DOCKER" import base.tar spark-base:1 || return
  packer build -color=false -only=docker.spark -var base=spark-base:1 -var "docker_run_options=[\"--network=host\", \
\"-v\", \"$WORK/apt:/var/cache/apt/archives\", \
\"-v\", \"/etc/apt/apt.conf.d:/etc/apt/apt.conf.d:ro\", \"-v\", \"$KILN_DOWNLOADS:/downloads\", \
\"-e\", \"KILN_DOWNLOADS=/downloads\"]" local/spark.pkr.hcl || return
  "$DOCKER" save -o usual-docker.tar spark:4.3.0
}

# Packer pulls what a source starts from, unless it is told not to; kiln's side needs no such line.
with_local_base() {
  cp -r "$spark" local
  sed -i 's/^  commit *= true$/&\n  pull = false/' local/spark.pkr.hcl
}

# What the template's file provisioners send.
upload() {
  local name
  for name in pins fetch.py verify.py profile.sh decom.sh entrypoint.sh; do cp "$spark/files/$name" "tree/tmp/spark-$name"; done
  cp "$spark/files/no-archive" tree/tmp/spark-archive
  cp "$spark/files/node-lib.sh" tree/tmp/spark-node-lib.sh
  cp -r "$spark/files/spark-home" "$spark/files/node" tree/tmp/
}

# in_tree SCRIPT: under chroot, with mounts that end with it
in_tree() {
  cp "$spark/scripts/$1" tree/tmp/script
  # shellcheck disable=SC2016 # for the shell inside
  unshare --mount --pid --fork --kill-child bash -euc '
    mount -t proc proc tree/proc; mount -t sysfs sys tree/sys; mount --rbind /dev tree/dev
    mkdir -p tree/downloads; mount --bind "$KILN_DOWNLOADS" tree/downloads
    mount --bind apt tree/var/cache/apt/archives
    mount --bind /etc/apt/apt.conf.d tree/etc/apt/apt.conf.d
    touch tree/etc/resolv.conf; mount --bind /etc/resolv.conf tree/etc/resolv.conf
    exec chroot tree env SPARK_VERSION=4.3.0 SPARK_SOURCE=pyspark JAVA_VERSION=17 KILN_DOWNLOADS=/downloads \
      "PYTHON_PACKAGES=python3-numpy python3-pip python3-venv" bash -c "chmod +x /tmp/script; /tmp/script"'
  rm tree/tmp/script
}

# disk_by_tools CLOUD ROUND_MIB: a GPT disk with BIOS boot, EFI and root partitions; round up to so many MiB
disk_by_tools() {
  local script mib
  rm -rf tree && mkdir tree
  tar -C tree -xpf base.tar
  upload
  for script in 10-packages 20-java 30-python 40-spark 50-user 60-system 70-boot "80-$1" 90-node; do
    [ "$script" != 60-system ] || { cp "$spark/files/node-lib.sh" tree/tmp/spark-node-lib.sh; cp -r "$spark/files/node" tree/tmp/; }
    in_tree "$script.sh" || return
  done
  mib=$(($(du -sm tree | cut -f 1) * 5 / 4 + 384))
  mib=$(((mib + $2 - 1) / $2 * $2))
  rm -f disk.raw
  truncate -s "${mib}M" disk.raw || return
  sgdisk -n 14:2048:8191 -t 14:ef02 -n 15:8192:262143 -t 15:ef00 -n 1:262144:0 -t 1:8304 disk.raw || return
  mkfs.fat --offset 8192 -F 32 disk.raw 126976 || return
  mke2fs -q -t ext4 -d tree -E offset=134217728 disk.raw $((mib * 1024 - 131072 - 1024)) || return
  rm -rf tree
}
ec2_by_tools() { disk_by_tools ec2 1 && mv disk.raw usual-ec2.raw; }
gce_by_tools() {
  disk_by_tools gce 1024 || return
  tar --format=oldgnu -Sczf usual-gce.tar.gz disk.raw
  rm disk.raw
}

by_usual_tools() {
  local part
  for part in make_base docker_by_packer ec2_by_tools gce_by_tools; do time_of "$part" "$part" || return; done
}

with_local_base
engine=$TREE/tests/e2e/docker-engine.sh
"$engine" start "$WORK/engine" || skip "no Docker Engine"
cleanup+=("'$engine' stop '$WORK/engine'")
eval "$("$engine" env "$WORK/engine")"
for _ in $(seq "$RUNS"); do
  time_of kiln by_kiln
  fresh_packages
  time_of usual by_usual_tools
  "$DOCKER" rmi -f spark:4.3.0 spark-base:1 >/dev/null
done
machine
row kiln "images/spark, all three, kiln"
row usual "the same by the usual tools, in turn" kiln
row make_base "  mmdebstrap"
row docker_by_packer "  Packer's docker builder, docker save"
row ec2_by_tools "  the EC2 disk"
row gce_by_tools "  the Compute Engine image"
