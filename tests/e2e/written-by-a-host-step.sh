#!/usr/bin/env bash
# Files that a shell-local or a download makes are read when their provisioner's turn has come, as in Packer: new content
# is never missed, the same content stops the rebuilding there. build.* has values.
. "$(dirname "$0")/../support/e2e.sh"
small_base base.tar
echo 'echo never > /script-ran' >made.sh
cat >t.pkr.hcl <<'HCL'
variable "host_says" { default = "one" }
source "docker" "t" {
  image  = "tar:base.tar"
  commit = true
}
build {
  sources = ["source.docker.t"]
  provisioner "shell" { inline = ["echo from-inside > /inside"] }
  provisioner "shell-local" {
    inline = ["echo ${var.host_says} > made", "echo 'echo ${var.host_says} > /script-ran' > made.sh"]
  }
  provisioner "file" {
    source      = "made"
    destination = "/made"
    generated   = true
  }
  provisioner "file" {
    direction   = "download"
    source      = "/inside"
    destination = "fetched"
  }
  provisioner "file" {
    source      = "fetched"
    destination = "/fetched"
    generated   = true
  }
  provisioner "shell" { script = "made.sh" }
  provisioner "shell" { inline = ["cat /made /fetched /script-ran > /all", "echo ${build.ID} ${build.User} > /build"] }
}
HCL
content() { # content PATH: of the image
  rm -rf rootfs
  mkdir rootfs
  skopeo copy -q --insecure-policy oci-archive:out/t-docker.tar dir:pulled >/dev/null
  python3 - "$1" <<'PY'
import json, sys, tarfile
text = None
for layer in json.load(open("pulled/manifest.json"))["layers"]:
    with tarfile.open("pulled/" + layer["digest"].split(":")[1]) as tar:
        for member in tar:
            if member.name.strip("./") == sys.argv[1]:
                text = tar.extractfile(member).read().decode()
print(text, end="")
PY
  rm -rf pulled
}
command -v skopeo >/dev/null || skip "skopeo is missing"
build t.pkr.hcl
[ "$(content all)" = "one
from-inside
one" ] || fail "the image has: $(content all)"
[ "$(content build)" = "t root" ] || fail "build.* gave: $(content build)"
first=$(sha out/t-docker.tar)

build t.pkr.hcl # the host step writes the same again: what follows is found by what it stands on
ran >labels
if grep -x 'run shell: inline' labels; then fail "the same files made a step run again"; fi
[ "$(sha out/t-docker.tar)" = "$first" ] || fail "the same files made another image"

build -var host_says=two t.pkr.hcl
[ "$(content all)" = "two
from-inside
two" ] || fail "new content of a host step was missed: $(content all)"
build t.pkr.hcl
[ "$(sha out/t-docker.tar)" = "$first" ] || fail "going back did not give the first image"

# Where a download goes: a new name, below a directory, a directory's contents.
cat >download.pkr.hcl <<'HCL'
source "docker" "t" {
  image   = "tar:base.tar"
  discard = true
}
build {
  sources = ["source.docker.t"]
  provisioner "shell" { inline = ["mkdir -p /d/sub", "echo 1 > /d/one", "echo 2 > /d/sub/two"] }
  provisioner "file" {
    direction   = "download"
    source      = "/d/one"
    destination = "got/new-name"
  }
  provisioner "file" {
    direction   = "download"
    sources     = ["/d/one", "/d/sub/two"]
    destination = "below/"
  }
  provisioner "file" {
    direction   = "download"
    source      = "/d/"
    destination = "contents"
  }
}
HCL
build download.pkr.hcl
[ "$(find got below contents -type f -printf '%p ' | tr ' ' '\n' | sort | xargs)" = \
  "below/one below/two contents/one contents/sub/two got/new-name" ] || fail "downloads: $(find got below contents)"
[ "$(cat got/new-name below/two contents/sub/two | xargs)" = "1 2 2" ] || fail "a download holds something else"
sed -i 's,"/d/one"$,"/d/none",' download.pkr.hcl
build_fails "/d/none" download.pkr.hcl

# A value of build.* that only a machine has is an error where it is needed, not a lost step.
sed -i 's/build.User/build.SourceAMI/' t.pkr.hcl
build_fails "Value not known without a machine" t.pkr.hcl
nothing_left
