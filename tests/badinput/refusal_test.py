#!/usr/bin/env python3
"""What the environment or the user gets wrong: exactly one clear line on standard error, the right status."""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "..", "tools")]
import scenes  # noqa: E402
import tap  # noqa: E402
import verdict  # noqa: E402

FAILED, USAGE = 1, 2
COMMANDS = ("read", "live", "run", "demo", "check")


class Refusal(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        os.chmod(cls.folder, 0o755)
        cls.capture = os.path.join(cls.folder, "sent.pcap")
        scenes.write(cls.capture, scenes.plain())

    def refused(self, status, words, *arguments, before=()):
        done = verdict.run([*before, tap.vantage(), *arguments])
        self.assertIsNone(verdict.one_line(done, status, *words))
        self.assertEqual(done.out, b"")

    def test_unknown_flag(self):
        """An unknown flag is named, status 2, for every command"""
        for command in COMMANDS:
            with self.subTest(command=command):
                self.refused(USAGE, ["--no-such-flag"], command, "--no-such-flag")

    def test_near_flag(self):
        """A flag that is nearly right is suggested"""
        self.refused(USAGE, ["--worker", "--workers"], "read", "--worker", "2", self.capture)

    def test_unknown_command(self):
        """An unknown command is named, status 2"""
        self.refused(USAGE, ["raed"], "raed", self.capture)

    def test_bad_values(self):
        """Values out of bounds or of another kind, status 2"""
        for arguments in (["-o", "xml"], ["--workers", "none"], ["--workers", "-1"], ["-o"]):
            with self.subTest(arguments=arguments):
                self.refused(USAGE, [], "read", self.capture, *arguments)

    def test_no_file(self):
        """A file that is not there is named, status 1"""
        self.refused(FAILED, ["no-such.pcap"], "read", "-o", "summary", "no-such.pcap")

    def test_unreadable_file(self):
        """A file that may not be read is named, status 1"""
        path = os.path.join(self.folder, "secret.pcap")
        shutil.copy(self.capture, path)
        os.chmod(path, 0)
        before = () if os.geteuid() else ("setpriv", "--reuid", "nobody", "--regid", "nogroup",
                                          "--clear-groups")
        self.refused(FAILED, ["secret.pcap", "ermission"], "read", "-o", "summary", path, before=before)

    def test_bad_filter(self):
        """A filter that does not parse is shown, status 2"""
        for expression in ("udp prot 53", "(((", "host nowhere.invalid."):
            with self.subTest(expression=expression):
                self.refused(USAGE, [expression], "read", "-o", "summary", "-f", expression, self.capture)

    def test_bad_configuration(self):
        """A configuration file that is missing, and one with a wrong key, status 2"""
        self.refused(USAGE, ["none.yml"], "run", "-c", "none.yml")
        path = os.path.join(self.folder, "wrong.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("limits:\n  memry: 1G\n")
        self.refused(USAGE, ["wrong.yml:2", "memry", "memory"], "run", "-c", path)

    def test_full_disk_under_w(self):
        """A full disk under -w: named, status 1"""
        for output in ("summary", "events"):
            with self.subTest(output=output):
                done = verdict.run([tap.vantage(), "read", "-o", output, "-w", "/dev/full", self.capture])
                self.assertIsNone(verdict.one_line(done, FAILED, "/dev/full", "space"))

    def test_disk_that_fills_up(self):
        """A disk that fills up in the middle of -w: named, status 1"""
        if os.geteuid() != 0:
            self.skipTest("needs root for a small file system")
        script = ('mount -t tmpfs -o size=64k none "$1" && "$2" read -o summary -w "$1/out.pcap" "$3"')
        place = os.path.join(self.folder, "small")
        os.makedirs(place)
        done = verdict.run(["unshare", "-m", "sh", "-c", script, "sh", place, tap.vantage(), self.capture])
        self.assertIsNone(verdict.one_line(done, FAILED, "out.pcap", "space"))

    def test_full_standard_output(self):
        """Standard output that cannot be written: one line, status 1"""
        with open("/dev/full", "wb") as full:
            process = subprocess.run([tap.vantage(), "read", "-o", "summary", self.capture], stdout=full,
                                     stderr=subprocess.PIPE, timeout=180, check=False)
        said = process.stderr.decode()
        self.assertEqual((process.returncode, len(said.splitlines())), (FAILED, 1), said)

    def test_directory_under_w(self):
        """-w onto a directory: named, status 1"""
        done = verdict.run([tap.vantage(), "read", "-o", "summary", "-w", self.folder, self.capture])
        self.assertIsNone(verdict.one_line(done, FAILED, self.folder))

    def test_port_taken(self):
        """A port that is taken is named, status 1"""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            self.refused(FAILED, [address], "demo", "--listen", address)

    def test_bad_address(self):
        """An address to listen on that is none, status 2"""
        for address in ("nonsense", "127.0.0.1:99999", "127.0.0.1:"):
            with self.subTest(address=address):
                self.refused(USAGE, [address], "demo", "--listen", address)


if __name__ == "__main__":
    tap.main()
