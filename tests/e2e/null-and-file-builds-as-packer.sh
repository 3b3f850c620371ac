#!/usr/bin/env bash
# Builds of the null and file builders: what is printed, for people and for programs, the files made and the exit codes are
# those of the real packer (1.6.6). Times, uuids and names of temporary files are evened out; a build's lines keep their
# order, builds are compared one by one, as they run at the same time.
. "$(dirname "$0")/../support/e2e.sh"
export CHECKPOINT_DISABLE=1
command -v packer >/dev/null || skip "packer is not installed"

# Since 1.7 every line has the arrow; 1.6.6 has four spaces before what a script printed.
even() {
  sed -E 's/^[0-9]{10},/TIME,/
    s/,ui,message,    /,ui,say,==> /
    s/^    ([^ ])/==> \1/
    s/[0-9]+ (hours?|minutes?|seconds?|milliseconds?|microseconds?)( [0-9]+ (minutes?|seconds?|milliseconds?|microseconds?))?/TIME/g
    s/with [0-9]+ cores? for/with N cores for/
    s/packer-shell[0-9A-Za-z]+/packer-shellX/g
    s/"build_time": [0-9]+/"build_time": 0/
    s/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/UUID/g'
}

# of BUILD: the lines that are about a build, and those that are about none.
of() { if [ "$1" = run ]; then grep -v -F -e "$names" || true; else grep -F -e "$1" || true; fi; }

compare() { # TEMPLATE BUILDS... -- FLAGS...: BUILDS are parts of the lines that belong to one build
  local template=$1 builds=() theirs=0 ours=0 which
  shift
  while [ "$1" != -- ]; do builds+=("$1"); shift; done
  shift
  names=$(printf '%s\n' "${builds[@]}")
  rm -rf theirs ours
  mkdir theirs ours
  cp -r in/. theirs/ && cp -r in/. ours/
  (cd theirs && packer build "$@" "$template") >theirs.raw 2>&1 </dev/null || theirs=$?
  (cd ours && "$KILN_BIN" build "$@" "$template") >ours.raw 2>&1 </dev/null || ours=$?
  [ "$ours" = "$theirs" ] || { cat ours.raw; fail "$template $*: exit code $ours, packer's is $theirs"; }
  even <theirs.raw | grep -v 'Running the cleanup provisioner' >theirs.out || true
  even <ours.raw | grep -v -e 'Running the cleanup provisioner' -e 'Warning: standard input is not a terminal' >ours.out || true
  for which in run "${builds[@]}"; do
    diff <(of "$which" <theirs.out) <(of "$which" <ours.out) || fail "$template $*: $which: other lines than packer's"
  done
  rm -f ours/out/events.jsonl
  rmdir ours/out 2>/dev/null || true
  diff -r <(cd theirs && files) <(cd ours && files) || fail "$template $*: other files than packer's"
}
files() { find . -type f ! -name '*.pkr.hcl' | sort | while read -r f; do echo "== $f"; even <"$f"; echo; done; }

mkdir in
# shellcheck disable=SC2016  # the script expands it
printf 'echo one $0 | sed s,/.*/,, ; echo "it: $A"\n' >in/s1.sh
printf '#!/bin/bash\necho two; printf end\n' >in/s2.sh
chmod +x in/s1.sh in/s2.sh
echo 1 >in/extra1.txt
echo 2 >in/extra2.txt

cat >in/good.pkr.hcl <<'HCL'
source "null" "a" {
  communicator = "none"
}
source "file" "f" {
  content = "hello\n"
  target  = "made.txt"
}
source "file" "g" {
  source = "extra1.txt"
  target = "copy.txt"
}
build {
  sources = ["null.a", "source.file.f", "file.g"]
  provisioner "shell-local" {
    inline = ["echo hi from $PACKER_BUILD_NAME $PACKER_BUILDER_TYPE", "sleep 0.5", "echo wrong >&2"]
  }
  provisioner "shell-local" {
    only             = ["file.f"]
    environment_vars = ["A=it's", "B=a b"]
    scripts          = ["s1.sh", "s2.sh"]
  }
  post-processor "checksum" {
    only           = ["file.f"]
    checksum_types = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]
  }
  post-processor "manifest" {
    except      = ["null.a", "file.g"]
    strip_path  = true
    custom_data = { a = "b" }
  }
}
HCL
compare good.pkr.hcl null.a file.f file.g -- -color=false
compare good.pkr.hcl null.a file.f file.g -- -machine-readable
compare good.pkr.hcl null.a file.f file.g -- -color=false -only='null.*'
compare good.pkr.hcl null.a file.f file.g -- -color=false -except=checksum,manifest,null.a
compare good.pkr.hcl null.a file.f file.g -- -color=false -parallel-builds=1 -only=file.g

cat >in/options.pkr.hcl <<'HCL'
source "null" "a" {
  communicator = "none"
}
build {
  name    = "n"
  sources = ["null.a"]
  provisioner "shell-local" {
    max_retries = 2
    inline      = ["test -e flag && exit 0", "touch flag", "exit 4"]
  }
  provisioner "shell-local" {
    timeout = "1m30s"
    command = "echo a command"
  }
  provisioner "shell-local" {
    pause_before = "10ms"
    command      = "echo after a pause"
  }
  provisioner "shell-local" {
    environment_vars = ["A=it's", "B=2"]
    execute_command  = ["/bin/sh", "-c", "echo vars={{.Vars}}; basename {{ .Script }} .sh"]
    script           = "s1.sh"
  }
  provisioner "shell-local" {
    only_on = ["windows", "darwin"]
    inline  = ["exit 3"]
  }
  provisioner "shell-local" {
    valid_exit_codes   = [0, 3]
    tempfile_extension = ".foo"
    inline_shebang     = "/bin/bash -e"
    inline             = ["echo $BASH | sed 's,.*/,,'", "exit 3"]
  }
  provisioner "shell-local" {
    inline   = ["echo not this"]
    override = { a = { inline = ["echo but this"] } }
  }
  provisioner "breakpoint" {
    disable = true
    note    = "a note"
  }
  post-processor "shell-local" {
    name             = "named"
    environment_vars = ["A=it's"]
    inline           = ["echo $A $PACKER_BUILD_NAME"]
  }
  post-processor "artifice" {
    files = ["extra*.txt", "s1.sh"]
  }
}
HCL
compare options.pkr.hcl n.null.a -- -color=false
compare options.pkr.hcl n.null.a -- -machine-readable

cat >in/bad.pkr.hcl <<'HCL'
source "null" "a" {
  communicator = "none"
}
source "null" "b" {
  communicator = "none"
}
build {
  sources = ["null.a", "null.b"]
  provisioner "shell-local" {
    only             = ["null.a"]
    valid_exit_codes = [0, 2]
    inline           = ["echo before", "exit 3", "echo never"]
  }
  post-processor "manifest" {}
}
HCL
compare bad.pkr.hcl null.a null.b -- -color=false
compare bad.pkr.hcl null.a null.b -- -machine-readable
sed 's/exit 3/sleep 20/; s/valid_exit_codes.*/timeout = "1s"/' in/bad.pkr.hcl >in/slow.pkr.hcl
compare slow.pkr.hcl null.a -- -color=false -only=null.a

cat >in/archives.pkr.hcl <<'HCL'
source "file" "f" {
  content = "hello\n"
  target  = "made.txt"
}
build {
  sources = ["file.f"]
  post-processors {
    post-processor "compress" {
      output              = "x_{{.BuildName}}_{{.BuilderType}}.tar.gz"
      keep_input_artifact = true
    }
    post-processor "checksum" {
      checksum_types = ["sha256"]
      output         = "c.{{.ChecksumType}}"
      except         = ["file.f"]
    }
  }
  post-processors {
    post-processor "artifice" {
      files = ["extra*.txt"]
    }
    post-processor "compress" {
      output              = "extra.zip"
      keep_input_artifact = true
    }
  }
  post-processor "compress" {
    output              = "one.gz"
    keep_input_artifact = true
  }
  post-processor "compress" {
    output              = "one.tar"
    keep_input_artifact = true
  }
  post-processor "compress" {
    output              = "one.tar.xz"
    keep_input_artifact = true
  }
  post-processor "compress" {
    output              = "one.lz4"
    keep_input_artifact = true
  }
  post-processor "compress" {
    output              = "more.tar"
    format              = "lz4"
    keep_input_artifact = true
  }
  post-processor "compress" {
    output              = "one.bgzf"
    compression_level   = 9
    keep_input_artifact = true
  }
  post-processor "compress" {
    output              = "two.things"
    format              = "tar.bgzf"
    keep_input_artifact = true
  }
}
HCL
# Archives are compared by what other programs find in them.
files() {
  find . -maxdepth 1 -type f -name '*.t*' ! -name '*.txt' ! -name 'more.tar' ! -name two.things | sort | while read -r f; do echo "$f"; tar tf "$f"; tar xOf "$f"; done
  gzip -dc one.gz
  gzip -dc <one.bgzf
  gzip -dc <two.things | tar -tf -
  lz4 -dc one.lz4
  lz4 -dc more.tar | tar -tf -
  python3 -m zipfile -l extra.zip | cut -c1-46
  python3 -c 'import zipfile; z = zipfile.ZipFile("extra.zip"); print(z.testzip(), [z.read(n) for n in z.namelist()])'
}
compare archives.pkr.hcl file.f -- -color=false
compare archives.pkr.hcl file.f -- -machine-readable
tar tvf ours/one.tar | grep '^-rw.* root/root\|^-rw.* 0/0' >/dev/null || fail "one.tar: $(tar tvf ours/one.tar)"
sed 's/"one.gz"/"many.gz"/; s/"extra.zip"/"extra.gz"/' in/archives.pkr.hcl >ours/many.pkr.hcl
code=0; (cd ours && "$KILN_BIN" build -color=false many.pkr.hcl) >log || code=$?
[ "$code" = 1 ] || fail "two files in one gzip: $code"
says "Can only have 1 input file when not using tar/zip. Found 2 files: [extra1.txt extra2.txt]"

# No build left: 1 and a reason (1.6.6 ended with 0).
code=0; (cd ours && "$KILN_BIN" build -only='nothing' slow.pkr.hcl) >log || code=$?
[ "$code" = 1 ] || fail "no builds: $code"
says "No builds to run"
# What sleeps, sleeps; what pauses, pauses.
cat >sleep.pkr.hcl <<'HCL'
source "null" "a" { communicator = "none" }
build {
  sources = ["null.a"]
  provisioner "sleep" { duration = "300ms" }
  provisioner "shell-local" {
    pause_before = "300ms"
    inline       = ["true"]
  }
}
HCL
began=$(date +%s%N)
kiln build -color=false sleep.pkr.hcl >log || fail "sleep"
[ $((($(date +%s%N) - began) / 1000000)) -ge 600 ] || fail "sleep and pause_before did not wait"
says "==> null.a: Pausing 300ms before the next provisioner..."
nothing_left
