#!/bin/bash
# spark_source=apache: a release is used when its SHA-512 and its OpenPGP signature by a pinned key are right; a wrong
# hash, a wrong signature and a wrong key each fail with a sentence that says which. A server on loopback plays the
# mirror, a key made here plays the release manager's.
set -u
for tool in gpg gpgv python3; do
  command -v "$tool" >/dev/null || { echo "skipped: no $tool" >&2; exit 77; }
done
# shellcheck source=../support/spark-step.sh
. "$(dirname "$0")/../support/spark-step.sh"

name=spark-$version-bin-hadoop3.tgz
release=$work/www/spark-$version
mkdir -p "$release"
make_distribution "$release/$name"

mkdir -m 700 "$work/gnupg"
gpg() { command gpg --homedir "$work/gnupg" --batch --quiet --yes --passphrase '' --pinentry-mode loopback "$@"; }
for who in manager stranger; do gpg --quick-gen-key "$who@example.org" default default never 2>/dev/null; done
fingerprint() { gpg --with-colons --list-keys "$1@example.org" | awk -F : '$1 == "fpr" { print $10; exit }'; }
export_key() { gpg --armor --export "$1@example.org"; }
{ echo "This file holds keys."; export_key manager; export_key stranger; } >"$work/www/KEYS"
export_key manager >"$work/www/KEYS.one"

sign() { gpg --local-user "$1@example.org" --armor --output "$release/$name.asc" --detach-sign "$2"; }
renew() {
  rm -rf "$work/cache"
  mkdir "$work/cache"
  (cd "$release" && sha512sum "$name" >"$name.sha512")
  sign manager "$release/$name"
}

serve
export SPARK_SOURCE=apache APACHE_URL=$url APACHE_SIGNERS
APACHE_SIGNERS=$(fingerprint manager)

renew
uses "a right release"
[ "$(cat "$work/opt/sbin/start-master.sh")" = "the distribution's own" ] || fail "its own scripts stay"
cmp -s "$release/$name" "$work/cache/$name" || fail "it is kept"

: >"$work/server.log"
uses "a kept release"
! grep -q "GET .*$name HTTP" "$work/server.log" || fail "it was downloaded again"

echo "damage" >>"$work/cache/$name"
uses "a damaged kept release is downloaded again"

gpg --print-md SHA512 "$release/$name" | sed "s|^.*$name|$name|" >"$release/$name.sha512"
uses "a hash as gpg writes it"

renew
sed -i 's/^[0-9a-f]\{8\}/00000000/' "$release/$name.sha512"
refuses "wrong hash" "wrong hash: its SHA-512 is"

renew
echo "other bytes" >"$work/other"
sign manager "$work/other"
refuses "wrong signature" "wrong signature: it was not made over this file"

renew
sign stranger "$release/$name"
refuses "wrong key, though KEYS holds it" "wrong key: it is signed by [0-9A-F]\{40\}, which is not one of the 1 pinned"
refuses "a key that KEYS does not hold" "wrong key: .* which KEYS does not hold" APACHE_KEYS_URL="$url/KEYS.one"

renew
echo "no signature here" >"$release/$name.asc"
refuses "no signature in the file" "wrong signature: $name.asc holds none"

renew
refuses "not a pinned key of the project" "wrong key: .* not one of the [1-9][0-9]* pinned" APACHE_SIGNERS=
refuses "no address" "spark_source=apache needs -var apache_url" APACHE_URL=
refuses "a mirror without it" "404" SPARK_VERSION=1.1.1
exit $((failures > 0))
