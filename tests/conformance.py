#!/usr/bin/env python3
"""Runs one of the conformance runners that live beside the project, if they are there.

    tests/conformance.py --vantage PROGRAM NAME [PART]

PART is what the runner's --only takes: a protocol. The runner is conformance/NAME/run.py in $VANTAGE_SHARED, or in ../shared beside the project's
folder. Its last line is `N passed, M failed`. Without it: exit status 77, which Meson counts as
skipped."""
import argparse
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main():
    parser = argparse.ArgumentParser(description="Runs a conformance runner beside the project.")
    parser.add_argument("--vantage", required=True)
    parser.add_argument("name")
    parser.add_argument("part", nargs="?")
    arguments = parser.parse_args()
    shared = os.environ.get("VANTAGE_SHARED", os.path.join(ROOT, "..", "shared"))
    runner = os.path.join(os.path.abspath(shared), "conformance", arguments.name, "run.py")
    if not os.path.exists(runner):
        print("skipped: ../shared is not here")
        return 77
    part = ["--only", arguments.part] if arguments.part else []
    return subprocess.call([sys.executable, runner, "--vantage",
                            os.path.abspath(arguments.vantage), *part])


if __name__ == "__main__":
    sys.exit(main())
