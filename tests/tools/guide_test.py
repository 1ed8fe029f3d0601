#!/usr/bin/env python3
"""CONTRIBUTING.md tells the truth: the protocol and the test that it shows compile without a
warning.  guide_test.py COMPILER..."""
import os
import re
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wconversion", "-Wshadow",
         "-Wmissing-prototypes", "-Wno-unused-parameter", "-Wno-missing-field-initializers",
         "-Werror", "-fsyntax-only", "-I", os.path.join(ROOT, "src"), "-x", "c", "-"]


def main():
    with open(os.path.join(ROOT, "CONTRIBUTING.md"), encoding="utf-8") as file:
        blocks = re.findall(r"^```c\n(.*?)^```", file.read(), re.M | re.S)
    print(f"1..{len(blocks)}")
    for number, block in enumerate(blocks, 1):
        done = subprocess.run(sys.argv[1:] + FLAGS, input=block, capture_output=True, text=True)
        print(f"{'not ' if done.returncode else ''}ok {number} - C block {number} of CONTRIBUTING.md")
        for line in done.stderr.splitlines()[:10]:
            print("# " + line)


if __name__ == "__main__":
    main()
