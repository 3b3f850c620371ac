#!/usr/bin/env bash
# compress: long and non-ASCII names in every locale, the same bytes in another time zone, and on a full disk a message
# and no half archive. tar, gzip, xz, bzip2, lz4 and Python's zipfile judge.
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
    post-processor "compress" { output = "{{.BuildName}}.tar.bz2" }
  }
  post-processors {
    post-processor "compress" { output = "{{.BuildName}}.lz4" }
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
sha256sum ./*.tar.xz ./*.zip ./*.tar.bz2 ./*.lz4 ./*.gz >sums
for pair in "long $long" "umlaut größe.txt"; do
  read -r build name <<<"$pair"
  [ "$(tar --quoting-style=literal -tf "$build.tar.xz")" = "$name" ] || fail "$build.tar.xz does not hold $name"
  [ "$(tar -xOf "$build.tar.xz")" = hello ] || fail "$build.tar.xz holds something else"
  [ "$(tar -xOf "$build.tar.bz2")" = hello ] || fail "$build.tar.bz2 holds something else"
  [ "$(lz4 -dc "$build.lz4")" = hello ] || fail "$build.lz4 holds something else"
  python3 -X utf8 - "$build.zip" "$name" <<'PY' || fail "$build.zip"
import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.namelist() == [sys.argv[2]] and z.testzip() is None and z.read(sys.argv[2]) == b"hello", z.namelist()
PY
  [ "$(gzip -dc "$build.gz")" = hello ] || fail "$build.gz"
done
rm ./*.tar.xz ./*.zip ./*.tar.bz2 ./*.lz4 ./*.gz
LC_ALL=C.UTF-8 TZ=Asia/Tokyo build -force t.pkr.hcl
sha256sum --quiet -c sums || fail "other bytes in another time zone and locale"

# BGZF: members of at most 64 KiB that tell their length, the last of them empty; together a gzip file.
{ head -c 150000 /dev/zero; head -c 150000 /dev/urandom; } >mixed
cat >bgzf.pkr.hcl <<'HCL'
source "file" "mixed" {
  source = "mixed"
  target = "mixed.out"
}
build {
  sources = ["source.file.mixed"]
  post-processor "compress" { output = "mixed.bgzf" }
}
HCL
build bgzf.pkr.hcl
gzip -dc <mixed.bgzf | cmp - mixed || fail "mixed.bgzf holds something else"
python3 - <<'PY' || fail "mixed.bgzf is no BGZF"
import gzip, struct
data, sizes = open("mixed.bgzf", "rb").read(), []
while data:
    assert data[:4] == b"\x1f\x8b\x08\x04" and data[10:16] == b"\x06\0BC\x02\0", data[:18]
    length = struct.unpack("<H", data[16:18])[0] + 1
    sizes.append(len(gzip.decompress(data[:length])))
    data = data[length:]
assert sum(sizes) == 300000 and sizes[-1] == 0 and max(sizes) <= 65536, sizes
PY

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
