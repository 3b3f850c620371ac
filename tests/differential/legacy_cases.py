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
{{or (user `e`) `d`}} {{and (user `a`) `d`}} {{or false `x`}} {{and 0 1}} {{or 0.0 `z`}} {{upper (or `` `q`)}}
{{len `abcé`}} {{timestamp | len}} {{index `abc` 1}} {{index `abc`}} {{slice `abcdef` 1 3}} {{slice `abc` 1}} {{slice `abc`}}
{{html `<a&"'>`}} {{js `<a'"&=\>`}} {{println `a` 1 2 `b`}}|{{print 1 2 `a` `b` 3 4}} {{html 5 `<` 6 7}} {{urlquery `a b` 1 2}}
{{lt 1 2}} {{le `a` `b`}} {{gt 1.5 2.5}} {{ge 2 2}} {{eq true true}} {{ne 1 2}} {{eq `a` `b` `c` `a`}} {{not 0}}
{{printf "%v %d %x %X %q %t %5s|%-5s|%05d %.2f %T %T" "s" 5 "hi" 255 "q" true "r" "l" 7 3.14159 "x" 1}}
{{printf "%d %s" "x" 5}} {{printf "%s"}} {{printf "x" 1 "y"}} {{printf "%!"}} {{printf "%z" 1}} {{printf "%t" 1}} {{printf "%d" true}}
{{printf "%[2]s %[1]s" "a" "b"}} {{printf "%*d" 5 42}} {{printf "%+d % d %#x %o %b %c %U" 5 5 255 8 5 65 65}} {{printf "%[3]s" "a"}}
{{printf "%e %g %G %6.1f|" 1.5 1.5 1.5 2.25}} {{printf "%#v %#v %#v" "a" 1 true}} {{printf "%+q %#q" "é" "a"}} {{printf "%.*f" 2 3.14159}}
{{printf "% x %#x" "hi" "hi"}} {{printf "%.2s|%6.2s|" "abcdef" "abcdef"}} {{printf "%05s|%-05s|%05v" "ab" "ab" "ab"}} {{printf "%q" 39}}
{{printf "%08.3f|%+d|%x|%X|%#o|%O|%08b|%#b" 3.14159 5 -255 255 8 8 5 5}} {{printf "%*d" "x" 5}} {{printf "%v %d %s %t" nil nil nil true}}
{{printf "%5d|%-4s|%03d|%.1d|%+t|%#t|%6d" "ab" 7 0.5 "xyz" 5 "q" true}} {{printf "%5d" nil}} {{println `` 1}}|{{printf "%x %X %12x|%.2x" 1.5 255.25 0.1 3.0}}
{{$x := or `` 5}}{{if user `e`}}{{$x = or false `q`}}{{else if user `a`}}{{$x = or false true}}{{end}}{{$x}} {{$x := 0}}{{if user `e`}}{{$x = `a`}}{{end}}{{if $x}}y{{else}}{{$x}}{{end}}
{{printf "%5t|%-7t|" true false}} {{printf "%6.2f%%" 99.5}} {{printf "%c|%5c|%U|%#U" 233 65 233 65}} {{printf "%6d|%-6d|%06d|% d|%+.3d" 42 42 -42 42 7}}
{{printf "%q" "a\"b\\ \n é ☺"}} {{printf "%+q" "☺𝄞"}} {{printf "%x|%X|% X|%#x|%# x" "héllo" "hi" "hi" "" "abc"}} {{printf "%s" 1.5}} {{printf "%d" 1.0}} {{printf "%T" 1.0}}
{{1e5}} {{1e6}} {{1e20}} {{1e21}} {{1234567.0}} {{0.0001}} {{0.00001}} {{123456789.5}} {{1.0}} {{print 1.0 2.5}} {{printf "%v %g" 1e6 1e20}}
{{"\x41\u00e9\101"}} {{'a'}} {{0x10}} {{1_000}} {{0b11}} {{1e3}} {{-5}} {{+5}} {{- 5}}
{{$x := `a`}}{{if true}}{{$x = `b`}}{{end}}{{$x}} {{$x := `a`}}{{if false}}{{$x = `b`}}{{else}}{{$x = `c`}}{{end}}{{$x}}
{{$x := `a`}}{{if user `a`}}{{$x := `b`}}{{$x}}{{end}}{{$x}} {{$x := 1}}{{$y := $x}}{{$x = 2}}{{$y}}{{$x}}
{{$x := `a`}}{{if user `e`}}{{$x = `b`}}{{else if user `a`}}{{$x = user `a`}}{{end}}{{$x}}
{{define "T"}}[{{.}}]{{end}}{{template "T" `x`}}{{template "T" user `a`}}{{define "U"}}<{{template "T" .}}>{{end}}{{template "U" `y`}}
{{block "B" `q`}}<{{.}}>{{end}} {{with $y := user `a`}}{{$y}}-{{.}}{{end}} {{if $z := `1`}}{{$z}}{{end}} {{with `a`}}{{with `b`}}{{.}}{{end}}{{.}}{{end}}
{{if 0}}y{{else}}n{{end}} {{if 1}}y{{end}} {{if ``}}y{{else}}n{{end}} {{if 0.0}}y{{else}}n{{end}} {{if (user `e`) | not}}e{{end}}
{{user `a` | printf "%s:%s" `k` | upper}} {{print "a" true}} {{print true false}} {{print nil}} {{true | not}} {{1 | printf `%d-%d` 2}}
{{if and (eq (user `a`) `alpha`) (ne 1 2)}}both{{end}} {{if or false ``}}{{else}}neither{{end}} {{- 3 -}} x
{{"}}"}} {{`}}`}} {{/* }} */}} x  {{- /* c */ -}}  y a }} b {{upper (print 5)}}
{{replace `` `-` -1 `abc`}} {{replace_all `` `-` `abc`}} {{replace `` `-` 2 `aéc`}} {{replace `a` `` 0 `banana`}} {{replace `a` `b` 2 (user `a`)}}
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


# Engine strings that are wrong.
WRONG = r"""
{{eq 1 `1`}}
{{eq 1 1.5}}
{{lt true false}}
{{if true}}{{$x := `b`}}{{end}}{{$x}}
{{range `abc`}}x{{end}}
{{range 3}}x{{end}}
{{upper 5}}
{{user-name}}
{{nil}}
{{with `x`}}{{.Foo}}{{end}}
{{ /* c */ }}x
{{user `a` /* c */}}
{{if true}}a{{else if false}}b{{else}}c{{end}}{{end}}
{{(user `a`).Foo}}
{{break}}
{{end}}
{{template "nope"}}
{{define "T"}}a{{end}}{{define "T"}}b{{end}}
{{call `x`}}
{{index `abc` 5}}
{{isotime 5}}
{{eq `a`}}
{{replace `a` `b` `1` `banana`}}
{{upper}}
{{slice `abc` 2 1}}
{{ne 1 `1`}}
{{printf 5}}
{{$x}}
{{$x = 5}}
{{if user `a` `b`}}x{{end}}
{{if}}x{{end}}
{{end x}}
{{if 1}}a{{else x}}b{{end}}
{{define `T`}}{{template `T`}}{{end}}{{template `T`}}
{{template T}}
{{if true}}{{define "T"}}x{{end}}{{end}}
{{$a := `x`}}{{define "T"}}{{$a}}{{end}}{{template "T"}}
{{ `a` | `b` }}
{{| user `a`}}
{{}}
{{"a" "b"}}
{{1 2}}
{{true false}}
{{and}}
{{not}}
{{len 5}}
{{"\q"}}
{{'ab'}}
{{0x}}
{{1.2.3}}
{{99999999999999999999}}
{{upper "a" "b"}}
{{split `a,b` `,` 5}}
{{split `a,b` `,` -1}}
{{split `a,b` `,` `1`}}
{{user 5}}
{{/* unclosed }}
{{"unclosed}}
{{if 1}}x
{{else}}
""".strip().split("\n")

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


def written(program, template):
    """What the builds of a template wrote into "out", a line a string."""
    if os.path.exists("out"):
        os.remove("out")
    code, text = run(program, "build", template)
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
    mine, theirs = written(kiln, "t.json"), written(packer, "t.json")
    if len(mine) != len(theirs):
        bad += 1
        print("lists\n  kiln   %r\n  packer %r" % (mine[len(STRINGS):], theirs[len(STRINGS):]))
    for string, mine, theirs in zip(STRINGS + [str(l) for l in LISTS], mine, theirs):
        if mine != theirs:
            bad += 1
            print("%s\n  kiln   %r\n  packer %r" % (string, mine, theirs))
    templates = TEMPLATES + [with_step(command="true", environment_vars=["V=" + s]) for s in WRONG]
    for template in templates:
        write("v.json", template)
        mine, theirs = run(kiln, "validate", "v.json"), run(packer, "validate", "v.json")
        if mine[0] != theirs[0]:
            bad += 1
            print("%s\n  kiln   %d %s\n  packer %d %s" % ((json.dumps(template),) + mine + theirs))
    print("%d strings, %d lists, %d templates, %d differ" % (len(STRINGS), len(LISTS), len(templates), bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
