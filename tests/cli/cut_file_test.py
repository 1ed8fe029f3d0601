#!/usr/bin/env python3
"""vantage read, of a capture that somebody writes, cuts short or replaces meanwhile."""
import fcntl
import os
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.dont_write_bytecode = True
import tap  # noqa: E402

PATIENCE = 180  # seconds
COUNT = 8000
PADDING = bytes(500)  # behind the datagram: a longer file
QUESTION = (b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" b"\x07example\x03com\x00\x00\x01\x00\x01")
HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)


def record(number):
    """A question for a name, each from a port and with a number of its own."""
    question = struct.pack(">H", number & 0xFFFF) + QUESTION[2:]
    udp = struct.pack(">HHHH", 1024 + number, 53, 8 + len(question), 0) + question
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x0a\0\0\1", b"\x0a\0\0\2")
    frame = bytes(12) + b"\x08\0" + ip + udp + PADDING
    seconds, hundredths = divmod(number, 100)
    return struct.pack("<IIII", 1700000000 + seconds, hundredths * 10000, len(frame), len(frame)) + frame


class CutFile(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bytes = HEADER + b"".join(map(record, range(COUNT)))

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "cut.pcap")
        with open(self.path, "wb") as file:
            file.write(self.bytes)

    def start(self, workers):
        """Reads into a pipe that is not emptied: when that is full, the reader waits amid the file."""
        process = subprocess.Popen([tap.vantage(), "read", "-o", "events", "--workers", str(workers), self.path],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        room = fcntl.fcntl(process.stdout, fcntl.F_GETPIPE_SZ)
        size, quiet, end = 0, 0, time.monotonic() + PATIENCE
        while quiet < 5:  # until nothing more goes into it
            self.assertLess(time.monotonic(), end, "the pipe does not get full")
            time.sleep(0.1)
            before, size = size, struct.unpack("i", fcntl.ioctl(process.stdout, termios.FIONREAD, bytes(4)))[0]
            quiet = quiet + 1 if size == before and size > room // 2 else 0
        return process, b""

    def end(self, process, first):
        out, err = process.communicate(timeout=180)
        return process.returncode, (first + out).splitlines(), err.decode()

    def whole(self):
        process, first = self.start(1)
        status, lines, err = self.end(process, first)
        self.assertEqual((status, err), (0, ""))
        return lines

    def test_cut_short(self):
        """A file that becomes shorter is told of, status 1, and what was read before is not lost"""
        whole = self.whole()
        for workers in (1, 2):
            for size in (0, len(self.bytes) // 2):
                with self.subTest(workers=workers, size=size):
                    self.setUp()
                    process, first = self.start(workers)
                    os.truncate(self.path, size)
                    status, lines, err = self.end(process, first)
                    self.assertEqual(status, 1)
                    self.assertRegex(err, r"cut\.pcap: byte \d+: became shorter while it was read: "
                                     rf"it had {len(self.bytes)} bytes")
                    self.assertGreater(len(lines), 100)
                    self.assertLess(len(lines), len(whole))

    def test_a_writer_does_not_wait(self):
        """Who opens the file for writing is let through though the reader waits for its own reader"""
        process, first = self.start(1)
        before = time.monotonic()
        with open(self.path, "ab") as file:
            file.write(record(COUNT))
        self.assertLess(time.monotonic() - before, 40)  # a kernel would let it through after 45 s
        status, lines, err = self.end(process, first)
        self.assertEqual((status, err), (0, ""))
        self.assertGreater(len(lines), COUNT // 2)

    def test_overwritten(self):
        """What replaces the bytes under the reader is another file's damage, not a crash"""
        process, first = self.start(1)
        with open(self.path, "wb") as file:
            file.write(b"\xff" * len(self.bytes))
        status, _, err = self.end(process, first)
        self.assertEqual(status, 1)
        self.assertIn("damaged: record header promises 4294967295 bytes", err)

    def test_written_by_others(self):
        """A file that somebody has open for writing is read the same"""
        whole = self.whole()
        with open(self.path, "ab"):
            self.assertEqual(self.whole(), whole)

    def test_standard_input(self):
        """A file as standard input is read the same, and no lease is left on it"""
        whole = self.whole()
        with open(self.path, "rb") as file:
            done = subprocess.run([tap.vantage(), "read", "-o", "events", "--workers", "1", "-"], stdin=file,
                                  capture_output=True, timeout=180)
            self.assertEqual((done.returncode, done.stdout.splitlines()), (0, whole))
            self.assertEqual(fcntl.fcntl(file, fcntl.F_GETLEASE), fcntl.F_UNLCK)


if __name__ == "__main__":
    tap.main()
