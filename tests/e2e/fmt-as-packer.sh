#!/usr/bin/env bash
# kiln fmt prints, writes and ends as the real packer fmt does (1.6.6), and does what later Packers added: several paths,
# directories inside directories, standard input.
. "$(dirname "$0")/../support/e2e.sh"
export CHECKPOINT_DISABLE=1

rough() { printf 'variable "x" {\ntype=string\n  default    = "a" # c\n description="longer" // d\n}\n\n\n\n\n\n\n\n\n\nlocals {\n a=1\n bb=2\n}'; }
fresh() {
  rm -rf t
  mkdir -p t/in/.hidden
  rough >t/a.pkr.hcl
  rough | tee t/in/b.pkr.hcl >t/in/.hidden/c.pkr.hcl
  printf 'y   = 1\n' >t/b.pkrvars.hcl
  printf 'y = 1\n' >t/good.pkr.hcl
  printf 'y   = 1\n' >t/other.hcl
}
tree() { (cd t && find . -type f | sort | xargs sha256sum); }

compare() { # FLAGS...: both in a fresh directory
  local code=0
  fresh
  (cd t && packer fmt "$@") >theirs.out 2>&1 || code=$?
  tree >theirs.tree
  local theirs=$code
  code=0
  fresh
  (cd t && kiln fmt "$@") >ours.out 2>&1 || code=$?
  tree >ours.tree
  [ "$code" = "$theirs" ] || fail "fmt $*: exit code $code, packer's is $theirs"
  diff theirs.out ours.out || fail "fmt $*: other output than packer's"
  diff theirs.tree ours.tree || fail "fmt $*: other files than packer's"
}

if command -v packer >/dev/null; then
  compare .
  compare -check .
  compare -diff .
  compare -check -diff .
  compare -write=false .
  compare -write=false -diff a.pkr.hcl
  compare a.pkr.hcl
  compare good.pkr.hcl
  compare -check good.pkr.hcl
else
  echo "packer is not installed: nothing was compared"
fi

fresh
[ "$(cd t && kiln fmt -recursive . | tr '\n' ' ')" = "a.pkr.hcl b.pkrvars.hcl in/b.pkr.hcl " ] || fail "-recursive"
fresh
[ "$(cd t && kiln fmt in/b.pkr.hcl a.pkr.hcl | tr '\n' ' ')" = "in/b.pkr.hcl a.pkr.hcl " ] || fail "several paths"
[ "$(printf 'a=1\nbb=2' | kiln fmt -)" = $'a  = 1\nbb = 2' ] || fail "standard input"
printf 'a = 1\n' | kiln fmt -check - || fail "-check of good text from standard input"
code=0; printf 'a=1' | kiln fmt -check - || code=$?
[ "$code" = 3 ] || fail "-check of rough text from standard input: $code"
code=0; printf 'a = [' | kiln fmt - >log || code=$?
[ "$code" = 1 ] || fail "text that does not parse: $code"
says "on - line 1"

# A file that does not parse is left alone and named, the others are done; modes and links stay.
fresh
printf 'a = [\n' >t/0.pkr.hcl
chmod 640 t/a.pkr.hcl
ln -s a.pkr.hcl t/link.pkr.hcl
code=0; (cd t && kiln fmt . ) >log || code=$?
[ "$code" = 1 ] || fail "a directory with a broken file: $code"
says "on 0.pkr.hcl line"
[ "$(cat t/0.pkr.hcl)" = "a = [" ] || fail "a file that does not parse was changed"
grep -q '  type        = string' t/a.pkr.hcl || fail "the other file was not formatted"
[ "$(stat -c %a t/a.pkr.hcl)" = 640 ] || fail "the mode changed"
rough >t/a.pkr.hcl
(cd t && kiln fmt link.pkr.hcl) >log
[ -L t/link.pkr.hcl ] || fail "a link was replaced by a file"
code=0; kiln fmt >log || code=$?
[ "$code" = 1 ] || fail "no path: $code"
