#!/usr/bin/env python3
"""clang-tidy over every file that is compiled, or over the files named; two at a time.

What passed is not looked at again: the name of an empty file in $XDG_CACHE_HOME/kiln-tidy is the hash of everything the
verdict depends on (the file, our headers that it reads, its flags, .clang-tidy, the tools). Headers that nearly every
file reads are parsed once. The flags are those of build/dev, which compiles each file on its own.
"""
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "kiln-tidy"
TIDY, CLANG = "clang-tidy-14", "clang++-14"
INCLUDE = re.compile(rb'^\s*#\s*include\s+"([^"]+)"', re.M)
FOR_GCC_ONLY = re.compile(r"-f(pch-preprocess|no-threadsafe-statics)|-W(no-)?(error|restrict|array-bounds|stringop.*|maybe-un.*|invalid-pch)")
# The analyser gives a function up after so many states: a tenth of its default, at a third of the time. It leaves the
# tests to the sanitizers, which watch every one of them run: their bodies took it half its time.
ANALYSER = ["-Xclang", "-analyzer-config", "-Xclang", "max-nodes=20000"]
FOR_TESTS = ",-clang-analyzer-*"
DAYS_KEPT = 30


@functools.lru_cache(maxsize=None)
def own_headers(path):
    """The files of ours that a file includes, itself among them."""
    found = {path}
    for name in INCLUDE.findall(path.read_bytes()):
        for folder in (path.parent, TOP / "src", TOP / "tests"):
            header = folder / name.decode()
            if header.is_file():
                found |= own_headers(header.resolve())
                break
    return frozenset(found)


class Unit:
    """One file with the flags that clang understands and the header that the build gives it precompiled."""

    def __init__(self, entry):
        self.path = pathlib.Path(entry["file"])
        self.name = str(self.path.relative_to(TOP))
        words = shlex.split(entry["command"])
        words = words[[i for i, w in enumerate(words) if w.startswith("/") and w.endswith("++")][0] + 1:]
        self.flags, self.precompiled = [], None
        skip = False
        for word, following in zip(words, words[1:] + [""]):
            if skip:
                skip = False
            elif word in ("-o", "-c"):
                skip = True
            elif word == "-include":
                self.precompiled, skip = following, True
            elif word == "-std=c++23":
                self.flags.append("-std=c++2b")
            elif word != str(self.path) and not FOR_GCC_ONLY.fullmatch(word):
                self.flags.append(word)

    def key(self, tools):
        """Changes when anything does that could change what clang-tidy says."""
        text = hashlib.sha256(tools)
        files = own_headers(self.path)
        if self.precompiled:
            common = {pathlib.Path(p.decode()) for p in INCLUDE.findall(pathlib.Path(self.precompiled).read_bytes())}
            files = files.union(*map(own_headers, common))
        for part in [self.name, *self.flags]:
            text.update(part.replace(str(TOP), "TOP").encode() + b"\0")
        for path in sorted(files):
            text.update(str(path.relative_to(TOP)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
        return text.hexdigest()


def tools_digest():
    version = subprocess.run([TIDY, "--version"], check=True, capture_output=True).stdout
    files = [TOP / ".clang-tidy", TOP / "tools/tidy/scope.cc", pathlib.Path(__file__)]
    return version + b"".join(hashlib.sha256(f.read_bytes()).digest() for f in files)


def build_scope(folder):
    """The module that keeps the checks to our files."""
    library = folder / "scope.so"
    subprocess.run(["g++", "-std=c++17", "-O1", "-fno-rtti", "-shared", "-fPIC", "-I/usr/lib/llvm-14/include",
                    str(TOP / "tools/tidy/scope.cc"), "-o", str(library)], check=True)
    return library


def precompile(header, flags, folder):
    """What a header becomes under these flags; where a room's test data lies does not matter to it."""
    flags = [flag for flag in flags if not flag.startswith("-DKILN_")]
    out = folder / (hashlib.sha256((header + str(flags)).encode()).hexdigest()[:16] + ".pch")
    if not out.exists():
        once = ["-Xclang", "-fpch-instantiate-templates"]  # here, not again in each file: a third of what reading one costs
        subprocess.run([CLANG, "-w", *flags, *once, "-x", "c++-header", header, "-o", str(out)], check=True)
    return out


def look_at(unit, scope, header):
    """The findings in a unit as text; empty when it is clean."""
    checks = "kiln-scope" + (FOR_TESTS if unit.name.endswith("_test.cc") else "")
    command = [TIDY, "-load=" + str(scope), "--quiet", "--checks=" + checks, str(unit.path), "--", *unit.flags, *ANALYSER]
    ended = subprocess.run(command + (["-include-pch", str(header)] if header else []), stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, check=False)
    if ended.returncode == 0:
        return ""
    return ended.stdout or ended.stderr


def main():
    subprocess.run([TOP / "tools/configure.sh", "dev"], check=True)
    database = TOP / "build/dev/compile_commands.json"
    wanted = {str(pathlib.Path(name).resolve()) for name in sys.argv[1:]}
    entries = {e["file"]: e for e in json.loads(database.read_text()) if "/build/" not in e["file"]}
    units = [Unit(e) for f, e in sorted(entries.items()) if not wanted or f in wanted]
    CACHE.mkdir(parents=True, exist_ok=True)
    tools = tools_digest()
    keys = {unit.name: CACHE / unit.key(tools) for unit in units}
    fresh = [unit for unit in units if not keys[unit.name].exists()]
    bad = 0
    with tempfile.TemporaryDirectory(prefix="kiln-tidy.") as name, concurrent.futures.ThreadPoolExecutor(2) as pool:
        folder = pathlib.Path(name)
        scope = build_scope(folder) if fresh else None
        # base's own headers are among the precompiled ones, which the checks do not see: its files read them themselves.
        headers = {unit.name: unit.precompiled and "/src/base/" not in str(unit.path) and
                   precompile(unit.precompiled, unit.flags, folder) for unit in fresh}
        looks = {pool.submit(look_at, unit, scope, headers[unit.name]): unit for unit in fresh}
        for look in concurrent.futures.as_completed(looks):
            unit = looks[look]
            if look.result():
                bad += 1
                print(f"== {unit.name}\n{look.result()}", flush=True)
            else:
                keys[unit.name].touch()
    for unit in units:
        if keys[unit.name].exists():
            keys[unit.name].touch()
    for old in CACHE.iterdir():
        if old.stat().st_mtime < time.time() - DAYS_KEPT * 86400:
            old.unlink()
    print(f"tidy: {len(units)} files, {len(units) - len(fresh)} passed before, {bad} with findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
