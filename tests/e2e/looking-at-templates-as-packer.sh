#!/usr/bin/env bash
# kiln inspect, console, validate -syntax-only and version say what the real packer says (1.6.6), and end as it does.
. "$(dirname "$0")/../support/e2e.sh"
export CHECKPOINT_DISABLE=1

cat >t.pkr.hcl <<'HCL'
variable "text" {
  default     = "hello, \"you\""
  description = "A text"
}
variable "secret" {
  default   = { a = "alpha", b = ["beta"] }
  sensitive = true
}
variable "numbers" {
  type    = list(number)
  default = [1, 2.5]
}
variable "unset" {
  type = string
}
variable "nothing" {
  default = null
}
variable "letters" {
  type    = set(string)
  default = ["b", "a"]
}
locals {
  shout  = "${upper(var.text)}!"
  nested = { q = 1, b = [true, "z"], n = null }
  needs  = var.unset
  broken = nope(1)
  lost   = local.broken
}
source "null" "a" {
  communicator = "none"
}
source "file" "f" {
  content = var.unset
  target  = "o"
}
build {
  sources = ["null.a"]
}
build {
  name        = "second"
  description = "The second build"
  sources     = ["null.a", "source.file.f"]
  provisioner "shell-local" {
    inline = ["echo hi"]
  }
  provisioner "shell-local" {
    name   = "named"
    inline = ["echo hi"]
  }
  post-processor "manifest" {}
  post-processors {
    post-processor "checksum" {}
    post-processor "compress" {
      name   = "zip"
      output = "x.zip"
    }
  }
}
HCL

compare() { # NAME COMMAND...: the same output and exit code; INPUT is piped in
  local theirs=0 ours=0
  printf '%b' "${INPUT-}" | packer "$@" >theirs.out 2>&1 || theirs=$?
  printf '%b' "${INPUT-}" | kiln "$@" >ours.out 2>&1 || ours=$?
  sed -i 's/^[0-9]\{10\},/TIME,/' theirs.out ours.out
  [ "$ours" = "$theirs" ] || fail "$* (${INPUT-}): exit code $ours, packer's is $theirs"
  diff theirs.out ours.out || fail "$* (${INPUT-}): other output than packer's"
}
# The value is that of packer; for what is wrong, kiln has its own words.
compare_value() {
  local theirs=0 ours=0
  printf '%b' "$1" | packer console -var unset=set t.pkr.hcl >theirs.out 2>&1 || theirs=$?
  printf '%b' "$1" | kiln console -var unset=set t.pkr.hcl >ours.out 2>&1 || ours=$?
  [ "$ours" = "$theirs" ] || fail "console: $1: exit code $ours, packer's is $theirs"
  if grep -q '^Error' theirs.out; then
    grep -q '^Error' ours.out || fail "console: $1: no error"
  else
    diff theirs.out ours.out || fail "console: $1"
  fi
}

if command -v packer >/dev/null; then
  compare inspect t.pkr.hcl
  compare inspect -var unset=now -var 'numbers=[3]' t.pkr.hcl
  compare validate -syntax-only t.pkr.hcl
  compare validate -syntax-only -machine-readable t.pkr.hcl
  compare -machine-readable validate -syntax-only t.pkr.hcl
  mkdir dir && cp t.pkr.hcl dir/
  compare inspect dir
  for INPUT in 'var.text\n' 'variables\n' '1\nexit\n2\n' '1\nexit\n' '\n' '1\n\n' ''; do compare console t.pkr.hcl; done
  INPUT='variables\n' compare console --config-type=hcl2
  INPUT='1+1' compare console --config-type=hcl2
  unset INPUT
  for expression in var local local.nested path.root var.secret var.letters 'var.nope' 'nope(' '"a\\nb"' 'null' '[null]' \
    '{a = null}' '1+1\nvar.nope' 'var.nope\n1+1' 'var.numbers[0]' 'format("%s", 1/3)' 'var.unset' 'build' 'source' '# x'; do
    compare_value "$expression\n"
  done
else
  echo "packer is not installed: nothing was compared"
fi

# A regular file is no pipe: every line is answered, until exit.
printf '1+1\nvar.text\nexit\n3\n' >lines
[ "$(kiln console t.pkr.hcl <lines)" = $'2\nhello, "you"' ] || fail "console from a file"
# At a terminal: a prompt, editing (^A, ^K), ^D leaves.
python3 - "$KILN_BIN" <<'PY' || fail "console at a terminal"
import os, pty, select, signal, sys, time

class Console:
    def __init__(self):
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.execv(sys.argv[1], [sys.argv[1], "console", "t.pkr.hcl"])

    def until(self, what, seconds=60):  # takes what was printed up to there
        end = time.time() + seconds
        while what not in self.seen and time.time() < end:
            if select.select([self.fd], [], [], 0.2)[0]:
                try: self.seen += os.read(self.fd, 1)
                except OSError: break
        assert what in self.seen, self.seen
        self.seen = self.seen.split(what, 1)[1]

    def type(self, keys):
        os.write(self.fd, keys)

    def leaves(self, seconds=60):
        end = time.time() + seconds
        while time.time() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status) == 0
            time.sleep(0.005)
        os.kill(self.pid, signal.SIGKILL)
        return False

console = Console()
console.until(b"> ")
console.type(b"nonsense\x01\x0bupper(\"abc\")\n")
console.until(b"ABC")
console.until(b"> ")
console.type(b"\x1b[A\x1b[D\x1b[Dx\n")  # the last line again, with an x in it
console.until(b"ABCX")
console.until(b"> ")
console.type(b"\x04")
assert console.leaves(), "^D did not leave"
# No key is lost that comes the moment the prompt is seen.
for _ in range(20):
    console = Console()
    console.until(b"> ")
    console.type(b"\x04")
    assert console.leaves(10), "^D right after the prompt did not leave"
PY

# inspect -json, and templates that need what nobody has.
kiln inspect -json t.pkr.hcl >json
python3 - <<'PY' || fail "inspect -json"
import json
j = json.load(open("json"))
assert j["variables"]["secret"]["value"] == {"a": "<sensitive>", "b": ["<sensitive>"]}, j
assert j["variables"]["unset"] == {"type": "string", "sensitive": False, "known": False, "value": None}
assert j["locals"]["nested"]["value"] == {"q": 1, "b": [True, "z"], "n": None}
assert j["builds"][1]["post_processors"] == [["manifest"], ["checksum", "compress.zip"]]
PY
cat >odd.pkr.hcl <<'HCL'
packer {
  required_plugins {
    odd = { source = "github.com/nobody/odd", version = ">= 1.0.0" }
  }
}
source "odd" "a" {}
build {
  source "odd.a" { name = "b" }
  provisioner "shel" {}
  error-cleanup-provisioner "shell-local" {}
}
HCL
kiln inspect odd.pkr.hcl >log || fail "inspect of a template with components that nobody knows"
says "      odd.b"
code=0; kiln init odd.pkr.hcl >log || code=$?
[ "$code" = 1 ] || fail "init with missing components: $code"
says 'required plugin odd (github.com/nobody/odd >= 1.0.0): not downloaded'
says 'builder "odd": kiln has none'
says 'provisioner "shel": kiln has none; did you mean "shell"?'
says 'provisioner "shell-local": built in'
kiln init -upgrade t.pkr.hcl >log || fail "init with all there"

# validate: only parsing needs no value; without a value the rest does.
code=0; kiln validate t.pkr.hcl >log || code=$?
[ "$code" = 1 ] || fail "validate with an unset variable: $code"
says "Error: Unset variable"
printf 'a = 1\n' >x.pkrvars.hcl
kiln validate -var-file=x.pkrvars.hcl -evaluate-datasources "$TREE/tests/spec/minimal.pkr.hcl" >log || fail "validate with an undeclared name"
says "Warning: Undefined variable"
kiln validate -no-warn-undeclared-var -var-file=x.pkrvars.hcl "$TREE/tests/spec/minimal.pkr.hcl" >log
if grep -q Warning log; then fail "a warning that was not wanted"; fi

# Names that no command has, and no name at all, end with 127; wrong flags with 1.
for words in "" "nope" "nope -x"; do
  code=0
  # shellcheck disable=SC2086  # words
  kiln $words >log || code=$?
  [ "$code" = 127 ] || fail "kiln $words: $code"
done
code=0; kiln validate -nope t.pkr.hcl >log || code=$?
[ "$code" = 1 ] || fail "a wrong flag: $code"
kiln version -machine-readable >log
[ "$(cut -d, -f2- log | head -2)" = $',version,'"$(kiln -v | sed 's/kiln v//')"$'\n,version-prelease,' ] || fail "version -machine-readable"
