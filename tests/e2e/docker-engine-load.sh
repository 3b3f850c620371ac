#!/usr/bin/env bash
# Without -local an image goes into the Docker Engine: only layers that it lacks, whole when the Engine objects, nothing
# when it has the image. An Engine that is broken, or not where DOCKER_HOST says, is an error that says so.
. "$(dirname "$0")/../support/e2e.sh"
code=0
"$TREE/tests/e2e/docker-engine.sh" start "$WORK/engine" || code=$?
[ "$code" = 0 ] || exit "$code"
cleanup+=("'$TREE/tests/e2e/docker-engine.sh' stop '$WORK/engine'")
eval "$("$TREE/tests/e2e/docker-engine.sh" env "$WORK/engine")"
engine_socket=${DOCKER_HOST#unix://}

small_base base.tar
dd if=/dev/urandom of=noise bs=1M count=3 status=none
template() { # template LAST
  cat >t.pkr.hcl <<HCL
source "docker" "t" {
  image   = "tar:base.tar"
  commit  = true
  changes = ["CMD [\"/bin/cat\", \"/last\"]"]
}
build {
  sources = ["source.docker.t"]
  provisioner "file" {
    source      = "noise"
    destination = "/noise"
  }
  provisioner "shell" { inline = ["echo $1 > /last"] }
  post-processor "docker-tag" {
    repository = "loaded"
    tags       = ["$1"]
  }
}
HCL
}
load() { # kiln build, into the Engine
  kiln build t.pkr.hcl >"$WORK/log" 2>&1 || { cat "$WORK/log" >&2; fail "kiln build"; }
}
load_fails() { # load_fails TEXT: the build ends with 1 and says TEXT
  local code=0
  kiln build t.pkr.hcl >"$WORK/log" 2>&1 || code=$?
  [ "$code" = 1 ] || { cat "$WORK/log" >&2; fail "the build ended with $code, not 1"; }
  says "$1"
}
prints() { # prints NAME TEXT
  [ "$("$DOCKER" run --rm --network=none "$1")" = "$2" ] || fail "the Engine's $1 does not print $2"
}
proxy_pid=
proxy() { # proxy MODE: from now on kiln speaks to the Engine through it
  end_proxy
  rm -f proxy.sock counts
  python3 "$TREE/tests/support/engine-proxy.py" proxy.sock "$engine_socket" counts "$1" &
  proxy_pid=$!
  while [ ! -S proxy.sock ]; do sleep 0.05; done
  export DOCKER_HOST=unix://$WORK/proxy.sock
}
end_proxy() { # and have its counts
  [ -n "$proxy_pid" ] || return 0
  kill "$proxy_pid"
  wait "$proxy_pid" || true
  proxy_pid=
}
cleanup+=(end_proxy)
docker_directly() { DOCKER_HOST=unix://$engine_socket "$DOCKER" "$@"; }
# How often and how many bytes have been loaded since proxy was called.
loaded() {
  end_proxy
  loads=$(grep -c '^POST /images/load' counts || true)
  sent=$(awk '/^POST \/images\/load/ { n += $NF } END { print n + 0 }' counts)
}

# Whole the first time; nothing the second time.
proxy pass
template one
load
says "3 of 3 layers sent"
loaded
[ "$sent" -gt 3000000 ] || fail "the first load sent $sent bytes"
docker_directly inspect -f '{{len .RootFS.Layers}}' loaded:one | grep -x 3 >/dev/null || fail "the image has other layers"
DOCKER_HOST=unix://$engine_socket prints loaded:one one
archive=$(sha out/t-docker.tar)
proxy pass
load
[ -z "$(ran)" ] || fail "an unchanged build ran: $(ran)"
loaded
[ "$loads" = 0 ] || fail "an unchanged build loaded"

# Another last step: that layer alone is sent.
proxy pass
template two
load
says "1 of 3 layers sent"
loaded
[ "$sent" -lt 100000 ] || fail "one small layer took $sent bytes"
DOCKER_HOST=unix://$engine_socket prints loaded:two two
DOCKER_HOST=unix://$engine_socket prints loaded:one one

# The Engine objects to an archive with layers left out: once more, whole.
proxy refuse-first-load
template three
load
says "3 of 3 layers sent"
loaded
[ "$loads" = 2 ] || fail "there were $loads loads, not 2"
DOCKER_HOST=unix://$engine_socket prints loaded:three three

# A name or the image went from the Engine: it comes back, and the archive is not written again.
template one
proxy pass
load
[ "$(sha out/t-docker.tar)" = "$archive" ] || fail "the same template gave another archive"
before=$(stat -c '%i %Y' out/t-docker.tar)
docker_directly tag loaded:one kept:1
docker_directly rmi loaded:one >/dev/null
load
loaded
[ "$loads" = 0 ] || fail "a missing name was loaded, not given"
DOCKER_HOST=unix://$engine_socket
prints loaded:one one
docker_directly tag loaded:two loaded:one
load
DOCKER_HOST=unix://$engine_socket prints loaded:one one
docker_directly rmi -f loaded:one kept:1 >/dev/null
docker_directly image prune -f >/dev/null
load
DOCKER_HOST=unix://$engine_socket prints loaded:one one
[ "$(stat -c '%i %Y' out/t-docker.tar)" = "$before" ] || fail "loading again wrote the archive again"

# Engines that do not work.
template four
proxy nonsense
load_fails "the Docker Engine at unix://$WORK/proxy.sock"
proxy cut
load_fails "loading into the Docker Engine"
proxy swallow
load_fails "and does not have it"
end_proxy
load_fails "no Docker Engine answers at unix://$WORK/proxy.sock (DOCKER_HOST)"
DOCKER_HOST=tcp://192.0.2.1:2375 load_fails "DOCKER_HOST=tcp://192.0.2.1:2375"
[ -f out/t-docker.tar ] || fail "the archive is not there"
kiln build -local t.pkr.hcl >"$WORK/log" 2>&1 || fail "-local asked for the Engine"
[ -z "$(ran)" ] || fail "with -local there was something to do: $(ran)"
export DOCKER_HOST=unix://$engine_socket
load
prints loaded:four four

# The Engine's image as a base, by name and by id; a name that moves is followed.
from_engine() { # from_engine BASE
  cat >t.pkr.hcl <<HCL
source "docker" "on-top" {
  image  = "docker-daemon:$1"
  commit = true
}
build {
  sources = ["source.docker.on-top"]
  provisioner "shell" { inline = ["cat /last > /seen; echo top > /last"] }
  post-processor "docker-tag" {
    repository = "on-top"
    tags       = ["1"]
  }
}
HCL
}
export KILN_STORE=$WORK/second-store
from_engine loaded:one
load
prints on-top:1 top
[ "$("$DOCKER" run --rm --network=none on-top:1 /bin/cat /seen)" = one ] || fail "the base was not loaded:one"
[ "$("$DOCKER" inspect -f '{{json .RootFS.Layers}}' on-top:1 | cut -d, -f1-3)" = \
  "$("$DOCKER" inspect -f '{{json .RootFS.Layers}}' loaded:one | tr -d ']')" ] || fail "the base's layers changed"
if command -v skopeo >/dev/null; then # what the Engine saved uncompressed is described as what it is
  skopeo copy -q --insecure-policy oci-archive:out/on-top-docker.tar dir:copied >/dev/null
  skopeo inspect --raw dir:copied | python3 -c '
import json, sys
for layer in json.load(sys.stdin)["layers"]:
    magic = open("copied/" + layer["digest"][7:], "rb").read(2)
    assert layer["mediaType"].endswith("+gzip") == (magic == b"\x1f\x8b"), layer'
fi
load
[ -z "$(ran)" ] || fail "an unchanged build on the Engine's image ran: $(ran)"
"$DOCKER" tag loaded:two loaded:one
load
[ "$("$DOCKER" run --rm --network=none on-top:1 /bin/cat /seen)" = two ] || fail "a name that moved was not followed"
from_engine "$("$DOCKER" inspect -f '{{.Id}}' loaded:three)"
load
[ "$("$DOCKER" run --rm --network=none on-top:1 /bin/cat /seen)" = three ] || fail "the base was not loaded:three"
from_engine "absent:1"
load_fails "docker-daemon:absent:1"
"$TREE/tests/e2e/docker-engine.sh" stop "$WORK/engine"
nothing_left
