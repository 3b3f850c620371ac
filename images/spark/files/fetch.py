#!/usr/bin/python3
"""Download one file, whole or not at all: never half a file under its own name.

    fetch.py sdist NAME VERSION SHA256 FOLDER    the source distribution from pip's index; prints its path. The folder
                                                 may be shared by builds; a valid file in it is not downloaded again.
    fetch.py url URL PATH                        a file by its address, to be verified by the caller

The index, proxies and certificates are those that pip and Python find in their own configuration and environment.
"""

import fcntl
import glob
import hashlib
import os
import sys
import urllib.request

CHUNK = 1 << 20


class Failure(Exception):
    """What went wrong, for the user."""


def is_valid(path, sha256):
    if sha256 is None or not os.path.exists(path):
        return False
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest() == sha256


def tell(name, done, total):
    of = f" of {total >> 20}" if total else ""
    print(f"{name}: {done >> 20}{of} MiB", file=sys.stderr, flush=True)


def lock_partial(partial):
    """Open the partial file alone. Who held it before may have renamed or removed it, so look again."""
    while True:
        file = open(partial, "ab")  # "wb" would empty what another build is writing
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            if os.path.samestat(os.fstat(file.fileno()), os.stat(partial)):
                file.truncate(0)
                return file
        except FileNotFoundError:
            pass
        file.close()


def copy(chunks, total, file, name):
    """Returns the sha256 of what was written."""
    digest, done, told = hashlib.sha256(), 0, 0
    for chunk in chunks:
        file.write(chunk)
        digest.update(chunk)
        done += len(chunk)
        if done - told >= max(total // 8, 32 * CHUNK):
            told = done
            tell(name, done, total)
    if total and done != total:
        raise Failure(f"the connection ended after {done} of {total} bytes")
    tell(name, done, total)
    return digest.hexdigest()


def save(open_chunks, path, sha256):
    """open_chunks() gives the pieces and their sum in bytes, 0 when unknown."""
    with lock_partial(path + ".partial") as file:
        if is_valid(path, sha256):  # another build has just made it
            os.unlink(path + ".partial")
            return
        try:
            chunks, total = open_chunks()
            actual = copy(chunks, total, file, os.path.basename(path))
            if sha256 is not None and actual != sha256:
                raise Failure(f"the sha256 of what came is {actual}, expected {sha256}")
            file.flush()
            os.rename(path + ".partial", path)
        except BaseException:
            os.unlink(path + ".partial")
            raise


def pip_download_command():
    """pip's own reading of its configuration, from the wheel that Debian keeps for virtual environments."""
    wheels = sorted(glob.glob("/usr/share/python-wheels/pip-*.whl"))
    if wheels:
        sys.path.insert(0, wheels[-1])
    from pip._internal.commands import create_command
    from pip._internal.utils.logging import setup_logging

    setup_logging(verbosity=0, no_color=True, user_log_file=None)
    return create_command("download")


def find_link(finder, name, version, filename):
    found = finder.find_all_candidates(name)
    for candidate in found:
        if str(candidate.version) == version and candidate.link.filename == filename:
            return candidate.link.url_without_fragment
    if not found:
        raise Failure("pip's index offers none; is it reachable, and is this Python new enough?")
    newest = max(found, key=lambda candidate: candidate.version).version
    raise Failure(f"pip's index offers no such version to this Python; the newest is {newest}")


def fetch_sdist(name, version, sha256, folder):
    path = os.path.join(folder, f"{name}-{version}.tar.gz")
    if is_valid(path, sha256):
        print(f"{os.path.basename(path)}: already downloaded", file=sys.stderr)
        return path
    command = pip_download_command()
    options, _ = command.parse_args(["--no-binary", ":all:"])
    with command.main_context():
        session = command.get_default_session(options)
        finder = command._build_package_finder(options=options, session=session)
        link = find_link(finder, name, version, os.path.basename(path))

        def open_chunks():
            answer = session.get(link, stream=True, headers={"Accept-Encoding": "identity"})
            answer.raise_for_status()
            return answer.raw.stream(CHUNK, decode_content=False), int(answer.headers.get("Content-Length", 0))

        save(open_chunks, path, sha256)
    return path


def fetch_url(url, path):
    def open_chunks():
        answer = urllib.request.urlopen(url, timeout=60)
        return iter(lambda: answer.read(CHUNK), b""), int(answer.headers.get("Content-Length", 0))

    save(open_chunks, path, None)


def main(arguments):
    try:
        if len(arguments) == 5 and arguments[0] == "sdist":
            print(fetch_sdist(*arguments[1:]))
        elif len(arguments) == 3 and arguments[0] == "url":
            fetch_url(*arguments[1:])
        else:
            sys.exit(__doc__)
    except Exception as error:  # pylint: disable=broad-except # pip's and urllib's have no common parent
        sys.exit(f"fetch: {' '.join(arguments[1:3])}: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
