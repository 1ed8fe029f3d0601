#!/usr/bin/env python3
"""What vantage writes as sketches is what an independent decoder reads.

The unit test of src/summary/sketch.h leaves images of all kinds in a folder; the decoder is
reference/sk_check.py in $VANTAGE_SHARED or in ../shared beside the project, and where it is not,
there is nothing to do."""
import json
import math
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import tap  # noqa: E402

ROOT = os.path.join(HERE, "..", "..")
DECODER = os.path.join(os.environ.get("VANTAGE_SHARED", os.path.join(ROOT, "..", "shared")),
                       "reference", "sk_check.py")
WRITER = os.path.join(os.environ["BUILD"], "src", "summary_sketch_test")
IMAGES = 10  # of each kind: sizes from 0 to 100000


class Decode(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        for needed, what in ((DECODER, "../shared"), (WRITER, "the unit tests' program")):
            if not os.path.exists(needed):
                raise unittest.SkipTest(f"{what} is not here")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        subprocess.run([WRITER], env=dict(os.environ, SKETCHES=folder.name), check=True,
                       capture_output=True)
        cls.images = {name: cls.decoded(name.split("-")[0], os.path.join(folder.name, name))
                      for name in sorted(os.listdir(folder.name))}

    @staticmethod
    def decoded(kind, path):
        """What the decoder says of an image, and what is wrong with it."""
        done = subprocess.run([sys.executable, DECODER, kind, path], capture_output=True, text=True,
                              check=False)
        return json.loads(done.stdout)

    def of(self, *kind):
        """Size of what was put in, and what was read, of each image of a kind."""
        found = [(int(name.split("-")[2]), said) for name, said in self.images.items()
                 if name.startswith("-".join(kind) + "-")]
        self.assertGreaterEqual(len(found), IMAGES)
        for size, said in found:
            with self.subTest(kind=kind, size=size):
                self.assertTrue(said["ok"], said)
        return found

    def assert_near(self, value, truth, error):
        self.assertLessEqual(abs(value - truth), 4 * error * truth, f"{value} for {truth}")

    def test_hll(self):
        """HLL: coupons are exact, registers within the error"""
        for size, said in self.of("hll"):
            self.assertEqual((said["lg_k"], said["target"]), (12, "HLL_8"))
            self.assert_near(said["estimate"], size, 0 if size < 385 else 0.0163)

    def test_theta(self):
        """Theta: exact up to 4096, then within the error"""
        for size, said in self.of("theta"):
            self.assert_near(said["estimate"], size, 0 if size <= 4096 else 0.0156)

    def test_kll(self):
        """KLL: count, least and greatest, and ranks within the error"""
        for size, said in self.of("kll_float"):
            self.assertEqual(said["n"], size)
            if size:
                self.assertEqual((said["min"], said["max"]), (1, size))
        for made in ("whole", "union"):
            for size, said in self.of("kll_float", made):
                for rank, value in said.get("quantiles", {}).items():
                    self.assertLessEqual(abs(value - float(rank) * size), 0.03 * size + 1)

    def test_kll_of_histogram(self):
        """KLL from a histogram: values within half a bucket"""
        for size, said in self.of("kll_float", "histogram"):
            for rank, value in said.get("quantiles", {}).items():
                truth = max(1, math.ceil(float(rank) * size - 1e-9))
                self.assertLessEqual(abs(value - truth), 0.0435 * truth)

    def test_frequent(self):
        """frequent items: total, and the heavy one within its bounds"""
        for size, said in self.of("fi_strings"):
            self.assertEqual(said["total_weight"], 2 * size)
            if size:
                heaviest, truth = said["items"][0], 2 * ((size + 2) // 3)
                self.assertEqual(heaviest["item"], "host0")
                self.assertLessEqual(heaviest["lb"], truth)
                self.assertGreaterEqual(heaviest["ub"], truth)
                self.assertLessEqual(said["max_error"], 3.5 / 256 * 2 * size)


if __name__ == "__main__":
    tap.main()
