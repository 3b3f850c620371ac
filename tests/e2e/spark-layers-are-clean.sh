#!/usr/bin/env bash
# No layer of the Spark image, each looked at on its own, holds a host key, a machine-id, apt lists or caches, logs, the
# machine's own certificates, or the address of a mirror that is not the distribution's default.
. "$(dirname "$0")/../support/e2e.sh"
tar=${SPARK_DOCKER_TAR:-$TREE/out/spark-docker.tar}
[ -f "$tar" ] || skip "no image at $tar"

python3 - "$tar" <<'PY' || fail "a layer is not clean"
import json, re, sys, tarfile

outer = tarfile.open(sys.argv[1])
manifest = json.load(outer.extractfile("manifest.json"))[0]
config = json.load(outer.extractfile(manifest["Config"]))
assert config["created"] != "1970-01-01T00:00:00Z", "created is not from the fixed clock"
assert len(manifest["Layers"]) >= 4, "a layer per step expected"
forbidden = re.compile(r"^(etc/ssh/ssh_host_|var/lib/apt/lists/.*(Packages|Release)|var/cache/apt/.*\.(deb|bin)$|"
                       r"var/log/.+\.log$|root/\.cache/|tmp/.|run/kiln|etc/ssl/private/ssl-cert-snakeoil)")
bad = []
for name in manifest["Layers"]:
    layer = tarfile.open(fileobj=outer.extractfile(name), mode="r:*")
    for m in layer:
        if forbidden.match(m.name.lstrip("./")):
            bad.append(f"{name}: {m.name}")
        if not m.isreg() or m.size > 1 << 20:
            continue
        path = m.name.lstrip("./")
        if path == "etc/machine-id" and m.size:
            bad.append(f"{name}: machine-id is not empty")
        if path == "etc/resolv.conf":
            bad.append(f"{name}: resolv.conf")
        if path == "etc/hostname":
            bad.append(f"{name}: hostname")
for b in bad:
    print(b)
sys.exit(bool(bad))
PY

# The machine's mirrors stand in no layer, but where they are the distribution's default, as its sources.list says.
default=
mkdir layers
tar -xf "$tar" -C layers
# shellcheck disable=SC2016  # apt's own placeholders
mirrors=$(apt-get indextargets --format '$(SITE)' 2>/dev/null | sed 's|.*//||; s|/.*||' | sort -u)
for blob in layers/blobs/sha256/*; do
  [ "$(head -c 2 "$blob" | od -An -tx1 | tr -d ' ')" = 1f8b ] || continue
  default="$default $(tar -xzOf "$blob" etc/apt/sources.list 2>/dev/null || true)"
  tar -xzOf "$blob" --wildcards 'etc/*' 'opt/*' 2>/dev/null >"$WORK/text" || true
  for mirror in $mirrors; do
    case $default in *"$mirror"*) continue ;; esac
    ! grep -aqF "$mirror" "$WORK/text" || fail "$blob names the mirror $mirror"
  done
done
