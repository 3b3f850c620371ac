#!/usr/bin/env python3
"""Runs kiln hcldec and hashicorp's hcldec side by side over generated specifications and inputs.

    hcldec_cases.py KILN HCLDEC [-n CASES] [-s SEED] [-k]

A case is a specification, an input in HCL or JSON and sometimes variables, all from one seeded generator; a part of the
inputs is broken by a small change. Equal must be: exit status, value and type (numbers digit by digit), and for errors
the places of all diagnostics. The texts of messages are each program's own. Exit status 1 when a case differs.
"""
import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile

WORDS = ["a", "b", "c", "name", "x-y", "foo_1", "é"]
STRINGS = ["", "a", "foo", "5", "true", "1.50", "é", "e\\u0301", "\\u00e9", "👩‍👩‍👧", "x y", "$", "%", "$$", "a$b", "100%",
           "\\\"q\\\"", "\\n", "\\t", "\\\\", "$${x}", "%%{x}", "<&>", "\\U0001F600"]
NUMBERS = ["0", "1", "2", "3", "10", "-1", "0.1", "1.5", "1e3", "1.25e-3", "12345678901234567890", "6.8", "1.2", "100",
           "3.14159265358979323846264338327950288419716939937510582097494459", "1E2", "0.5e1", "9007199254740993"]


class Generator:
    def __init__(self, rng, scope, functions, error_rate, free_logic):
        self.r = rng
        self.scope = scope
        self.functions = functions
        self.error_rate = error_rate
        self.free_logic = free_logic

    def pick(self, items):
        return items[self.r.randrange(len(items))]

    def chance(self, p):
        return self.r.random() < p

    def kind(self):
        return self.pick(["string", "number", "bool", "list", "object", "any"])

    def expr(self, depth, want=None):
        """An expression that mostly has the wanted kind."""
        if want is None or self.chance(self.error_rate):
            want = self.kind()
        if depth <= 0:
            return self.leaf(want)
        forms = [self.leaf, self.conditional, self.paren, self.reference, self.access]
        forms += {"string": [self.template, self.template, self.call, self.heredoc],
                  "number": [self.arithmetic, self.arithmetic, self.sign, self.call],
                  "bool": [self.comparison, self.logic, self.not_],
                  "list": [self.tuple, self.tuple, self.for_list, self.splat],
                  "object": [self.object, self.object, self.for_object],
                  "any": [self.tuple, self.object, self.splat, self.for_list, self.template, self.call]}[want]
        form = self.pick(forms)
        if form == self.leaf:
            return self.leaf(want)
        return form(depth - 1, want)

    def leaf(self, want):
        if want == "any":
            want = self.kind()
        if want == "string":
            return '"%s"' % self.pick(STRINGS)
        if want == "number":
            return self.pick(NUMBERS)
        if want == "bool":
            return self.pick(["true", "false"])
        if want == "list":
            return self.pick(["[]", "[1, 2, 3]", '["a", "b"]', "[true]", '[1, "a", null]', "[[1], [2]]", '[{a = 1}, {a = "x"}]'])
        if want == "object":
            return self.pick(["{}", "{a = 1}", '{a = "x", b = 2}', "{a = {b = [1]}}", '{"é" = true}', "{a = null}"])
        return "null"

    def reference(self, depth, want):
        names = [n for n, k in self.scope.items() if k == want or want == "any"]
        if not names:
            return self.leaf(want) if not self.chance(self.error_rate) else self.pick(["nope", "nope.a", "nope[0]"])
        return self.pick(names)

    def paren(self, depth, want):
        return "(%s)" % self.expr(depth, want)

    def conditional(self, depth, want):
        return "%s ? %s : %s" % (self.operand(depth, "bool"), self.expr(depth, want),
                                 self.expr(depth, want if self.chance(0.8) else None))

    def operand(self, depth, want):
        text = self.expr(depth, want)
        simple = text[0] not in "-!" and not any(c in text for c in " \n?")
        return text if simple or self.chance(0.1) else "(%s)" % text

    def arithmetic(self, depth, want):
        n = self.r.randrange(2, 4)
        out = self.operand(depth, "number")
        for _ in range(n - 1):
            out += self.pick([" + ", " - ", " * ", " / ", " % ", "+", "*"]) + self.operand(depth, "number")
        return out

    def sign(self, depth, want):
        return self.pick(["-", "-", "- -", "-!"] if self.chance(self.error_rate) else ["-"]) + self.operand(depth, "number")

    def not_(self, depth, want):
        return self.pick(["!", "!", "!!"]) + self.operand(depth, "bool")

    def comparison(self, depth, want):
        if self.chance(0.5):
            return "%s %s %s" % (self.operand(depth, "number"), self.pick(["<", ">", "<=", ">="]), self.operand(depth, "number"))
        want = self.kind()
        return "%s %s %s" % (self.operand(depth, want), self.pick(["==", "!="]), self.operand(depth, want))

    def logic(self, depth, want):
        side = (lambda: self.operand(depth, "bool")) if self.free_logic else (lambda: self.leaf("bool"))
        return "%s %s %s" % (side(), self.pick(["&&", "||"]), side())

    def tuple(self, depth, want):
        n = self.r.randrange(0, 4)
        items = [self.expr(depth, "any" if self.chance(0.6) else "number") for _ in range(n)]
        separator = self.pick([", ", ",\n  ", ","])
        return "[" + separator.join(items) + (self.pick(["", ","]) if items else "") + "]"

    def key(self, depth):
        roll = self.r.random()
        if roll < 0.6:
            return self.pick(WORDS)
        if roll < 0.75:
            return '"%s"' % self.pick(["a", "b c", "é", "1"])
        if roll < 0.85:
            return "(%s)" % self.expr(depth, "string")
        if roll < 0.9:
            return self.pick(["1", "true", "null", '"k${1}"'])
        return self.pick(WORDS) if not self.chance(self.error_rate) else self.pick(["a.b", "a[0]", "(null)", "[]", "(a.b)"])

    def object(self, depth, want):
        n = self.r.randrange(0, 4)
        separator = self.pick([", ", "\n  ", ",\n  "])
        assign = self.pick([" = ", " = ", ": ", "="])
        items = [self.key(depth) + assign + self.expr(depth, "any") for _ in range(n)]
        return "{" + self.pick(["", " ", "\n  "]) + separator.join(items) + self.pick(["", " ", "\n"]) + "}"

    def access(self, depth, want):
        text = self.expr(depth, self.pick(["list", "object"]))
        if text[0] not in "[{(" or "?" in text:
            text = "(%s)" % text
        steps = [".a", ".b", "[0]", "[1]", '["a"]', ".0", '["b"]', "[%s]" % self.leaf("number"), "[%s]" % self.expr(0)]
        for _ in range(self.r.randrange(1, 3)):
            text += self.pick(steps)
        return text

    def splat(self, depth, want):
        text = self.expr(depth, self.pick(["list", "list", "object", "any"]))
        if text[0] not in "[{(" or "?" in text:
            text = "(%s)" % text
        return text + self.pick(["[*]", ".*", "[*].a", ".*.a", "[*][0]", "[*].a.b", ".*.a[0]", "[*].a[*]", ".*.0"])

    def binder(self):
        name = self.pick(["v", "k", "item"])
        return (self.pick(["i", "k2"]) + ", " + name if self.chance(0.4) else name), name

    def inside(self, names):
        saved = dict(self.scope)
        for n in names:
            self.scope[n] = self.pick(["any", "number", "string"])
        return saved

    def for_list(self, depth, want):
        binder, name = self.binder()
        collection = self.expr(depth, self.pick(["list", "object"]))
        saved = self.inside([w.strip() for w in binder.split(",")])
        value = self.expr(depth, "any")
        condition = " if " + self.expr(depth, "bool") if self.chance(0.3) else ""
        self.scope = saved
        return "[for %s in %s : %s%s]" % (binder, collection, value, condition)

    def for_object(self, depth, want):
        binder, name = self.binder()
        collection = self.expr(depth, self.pick(["list", "object"]))
        saved = self.inside([w.strip() for w in binder.split(",")])
        key = self.pick(['"${%s}"' % name, name, self.expr(depth, "string"), binder.split(",")[0]])
        value = self.expr(depth, "any")
        group = self.pick(["", "..."])
        condition = " if " + self.expr(depth, "bool") if self.chance(0.2) else ""
        self.scope = saved
        return "{for %s in %s : %s => %s%s%s}" % (binder, collection, key, value, group, condition)

    def parts(self, depth, quoted):
        out = ""
        for _ in range(self.r.randrange(1, 4)):
            roll = self.r.random()
            text = self.pick(STRINGS)
            literal = text if quoted else text.replace("\\", "")
            left, right = self.pick([("", ""), ("~", ""), ("", "~"), ("~", "~")])
            space = self.pick(["", " ", "  "])
            if roll < 0.4:
                out += literal
            elif roll < 0.8:
                out += "%s${%s %s %s}%s" % (space, left, self.expr(depth, self.pick(["string", "number", "bool"])).replace("\n", " "), right, space)
            elif roll < 0.9:
                out += "%s%%{%s if %s %s}%s%%{ else }%s%%{%s endif %s}" % (
                    space, left, self.operand(depth, "bool").replace("\n", " "), right, literal, self.pick(["", "no", " "]), left, right)
            else:
                saved = self.inside(["v"])
                body = "<${v}>" if self.chance(0.7) else literal
                self.scope = saved
                out += "%s%%{%s for v in %s %s}%s%%{ endfor %s}" % (
                    space, left, self.pick(["[1, 2]", '["a", "b"]', "{a = 1}", self.leaf("list")]), right, body, right)
        return out

    def template(self, depth, want):
        return '"%s"' % self.parts(min(depth, 1), True)

    def heredoc(self, depth, want):
        lines = []
        for _ in range(self.r.randrange(0, 4)):
            lines.append(" " * self.r.randrange(0, 5) + self.parts(0, False).replace('\\"', '"'))
        flush = self.pick(["", "-"])
        return "<<%sEOT\n%s%sEOT\n" % (flush, "".join(line + "\n" for line in lines), " " * self.r.randrange(0, 3))

    def call(self, depth, want):
        if not self.functions or self.chance(self.error_rate):
            return self.pick(["nope(1)", "ns::f()", "upper()"]) if self.chance(self.error_rate) else self.leaf(want)
        name, count = self.pick(list(self.functions.items()))
        given = [self.expr(depth, self.pick(["string", "number"])) for _ in range(count if not self.chance(self.error_rate) else self.r.randrange(0, 4))]
        if given and self.chance(0.15):
            return "%s([%s]...)" % (name, ", ".join(given))
        return "%s(%s)" % (name, self.pick([", ", ",\n"]).join(given))


TYPES = ["any", "any", "any", "any", "string", "number", "bool", "list(any)", "list(string)", "set(string)", "map(any)",
         "map(string)", "list(number)", "tuple([any, string])", "object({a = any})", "object({a = string, b = number})", "set(any)"]


class Case:
    """A specification and an input that mostly fits it."""

    def __init__(self, rng, free_logic):
        self.r = rng
        self.error_rate = rng.choice([0, 0, 0.05, 0.2])
        self.variables = {"v1": ("number", "7"), "v2": ("string", '"str"'), "v3": ("list", '[1, 2, "x"]'),
                          "v4": ("object", '{"a": 1, "b": {"a": [1, 2]}}'), "v5": ("bool", "true")} if rng.random() < 0.6 else {}
        self.functions = {}
        self.header = ""
        if rng.random() < 0.4:
            self.functions = {"twice": 1, "join2": 2, "first": 1}
            self.header = ('function "twice" {\n  params = [x]\n  result = [x, x]\n}\n'
                           'function "join2" {\n  params = [x, y]\n  result = "${x}-${y}"\n}\n'
                           'function "first" {\n  params = [x]\n  variadic_param = more\n  result = {x = x, n = length(more)}\n}\n')
        self.spec_variables = rng.random() < 0.3
        if self.spec_variables:
            self.header += 'variables {\n  sv = "from spec"\n}\n'
        scope = {n: k for n, (k, _) in self.variables.items()}
        if self.spec_variables:
            scope["sv"] = "string"
        self.generator = Generator(rng, scope, self.functions, self.error_rate, free_logic)
        self.expected = []
        self.used = set()
        self.spec = self.header + self.spec_text(2, "")
        self.input = self.input_text()

    def spec_text(self, depth, key):
        label = ' "%s"' % key if key else ""
        roll = self.r.random()
        if depth > 0 and (roll < 0.5 or not key):
            children = "".join(self.spec_text(depth - 1, k) for k in self.r.sample(["p", "q", "r", "s"], self.r.randrange(1, 4)))
            return "object%s {\n%s}\n" % (label, children)
        if depth > 0 and roll < 0.6:
            return "array%s {\n%s}\n" % (label, "".join(self.spec_text(0, "") for _ in range(self.r.randrange(1, 3))))
        if roll < 0.65:
            return "literal%s {\n  value = %s\n}\n" % (label, self.r.choice(['"lit"', "5", "[1, true]", 'upper("é")', "null"]))
        if roll < 0.72:
            return "default%s {\n%s  literal {\n    value = \"dflt\"\n  }\n}\n" % (label, self.attr_spec(""))
        if roll < 0.77:
            result = self.r.choice(["nested", "[nested]", '"${nested}"', "{n = nested}", "length([nested])"])
            return "transform%s {\n  result = %s\n%s}\n" % (label, result, self.attr_spec(""))
        if roll < 0.9 or depth <= 0:
            return self.attr_spec(label)
        return self.block_spec(label)

    def fresh(self, names):
        """A name that is not in use: what theirs makes of one that is depends on the order of a map."""
        name = self.r.choice([n for n in names if n not in self.used] or ["n%d" % len(self.used)])
        self.used.add(name)
        return name

    def attr_spec(self, label):
        name = self.fresh(["a1", "a2", "a3", "a4", "x-y"])
        kind = self.r.choice(TYPES)
        required = self.r.random() < 0.2
        self.expected.append(("attr", name, kind))
        return 'attr%s {\n  name = "%s"\n  type = %s\n%s}\n' % (label, name, kind, "  required = true\n" if required else "")

    def block_spec(self, label):
        kind = self.r.choice(["block", "block_list", "block_set", "block_map"])  # theirs has no block_tuple and no block_attrs
        name = self.fresh(["blk", "box", "item"])
        inner_type = self.r.choice(["string", "number", "any"] if kind != "block_map" else ["string", "number"])
        extra = ""
        if kind in ("block_list", "block_set") and self.r.random() < 0.3:
            extra = self.r.choice(["  min_items = 1\n", "  max_items = 1\n"])
        if kind == "block" and self.r.random() < 0.3:
            extra = "  required = true\n"
        labels = 0
        if kind == "block_map":
            labels = self.r.randrange(1, 3)
            extra = "  labels = [%s]\n" % ", ".join('"l%d"' % i for i in range(labels))
        form = self.r.choice(["attr", "attr", "object", "object", "deep"])
        self.expected.append(("deep" if form == "deep" else "block", name, labels))
        attr = 'attr%s {\n      name = "in"\n      type = %s\n    }\n'
        inner = {"attr": attr % ("", inner_type),
                 "object": "object {\n    " + attr % (' "in"', inner_type) + '    attr "z" {\n      type = string\n    }\n  }\n',
                 "deep": 'block {\n    block_type = "deep"\n    ' + attr % ("", inner_type) + "  }\n"}[form]
        return '%s%s {\n  block_type = "%s"\n%s  %s}\n' % (kind, label, name, extra, inner)

    def input_text(self):
        out = self.r.choice(["", "", "# comment\n", "/* c */ // d\n", "\n", "\ufeff" if self.r.random() < 0.2 else ""])
        done = set()
        for kind, name, detail in self.expected:
            if kind == "attr":
                if name in done and self.r.random() > self.error_rate:
                    continue
                if self.r.random() < 0.1:
                    continue
                done.add(name)
                want = {"string": "string", "number": "number", "bool": "bool"}.get(detail, "any" if detail == "any" else None)
                if want is None:
                    want = "list" if detail[0] in "lst" else "object"
                expr = self.generator.expr(self.r.randrange(0, 4), want)
                out += "%s%s%s" % (name, self.r.choice([" = ", "="]), expr)
                out += "" if expr.endswith("\n") else self.r.choice(["\n", "\n", " # c\n", "\n\n"])
            else:
                for _ in range(self.r.randrange(0, 3)):
                    labels = "".join(' "%s"' % self.r.choice(["k1", "k2", "é"]) for _ in range(detail if self.r.random() > self.error_rate else 3))
                    body = "in = %s" % self.generator.expr(self.r.randrange(0, 2), self.r.choice(["string", "number"]))
                    if kind == "deep":
                        body = self.r.choice(["", "", "deep {}\n"]) + "deep {\n" + body + ("" if body.endswith("\n") else "\n") + "}"
                    if "\n" in body or self.r.random() < 0.6:
                        body = "\n  " + body + ("" if body.endswith("\n") else "\n")
                    else:
                        body = " " + body + " "
                    out += "%s%s {%s}\n" % (name, labels, body)
        if self.r.random() < self.error_rate:
            out += self.r.choice(["extra = 1\n", "other {}\n", "a1 {}\n", "blk = 1\n"])
        return out

    def vars_json(self):
        return "{" + ", ".join('"%s": %s' % (n, v) for n, (_, v) in self.variables.items()) + "}"


TOKENS = ['"', "{", "}", "[", "]", "(", ")", "=", ",", ":", ".", "\n", "${", "%{", "~}", "*", "...", "=>", "for ", "if ", "in ",
          "&", "'", "`", ";", "|", "?", "!", "::", "<<E\n", "EOT", "1.2.3", "é", "\\", "$", "%", "#", "/*", "\t", "\r", "== ", "1e"]


def break_text(rng, text):
    for _ in range(rng.choice([1, 1, 1, 2])):
        at = rng.randrange(len(text) + 1)
        roll = rng.random()
        if roll < 0.4:
            text = text[:at] + rng.choice(TOKENS) + text[at:]
        elif roll < 0.7:
            text = text[:at] + text[at + rng.randrange(1, 4):]
        elif roll < 0.9 and len(text) > 1:
            other = rng.randrange(len(text))
            text = text[:at] + text[other:other + rng.randrange(1, 6)] + text[at:]
        else:
            text = text[:at]
    return text


def json_value(rng, depth):
    roll = rng.random()
    if depth <= 0 or roll < 0.5:
        return rng.choice(['"s"', '"${1 + 1}"', '"a ${v2} b"', '"%{if true}x%{endif}"', "1", "-2.5e3", "true", "null", '"\\u00e9"',
                           '"${v4.a}"', '"é${nope}"', '"$${x}"', '"\\ud83d\\ude00"', '"${"', '"a\\nb${1}"', '"é ${1 +}"'])
    if roll < 0.75:
        return "[" + ", ".join(json_value(rng, depth - 1) for _ in range(rng.randrange(0, 3))) + "]"
    return "{" + ", ".join('%s: %s' % (rng.choice(['"a"', '"b"', '"k${1}"', '"in"', '"z"', '"//"']), json_value(rng, depth - 1))
                           for _ in range(rng.randrange(0, 3))) + "}"


def json_expression(generator):
    """A whole expression in a string: its characters are escaped, its places are counted in the file all the same."""
    text = generator.pick(["", "", "é ", '"\n']) + "${" + generator.expr(2, "any") + "}"
    return json.dumps(text, ensure_ascii=generator.chance(0.3))


def json_input(rng, case):
    properties = []
    for kind, name, detail in case.expected:
        if kind == "attr":
            properties.append('"%s": %s' % (name, json_expression(case.generator) if rng.random() < 0.4 else json_value(rng, 2)))
        else:
            body = '{"in": %s}' % json_value(rng, 1)
            if kind == "deep":
                body = '{"deep": %s}' % body
            if rng.random() < 0.3:
                body = "[%s, %s]" % (body, '{"in": %s}' % json_value(rng, 0))
            for _ in range(detail):
                body = '{"%s": %s}' % (rng.choice(["k1", "k2"]), body)
            properties.append('"%s": %s' % (name, body if rng.random() < 0.9 else json_value(rng, 1)))
    if rng.random() < 0.2:
        properties.append(rng.choice(['"//": "comment"', '"extra": 1']))
    text = "{" + rng.choice(["", "\n\t"]) + (rng.choice([", ", ",\n  "])).join(properties) + "}" + rng.choice(["", "\n"])
    return text if rng.random() < 0.9 else "[%s]" % text


def run(program, arguments, directory):
    done = subprocess.run(program + arguments, cwd=directory, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def places(stderr):
    out = []
    for d in json.loads(stderr)["diagnostics"]:
        s = d.get("subject")
        out.append((d["severity"],) + ((s["filename"],) + tuple(s[e][k] for e in ("start", "end") for k in ("line", "column", "byte")) if s else ()))
    return sorted(out)


def outcome(result):
    code, stdout, stderr = result
    if code == 2:
        return "errors", places(stderr)
    if code == 0:
        return "value", json.loads(stdout, parse_float=str, parse_int=str)
    return "status", code


def summaries(stderr):
    try:
        return [(d["summary"], d.get("subject", {}).get("start")) for d in json.loads(stderr)["diagnostics"]]
    except (ValueError, KeyError):
        return stderr[:300]


def write(path, text):
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(text)


def make(rng, directory, free_logic):
    case = Case(rng, free_logic)
    write(os.path.join(directory, "spec.hcldec"), case.spec)
    arguments = ["--spec=spec.hcldec", "--diags=json"]
    if rng.random() < 0.8:
        arguments.append("--with-type")
    if rng.random() < 0.7:
        arguments.append("--keep-nulls")
    if case.variables:
        arguments.append("--vars=" + case.vars_json())
    name = "input.hcl"
    text = case.input
    if rng.random() < 0.2:
        name = "input.hcl.json"
        text = json_input(rng, case)
    if rng.random() < 0.3:
        broken = break_text(rng, text)
        logic = not free_logic and any(sign in broken for sign in ("&&", "||"))  # for what a side may hold see Generator.logic
        if not logic and not re.search("[0-9]e[+-]?[0-9]{4}", broken, re.IGNORECASE):  # kiln's limit: docs/packer-differences.md
            text = broken
    write(os.path.join(directory, name), text)
    if rng.random() < 0.08:
        arguments.append("--var-refs")
    return arguments + [name], text


def same(kiln, theirs, arguments):
    mine = outcome(kiln)
    other = outcome(theirs)
    if "--var-refs" in arguments and mine[0] == other[0] == "value":
        key = lambda t: json.dumps(t, sort_keys=True)
        return sorted(map(key, mine[1])) == sorted(map(key, other[1]))
    return mine == other


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kiln")
    parser.add_argument("hcldec")
    parser.add_argument("-n", type=int, default=300)
    parser.add_argument("-s", type=int, default=1)
    parser.add_argument("-k", action="store_true", help="go on after a difference")
    parser.add_argument("--free-logic", action="store_true", help="the other hcldec is of hcl 2.24 or later")
    options = parser.parse_args()
    kiln, theirs = [os.path.abspath(options.kiln), "hcldec"], [os.path.abspath(options.hcldec)]
    counts = {"value": 0, "errors": 0, "status": 0}
    bad = 0
    with tempfile.TemporaryDirectory() as directory:
        for number in range(options.n):
            rng = random.Random(options.s * 1_000_003 + number)
            arguments, text = make(rng, directory, options.free_logic)
            other = run(theirs, arguments, directory)
            if other[0] not in (0, 2) or other[2].startswith(("panic:", "fatal error:")):
                # it crashed
                counts["status"] += 1
                continue
            try:
                kind = outcome(other)[0]
            except ValueError:  # its value has no JSON form
                counts["status"] += 1
                continue
            mine = run(kiln, arguments, directory)
            try:
                equal = same(mine, other, arguments)
            except (ValueError, KeyError) as problem:
                equal = False
                print(problem)
            counts[kind] += 1
            if equal:
                continue
            bad += 1
            print("case %d (seed %d) differs: %s" % (number, options.s, " ".join(arguments)))
            with open(os.path.join(directory, "spec.hcldec"), encoding="utf-8") as f:
                print("--- spec\n%s--- input\n%s" % (f.read(), text))
            print("--- kiln   %d %s%s" % (mine[0], mine[1][:600], summaries(mine[2]) if mine[2] else ""))
            print("--- theirs %d %s%s" % (other[0], other[1][:600], summaries(other[2]) if other[2] else ""))
            if not options.k:
                return 1
    print("%d cases: %d values, %d with errors, %d not comparable, %d differ" %
          (options.n, counts["value"], counts["errors"], counts["status"], bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
