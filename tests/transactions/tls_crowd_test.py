#!/usr/bin/env python3
"""More connections that are opened at once than a worker keeps keys ready for: captures of one connection each,
played many times beside each other, packet by packet, are to say for each what they say for one."""
import collections
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path[:0] = [os.path.join(ROOT, "tests", "support"), os.path.join(ROOT, "tools")]
sys.dont_write_bytecode = True
import capture  # noqa: E402
import tap  # noqa: E402

VANTAGE = os.environ["VANTAGE"]
DATA = os.path.join(ROOT, "src", "proto", "tls", "data")
CROWD = 300  # connections; two keys each, of 256
RAW_IP, ETHERNET, ETHERNET_HEAD, TCP = 101, 1, 14, 6
PATIENCE = 180  # seconds


def segments(path):
    """The TCP segments of a capture's first connection, with whether it is the client's."""
    ends = []
    for packet in capture.read(path):
        ip = packet.data[ETHERNET_HEAD if packet.link == ETHERNET else 0:]
        if ip[0] >> 4 != 4 or ip[9] != TCP:
            continue
        tcp = ip[(ip[0] & 15) * 4:struct.unpack("!H", ip[2:4])[0]]
        ports = struct.unpack("!HH", tcp[:4])
        ends = ends or list(ports)
        if sorted(ports) == sorted(ends):
            yield ports[0] == ends[0], tcp


def crowd(path, count):
    """A capture of that connection `count` times, from as many clients, in step."""
    out = []
    server = socket.inet_aton("192.0.2.1")
    for from_client, tcp in segments(path):
        for i in range(count):
            client = struct.pack("!I", 0x0A000001 + i)
            pair = client + server if from_client else server + client
            ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, TCP, 0) + pair + tcp
            out.append(capture.Packet(1700000000 * 10 ** 9 + len(out) * 1000, ip, len(ip), RAW_IP))
    return capture.pcap(out)


class Crowd(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def said(self, name, count):
        """How often each thing was said that does not tell when and by whom."""
        path = os.path.join(self.folder, "crowd.pcap")
        with open(path, "wb") as file:
            file.write(crowd(os.path.join(DATA, name + ".pcap"), count))
        done = subprocess.run([VANTAGE, "read", "-c", os.path.join(DATA, name + ".yml"), "-o", "events", path],
                              capture_output=True, cwd=DATA, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        events = map(json.loads, done.stdout.splitlines())
        return collections.Counter(json.dumps([e["event"]["dataset"], e.get("status"), e.get("query"), e.get("server"),
                                               e.get("http")])
                                   for e in events if e["event"]["dataset"] != "flow")

    def test_all_are_opened(self):
        for name in ("opened_aes128", "opened_tls13", "opened_update", "opened_early", "opened_again", "opened_chacha"):
            with self.subTest(name=name):
                one = self.said(name, 1)
                self.assertGreater(len(one), 1, "nothing was said within")
                self.assertEqual(self.said(name, CROWD), collections.Counter({k: n * CROWD for k, n in one.items()}))


if __name__ == "__main__":
    tap.main()
