#!/usr/bin/env python3
"""The DNS page of `vantage top` on a policy of pktvisor's kind, whose messages come by dnstap."""
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import pktvisord  # noqa: E402
import sockets  # noqa: E402
import tap  # noqa: E402

PATIENCE = 180  # seconds
NAMES = 20
POLICY = """version: "1.0"
visor:
  taps: {t: {input_type: dnstap, config: {tcp: "127.0.0.1:%d"}, tags: {a: b}}}
  policies: {mine: {kind: collection, input: {tap: t, input_type: dnstap},
    handlers: {window_config: {num_periods: 3}, modules: {d: {type: dns}, n: {type: net}}}}}
"""


class Dns(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        port = sockets.free_port()
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
            config.write(POLICY % port)
            config.flush()
            agent = pktvisord.Agent(cls, "--config", config.name)
        cls.url = f"127.0.0.1:{agent.port}"
        stream = socket.create_connection(("127.0.0.1", port), PATIENCE)
        cls.addClassCleanup(stream.close)
        for i in range(NAMES):
            for name in (f"host{i}.example.com", "\x1b]0;x\x07.evil.test"):
                stream.sendall(pktvisord.dnstap_query(name, int(time.time())))

    def page(self, *arguments):
        done = subprocess.run([tap.vantage(), "top", "-p", "dns", *arguments, self.url],
                              capture_output=True, text=True, timeout=180)
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
