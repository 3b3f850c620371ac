#!/usr/bin/env bash
# Bad templates, options and bases: a clear message with the place, exit code 1, nothing left behind.
. "$(dirname "$0")/../support/e2e.sh"
small_base base.tar

template() { # template BODY-OF-BUILD [SOURCE-OPTIONS]
  printf 'source "docker" "t" {\n  image = "%s"\n  commit = true\n%s\n}\nbuild {\n  sources = ["source.docker.t"]\n%s\n}\n' \
    "${BASE:-tar:base.tar}" "${2:-}" "$1" >t.pkr.hcl
}

template 'provisioner "shel" { inline = ["true"] }'
build_fails 'Did you mean "shell"?' t.pkr.hcl
template 'provisioner "shell" { inlin = ["true"] }'
build_fails 'An argument named "inlin" is not expected' t.pkr.hcl
template 'provisioner "shell" { script = "missing.sh" }'
build_fails 'missing.sh' t.pkr.hcl
# shellcheck disable=SC2016  # the template expands it
template 'provisioner "shell" { inline = ["echo ${var.nope}"] }'
build_fails 't.pkr.hcl line' t.pkr.hcl
template 'provisioner "file" {
  source = "nowhere"
  destination = "/x"
}'
build_fails 'nowhere' t.pkr.hcl
template '' 'privileged = true'
build_fails 'allow-privileged' t.pkr.hcl
BASE=tar:missing.tar template ''
build_fails 'missing.tar' t.pkr.hcl
head -c 100000 /dev/urandom >garbage.tar
BASE=tar:garbage.tar template ''
build_fails 'garbage.tar' t.pkr.hcl
mkfifo fifo
BASE=tar:fifo template ''
build_fails 'not a regular file' t.pkr.hcl
BASE=bootstrap:plan9/four template ''
build_fails 'bootstrap:debian/SUITE' t.pkr.hcl
template 'provisioner "shell" { inline = ["printf \"\\033[2Jred\\n\"; exit 3"] }'
build_fails 'exit status: 3' t.pkr.hcl
! grep -q $'\033\\[2J' log || fail "a control sequence of a step reached the screen"

# Hostile archives: each is refused with the entry's name, and nothing lands outside.
python3 - "$WORK" <<'PY'
import io, sys, tarfile
def archive(name, *members):
    with tarfile.open(f"{sys.argv[1]}/{name}.tar", "w") as out:
        for path, kind, link in members:
            info = tarfile.TarInfo(path)
            info.type, info.linkname, info.size = kind, link, 1 if kind == tarfile.REGTYPE else 0
            out.addfile(info, io.BytesIO(b"x"))
archive("dotdot", ("../../escape", tarfile.REGTYPE, ""))
archive("through", ("d", tarfile.SYMTYPE, "/tmp"), ("d/escape", tarfile.REGTYPE, ""))
archive("linked", ("f", tarfile.LNKTYPE, "../../../../etc/passwd"))
PY
for case in "dotdot:path with '..'" "through:its parent 'd' is not a directory" "linked:path with '..'"; do
  BASE=tar:${case%%:*}.tar template ''
  build_fails "${case#*:}" t.pkr.hcl
done
for escaped in /tmp/escape "$WORK/../escape"; do [ ! -e "$escaped" ] || fail "an archive wrote $escaped"; done

# Templates that are too much.
{ printf '# '; head -c 17000000 /dev/zero | tr '\0' x; } >huge.pkr.hcl
build_fails 'larger than 16777216 bytes' huge.pkr.hcl
{ printf 'locals {\n a = '; head -c 100000 /dev/zero | tr '\0' '('; } >deep.pkr.hcl
build_fails 'at most 200 levels deep' deep.pkr.hcl
truncate -s 100M huge.pkr.hcl
truncate -s 100M huge.json
build_fails 'larger than 16777216 bytes' huge.pkr.hcl
build_fails 'larger than 16777216 bytes' huge.json
refused() { # MESSAGE COMMAND...: within seconds, with an error, and without much memory
  local message=$1 code=0
  shift
  (ulimit -v 1000000 && timeout 60 "$@") >log 2>&1 || code=$?
  case $code in 1 | 2) ;; *) fail "$* ended with $code: $(head -c 1000 log)" ;; esac
  grep -q -- "$message" log || fail "$*: no '$message' in: $(head -c 1000 log)"
}
for command in validate inspect fmt; do refused 'larger than 16777216 bytes' "$KILN_BIN" "$command" huge.pkr.hcl; done
for command in fix hcl2_upgrade; do refused 'larger than 16777216 bytes' "$KILN_BIN" "$command" huge.json; done
refused 'larger than' "$KILN_BIN" hcldec --spec=huge.pkr.hcl huge.pkr.hcl
head -c 100000000 /dev/zero >zeros
for command in console 'fmt -'; do
  # shellcheck disable=SC2016,SC2086  # the words of a command
  refused 'more than' bash -c 'cat zeros | "$@"' - "$KILN_BIN" $command
done
# Expressions that are too much, through the console; those that only look so have answers.
expression() { # MESSAGE EXPRESSION
  printf '%s\n' "$2" >expression
  # shellcheck disable=SC2016  # the arguments of the other shell
  refused "$1" bash -c 'cat expression | "$1" console' - "$KILN_BIN"
}
expression 'more than 1024 values' 'range(1000000000)'
expression 'levels deep' "$(head -c 100000 /dev/zero | tr '\0' '(')1"
expression 'unrecognized format' 'format("%9999999999d", 1)'
expression 'Error' "$(head -c 5000 /dev/urandom | tr -d '\n\0')"
expression 'Value too large' "$(printf 'x%.0s' {1..30} | sed 's/x/[for x in /g')[1, 2]$(printf 'x%.0s' {1..30} | sed 's/x/ : [x, x, x, x]]/g')"
expression 'takes too long' '[for a in range(1000) : [for b in range(1000) : [for c in range(1000) : 1 if false || false || false || false || false || false]]]'
expression 'number' "1$(head -c 1000 /dev/zero | tr '\0' 0)"
printf 'locals { a = range(1000000000) }\nsource "null" "a" {}\nbuild { sources = ["null.a"] }\n' >range.pkr.hcl
build_fails 'more than 1024 values' range.pkr.hcl
build_fails 'not a regular file' /dev/null
# Strings that the engine of {{ }} would work on for ever, or without end.
engine() { # engine TEXT MESSAGE
  printf 'source "null" "a" { communicator = "none" }\nbuild {\n  sources = ["null.a"]\n  provisioner "shell-local" {\n    command = "%s"\n  }\n}\n' "$1" >engine.pkr.hcl
  build_fails "$2" engine.pkr.hcl
  build_fails 'engine.pkr.hcl line 5' engine.pkr.hcl
}
many() { for ((i = 0; i < $2; ++i)); do printf '%s' "$1"; done; }
# shellcheck disable=SC2016  # the engine's variables and quotes
{
engine "{{1 $(many '| print ' 20000)}}" 'nested too deep'
engine "{{$(many '(' 20000)}}" 'nested too deep'
engine "$(many '{{if 1}}' 20000)$(many '{{end}}' 20000)" 'nested too deep'
engine '{{define `a`}}{{template `a`}}{{template `a`}}{{end}}{{template `a`}}' 'too often'
engine "{{\$x := 1}}$(many '{{$x = print $x $x}}' 60){{\$x}}" 'too often'
engine "$(many '{{printf `%1000000d` 1}}' 300)" 'too'
}
# A name 20,000 times: the first ones are reported.
{ printf '{"locals":{"a":1'; many ',"a":1' 20000; printf '}}'; } >twice.pkr.json
build_fails 'Duplicate argument' twice.pkr.json
[ "$(grep -c '^Error' log)" -le 50 ] || fail "a duplicate is reported $(grep -c '^Error' log) times"
# Dynamic blocks that make dynamic blocks.
dynamic() { printf 'dynamic "b" {\nfor_each = range(1000)\ncontent {\n%s\n}\n}' "$1"; }
printf 'source "null" "a" {\n%s\n}\nbuild { sources = ["null.a"] }\n' "$(dynamic "$(dynamic "$(dynamic '')")")" >dynamic.pkr.hcl
build_fails 'may make at most' dynamic.pkr.hcl
printf 'source "null" "a" {}\nbuild {\n  sources = ["null.a"]\n  provisionr "shell" {}\n}\n' >block.pkr.hcl
build_fails 'provisionr' block.pkr.hcl
printf 'locals { a = uper("x") }\nsource "null" "a" {}\nbuild { sources = ["null.a"] }\n' >function.pkr.hcl
build_fails 'Did you mean "upper"?' function.pkr.hcl

code=0
kiln frobnicate >log 2>&1 || code=$?
[ "$code" = 127 ] || fail "an unknown command ended with $code"
code=0
kiln build -frobnicate t.pkr.hcl >log 2>&1 || code=$?
[ "$code" = 1 ] || fail "an unknown flag ended with $code"
build_fails 'No builds to run' -only=nothing t.pkr.hcl
grep -q 'kiln build -local' <<<"$(kiln build -help)" || fail "the help has no example"
[ ! -e out ] || [ -z "$(find out -type f)" ] || fail "a refused build left a file: $(find out)"
nothing_left
