#!/usr/bin/env python3
"""vantage doctor: what it says of this machine, of a bad configuration and of missing rights."""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
sys.dont_write_bytecode = True
import tap  # noqa: E402

VANTAGE = os.environ["VANTAGE"]
SUBJECTS = {"config", "rights", "kernel", "interfaces", "memory", "clock", "port", "offload"}


def doctor(*arguments, before=()):
    """The lines it prints as (finding, subject, text), and the exit status."""
    done = subprocess.run([*before, VANTAGE, "doctor", *arguments], capture_output=True, text=True)
    lines = [line.split(None, 2) for line in done.stdout.splitlines()]
    return lines, done.returncode, done.stderr


class Doctor(unittest.TestCase):
    def write(self, text):
        file = tempfile.NamedTemporaryFile("w", suffix=".yml", delete=False)
        self.addCleanup(os.unlink, file.name)
        file.write(text)
        file.close()
        return file.name

    def test_each_line_has_a_finding_and_a_subject(self):
        lines, status, errors = doctor()
        self.assertEqual(errors, "")
        for finding, subject, text in lines:
            self.assertIn(finding, ("ok", "warn", "fail"))
            self.assertIn(subject, SUBJECTS)
            self.assertTrue(text)
        self.assertEqual(status, 1 if any(line[0] == "fail" for line in lines) else 0)

    def test_a_bad_configuration_fails_with_its_place(self):
        path = self.write("limits: {worker: 2}\n")
        lines, status, _ = doctor("-c", path)
        self.assertEqual(status, 1)
        self.assertIn(["fail", "config", f"{path}:1:10: unknown key 'worker' (did you mean 'workers'?)"],
                      lines)

    def test_a_port_that_is_taken_is_told(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            path = self.write(f"api: {{listen: '127.0.0.1:{port}'}}\n")
            lines, _, _ = doctor("-c", path)
        [line] = [line for line in lines if line[1] == "port"]
        self.assertEqual(line[0], "warn")
        self.assertIn(f"127.0.0.1:{port}", line[2])

    def test_more_memory_than_there_is_fails(self):
        lines, status, _ = doctor("-c", self.write("limits: {memory: 900T}\n"))
        self.assertEqual(status, 1)
        self.assertEqual([line[0] for line in lines if line[1] == "memory"], ["fail"])

    def test_without_rights_the_remedy_is_named(self):
        if os.geteuid() != 0 or shutil.which("setpriv") is None:
            self.skipTest("needs root and setpriv, to give rights away")
        lines, status, _ = doctor(before=("setpriv", "--reuid=65534", "--regid=65534",
                                          "--clear-groups", "--bounding-set=-all",
                                          "--inh-caps=-all"))
        self.assertEqual(status, 1)
        [line] = [line for line in lines if line[1] == "rights"]
        self.assertEqual(line[0], "fail")
        self.assertIn("setcap cap_net_raw", line[2])


if __name__ == "__main__":
    tap.main()
