#!/usr/bin/env python3
"""What `meson install` lays down is whole, and what the program prints of itself is sound."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import tap  # noqa: E402


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.root)
        cls.done = cls.install()
        cls.paths = {os.path.join("/", os.path.relpath(os.path.join(folder, name), cls.root))
                     for folder, _, names in os.walk(cls.root) for name in names}

    @classmethod
    def install(cls):
        return run("meson", "install", "-C", os.environ["BUILD"], "--no-rebuild", "--destdir", cls.root)

    def path(self, ending):
        found = [path for path in self.paths if path.endswith(ending)]
        self.assertEqual(len(found), 1, f"{ending} in {sorted(self.paths)}")
        return self.root + found[0]

    def test_every_part(self):
        """program, manual page, completions, unit, configuration and docs are installed"""
        self.assertEqual(self.done.returncode, 0, self.done.stderr)
        for ending in ("/bin/vantage", "/man1/vantage.1", "/completions/vantage", "/_vantage",
                       "/vantage.fish", "/vantage.service", "etc/vantage/vantage.yml",
                       "doc/vantage/vantage.yml", "/README.md", "/LICENSE"):
            self.path(ending)

    def test_a_configuration_stays(self):
        """a configuration that is there is not written over"""
        path = self.path("etc/vantage/vantage.yml")
        with open(path, "a", encoding="utf-8") as file:
            file.write("# mine\n")
        self.install()
        with open(path, encoding="utf-8") as file:
            self.assertTrue(file.read().endswith("# mine\n"))

    def test_configuration(self):
        """the configuration that is installed is valid"""
        done = run(self.path("/bin/vantage"), "check", "-c", self.path("etc/vantage/vantage.yml"))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_unit(self):
        """the unit names the paths of this installation"""
        with open(self.path("/vantage.service"), encoding="utf-8") as file:
            text = file.read()
        program, _, config = next(line for line in text.splitlines()
                                  if line.startswith("ExecStart=")).partition(" run -c ")
        self.assertIn(program.removeprefix("ExecStart="), self.paths)
        self.assertIn(config, self.paths)

    def test_manual(self):
        """the manual page is sound roff"""
        if not shutil.which("groff"):
            self.skipTest("groff is not there")
        done = run("groff", "-man", "-ww", "-z", self.path("/vantage.1"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_completions(self):
        """each shell that is there accepts its completion"""
        for shell, ending in (("bash", "/completions/vantage"), ("zsh", "/_vantage"),
                              ("fish", "/vantage.fish")):
            if shutil.which(shell):
                done = run(shell, "-n", self.path(ending))
                self.assertEqual((done.returncode, done.stderr), (0, ""), shell)


if __name__ == "__main__":
    tap.main()
