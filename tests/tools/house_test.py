#!/usr/bin/env python3
"""Each rule of tools/house.py finds what it is there for, and nothing in a tree that obeys."""
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import tap  # noqa: E402

HOUSE = os.path.join(HERE, "..", "..", "tools", "house.py")
LICENCE = "// SPDX-License-Identifier: Apache-2.0\n"
GOOD = {
    "ARCHITECTURE.md": "| `base` |  |\n| `wire` | `base` |\n| `proto/*` | `base` `wire` |\n",
    "src/meson.build": "protos = ['dns', 'tls']\nrooms = [\n  ['base', [], [], ['x']],\n"
                       "  ['wire', ['base'], [], ['wire', 'x', 'up']],\n  ['proto/*', ['base', 'wire'], [], []],\n]\n",
    "src/base/span.h": LICENCE + "/* A span. */\n#pragma once\nstruct span;\n",
    "src/wire/wire.h": LICENCE + "/* Door. */\n#pragma once\n\n#include \"base/span.h\"\n",
    "src/wire/wire_ip.h": LICENCE + "/* Private. */\n#pragma once\n",
    "src/wire/wire.c": LICENCE + '#include "wire/wire.h"\n#include "wire/wire_ip.h"\n'
                       "static const char *const names[] = {\"a}{\", \"b\"};\n",
    "src/proto/proto.h": LICENCE + "/* Door. */\n#pragma once\n",
    "src/proto/dns/dns.c": LICENCE + '#include "proto/proto.h"\n#include "wire/wire.h"\n',
    "src/proto/tls/tls.c": LICENCE + "/* free(malloc) */\n",
    "src/proto/tls/tls.h": LICENCE + "/* Private. */\n#pragma once\n",
}


def findings(**changes):
    """What house.py says of the good tree with some files replaced or added ('/' written __)."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in (GOOD | {k.replace("__", "/"): v for k, v in changes.items()}).items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        done = subprocess.run([sys.executable, HOUSE, "--root", root], capture_output=True, text=True)
        *lines, figures = done.stdout.splitlines() or [done.stderr]
        return [line for line in lines if not line.startswith(figures)]


class House(unittest.TestCase):
    def one(self, place, words, **changes):
        found = findings(**changes)
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(place + ":"), found[0])
        self.assertIn(words, found[0])

    def test_a_tree_that_obeys(self):
        self.assertEqual(findings(), [])

    def test_a_call_upward(self):
        self.one("src/wire/up.c:2", "wire may not use proto",
                 **{"src__wire__up.c": LICENCE + '#include "proto/proto.h"\n'})

    def test_a_wing_that_meets_itself(self):
        self.one("src/proto/dns/x.c:2", "proto/dns may not use proto/tls",
                 **{"src__proto__dns__x.c": LICENCE + '#include "proto/tls/tls.h"\n'})

    def test_a_private_header(self):
        self.one("src/proto/dns/x.c:2", "private to wire",
                 **{"src__proto__dns__x.c": LICENCE + '#include "wire/wire_ip.h"\n'})

    def test_a_short_path(self):
        self.one("src/wire/x.c:2", "write its path",
                 **{"src__wire__x.c": LICENCE + '#include "wire.h"\n'})

    def test_a_circle(self):
        head = LICENCE + "/* x */\n#pragma once\n"
        self.one("src/base/b.h:4", "base/a.h -> base/b.h -> base/a.h",
                 **{"src__base__a.h": head + '#include "base/b.h"\n',
                    "src__base__b.h": head + '#include "base/a.h"\n'})

    def test_no_licence(self):
        self.one("src/base/x.c:1", "SPDX", **{"src__base__x.c": "int x(void);\n"})

    def test_no_essay(self):
        self.one("src/base/x.h:2", "essay", **{"src__base__x.h": LICENCE + "\n#pragma once\n"})

    def test_a_name_taken(self):
        self.one("src/wire/span.h:1", "is called as src/base/span.h",
                 **{"src__wire__span.h": LICENCE + "/* x */\n#pragma once\n"})

    def test_a_long_function(self):
        self.one("src/base/x.c:2", "long_one() has 103 lines",
                 **{"src__base__x.c": LICENCE + "int long_one(int a)\n{\n" + "    a++;\n" * 100 + "}\n"})

    def test_a_long_file(self):
        self.one("src/base/x.c:1", "601 lines", **{"src__base__x.c": LICENCE + "\n" * 600})

    def test_mutable_globals(self):
        text = LICENCE + ("int a;\nstatic char *b = 0;\nconst char *c;\nchar *const d = 0;\n"
                          "static const int e[] = {1};\nint f(void);\nstruct g { int h; };\n"
                          "int i(void)\n{\n    static int j;\n    return j;\n}\nint k;\n")
        found = findings(**{"src__base__x.c": text})
        self.assertEqual([line.split(":")[1] for line in found], ["2", "3", "4", "11", "14"])

    def test_memory_on_the_packet_path(self):
        self.one("src/wire/x.c:4", "malloc() on the packet path",
                 **{"src__wire__x.c": LICENCE + "void *f(void)\n{\n    return malloc(1);\n}\n"})

    def test_a_log_line_from_below(self):
        self.one("src/wire/x.c:4", "only cmd/ and engine/ log",
                 **{"src__wire__x.c": LICENCE + "void f(void)\n{\n    log_info(\"x\");\n}\n"})

    def test_another_plan_in_the_docs(self):
        self.one("ARCHITECTURE.md:2", "the row of wire",
                 **{"ARCHITECTURE.md": GOOD["ARCHITECTURE.md"].replace("| `base` |\n| `proto",
                                                                       "|  |\n| `proto")})

    def test_a_source_without_a_room(self):
        self.one("src/wire/new.c:1", "is not built", **{"src__wire__new.c": LICENCE})

    def test_a_plug_in_without_source(self):
        self.one("src/meson.build:1", "'quic' is listed",
                 **{"src__meson.build": GOOD["src/meson.build"].replace("'tls'", "'tls', 'quic'")})


if __name__ == "__main__":
    tap.main()
