#!/usr/bin/env python3
"""Names that a .cc file keeps to itself (in its unnamed namespace) must not be names of its room's or base's headers.

Several files of a room are compiled as one unit: there such a name would silently stand before the header's in every file
that follows. Two files that keep one and the same name are found by the compiler.
"""
import pathlib
import re
import sys

SRC = pathlib.Path(__file__).resolve().parent.parent / "src"
NAME = re.compile(r"^(?:(?:static|inline|constexpr|consteval|extern|const)\s+)*"
                  r"(?:(?:class|struct|enum class|enum|union|using)\s+(?:\[\[[^\]]*\]\]\s+)?(\w+)"
                  r"|(?:template\b.*|[A-Za-z_][\w:<>,&* ]*[\s&*])(\w+)\s*(?:\(|=|\{|;|\[))")
TESTS = re.compile("test_|_fixture|_support")  # headers of tests, which are other units


def names(path):
    """(namespace, whether unnamed, name, line) of what a file declares at its left margin."""
    space, unnamed = "", False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("namespace kiln") and line.endswith("{"):
            space = line.split()[1]
        elif line == "namespace {":
            unnamed = True
        elif line.startswith("}  // namespace"):
            unnamed = False
        elif (match := NAME.match(line)) and not line.startswith(("return", "namespace", "using namespace")):
            yield space, unnamed, match.group(1) or match.group(2), number


def main():
    shared = {(space, name): path for path in sorted(SRC.rglob("*.h"))
              if not TESTS.search(path.name) for space, _, name, _ in names(path)}
    bad = 0
    for path in sorted(SRC.rglob("*.cc")):
        if path.parent.name == "init":  # a program of its own
            continue
        for space, unnamed, name, line in names(path):
            outer = space
            while unnamed and outer:
                if (outer, name) in shared:
                    print(f"{path.relative_to(SRC.parent)}:{line}: {name} is declared in "
                          f"{shared[outer, name].relative_to(SRC.parent)} as well: give it a name of its own")
                    bad = 1
                outer = outer.rpartition("::")[0]
    return bad


if __name__ == "__main__":
    sys.exit(main())
