#!/bin/bash
# Real Packer accepts images/spark/spark.pkr.hcl, every value of its variables that the text promises, and refuses the
# others. The judge is Debian's package packer (1.6.6).
set -u
cd "$(dirname "$0")/../.." || exit 1
template=images/spark/spark.pkr.hcl
failures=0

packer=$(PATH=/usr/bin:$PATH command -v packer) || { echo "skipped: packer is not installed" >&2; exit 77; }
export CHECKPOINT_DISABLE=1 PACKER_NO_COLOR=1

fail() {
  echo "FAIL $*"
  failures=$((failures + 1))
}
accepts() {
  local output
  if output=$("$packer" validate "$@" "$template" 2>&1); then echo "ok   accepts $*"; else fail "$*: $output"; fi
}
refuses() { # VARIABLE=VALUE WORDS
  local output
  if output=$("$packer" validate -var "$1" "$template" 2>&1); then
    fail "accepted $1"
  elif ! tr -s '\n ' ' ' <<<"$output" | grep "$2" >/dev/null; then
    fail "$1: wrong words: $output"
  else
    echo "ok   refuses $1"
  fi
}

accepts
accepts -only=docker.spark
accepts -var spark_version=4.2.0-preview5 -var java_version=21 -var base=debian:bookworm-slim
accepts -var ec2_base=ami-0123456789abcdef0 -var gce_base=debian-12-bookworm-v20260101
accepts -var spark_source=file -var "spark_file=$template" -var "spark_sha256=$(printf '%064d' 0)"
accepts -var spark_source=apache -var apache_url=http://127.0.0.1:1 -var "apache_signers=[\"$(printf '%040d' 0)\"]"
accepts -var 'python_packages=[]' -var 'docker_run_options=["--network=host"]'
refuses spark_version=newest "must look like 4.3.0"
refuses spark_version= "must look like 4.3.0"
refuses java_version=8 "must be 17, 21 or 25"
refuses spark_source=mirror "must be pyspark, apache or file"
refuses spark_sha256=12ab "64 hexadecimal digits"
refuses 'apache_signers=["12AB"]' "40 hexadecimal digits"
refuses 'python_packages=["a; b"]' "names of Debian packages"
refuses base= "must not be empty"

(cd / && "$packer" validate "$OLDPWD/$template" >/dev/null) || fail "from another working directory"
"$packer" fmt -check images/spark >/dev/null || fail "packer fmt would change it"
exit $((failures > 0))
