#!/usr/bin/env python3
"""Old JSON templates and what kiln's hcl2_upgrade makes of them, in the current folder.

    upgrade_cases.py KILN PACKER

What the builds of a JSON template write, those of the HCL template write too: in kiln, and in the real Packer where
its functions are those of the time. Exit status 1 when something differs.
"""
import json
import os
import subprocess
import sys

from legacy_cases import NULL, STRINGS, TEMPLATES, VARIABLES

NEWER = ("isotime", "strftime", "urlquery", "{{pwd}}")  # what Packer 1.6 has no function for, or another answer


def build(program, name):
    """What the builds wrote, a line a string, and what was printed."""
    if os.path.exists("out"):
        os.remove("out")
    done = subprocess.run([program, "build", name], capture_output=True, timeout=300, check=False)
    text = (done.stdout + done.stderr).decode("utf-8", "replace")
    if not os.path.exists("out"):
        return [], text
    with open("out", encoding="utf-8") as f:
        return f.read().split("\n"), text


def upgrade(kiln, template):
    with open("t.json", "w", encoding="utf-8") as f:
        json.dump(template, f)
    if os.path.exists("t.json.pkr.hcl"):
        os.remove("t.json.pkr.hcl")
    done = subprocess.run([kiln, "hcl2_upgrade", "t.json"], capture_output=True, timeout=120, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def step(string):
    return {"type": "shell-local", "environment_vars": ["V=" + string], "inline": ["printf '%s\\n' \"$V\" >> out"]}


def template_of(strings):
    return {"variables": VARIABLES, "builders": [dict(NULL, name="n")], "provisioners": [step(s) for s in strings]}


def is_told_to_have_no_form(kiln, string):
    """Whether the upgrade ends with what in a string HCL2 cannot say: functions of the engine alone."""
    code, said = upgrade(kiln, template_of([string]))
    return code == 1 and any(w in said for w in ("for which HCL2 has no", "called with a count")) and \
        not os.path.exists("t.json.pkr.hcl")


def differing(kiln, program, strings):
    """How many strings a program writes differently from the two templates."""
    code, said = upgrade(kiln, template_of(strings))
    if code != 0:
        print(said)
        return 1
    old, _ = build(program, "t.json")
    new, said = build(program, "t.json.pkr.hcl")
    if len(old) != len(new):
        print("%s wrote %d lines, then %d\n%s" % (program, len(old), len(new), said))
        return 1
    bad = [(s, a, b) for s, a, b in zip(strings, old, new) if a != b]
    for string, a, b in bad:
        print("%s: %s\n  JSON %r\n  HCL  %r" % (program, string, a, b))
    return len(bad)


def refused(kiln):
    """Templates that kiln reads as JSON but not as HCL."""
    bad = 0
    for template in TEMPLATES:
        code, said = upgrade(kiln, template)
        valid = [subprocess.run([kiln, "validate", name], capture_output=True, timeout=120, check=False)
                 for name in ("t.json", "t.json.pkr.hcl") if os.path.exists(name)]
        if valid[0].returncode != 0 or (code == 0 and valid[1].returncode == 0):
            continue
        bad += 1
        print("%s\n  %s%s" % (json.dumps(template), said, valid[-1].stdout.decode()))
    return bad


def main():
    kiln, packer = sys.argv[1:]
    strings = [s for s in STRINGS if not is_told_to_have_no_form(kiln, s)]
    packers = [s for s in strings if not any(word in s for word in NEWER)]
    bad = differing(kiln, kiln, strings) + differing(kiln, packer, packers) + refused(kiln)
    print("%d strings, %d of them in Packer, %d that HCL2 cannot say, %d templates, %d differ" %
          (len(strings), len(packers), len(STRINGS) - len(strings), len(TEMPLATES), bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
