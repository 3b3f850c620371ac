#!/usr/bin/python3
"""Say whether an archive is the release that its project signed. Exit status 0 if so, else 1 and a sentence.

    verify.py ARCHIVE SHA512 SIGNATURE KEYS FINGERPRINT...

SHA512 is the file beside the release ("HEX  NAME", or gpg's "NAME: HEX HEX ..." over several lines). SIGNATURE is a
detached OpenPGP signature, KEYS the project's armoured public keys; it may come from the same place as the archive, as
only a signature whose primary key has one of the FINGERPRINTs counts. Armour: RFC 4880, section 6.2.
"""

import base64
import binascii
import hashlib
import os
import re
import subprocess
import sys
import tempfile

BLOCK = re.compile(rb"-----BEGIN PGP PUBLIC KEY BLOCK-----(.*?)-----END PGP PUBLIC KEY BLOCK-----", re.DOTALL)


def expected_sha512(text):
    """The one number in the file, whatever surrounds it."""
    text = text.split(":", 1)[-1]
    joined = re.sub(r"\s+", "", text)
    match = re.match(r"[0-9A-Fa-f]{128}(?![0-9A-Fa-f]{8})", joined)
    return match.group(0).lower() if match else None


def check_sha512(archive, sha512):
    with open(sha512, encoding="utf-8", errors="replace") as file:
        expected = expected_sha512(file.read())
    if expected is None:
        return f"{os.path.basename(sha512)} holds no SHA-512"
    digest = hashlib.sha512()
    with open(archive, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    if digest.hexdigest() != expected:
        return f"wrong hash: its SHA-512 is {digest.hexdigest()[:16]}..., {os.path.basename(sha512)} says {expected[:16]}..."
    return None


def dearmoured(keys):
    """The binary keys of an armoured text; what is not a key, and damaged blocks, are passed over."""
    binary = b""
    for block in BLOCK.findall(keys.replace(b"\r\n", b"\n")):
        body = block.split(b"\n\n", 1)[-1]
        lines = [line.strip() for line in body.splitlines()]
        try:
            binary += base64.b64decode(b"".join(line for line in lines if not line.startswith(b"=")), validate=True)
        except binascii.Error:
            continue
    return binary


def gpgv_status(archive, signature, keys):
    """gpgv's machine-readable lines, each as a list of words."""
    with tempfile.TemporaryDirectory() as work, open(keys, "rb") as file:
        keyring = os.path.join(work, "keys.gpg")
        with open(keyring, "wb") as out:
            out.write(dearmoured(file.read()))
        command = ["gpgv", "--homedir", work, "--keyring", keyring, "--status-fd", "1", "--", signature, archive]
        answer = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    words = [line.split()[1:] for line in answer.stdout.splitlines() if line.startswith("[GNUPG:] ")]
    return [line for line in words if line]


def check_signature(archive, signature, keys, fingerprints):
    lines = gpgv_status(archive, signature, keys)
    for line in lines:
        if line[0] == "BADSIG":
            return f"wrong signature: it was not made over this file by {line[1]}"
        if line[0] in ("NO_PUBKEY", "ERRSIG"):
            return f"wrong key: it is signed by {line[1]}, which KEYS does not hold"
    signers = [line[-1] for line in lines if line[0] == "VALIDSIG"]
    if not signers:
        return f"wrong signature: {os.path.basename(signature)} holds none"
    wanted = {fingerprint.replace(" ", "").upper() for fingerprint in fingerprints}
    if not wanted.intersection(signers):
        return f"wrong key: it is signed by {signers[0]}, which is not one of the {len(wanted)} pinned signers"
    return None


def main(arguments):
    if len(arguments) < 5:
        sys.exit(__doc__)
    archive, sha512, signature, keys, *fingerprints = arguments
    wrong = check_sha512(archive, sha512) or check_signature(archive, signature, keys, fingerprints)
    if wrong:
        sys.exit(f"verify: {os.path.basename(archive)}: {wrong}")


if __name__ == "__main__":
    main(sys.argv[1:])
