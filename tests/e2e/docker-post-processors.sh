#!/usr/bin/env bash
# docker-tag, docker-save, docker-push and docker-import on a machine without a Docker Engine: what goes to a registry
# and into files, what is sent a second time (nothing), what -local leaves out, and what stands at the wrong place.
. "$(dirname "$0")/../support/e2e.sh"
command -v skopeo >/dev/null || skip "skopeo is missing"
command -v docker-registry >/dev/null || skip "docker-registry is not installed"
REGISTRY=$("$TREE/tests/e2e/registry.sh" start "$WORK/registry")
cleanup+=("'$TREE/tests/e2e/registry.sh' stop '$WORK/registry'")
unset DOCKER_HOST
export HOME=$WORK
mkdir empty

small_base base.tar
template() { # template OPTION POST-PROCESSORS
  cat >t.pkr.hcl <<HCL
source "docker" "t" {
  image = "tar:base.tar"
  $1
}
build {
  sources = ["source.docker.t"]
  provisioner "shell" { inline = ["echo x > /x"] }
$2
}
HCL
}
publish() { # kiln build without -local, where this machine's own Engine (below /run) cannot be seen
  # shellcheck disable=SC2016 # for the inner shell
  unshare -m sh -c 'mount --bind empty /run && exec "$@"' sh "$KILN_BIN" build t.pkr.hcl >"$WORK/log" 2>&1
}
publishes() { publish || { cat "$WORK/log" >&2; fail "kiln build"; }; }
refused() { # refused TEXT: validate says TEXT
  kiln validate t.pkr.hcl >"$WORK/log" 2>&1 && fail "accepted: $1"
  says "$1"
}
inspect() { skopeo inspect --tls-verify=false "docker://$REGISTRY/$1"; }
names() { # names ARCHIVE: what docker load would call it
  python3 -c 'import json, sys, tarfile; print(*json.load(tarfile.open(sys.argv[1]).extractfile("manifest.json"))[0]["RepoTags"])' "$1"
}

tag="post-processor \"docker-tag\" {
    repository = \"$REGISTRY/team/app\"
    tags       = [\"1\", \"latest\"]
  }"
push='post-processor "docker-push" {}'

# -local leaves docker-push out and says so; what comes after it works.
template 'commit = true' "post-processors {
  $tag
  $push
  post-processor \"manifest\" { output = \"m.json\" }
}"
build t.pkr.hcl
says "docker-push is left out by -local"
if inspect team/app:1 >/dev/null 2>&1; then fail "-local pushed"; fi
[ -f m.json ] || fail "no manifest behind docker-push"
[ "$(names out/t-docker.tar)" = "$REGISTRY/team/app:1 $REGISTRY/team/app:latest" ] || fail "other names in the archive"

# Every name is pushed; the second time no layer is sent.
publishes
says "team/app:1@sha256:"
says "2 of 2 layers sent"
for version in 1 latest; do inspect "team/app:$version" >inspect.json || fail "the registry lacks team/app:$version"; done
skopeo copy -q --insecure-policy --src-tls-verify=false "docker://$REGISTRY/team/app:1" dir:pulled >/dev/null ||
  fail "what was pushed cannot be pulled"
grep -q "\"artifact_id\": \"$REGISTRY/team/app:1\"" m.json || fail "the manifest does not name what was pushed: $(cat m.json)"
publishes
says "0 of 2 layers sent"
[ "$(ran)" = "post-process docker-push" ] || fail "an unchanged build ran: $(ran)"

# Layers whose blobs went from the store come from the archive.
rm -r "$KILN_STORE"/blobs/*
sed -i 's,/team/app,/other/app,' t.pkr.hcl
publishes
inspect other/app:1 >/dev/null || fail "the registry lacks other/app:1"

# A registry that is not there, a name without a registry, a password: each says what is wrong, and no more.
template 'commit = true' "post-processors {
  post-processor \"docker-tag\" {
    repository = \"127.0.0.1:9/app\"
    tags       = [\"1\"]
  }
  post-processor \"docker-push\" {
    login          = true
    login_username = \"bob\"
    login_password = \"very-secret\"
  }
}"
publish && fail "pushed to nowhere"
says "127.0.0.1:9/app:1"
if grep -rq very-secret "$KILN_STORE" out log; then fail "the password is in the store, the output or the log"; fi
sed -i 's,127.0.0.1:9/app,app,' t.pkr.hcl
publish && fail "pushed a name without a registry"
says "registries.conf"

# docker-save after docker-tag; docker-import of an exported file system, with names, changes and a push behind it.
template 'commit = true' "post-processors {
  $tag
  post-processor \"docker-save\" { path = \"saved.tar\" }
}"
build t.pkr.hcl
cmp saved.tar out/t-docker.tar || fail "docker-save saved something else"
template 'export_path = "rootfs.tar"' "post-processors {
  post-processor \"docker-import\" {
    repository = \"$REGISTRY/team/imported\"
    tag        = \"7\"
    changes    = [\"CMD [\\\"/bin/cat\\\", \\\"/x\\\"]\", \"ENV A=b\"]
  }
  post-processor \"docker-tag\" {
    repository = \"$REGISTRY/team/again\"
    tags       = [\"8\"]
  }
  $push
}"
publishes
says "the image is in the archive only"
archive=out/t-imported_7-docker.tar
[ "$(names $archive)" = "$REGISTRY/team/imported:7 $REGISTRY/team/again:8" ] || fail "other names: $(names $archive)"
inspect team/again:8 >/dev/null || fail "the registry lacks team/again:8"
skopeo inspect --config "oci-archive:$archive" >config.json
python3 - <<'PY' || fail "the imported image is not what it should be"
import json
c = json.load(open("config.json"))
assert c["config"]["Cmd"] == ["/bin/cat", "/x"] and "A=b" in c["config"]["Env"], c["config"]
assert len(c["rootfs"]["diff_ids"]) == 1, c["rootfs"]
PY
skopeo copy -q --insecure-policy "oci-archive:$archive" dir:imported >/dev/null
python3 - <<'PY' || fail "the imported layer is not the exported tree"
import json, tarfile
layer = json.load(open("imported/manifest.json"))["layers"][0]["digest"][7:]
names = lambda path: sorted(m.name.strip("./") for m in tarfile.open(path))
assert [n for n in names("rootfs.tar") if n] == [n for n in names("imported/" + layer) if n]
PY
before=$(stat -c '%i %Y' $archive)
publishes
[ "$(ran)" = "post-process docker-push" ] || fail "an unchanged import ran: $(ran)"
[ "$(stat -c '%i %Y' $archive)" = "$before" ] || fail "an unchanged import was written again"

# Wrong places.
template 'commit = true' "$push"
refused "put docker-tag before docker-push"
template 'export_path = "rootfs.tar"' "$tag"
refused "docker-tag needs a docker image"
template 'commit = true' 'post-processor "docker-import" { repository = "x" }'
refused "export_path"
template 'commit = true' "post-processors {
  $tag
  post-processor \"docker-push\" { ecr_login = true }
}"
refused "kiln has no ECR login"
nothing_left
