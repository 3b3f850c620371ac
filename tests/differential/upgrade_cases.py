#!/usr/bin/env python3
"""Old JSON templates and what kiln's hcl2_upgrade makes of them, in the current folder.

    upgrade_cases.py KILN PACKER

What a build of the JSON template writes in the real Packer is what it writes in kiln, and what builds of the HCL
template write in both, in Packer where its functions are those of the time. Exit status 1 when something differs.
"""
import json
import os
import subprocess
import sys
import time

from legacy_cases import NULL, STRINGS, TEMPLATES, VARIABLES

# Calls of values that only a build knows.
KNOWN_LATER = r"""
{{or (user `e`) 5}} {{or (user `a`) 5}} {{and (user `e`) 5}} {{and (user `a`) 5}} {{or (user `e`) false (user `n`)}}
{{if or (user `e`) 0}}y{{else}}n{{end}} {{if and (user `a`) 0.0}}y{{else}}n{{end}} {{if not (or (user `e`) 1)}}y{{else}}n{{end}}
{{and (eq (user `a`) `alpha`) (ne (user `n`) `7`)}} {{or (eq (user `a`) `x`) (user `e`) true}} {{and (eq (user `a`) `x`) `q`}}
{{or (user `e`) (user `n`) (user `a`) | upper}} {{and (user `n`) (user `a`) | printf "<%s>"}} {{and (user `e`) (user `a`) | len}}
{{$x := or (user `e`) 2.50}}{{$x}} {{$x := 1}}{{if user `e`}}{{$x = 1e9}}{{else}}{{$x = 2e10}}{{end}}{{$x}}{{if $x}}y{{end}}
{{$x := 0.0}}{{if user `e`}}{{$x = 1.5}}{{end}}{{if $x}}y{{else}}n{{end}} {{$x := 0}}{{if user `e`}}{{$x = `a`}}{{end}}{{if $x}}y{{else}}n{{end}}
{{len (user `a`)}} {{len (user `h`)}} {{len (user `e`)}} {{if len (user `e`)}}y{{else}}n{{end}} {{eq (len (user `a`)) 5}} {{lt (len (user `a`)) 6}}
{{lt (user `a`) `b`}} {{lt `b` (user `a`)}} {{lt (user `a`) `alpha`}} {{le (user `a`) `alpha`}} {{gt (user `a`) `B`}} {{ge (user `a`) `alpha`}} {{ge (user `a`) `é`}}
{{eq (user `n`) `1` `7`}} {{eq `x` (user `a`) (user `e`)}} {{eq (eq (user `a`) `alpha`) true}} {{ne (user `a`) (user `b`)}}
{{print (user `a`) 1 2 (len (user `a`)) 1.50 true (user `e`) nil 3}} {{print (eq (user `a`) `x`) false}}|{{println (user `a`) 1 (user `n`) true}}|
{{html (user `h`)}} {{user `h` | html | upper}} {{html (user `h`) 1 2}} {{print `<` | html}}
{{urlquery (user `h`)}} {{urlquery (user `a`) 1 2 `é`}}
{{printf "%s=%c|%s|%x|%6.2f" (user `a`) 65 (user `h`) 255 1.5}} {{printf "%v %v %v" (user `a`) 1.50 (eq (user `a`) `x`)}}
{{printf "%d" (user `n`)}} {{printf "%s" (user `n` | len)}} {{printf "%s %s" (user `a`)}} {{printf "%s" (user `a`) (user `n`) 1 nil}} {{printf "%t" (user `a`)}}
{{printf "%T %T %10T|" (user `a`) (len (user `a`)) (eq (user `a`) `x`)}} {{printf "%s%%" (user `n`)}} {{printf "%s %" (user `n`)}} {{printf "%+d" (len (user `a`))}}
{{printf "%6s|%-6s|" (user `n`) (user `n`)}} {{printf "%6s|%-6s|%X" (user `n`) (user `n`) `hi`}} {{printf "%03d|%-4d|%4d|" (len (user `a`)) (len (user `a`)) (len (user `a`))}}
{{printf "%d %x %v %t" (len (user `h`)) (len (user `h`)) (len (user `h`)) (eq (user `a`) `alpha`)}} {{printf "a" | printf "%s%s" (user `a`)}}
{{replace `a` `b` 1 (user `a`)}} {{replace `a` (user `n`) 2 (user `b`)}} {{replace `` `-` 3 (user `h`)}} {{replace `` `-` 9 (user `a`)}} {{replace `` `-` 1 (user `e`)}}
{{replace `x` `b` 3 (user `a`)}} {{replace `a` `b` 3 (user `e`)}} {{replace `alp` `$1` 3 (user `a`)}} {{replace `l` `` 5 (user `a`)}} {{replace `a` `b` 0 (user `a`)}} {{replace (user `n`) `b` -1 `a7b`}}
{{index (user `a`)}} {{slice (user `a`)}} {{upper `x` | len}} {{split (upper `a-b`) `-` 1}} {{replace_all `a` `b` (user `a`)}} {{lower (user `h`)}}
{{if eq `a` `a`}}{{user `a`}}{{else}}{{upper (user `n`)}}{{end}} {{with ``}}x{{else}}{{user `n`}}{{end}} {{with 5}}{{.}}{{end}}
{{$x := user `a`}}{{if true}}{{$x = user `n`}}{{end}}{{$x}} {{if and true (user `a`)}}y{{end}} {{if or true (user `a`)}}y{{end}} {{or (user `e`) ``}}|
{{eq (user `t`) `true`}} {{eq `5` (user `l`)}} {{eq `6` (user `i`) `5`}} {{len (user `s`)}} {{lt `1700000000` (user `s`)}} {{len (user `t`)}}
{{or (eq (user `a`) `x`) (len (user `a`))}} {{and (len (user `a`)) (eq (user `a`) `x`)}} {{eq (print (eq (user `a`) `alpha`)) `true`}} {{eq (printf "%v" (len `a`)) `1`}}
""".strip().split("\n")

# What no text of HCL2 says, with a word of why.
REFUSED = {
    "{{index (user `a`) 0}}": "index is given what only a build knows",
    "{{slice (user `a`) 1 2}}": "slice is given what only a build knows",
    "{{js (user `a`)}}": "js is given what only a build knows",
    "{{printf (user `a`)}}": "a format that only a build knows",
    "{{printf `%q` (user `a`)}}": "for %q",
    "{{printf `%.2s` (user `a`)}}": "for %.2s",
    "{{printf `%x` (user `a`)}}": "for %x",
    "{{printf `%[1]s` (user `a`)}}": "by number",
    "{{upper (or (user `a`) 5)}}": "needs a text",
    "{{print 1 (or (user `a`) 5)}}": "is printed beside another",
    "{{eq (or (user `a`) 5) 5}}": "one type or another",
    "{{eq (user `a`) 5}}": "incompatible types",
    "{{eq 1 `1`}}": "incompatible types",
    "{{lt (user `a`) 5}}": "for whose order",
    "{{index `abc` 5}}": "index out of range",
    "{{slice `é` 0 1}}": "cuts a character apart",
    "{{split `a,b` `,` 5}}": "there are 2 parts",
    "{{replace (user `n`) `b` 1 `a7b`}}": "use replace_all",
    "{{len (len (user `a`))}}": "len is given",
    "{{printf `%s %s` (user `a`) .Vars}}": "in one action with a component's data",
    "{{if and .Vars (user `a`)}}x{{end}}": "in one action with a component's data",
    "{{$x := user `a`}}{{print $x .Vars}}": "in one action with a component's data",
    "{{with user `a`}}{{print . $.Vars}}{{end}}": "in one action with a component's data",
}

NEWER = ("isotime", "strftime", "{{pwd}}")  # what Packer 1.6 has no function for, or another answer
VARIABLES = dict(VARIABLES, n="7", h="<é>&\"' ${x}☺", t="{{eq (user `a`) `alpha`}}", l="{{len (user `a`) | printf `%v`}}",
                 i="{{if user `a`}}{{``}}{{len (user `a`)}}{{else}}{{len `a`}}{{end}}", s="{{timestamp | print}}")
END = "\x1e"  # behind each string


def build(program, name):
    """What the builds wrote, and what was printed."""
    if os.path.exists("out"):
        os.remove("out")
    done = subprocess.run([program, "build", name], capture_output=True, timeout=300, check=False)
    text = (done.stdout + done.stderr).decode("utf-8", "replace")
    if not os.path.exists("out"):
        return [], text
    with open("out", encoding="utf-8") as f:
        return f.read().split(END)[:-1], text


def upgrade(kiln, template):
    with open("t.json", "w", encoding="utf-8") as f:
        json.dump(template, f)
    if os.path.exists("t.json.pkr.hcl"):
        os.remove("t.json.pkr.hcl")
    done = subprocess.run([kiln, "hcl2_upgrade", "t.json"], capture_output=True, timeout=120, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def step(string):
    return {"type": "shell-local", "environment_vars": ["V=" + string], "inline": ["printf '%s\\036' \"$V\" >> out"]}


def template_of(strings):
    return {"variables": VARIABLES, "builders": [dict(NULL, name="n")], "provisioners": [step(s) for s in strings]}


def differing(kiln, packer, strings, everywhere):
    """How many strings are not written from the new template as the real Packer writes them from the old one."""
    code, said = upgrade(kiln, template_of(strings))
    if code != 0:
        print(said)
        return 1
    wanted, said = build(packer, "t.json")
    if len(wanted) != len(strings):
        print("packer wrote %d strings\n%s" % (len(wanted), said))
        return 1
    bad = 0
    runs = [(kiln, "t.json"), (kiln, "t.json.pkr.hcl")] + ([(packer, "t.json.pkr.hcl")] if everywhere else [])
    for program, name in runs:
        found, said = build(program, name)
        if len(found) != len(wanted):
            print("%s wrote %d strings of %s\n%s" % (program, len(found), name, said))
            bad += 1
        for string, a, b in zip(strings, wanted, found):
            if a != b:
                bad += 1
                print("%s of %s: %s\n  wanted %r\n  found  %r" % (program, name, string, a, b))
    return bad


def not_refused(kiln):
    """Strings that are upgraded although they have no form, or refused for another reason, without a place."""
    bad = 0
    for string, why in REFUSED.items():
        code, said = upgrade(kiln, template_of([string]))
        if code == 1 and why in " ".join(said.split()) and "on t.json line 1" in said and \
                not os.path.exists("t.json.pkr.hcl"):
            continue
        bad += 1
        print("%s\n  should say %r\n%s" % (string, why, said))
    return bad


def wrong_times(kiln, packer):
    """Times that are not the present in seconds. A variable has the name of the local for the time."""
    template = dict(template_of(["{{timestamp}}", "{{user `timestamp`}}"]), variables={"timestamp": "{{timestamp}}"})
    code, said = upgrade(kiln, template)
    bad = code
    for program in (kiln, packer):
        found, said = build(program, "t.json.pkr.hcl")
        late = [abs(int(s) - time.time()) for s in found]
        if len(late) != 2 or max(late) > 120:
            bad += 1
            print("%s takes %r for the time\n%s" % (program, found, said))
    return bad


def component_data(kiln, packer):
    """What a component renders, around what is known before."""
    command = ["/bin/sh", "-c", "{{.Vars}} {{if .Script}}V={{user `n`}}{{with .Vars}}{{.}}{{else}}none{{end}}"
                                "{{$x := user `a`}} W={{$x}}{{else if .Vars}}{{end}} /bin/sh {{.Script}}"]
    template = {"variables": VARIABLES, "builders": [NULL], "provisioners": [
        {"type": "shell-local", "execute_command": command, "inline": ["printf '%s\\036' \"$V-$W\" >> out"]}]}
    code, said = upgrade(kiln, template)
    if code != 0:
        print(said)
        return 1
    wanted, _ = build(packer, "t.json")
    found = [build(program, "t.json.pkr.hcl") for program in (kiln, packer)]
    bad = [f for f in found if not wanted or f[0] != wanted]
    for values, said in bad:
        print("data of a component: wanted %r, found %r\n%s" % (wanted, values, said))
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
    strings = STRINGS + KNOWN_LATER
    newer = [s for s in strings if any(word in s for word in NEWER)]
    bad = differing(kiln, packer, [s for s in strings if s not in newer], True)
    bad += differing(kiln, packer, newer, False)
    bad += not_refused(kiln) + wrong_times(kiln, packer) + component_data(kiln, packer) + refused(kiln)
    print("%d strings, %d of them not in Packer's HCL2, %d that HCL2 cannot say, %d templates, %d differ" %
          (len(strings), len(newer), len(REFUSED), len(TEMPLATES), bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
