#!/usr/bin/env python3
"""Says where two trees differ: compare-trees.py WANTED MADE. One line a difference; nothing when there is none.

Compared: names, types, modes, owners, sizes, times to the nanosecond, devices, link texts, which names are one inode,
attributes, content. Not: the times of the top directory, and lost+found.
"""
import hashlib
import os
import stat
import sys

KEPT = ("user.", "security.capability", "system.posix_acl_")


def content(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


def attributes(path):
    names = [n for n in os.listxattr(path, follow_symlinks=False) if n.startswith(KEPT)]
    return {n: os.getxattr(path, n, follow_symlinks=False) for n in sorted(names)}


def facts(path, first_names):
    st = os.lstat(path)
    seen = {"mode": oct(st.st_mode), "uid": st.st_uid, "gid": st.st_gid, "mtime": st.st_mtime_ns}
    seen["attributes"] = attributes(path)
    if stat.S_ISDIR(st.st_mode):
        return seen
    seen["links"] = st.st_nlink
    seen["first name"] = first_names.setdefault((st.st_dev, st.st_ino), path)
    if stat.S_ISREG(st.st_mode):
        seen["size"] = st.st_size
        seen["content"] = content(path)
    elif stat.S_ISLNK(st.st_mode):
        seen["text"] = os.readlink(path)
    elif not stat.S_ISFIFO(st.st_mode) and not stat.S_ISSOCK(st.st_mode):
        seen["device"] = (os.major(st.st_rdev), os.minor(st.st_rdev))
    return seen


def tree(top):
    os.chdir(top)
    found, first_names = {}, {}
    for here, dirs, files in os.walk(b".", onerror=lambda e: print("cannot list", e)):
        if here == b"." and b"lost+found" in dirs:
            dirs.remove(b"lost+found")
        dirs.sort()
        for name in sorted(dirs + files):
            path = os.path.join(here, name)
            found[path] = facts(path, first_names)
    found[b"."] = facts(b".", first_names)
    del found[b"."]["mtime"]
    return found


def main():
    tops = [os.path.abspath(t) for t in sys.argv[1:3]]
    wanted, made = tree(tops[0]), tree(tops[1])
    for path in sorted(wanted.keys() | made.keys()):
        if path not in made or path not in wanted:
            print(path, "is missing" if path not in made else "is there and should not be")
            continue
        for fact in sorted(wanted[path].keys() | made[path].keys()):
            a, b = wanted[path].get(fact), made[path].get(fact)
            if a != b:
                print(f"{path} {fact}: wanted {a}, is {b}")


main()
