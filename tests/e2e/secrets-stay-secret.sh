#!/usr/bin/env bash
# A sensitive value reaches the steps, and stands nowhere else: not in the store, the event log, the output, the manifest,
# the image's layers, neither in clear nor as a hash that a guess could be held against. What a template puts into the
# image on purpose is there and nowhere else.
. "$(dirname "$0")/../support/e2e.sh"
small_base base.tar
export PKR_VAR_used=correct-horse-42 PKR_VAR_shipped=battery-staple-43
cat >t.pkr.hcl <<'HCL'
variable "used" { sensitive = true }
variable "shipped" { sensitive = true }
variable "code" { default = 0 }
source "docker" "t" {
  image   = "tar:base.tar"
  commit  = true
  message = "made with ${var.used}"
}
build {
  sources = ["source.docker.t"]
  provisioner "shell-local" {
    environment_vars = ["GIVEN=${var.used}"]
    inline           = ["test \"$GIVEN\" = ${var.used}", "echo local ${var.used}"]
  }
  provisioner "shell" {
    environment_vars = ["GIVEN=${var.used}", "DERIVED=${sha256(var.used)}"]
    execute_command  = "ALSO=${var.used} {{.Vars}} sh {{.Path}}"
    remote_path      = "/tmp/${var.used}.sh"
    inline           = ["test \"$GIVEN$ALSO\" = ${var.used}${var.used}", "echo got $GIVEN", "echo public > /public"]
  }
  provisioner "file" {
    content     = "key=${var.shipped}\n"
    destination = "/key"
  }
  provisioner "shell" { inline = ["echo public > /again", "echo ${base64encode(var.used)} >/dev/null", "exit ${var.code}"] }
  post-processor "manifest" {
    output      = "manifest.json"
    custom_data = { used = var.used, derived = md5(var.used), plain = "seen" }
  }
  post-processor "shell-local" { inline = ["echo after ${var.used}"] }
}
HCL

# forms SECRET: what must not be found: the value, encoded, hashed, and the hashes of short texts that hold it.
forms() {
  python3 - "$1" <<'PY'
import base64, hashlib, sys
secret = sys.argv[1]
print(secret, base64.b64encode(secret.encode()).decode(), secret.encode().hex(), sep="\n")
for text in [secret, f"key={secret}\n", f"made with {secret}", f"ALSO={secret} {{{{.Vars}}}} sh {{{{.Path}}}}",
             f"#!/bin/sh -e\necho after {secret}\n",
             f"#!/bin/sh -e\ntest \"$GIVEN\" = {secret}\necho local {secret}\n",
             f"#!/bin/sh -e\ntest \"$GIVEN$ALSO\" = {secret}{secret}\necho got $GIVEN\necho public > /public\n"]:
    print(hashlib.sha256(text.encode()).hexdigest(), hashlib.md5(text.encode()).hexdigest(), sep="\n")
PY
}

# absent SECRET PLACES...: none of its forms is in a file's name or content, gzip looked through.
absent() {
  local secret=$1
  shift
  forms "$secret" >"$WORK/patterns"
  if grep -rlaF -f "$WORK/patterns" -- "$@"; then fail "a form of $secret stands in these files"; fi
  if find "$@" | grep -F -f "$WORK/patterns"; then fail "a form of $secret is a name"; fi
  while read -r file; do
    if gzip -dcf -- "$file" 2>/dev/null | grep -aF -f "$WORK/patterns" >/dev/null; then fail "a form of $secret stands in $file"; fi
  done < <(find "$@" -type f -size +20c)
}

# layers_of IMAGE: its layers, unpacked from their compression, into image/
layers_of() {
  rm -rf image
  mkdir image
  tar -xf "$1" -C image
}

build t.pkr.hcl
says "got <sensitive>"
says "local <sensitive>"
absent "$PKR_VAR_used" log "$KILN_STORE"
grep -q '"plain": "seen"' manifest.json || fail "the manifest lacks its custom data"
absent "$PKR_VAR_used" manifest.json
layers_of out/t-docker.tar
# The image's own configuration has the message, on purpose.
grep -rlaF '"history"' image/blobs | xargs -d '\n' rm -f --
find image -name '*.json' -delete
absent "$PKR_VAR_used" image
grep -qaF "$PKR_VAR_shipped" -r "$KILN_STORE/layers" || fail "what the template ships is not in its layer"
mapfile -t rest < <(find "$KILN_STORE" -mindepth 1 -maxdepth 1 ! -name layers ! -name blobs)
absent "$PKR_VAR_shipped" log "${rest[@]}" manifest.json

kiln plan -local t.pkr.hcl >log
kiln plan -local -json t.pkr.hcl >>log
PKR_VAR_used=other-horse-44 kiln plan -local t.pkr.hcl >>log
says "env GIVEN changed"
absent "$PKR_VAR_used" log
absent other-horse-44 log "$KILN_STORE"

build t.pkr.hcl
ran >labels
if grep -v '^host\|^post-process shell-local' labels; then fail "an unchanged build ran more than host steps"; fi
PKR_VAR_used=other-horse-44 build t.pkr.hcl
ran >labels
grep -q '^run' labels || fail "another secret ran nothing"

# A step that failed is kept for kiln run; a diagnostic that quotes a sensitive value does not.
build_fails "non-zero exit status: 3" -var code=3 t.pkr.hcl
absent "$PKR_VAR_used" log "$KILN_STORE"
# shellcheck disable=SC2016  # the template's own ${}
sed -i 's,"GIVEN=${var.used}"\, "DERIVED,"${var.used}"\, "DERIVED,' t.pkr.hcl
build_fails "not in format" t.pkr.hcl
absent "$PKR_VAR_used" log
code=0
kiln validate t.pkr.hcl >log || code=$?
[ "$code" = 1 ] || fail "validate ended with $code"
absent "$PKR_VAR_used" log
nothing_left
