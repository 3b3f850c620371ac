#!/usr/bin/env bash
# A provisioner that fails: the error-cleanup-provisioner runs in what it left (not with -on-error=abort), and
# -on-error=ask asks on a terminal and runs the step again for r; without a terminal it says so and cleans up.
. "$(dirname "$0")/../support/e2e.sh"
small_base base.tar
cat >t.pkr.hcl <<'HCL'
source "docker" "t" {
  image  = "tar:base.tar"
  commit = true
}
build {
  sources = ["source.docker.t"]
  provisioner "shell-local" { inline = ["test -e allowed || { touch allowed; exit 3; }"] }
  provisioner "shell" { inline = ["echo the-log > /log", "exit ${var.code}"] }
  error-cleanup-provisioner "shell" { inline = ["echo cleaning up after $(cat /log)"] }
}
variable "code" { default = "7" }
HCL
touch allowed
build_fails "cleaning up after the-log" t.pkr.hcl
says "non-zero exit status: 7"
build_fails "cleaning up after the-log" -on-error=run-cleanup-provisioner t.pkr.hcl
build_fails "non-zero exit status: 7" -on-error=abort t.pkr.hcl
if grep -q "cleaning up" log; then fail "-on-error=abort cleaned up"; fi
build_fails "standard input is no terminal" -on-error=ask t.pkr.hcl </dev/null
says "cleaning up after the-log"

# A cleanup that fails is a warning; one that downloads brings the file out.
sed -i 's,^  error-cleanup.*,  error-cleanup-provisioner "shell" { inline = ["exit 9"] },' t.pkr.hcl
build_fails "error-cleanup-provisioner: it ended with exit status 9" t.pkr.hcl
says "non-zero exit status: 7"
sed -i 's,^  error-cleanup.*,  error-cleanup-provisioner "file" {\n    direction = "download"\n    source = "/log"\n    destination = "saved.log"\n  },' t.pkr.hcl
build_fails "non-zero exit status: 7" t.pkr.hcl
[ "$(cat saved.log)" = the-log ] || fail "the failed step's file was not saved"

# A cleanup script that a host step wrote is read when it runs; kiln run finds the failed step behind a late one.
cat >late.pkr.hcl <<'HCL'
source "docker" "t" {
  image  = "tar:base.tar"
  commit = true
}
build {
  sources = ["source.docker.t"]
  provisioner "shell-local" {
    inline = [
      "echo 'echo from-the-late-script > /late' > late.sh",
      "echo 'cat /late; false' > last.sh",
      "echo 'echo second thoughts' > cleanup.sh"
    ]
  }
  provisioner "shell" { script = "late.sh" }
  provisioner "shell" { script = "last.sh" }
  error-cleanup-provisioner "shell" { script = "cleanup.sh" }
}
HCL
for name in late last cleanup; do echo 'exit 4' >$name.sh; done
build_fails "second thoughts" late.pkr.hcl
[ "$(kiln run late.pkr.hcl -- cat /late)" = from-the-late-script ] || fail "kiln run does not see the failed step's tree"

# terminal ANSWERS ARGS...: kiln build -on-error=ask on a terminal where each question gets the next answer
terminal() {
  python3 - "$@" >"$WORK/log" 2>&1 <<'PY'
import os, pty, select, sys
answers = list(sys.argv[1])
pid, fd = pty.fork()
if pid == 0:
    os.execv(os.environ["KILN_BIN"], ["kiln", "build", "-local", "-on-error=ask"] + sys.argv[2:])
seen = b""
while select.select([fd], [], [], 60)[0]:
    try:
        data = os.read(fd, 4096)
    except OSError:
        break
    if not data:
        break
    seen += data
    sys.stdout.buffer.write(data)
    if seen.rstrip().endswith(b"retry step?"):
        os.write(fd, answers.pop(0).encode() + b"\n")
        seen = b""
sys.stdout.flush()
assert not answers, "not asked often enough"
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
}
rm -f allowed saved.log
terminal r -var code=0 t.pkr.hcl || { cat log; fail "a retried step did not save the build"; }
[ -f out/t-docker.tar ] || fail "no image after a retry"
[ ! -e saved.log ] || fail "a retried step was cleaned up after"
if terminal a t.pkr.hcl; then fail "the build passed after a"; fi
[ ! -e saved.log ] || fail "a cleaned up"
if terminal rrc t.pkr.hcl; then fail "the build passed after c"; fi
[ "$(grep -c 'retry step?' log)" = 3 ] || fail "the question was not asked three times"
[ "$(cat saved.log)" = the-log ] || fail "c did not clean up"

# What a step left when it failed goes once it works.
later=$(($(date +%s) + 6))
cat >flaky.pkr.hcl <<HCL
source "docker" "flaky" {
  image  = "tar:base.tar"
  commit = true
}
build {
  sources = ["source.docker.flaky"]
  provisioner "shell" { inline = ["echo left > /left", "[ \$(date +%s) -ge $later ] || exit 3"] }
}
HCL
rm -rf "$KILN_STORE/dirs/failed"
build_fails "non-zero exit status: 3" flaky.pkr.hcl
[ -n "$(find "$KILN_STORE/dirs/failed" -name left)" ] || fail "nothing was kept of a failed step"
while [ "$(date +%s)" -lt "$later" ]; do sleep 0.5; done
build flaky.pkr.hcl
[ -z "$(find "$KILN_STORE/dirs/failed" -mindepth 1)" ] || fail "what a step left when it failed is kept after it worked"
nothing_left
