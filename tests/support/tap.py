"""Runs the unittest cases of a script and prints TAP, which is what Meson and tools/run-tests count:

    if __name__ == "__main__":
        tap.main()
"""
import os
import sys
import unittest

sys.dont_write_bytecode = True


class Result(unittest.TestResult):
    number = 0

    def point(self, ok, test, remark="", detail=""):
        Result.number += 1
        name = test.shortDescription() or test.id().removeprefix("__main__.")
        print(f"{'' if ok else 'not '}ok {self.number} - {name}{remark}")
        for line in detail.rstrip().splitlines():
            print("# " + line)
        sys.stdout.flush()

    def addSuccess(self, test):
        self.point(True, test)

    def addFailure(self, test, err):
        self.point(False, test, detail=self._exc_info_to_string(err, test))

    addError = addFailure

    def addSkip(self, test, reason):
        self.point(True, test, remark=f" # SKIP {reason}")

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.point(False, subtest, detail=self._exc_info_to_string(err, test))


def main():
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    result = Result()
    suite.run(result)
    print(f"1..{result.number}")
    sys.exit(0 if result.number else 1)


def vantage():
    """The program under test, as tests/meson.build names it."""
    return os.environ["VANTAGE"]
