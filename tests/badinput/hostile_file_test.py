#!/usr/bin/env python3
"""Files made to be awkward: empty, endless, half-written, contradicting themselves."""
import gzip
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "..", "tools")]
import capture  # noqa: E402
import scenes  # noqa: E402
import tap  # noqa: E402
import verdict  # noqa: E402

HEADER = struct.pack("<IHHiIII", capture.MAGIC_MICRO, 2, 4, 0, 0, 262144, 1)
SECTION = struct.pack("<IIIHHqI", capture.SECTION, 28, 0x1A2B3C4D, 1, 0, -1, 28)
ETHERNET = struct.pack("<IIHHII", 1, 20, 1, 0, 262144, 20)


def record(seconds, fraction, size, wire_len, data):
    """A record of a pcap file, true or not."""
    return struct.pack("<IIII", seconds, fraction, size, wire_len) + data


class Hostile(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "awkward.pcap")

    def give(self, data, status, packets=None):
        """Writes and reads a file; `packets` of the summary are expected if given."""
        with open(self.path, "wb") as file:
            file.write(data)
        return self.take(self.path, status, packets)

    def take(self, path, status, packets=None):
        for kind in ("events", "report", "summary"):
            done = verdict.run([tap.vantage(), "read", "-o", kind, path])
            self.assertIsNone(verdict.fault(done, kind), kind)
            self.assertEqual(done.status, status, done.err)
            if status == 1:
                self.assertIn(os.path.basename(path), done.err)
        if packets is not None:
            self.assertEqual(json.loads(done.out)["capture"]["packets"], packets)
        return done

    def test_no_capture(self):
        """Empty, garbage, text and a directory without captures are refused by name, status 1"""
        for data in (b"", b"\0", b"\xd4", b"hello, world\n" * 1000, bytes(4096), os.urandom(100000)):
            with self.subTest(size=len(data), start=data[:4]):
                self.give(data, 1)

    def test_headers_alone(self):
        """A capture without packets is no error"""
        for data in (HEADER, SECTION, SECTION + ETHERNET, gzip.compress(HEADER)):
            with self.subTest(size=len(data)):
                self.give(data, 0, 0)

    def test_half_a_record(self):
        """All packets before the end of a half-written file are reported, then status 1"""
        whole = capture.pcap(scenes.packets_of(scenes.plain()))
        for kept in (len(whole) - 1, len(whole) // 2):
            with self.subTest(kept=kept):
                done = self.give(whole[:kept], 1)
                self.assertGreater(json.loads(done.out)["capture"]["packets"], 300)

    def test_lengths_that_lie(self):
        """Records that claim more than there is, or than there may be"""
        good = record(1, 0, 60, 60, bytes(60))
        for size in (61, 65536, 262145, 0x7FFFFFFF, 0xFFFFFFFF):
            with self.subTest(size=size):
                self.give(HEADER + good + record(2, 0, size, size, bytes(60)), 1, 1)

    def test_contradictions(self):
        """More captured than sent, no time, time that runs backwards, microseconds beyond a second"""
        data = HEADER + b"".join((
            record(1, 0, 60, 10, bytes(60)), record(0, 0, 0, 0, b""), record(0xFFFFFFFF, 0, 60, 60, bytes(60)),
            record(5, 0xFFFFFFFF, 60, 60, bytes(60)), record(4, 0, 60, 0xFFFFFFFF, bytes(60))))
        self.give(data, 0, 5)

    def test_blocks_that_lie(self):
        """pcapng blocks of size nothing, of odd sizes and of four gigabytes"""
        for size in (0, 4, 8, 11, 13, 0x7FFFFFFC, 0xFFFFFFFC, 0xFFFFFFFF):
            with self.subTest(size=size):
                self.give(SECTION + ETHERNET + struct.pack("<II", 6, size) + bytes(64), 1)

    def test_packet_of_no_interface(self):
        """A pcapng packet of an interface that was never described"""
        block = struct.pack("<IIIIIIII", 6, 36, 7, 0, 0, 4, 4, 0) + struct.pack("<I", 36)
        done = verdict.run([tap.vantage(), "read", "-o", "summary", self.written(SECTION + ETHERNET + block)])
        self.assertIsNone(verdict.fault(done, "summary"))

    def written(self, data):
        with open(self.path, "wb") as file:
            file.write(data)
        return self.path

    def test_unknown_link(self):
        """A link type that nobody knows: packets are counted all the same"""
        data = bytearray(HEADER + record(1, 0, 60, 60, bytes(60)) * 3)
        struct.pack_into("<I", data, 20, 9999)
        done = verdict.run([tap.vantage(), "read", "-o", "summary", self.written(bytes(data))])
        self.assertIsNone(verdict.fault(done, "summary"))
        if done.status == 0:
            self.assertEqual(json.loads(done.out)["capture"]["packets"], 3)

    def test_bomb(self):
        """A few kilobytes that unpack to a quarter of a gigabyte of empty records, in bounded memory"""
        with gzip.open(self.path, "wb", compresslevel=6) as file:
            file.write(HEADER)
            for _ in range(256):
                file.write(bytes(1 << 20))
        self.take_once(self.path, 1 << 24)

    def take_once(self, path, packets):
        done = verdict.run([tap.vantage(), "read", "-o", "summary", path], seconds=90)
        self.assertIsNone(verdict.fault(done, "summary"))
        self.assertEqual(json.loads(done.out)["capture"]["packets"], packets)

    def test_endless(self):
        """A device that never ends is refused at its first bytes"""
        self.take("/dev/zero", 1)

    def test_pipe_that_breaks_off(self):
        """Standard input that ends in the middle of a record"""
        whole = capture.pcap(scenes.packets_of(scenes.plain()))
        with open(self.written(whole[:5000]), "rb") as file:
            done = verdict.run([tap.vantage(), "read", "-o", "summary", "-"], stdin=file)
        self.assertIsNone(verdict.fault(done, "summary"))
        self.assertEqual(done.status, 1)

    def test_nobody_reads(self):
        """Output into a pipe that is closed ends quietly"""
        path = self.written(capture.pcap(scenes.packets_of(scenes.plain())))
        process = subprocess.Popen([tap.vantage(), "read", "-o", "events", path], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        process.stdout.close()
        said = process.stderr.read().decode()
        process.stderr.close()
        process.wait(timeout=180)
        self.assertNotIn("Sanitizer", said)
        self.assertLessEqual(len(said.splitlines()), 1, said)


if __name__ == "__main__":
    tap.main()
