#!/usr/bin/env python3
"""Old JSON templates through kiln and through the real Packer, in the current folder.

    legacy_cases.py KILN PACKER

Engine strings reach a script through its environment, which writes them down; templates that are wrong, or only look
so, are validated. Exit status 1 when something differs.
"""
import json
import os
import subprocess
import sys

STRINGS = r"""
{{user `a`}}
{{ user "a" | upper }}
{{user `b`}} {{user `c`}}
{{build_name}}/{{build_type}}
{{split `a-b-c` `-` 1}} {{split (user `b`) `-` 0}}
{{replace `a` `b` -1 `banana`}} {{replace `a` `b` 1 `banana`}} {{replace `a` `b` 2 `banana`}}
{{replace_all `an` `x` `banana`}} {{`banana` | replace_all `an` `x`}}
{{if eq (user `a`) `alpha`}}yes{{else}}no{{end}} {{if ne (user `a`) `alpha`}}yes{{else}}no{{end}}
{{if user `e`}}yes{{else}}empty{{end}} {{if not (user `e`)}}yes{{end}}
{{if and (user `a`) (user `e`)}}yes{{else}}no{{end}} {{if or (user `a`) (user `e`)}}yes{{else}}no{{end}}
{{if eq (user `a`) `x`}}1{{else if eq (user `a`) `alpha`}}2{{else}}3{{end}}
{{with user `a`}}[{{.}}]{{end}} {{with user `e`}}[{{.}}]{{else}}none{{end}}
{{printf `%s-%s` `b` (user `a`)}} {{printf "%05d" 42}} {{`a` | printf `%s-%s` `b`}} {{printf "%q" `a`}}
{{print `a` `b`}} {{print 1.5}} {{urlquery `a b`}}
{{isotime `2006`}} {{isotime `2006-01-02`}} {{strftime `%Y-%m`}}
{{pwd}} {{template_dir}}
x {{- `y` -}} z{{/* c */}} {{"a\tb"}} {{1}} {{true}} {{"é"}}
{{$x := user `a`}}{{$x}} {{if eq $x `alpha`}}{{upper $x}}{{end}}
{{eq 1 1}} {{eq (user `a`) `x` `alpha`}}
{{ ( user `a` ) }} {{(user `a`) | upper | lower}} {{upper (lower (user `a`))}}
{{if true}}{{if false}}a{{else}}b{{end}}{{end}}
a$b${x} %{y} {{user `d`}}
""".strip().split("\n")
VARIABLES = {"a": "alpha", "b": "{{user `a`}}-{{env `E`}}", "c": "{{user `b` | upper}}", "e": "",
             "d": "${x} %{if} \"q\" \\n"}
NULL = {"type": "null", "communicator": "none"}


def with_step(**options):
    return {"builders": [NULL], "provisioners": [dict({"type": "shell-local", "command": "true"}, **options)]}


# One text where a list is meant: what a script gets of it.
LISTS = [{"environment_vars": "V=1,W=2"}, {"environment_vars": "V={{user `a`}},W={{user `b`}}"}, {"environment_vars": ""},
         {"inline": "printf '%s\\n' comma >> out,true"}, {"only_on": "linux,darwin"}, {"only_on": "windows,darwin"},
         {"valid_exit_codes": 3, "inline": ["exit 3"]}, {"valid_exit_codes": "0"}]


def with_variables(**variables):
    return {"variables": variables, "builders": [NULL]}


TEMPLATES = [
    {}, {"builders": []}, {"builders": NULL}, {"builders": [NULL]}, {"builders": [NULL], "foo": 1},
    {"_c": "x", "builders": [NULL]}, {"_c": {"a": 1}, "builders": [NULL]},
    with_variables(a=1), with_variables(a=True), with_variables(a=None), with_variables(a=["x"]),
    with_variables(a="{{user `b`}}", b="{{user `a`}}"), with_variables(a="{{user `zz`}}"),
    with_variables(a="{{user `b`}}", b="c"),
    {"builders": [NULL, NULL]}, {"builders": [NULL, dict(NULL, name="b-1.0")]}, {"builders": [{"communicator": "none"}]},
    {"builders": [{"type": 1}]}, {"builders": [{"type": "nope"}]}, {"builders": [dict(NULL, nope=1)]},
    {"variables": {"a": "q"}, "builders": [dict(NULL, name="{{user `a`}}")]},
    {"builders": [NULL], "provisioners": [{"type": "nope"}]}, {"builders": [NULL], "provisioners": [{"command": "x"}]},
    {"builders": [NULL], "post-processors": ["nope"]}, {"builders": [NULL], "post-processors": ["manifest"]},
    {"builders": [NULL], "post-processors": [["manifest"]]}, {"builders": [NULL], "post-processors": [[["manifest"]]]},
    with_step(only=["null"]), with_step(only=["nope"]), with_step(**{"except": []}), with_step(only=["null"], **{"except": ["null"]}),
    with_step(override={"x": {"command": "y"}}), with_step(override={"null": {"command": "false"}}),
    with_step(command="{{user `x`}}"), with_step(command="{{nope}}"), with_step(command="{{user"),
    with_step(command="{{env `HOME`}}"), with_step(pause_before=5), with_step(pause_before="x"),
    with_step(pause_before="1ms"), with_step(timeout="5s"),
    {"builders": [NULL], "provisioners": [{"type": "shell-local", "inline": "true"}]},
    {"builders": [NULL], "sensitive-variables": ["q"]}, {"builders": [NULL], "description": "x"},
    {"builders": [NULL], "description": 5}, {"builders": [NULL], "push": {"name": "x"}},
    {"builders": [NULL], "min_packer_version": "9.0.0"}, {"builders": [NULL], "min_packer_version": "1.0.0"},
    {"builders": [NULL], "min_packer_version": "x"},
    {"builders": [NULL], "error-cleanup-provisioner": {"type": "shell-local", "command": "true"}},
]


def run(program, command, name):
    done = subprocess.run([program, command, name], capture_output=True, timeout=120, check=False)
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


def write(name, template):
    with open(name, "w", encoding="utf-8") as f:
        json.dump(template, f)


def written(program):
    """What the builds of t.json wrote, a line a string."""
    if os.path.exists("out"):
        os.remove("out")
    code, text = run(program, "build", "t.json")
    if code != 0:
        print("%s: %d\n%s" % (program, code, text))
    with open("out", encoding="utf-8") as f:
        return f.read().split("\n")


def main():
    kiln, packer = sys.argv[1:]
    steps = [{"type": "shell-local", "environment_vars": ["V=" + s], "inline": ["printf '%s\\n' \"$V\" >> out"]}
             for s in STRINGS]
    steps += [dict({"type": "shell-local", "inline": ["printf '%s\\n' \"$V-$W\" >> out"]}, **l) for l in LISTS]
    write("t.json", {"variables": VARIABLES, "builders": [dict(NULL, name="n")], "provisioners": steps})
    bad = 0
    mine, theirs = written(kiln), written(packer)
    if len(mine) != len(theirs):
        bad += 1
        print("lists\n  kiln   %r\n  packer %r" % (mine[len(STRINGS):], theirs[len(STRINGS):]))
    for string, mine, theirs in zip(STRINGS + [str(l) for l in LISTS], mine, theirs):
        if mine != theirs:
            bad += 1
            print("%s\n  kiln   %r\n  packer %r" % (string, mine, theirs))
    for template in TEMPLATES:
        write("v.json", template)
        mine, theirs = run(kiln, "validate", "v.json"), run(packer, "validate", "v.json")
        if mine[0] != theirs[0]:
            bad += 1
            print("%s\n  kiln   %d %s\n  packer %d %s" % ((json.dumps(template),) + mine + theirs))
    print("%d strings, %d lists, %d templates, %d differ" % (len(STRINGS), len(LISTS), len(TEMPLATES), bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
