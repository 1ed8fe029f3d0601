#!/usr/bin/env python3
"""vantage read --paths, on connections that are made up."""
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.dont_write_bytecode = True
import tap  # noqa: E402
import weather  # noqa: E402


class Paths(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.config = weather.configuration(cls.folder.name, "pcapfile")

    def read(self, *options):
        return subprocess.run([tap.vantage(), "read", *options, "-c", self.config,
                               os.path.join(self.folder.name, "made.pcap")],
                              capture_output=True, text=True, timeout=180)

    def rows(self, *options):
        """Lines as (name, connections, 95 %); the last line is the note where one is."""
        done = self.read("--paths", *options)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)
        lines = done.stdout.splitlines()[1:]
        found = [(line[:28].strip(), line[28:].split()) for line in lines if not line.startswith("!")]
        return [(name, figures[0], figures[2]) for name, figures in found], lines[-1]

    def test_worst_first_and_what_is_normal(self):
        """The longest round trips first, beyond 300 ms marked"""
        rows, note = self.rows()
        self.assertEqual([row[:2] for row in rows], [("NZ AS64500 > paris:443", "3"),
                         ("SE AS64501 > paris:443", "3"), ("SE AS64501 > tokyo:80", "3")])
        self.assertRegex(rows[0][2], r"^4\d\d!$")
        self.assertNotIn("!", rows[1][2])
        self.assertIn("300 ms", note)

    def test_by(self):
        """Keys that are left out are summed up"""
        self.assertEqual([row[:2] for row in self.rows("--by", "country")[0]],
                         [("NZ >", "3"), ("SE >", "6")])
        self.assertEqual([row[:2] for row in self.rows("--by", "port,zone")[0]],
                         [("> paris:443", "6"), ("> tokyo:80", "3")])

    def test_wrong_keys(self):
        """What --by does not take, and --by alone, is refused with what it takes"""
        for options, words in ((["--paths", "--by", "town"], "country, asn, zone and port"),
                               (["--paths", "--by", "port,port"], "each once"),
                               (["--by", "port"], "give both")):
            done = self.read(*options)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(words, done.stderr)


if __name__ == "__main__":
    tap.main()
