#!/usr/bin/env bash
# Two cold builds in other surroundings (store, directory, umask, time zone, locale, modes and times of the files) give the
# same bytes; -check finds a step that does not repeat and names the path.
. "$(dirname "$0")/../support/e2e.sh"

# shellcheck disable=SC2016  # the step expands them
make_project() { # make_project DIR
  mkdir -p "$1"
  cp base.tar "$1/"
  printf '#!/bin/sh\nset -e\nmkdir -p /opt/app /var/log\ndate > /opt/app/stamp.gone; rm /opt/app/stamp.gone\nseq 1 5000 > /opt/app/data\nln /opt/app/data /opt/app/same\necho "$(date)" > /var/log/build.log\nchmod 4755 /opt/app/data\ntouch /opt/app/now\n' >"$1/a.sh"
  cat >"$1/t.pkr.hcl" <<'HCL'
source "docker" "t" {
  image   = "tar:base.tar"
  commit  = true
  changes = ["ENTRYPOINT [\"/bin/sh\"]", "LABEL a=b"]
}
build {
  sources = ["source.docker.t"]
  provisioner "shell" { script = "${path.root}/a.sh" }
}
HCL
}

small_base base.tar
make_project one
make_project other/place
touch -d '2001-02-03' other/place/a.sh
chmod 700 other/place/a.sh
(cd one && KILN_STORE=$WORK/store1 kiln build -local t.pkr.hcl >"$WORK/log" 2>&1) || { cat log; fail "first build"; }
sleep 1.1
(cd other/place && umask 077 && exec 7</dev/null &&
  env TZ=Asia/Tokyo LC_ALL=C LANG=de_DE.UTF-8 TMPDIR=/var/tmp KILN_STORE="$WORK/store2" "$KILN_BIN" build -local t.pkr.hcl \
    >"$WORK/log" 2>&1) || { cat log; fail "second build"; }
[ "$(sha one/out/t-docker.tar)" = "$(sha other/place/out/t-docker.tar)" ] || fail "two cold builds differ"

# What another version of the compressor left in a store is not taken for what this one makes.
expected=$(sha one/out/t-docker.tar)
find store1/records/compressed -type f -exec sed -i 's/"by":"[^"]*"/"by":"another 1.0"/' {} +
rm -rf one/out
(cd one && KILN_STORE=$WORK/store1 kiln build -local t.pkr.hcl >"$WORK/log" 2>&1) || { cat log; fail "build after another version"; }
says "compressing layer"
[ "$(sha one/out/t-docker.tar)" = "$expected" ] || fail "other bytes after another version"

(cd one && kiln build -local -check t.pkr.hcl >"$WORK/log" 2>&1) || { cat log; fail "-check of a step that repeats"; }
printf '#!/bin/sh\ncat /proc/sys/kernel/random/uuid > /opt/unlike\n' >one/a.sh
cd one
code=0
kiln build -local -check t.pkr.hcl >"$WORK/log" 2>&1 || code=$?
cd ..
[ "$code" = 1 ] || fail "-check let a step pass that does not repeat"
says "/opt/unlike"
