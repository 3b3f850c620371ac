#!/usr/bin/env bash
# compress: long and non-ASCII names in every locale, the same bytes in another time zone, and on a full disk a message
# and no half archive. tar, gzip, xz and Python's zipfile judge.
. "$(dirname "$0")/../support/e2e.sh"
long=$(printf 'n%.0s' {1..150}).txt
cat >t.pkr.hcl <<HCL
source "file" "long" {
  content = "hello"
  target  = "$long"
}
source "file" "umlaut" {
  content = "hello"
  target  = "größe.txt"
}
build {
  sources = ["source.file.long", "source.file.umlaut"]
  post-processors {
    post-processor "compress" { output = "{{.BuildName}}.tar.xz" }
  }
  post-processors {
    post-processor "compress" { output = "{{ .BuildName }}.zip" }
  }
  post-processors {
    post-processor "compress" {
      output            = "{{.BuildName}}.gz"
      compression_level = 9
    }
  }
}
HCL
LC_ALL=C TZ=UTC build t.pkr.hcl
sha256sum ./*.tar.xz ./*.zip ./*.gz >sums
for pair in "long $long" "umlaut größe.txt"; do
  read -r build name <<<"$pair"
  [ "$(tar --quoting-style=literal -tf "$build.tar.xz")" = "$name" ] || fail "$build.tar.xz does not hold $name"
  [ "$(tar -xOf "$build.tar.xz")" = hello ] || fail "$build.tar.xz holds something else"
  python3 -X utf8 - "$build.zip" "$name" <<'PY' || fail "$build.zip"
import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.namelist() == [sys.argv[2]] and z.testzip() is None and z.read(sys.argv[2]) == b"hello", z.namelist()
PY
  [ "$(gzip -dc "$build.gz")" = hello ] || fail "$build.gz"
done
rm ./*.tar.xz ./*.zip ./*.gz
LC_ALL=C.UTF-8 TZ=Asia/Tokyo build -force t.pkr.hcl
sha256sum --quiet -c sums || fail "other bytes in another time zone and locale"

mkdir full
mount -t tmpfs -o size=64k full "$WORK/full" 2>/dev/null || skip "cannot mount a tmpfs here"
cleanup+=("umount '$WORK/full'")
head -c 300000 /dev/urandom >big
cat >full.pkr.hcl <<'HCL'
source "file" "big" {
  source = "big"
  target = "big.out"
}
build {
  sources = ["source.file.big"]
  post-processor "compress" { output = "full/big.zip" }
}
HCL
build_fails "No space left on device" full.pkr.hcl
[ -z "$(ls -A full)" ] || fail "a half archive stays: $(ls -A full)"
