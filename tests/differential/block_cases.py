#!/usr/bin/env python3
"""Small HCL2 templates through `validate` of kiln and of the real Packer, in the current folder: both accept it, or both
refuse it. And engine strings in HCL2 templates: what a script gets of them.

    block_cases.py KILN PACKER

What differs on purpose is not here but in docs/packer-differences.md. Exit status 1 when something differs.
"""
import json
import os
import sys

from legacy_cases import run, written

SOURCES = """source "null" "a" { communicator = "none" }
source "null" "b" { communicator = "none" }
source "docker" "d" {
  image  = "tar:x"
  commit = true
}
"""
RUN = 'inline = ["true"]'


def build(inside, source="null.a"):
    return SOURCES + 'build {\n  sources = ["%s"]\n%s\n}\n' % (source, inside)


def steps(kind, kind_type, source, first, *options):
    """One template for each text of options, whose arguments are divided by ";"."""
    return [build('%s "%s" {\n%s\n%s\n}' % (kind, kind_type, first, o.replace("; ", "\n")), source) for o in options]


def shell(*options):
    return steps("provisioner", "shell", "docker.d", "", *options)


def more(*options):
    return steps("provisioner", "shell", "docker.d", RUN, *options)


def local(*options):
    return steps("provisioner", "shell-local", "null.a", "", *options)


def post(kind, *options):
    return steps("post-processor", kind, "docker.d", "", *options)


def variable(*bodies):
    return ['variable "x" {\n%s\n}\n' % b.replace("; ", "\n") + build("") for b in bodies]


def top(*texts):
    return [t.replace("; ", "\n") + "\n" + build("") for t in texts]


def rule(condition, message):
    return 'default = "a"; validation {; %s; %s; }' % (condition, message)


GOOD_RULE = 'condition = var.x == "a"'
MESSAGE = 'error_message = "It is bad."'
TEMPLATES = (
    more('pause_before = "5s"', 'pause_before = "x"', "pause_before = 5", 'timeout = "5s"',
         'timeout = "5"', "max_retries = 3", 'max_retries = "2"', "max_retries = 1.5", 'only = ["docker.d"]', 'only = ["no"]',
         'only = ["docker.d"]; except = ["null.a"]', "only = []; except = []", 'only = "docker.d"', 'name = "x"', "name = 5",
         'override = { d = { inline = ["x"] } }', 'override = { no = { inline = ["x"] } }', 'override = "x"',
         "override = { d = { bogus = 1 } }", 'override = { d = "x" }', "override = { a = { bogus = 1 } }",
         'pause_after = "x"', 'start_retry_timeout = "x"', 'start_retry_timeout = "1m"', 'env_var_format = "%s=%s "',
         'execute_command = "{{.Vars}} {{.Path}}"', 'execute_command = "{{if"', "valid_exit_codes = [0, 1]",
         'valid_exit_codes = ["x"]', 'valid_exit_codes = ["1"]', 'environment_vars = ["A"]', 'environment_vars = ["=x"]',
         'environment_vars = ["A=b=c"]', 'environment_vars = { A = "b" }', 'script = "s.sh"', "binary = true",
         'binary = "yes"', 'binary = "true"', 'remote_path = "/x"; remote_folder = "/y"; remote_file = "z"',
         'expect_disconnect = true; skip_clean = true; use_env_var_file = true; inline_shebang = "/bin/sh"')
    + shell('script = "s.sh"', 'scripts = ["s.sh", "s.sh"]', 'script = "no"', "scripts = []", "", 'inline = "true"', "inline = []")
    + steps("provisioner", "file", "docker.d", "", 'source = "s.sh"; destination = "/x"', 'source = "no"; destination = "/x"',
            'sources = ["s.sh"]; destination = "/x/"', 'source = "s.sh"', 'destination = "/x"',
            'source = "no"; destination = "/x"; generated = true', 'source = "/no"; destination = "x"; direction = "download"',
            'source = "s.sh"; destination = "/x"; direction = "sideways"', 'source = "d"; destination = "/x"')
    + steps("provisioner", "breakpoint", "docker.d", "", 'note = "x"; disable = true', 'disable = "x"')
    + local('command = "true"', 'inline = ["true"]', 'script = "s.sh"', 'scripts = ["no"]', "", 'command = ""',
            'command = "true"; inline = ["x"]', 'command = "true"; execute_command = ["sh", "-c", "{{.Script}}"]',
            'command = "true"; only_on = ["linux"]', 'command = "true"; only_on = ["x"]', 'command = "true"; valid_exit_codes = [3]',
            'command = "true"; tempfile_extension = ".x"', 'command = "true"; env_var_format = "x"',
            'command = "true"; environment_vars = ["x"]', 'command = "true"; execute_command = "x"', 'command = "${build.ID}"',
            'command = "${build.no}"', 'command = "${source.name}"', 'command = "${source.no}"', 'command = "${packer.version}"',
            'command = "${path.root}${path.cwd}"', 'command = "${path.no}"', 'command = "${build.name}"', 'command = "${each.x}"',
            'command = "${build.PackerHTTPAddr}${build.Host}${build.User}${build.SSHPublicKey}"', 'command = "{{build_name}}"',
            'command = "{{no}}"', 'command = "{{"', 'command = "{{user `x`}}"', 'command = "{{env `HOME`}}"',
            'command = "{{clean_resource_name `x`}}"')
    + post("manifest", "", 'output = "x"; strip_path = true; strip_time = true; custom_data = { a = "b" }', 'custom_data = "x"',
           "bogus = 1", "keep_input_artifact = false", 'keep_input_artifact = "x"', 'only = ["docker.d"]',
           'only = ["x"]; except = ["y"]', 'name = "m"', 'pause_before = "1s"')
    + post("checksum", "", 'checksum_types = ["sha224", "sha384", "sha512", "sha1", "md5", "sha256"]', 'checksum_types = ["x"]',
           'output = "{{.BuildName}}_{{.ChecksumType}}"', 'output = "{{"')
    + post("compress", "", 'output = "x.tar.bz2"', 'format = "zip"', 'format = "x"', "compression_level = 3", "compression_level = 11",
           "compression_level = -5", 'output = "x.tar.xz"', 'output = "x"; format = "tar.gz"')
    + post("artifice", "", 'files = ["x"]') + post("shell-local", 'command = "true"', "")
    + post("docker-tag", 'repository = "a"', 'repository = "a"; tags = ["1"]; force = true', 'repository = "a"; tag = "1"')
    + post("docker-save", 'path = "x"')
    + [build(b) for b in (
        'post-processors {\npost-processor "manifest" {}\npost-processor "checksum" {}\n}', "post-processors {}",
        "post-processors {\nmanifest {}\n}", 'post-processors "x" {}', 'post-processors {\nonly = ["x"]\n}',
        'provisioner "shell-local" {}', "provisioner {}", 'provisioner "a" "b" {}', "bogus {}", "bogus = 1", "name = 5",
        'name = "x"\ndescription = "y"', 'from = "x"',
        'dynamic "provisioner" {\nfor_each = ["a"]\nlabels = ["shell-local"]\ncontent {\ncommand = "true"\n}\n}',
        'dynamic "provisioner" {\nfor_each = ["a"]\ncontent {}\n}', 'dynamic "provisioner" {\nlabels = ["x"]\ncontent {}\n}')]
    + [build("", s) for s in ("source.null.a", "sources.null.a", "no.a", "null", "null.1x", "null.a b")]
    + [SOURCES + b for b in (
        'build {\nsources = "null.a"\n}', 'build {\nsource "null.a" {}\n}', 'build {\nsource "source.null.a" {\nname = "x"\n}\n}',
        'build {\nsource "source.null.a" {\ncommunicator = "none"\n}\n}', 'build {\nsource "no" {}\n}',
        'build {\nsources = ["null.a", "null.a"]\n}', 'build "x" {}',
        'build {\nsources = ["null.a"]\nsource "null.b" {}\n}', 'source "null" "a" {}', 'source "null" {}', "source {}",
        'source "no" "x" {}\nbuild {\nsources = ["no.x"]\n}')]
    + variable("", "default = 1; type = string", 'default = "a"; type = number', "type = bogus; default = 1",
               'default = [1, "a"]; type = list(number)', "default = null", 'default = 1; sensitive = true; description = "d"',
               "default = 1; bogus = true", 'default = upper("a")', 'default = env("HOME")', rule(GOOD_RULE, MESSAGE),
               rule('condition = var.x == "b"', MESSAGE), rule(GOOD_RULE, 'error_message = "bad"'),
               rule('condition = var.y == "a"', MESSAGE), rule("condition = 5", MESSAGE), rule("", MESSAGE), rule(GOOD_RULE, ""),
               rule("condition = true", MESSAGE))
    + top('variable "x" "y" {}', 'variable "1x" {; default = 1; }', 'variable "x" {; default = 1; }; variable "x" {; default = 1; }',
          'variables {; x = 1; }; variable "x" {; default = 1; }', "variables {; x = null; }", "variables {; x = y; }",
          "locals {; a = 1; }", "locals {; a = local.b; b = 1; }", "locals {; a = local.b; b = local.a; }", 'locals "x" {}',
          "locals {; a = var.no; }", "locals {; a = local.no; }", "locals {; a {}; }", "locals {; a = local.a; }", "bogus {}", "bogus = 1",
          "packer {}", 'packer {; required_version = ">= 1.0.0"; }', 'packer {; required_version = "> 9"; }',
          'packer {; required_version = "x"; }', 'packer {; required_version = "${var.x}"; }', "packer {; bogus = 1; }",
          "packer {; required_version = 5; }", 'packer {; required_version = ">= 1.0.0, < 3.0.0"; }',
          'packer {; required_version = "~> 1.6"; }', 'packer "x" {}', 'communicator "ssh" "x" {}'))

# What a script gets of these; %s of the file's JSON syntax are doubled by nobody.
STRINGS = r"""
{{build_name}}/{{build_type}} {{isotime `2006`}} {{pwd}} {{strftime `%Y`}}
{{upper `x`}} {{split `a-b` `-` 1}} {{replace_all `a` `b` `banana`}} {{timestamp | len}} {{uuid | len}}
{{if eq build_name `n`}}yes{{else}}no{{end}} {{printf `%05d|%q` 42 `x`}} {{"}}"}}
x {{- ` y ` -}} z {{with `w`}}{{.}}{{end}} {{$v := `v`}}{{$v}} {{or `` `o`}}
""".strip().split("\n")


def main():
    kiln, packer = sys.argv[1:]
    os.mkdir("d")
    for name in ("s.sh", "d/f"):
        with open(name, "w", encoding="utf-8") as f:
            f.write("true\n")
    bad = 0
    for template in TEMPLATES:
        with open("v.pkr.hcl", "w", encoding="utf-8") as f:
            f.write(template)
        mine, theirs = run(kiln, "validate", "v.pkr.hcl"), run(packer, "validate", "v.pkr.hcl")
        if (mine[0] == 0) != (theirs[0] == 0):  # theirs may crash, which is 2
            bad += 1
            print("%s\n  kiln   %d %s\n  packer %d %s" % ((template.replace(SOURCES, ""),) + mine + theirs))
    provisioners = [{"shell-local": {"environment_vars": ["V=" + s], "inline": ["printf '%s\n' \"$V\" >> out"]}} for s in STRINGS]
    with open("t.pkr.json", "w", encoding="utf-8") as f:
        json.dump({"source": {"null": {"n": {"communicator": "none"}}},
                   "build": {"sources": ["source.null.n"], "provisioner": provisioners}}, f)
    for string, mine, theirs in zip(STRINGS, written(kiln, "t.pkr.json"), written(packer, "t.pkr.json")):
        if mine != theirs:
            bad += 1
            print("%s\n  kiln   %r\n  packer %r" % (string, mine, theirs))
    print("%d templates, %d strings, %d differ" % (len(TEMPLATES), len(STRINGS), bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
