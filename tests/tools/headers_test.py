#!/usr/bin/env python3
"""Every header compiles by itself: it includes all that it needs.  headers_test.py COMPILER..."""
import concurrent.futures
import glob
import os
import subprocess
import sys

SRC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "src")


def complaint(header):
    """What the compiler says of a file that includes this header alone."""
    command = sys.argv[1:] + ["-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wno-unused-parameter",
                              "-Werror", "-fsyntax-only", "-I", SRC, "-x", "c", "-"]
    done = subprocess.run(command, input=f'#include "{header}"\n', capture_output=True, text=True)
    return done.stderr if done.returncode else ""


def main():
    headers = sorted(os.path.relpath(path, SRC)
                     for path in glob.glob(os.path.join(SRC, "**", "*.h"), recursive=True))
    print(f"1..{len(headers)}")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, (header, said) in enumerate(zip(headers, pool.map(complaint, headers)), 1):
            print(f"{'not ' if said else ''}ok {number} - {header}")
            for line in said.splitlines()[:5]:
                print("# " + line)


if __name__ == "__main__":
    main()
