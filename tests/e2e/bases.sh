#!/usr/bin/env bash
# Every kind of base that needs no distribution archive: a tar, a directory, Docker and OCI archives and layouts, a
# registry on loopback. Imported layers keep their digests, the configuration is carried on.
. "$(dirname "$0")/../support/e2e.sh"
small_base base.tar
# shellcheck disable=SC2016  # the step expands them
template() { # template BASE [BUILD]
  printf 'source "docker" "t" {\n  image = "%s"\n  commit = true\n  changes = ["LABEL second=2"]\n}\nbuild {\n  sources = ["source.docker.t"]\n  provisioner "shell" { inline = ["test \\"$FIRST\\" = \\"%s\\"", "echo more > /more"] }\n}\n' "$1" "${2-1}" >t.pkr.hcl
}
cat >first.pkr.hcl <<'HCL'
source "docker" "first" {
  image   = "tar:base.tar"
  commit  = true
  changes = ["ENV FIRST=1", "ENTRYPOINT [\"/bin/cat\"]", "LABEL first=1"]
}
build {
  sources = ["source.docker.first"]
  provisioner "shell" { inline = ["mkdir /d && echo x > /d/x && rm /bin/find"] }
  post-processor "docker-tag" {
    repository = "first"
    tags       = ["1", "again"]
  }
}
HCL
build -output=first first.pkr.hcl
archive=first/first-docker.tar
command -v skopeo >/dev/null || skip "skopeo is missing"
skopeo inspect "docker-archive:$archive:first:1" >inspect1.json || fail "skopeo cannot read the docker-archive"
skopeo inspect "oci-archive:$archive" >inspect2.json || fail "skopeo cannot read the oci-archive"
skopeo copy -q --insecure-policy "oci-archive:$archive" oci:layout:one >/dev/null

check() { # check BASE: builds on it and looks at the result
  template "$1"
  rm -rf out
  build t.pkr.hcl
  skopeo inspect --config "oci-archive:out/t-docker.tar" >config.json
  python3 - <<'PY' || fail "$1: the configuration or the layers are not what they should be"
import json
new = json.load(open("config.json"))
assert new["config"]["Labels"] == {"first": "1", "second": "2"}, new["config"]
assert new["config"]["Entrypoint"] == ["/bin/cat"], new["config"]
assert "FIRST=1" in new["config"]["Env"], new["config"]
assert len(new["rootfs"]["diff_ids"]) == 3, new["rootfs"]
PY
  python3 -c 'import json; print(json.load(open("config.json"))["rootfs"]["diff_ids"][:2])' >diffs
  [ ! -e diffs.first ] || cmp -s diffs diffs.first || fail "$1: an imported layer lost its digest"
  cp diffs diffs.first
}
check "docker-archive:$archive:first:1"
check "docker-archive:$archive:first:again"
check "oci-archive:$archive"
check "oci:layout:one"
template "docker-archive:$archive:first:nope"
build_fails "first" t.pkr.hcl

mkdir plain && tar -C plain -xf base.tar
template dir:plain ""
build t.pkr.hcl
template tar:base.tar ""
build t.pkr.hcl

if [ -x "$TREE/tests/e2e/registry.sh" ] && command -v docker-registry >/dev/null; then
  REGISTRY=$("$TREE/tests/e2e/registry.sh" start "$WORK/registry")
  cleanup+=("'$TREE/tests/e2e/registry.sh' stop '$WORK/registry'")
  skopeo copy -q --insecure-policy --dest-tls-verify=false "oci-archive:$archive" "docker://$REGISTRY/first:1" >/dev/null
  check "docker://$REGISTRY/first:1"
  "$TREE/tests/e2e/registry.sh" stop "$WORK/registry"
  build t.pkr.hcl # resolved and unchanged: the registry is not asked
fi
nothing_left
