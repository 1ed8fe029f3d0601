#!/usr/bin/env python3
"""The DNS page of `vantage top` on a policy of pktvisor's kind, whose messages come by dnstap."""
import json
import os
import re
import socket
import struct
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import tap  # noqa: E402

PATIENCE = 60  # seconds
NAMES = 20
POLICY = """version: "1.0"
visor:
  taps: {t: {input_type: dnstap, config: {tcp: "127.0.0.1:%d"}, tags: {a: b}}}
  policies: {mine: {kind: collection, input: {tap: t, input_type: dnstap},
    handlers: {window_config: {num_periods: 3}, modules: {d: {type: dns}, n: {type: net}}}}}
"""


def number(value):
    """A number as a varint of protocol buffers."""
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def blob(field, data):
    return number(field << 3 | 2) + number(len(data)) + data


def query(name):
    """A frame: a client asks for the address of a name."""
    labels = b"".join(bytes([len(x)]) + x for x in name.split(b"."))
    dns = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)
    message = b"".join(number(f << 3) + number(v) for f, v in
                       ((1, 5), (2, 1), (3, 1), (6, 40000), (7, 53), (8, int(time.time()))))
    message += blob(4, socket.inet_aton("192.0.2.1")) + blob(5, socket.inet_aton("192.0.2.53")) + blob(10, dns)
    frame = blob(14, message) + number(15 << 3) + number(1)
    return struct.pack(">I", len(frame)) + frame


class Dns(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        cls.process = subprocess.Popen([tap.vantage(), "pktvisord", "--admin-api", "-l", "127.0.0.1", "-p", "0",
                                        "--config", "/dev/stdin"], stdin=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
        cls.addClassCleanup(cls.process.stderr.close)
        cls.addClassCleanup(cls.process.wait)
        cls.addClassCleanup(cls.process.terminate)
        cls.process.stdin.write(POLICY % port)
        cls.process.stdin.close()
        line = cls.process.stderr.readline()
        cls.url = re.search(r"127\.0\.0\.1:\d+", line)[0]
        stream = socket.create_connection(("127.0.0.1", port), 5)
        cls.addClassCleanup(stream.close)
        for i in range(NAMES):
            stream.sendall(query(b"host%d.example.com" % i) + query(b"\x1b]0;x\x07.evil.test"))

    def page(self, *arguments):
        done = subprocess.run([tap.vantage(), "top", "-p", "dns", *arguments, self.url],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_page(self):
        """Header and boxes of the window; a name with an escape sequence in it is harmless"""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            page = json.loads(self.page("--json"))
            top = {x["name"]: x["count"] for x in page["tables"].get("Top QName 2", [])}
            if top.get(".example.com") == NAMES and len(top) == 2:
                break
            time.sleep(0.3)
        self.assertEqual(top.get(".example.com"), NAMES, page)
        figures = {x["name"]: x["value"] for x in page["figures"]}
        self.assertEqual(figures["DNS Wire Pkts"], 2 * NAMES)
        text = self.page("--once", "-P", "mine")
        self.assertNotIn("\x1b", text)
        self.assertRegex(text, r"(?s)Pkts.*DNS Wire Pkts 40/40.*Time Window.*Top QName 2")

    def test_unknown_policy(self):
        """A policy that is not there says what would be"""
        self.assertIn("No policy here counts DNS", self.page("--once", "-P", "other"))


if __name__ == "__main__":
    tap.main()
