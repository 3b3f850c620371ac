#!/usr/bin/env bash
# Two sources whose first steps are equal run those once; a script that asks which build it is runs for each; and when one
# build fails, the other is finished.
. "$(dirname "$0")/../support/e2e.sh"

small_base base.tar
cat >t.pkr.hcl <<'HCL'
source "docker" "a" {
  image  = "tar:base.tar"
  commit = true
}
source "docker" "b" {
  image  = "tar:base.tar"
  commit = true
}
build {
  sources = ["source.docker.a", "source.docker.b"]
  provisioner "shell" { inline = ["echo shared > /shared"] }
  provisioner "shell" { inline = ["echo $PACKER_BUILD_NAME > /name"] }
  provisioner "shell" {
    only   = ["docker.b"]
    inline = ["exit 7"]
  }
}
HCL
code=0
kiln build -local t.pkr.hcl >log 2>&1 || code=$?
[ "$code" = 1 ] || fail "a failed build ended with $code"
[ "$(ran | grep -c '^base ')" = 1 ] || fail "the base was made more than once"
[ "$(ran | grep -c '^run shell: inline')" = 4 ] || fail "shared once, named twice, failed once expected: $(ran)"
says "Script exited with non-zero exit status: 7"
[ -f out/a-docker.tar ] || fail "the good build was not finished"
[ ! -e out/b-docker.tar ] || fail "the failed build left an artifact"

# What the failed step left can be entered, and changes there are thrown away.
[ "$(kiln run -only=docker.b t.pkr.hcl -- cat /name | tr -d '\r')" = b ] || fail "kiln run does not see the failed step's tree"
kiln run -only=docker.b t.pkr.hcl -- /bin/sh -c 'echo x > /gone'
kiln run -only=docker.b t.pkr.hcl -- /bin/sh -c 'test ! -e /gone' || fail "a change made by kiln run stayed"
nothing_left
