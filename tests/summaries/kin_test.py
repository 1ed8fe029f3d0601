#!/usr/bin/env python3
"""Policies over one tap that differ in their filters alone are counted together where they can be: each
of them says what it says when it is the only one."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import tap  # noqa: E402

VANTAGE = os.environ.get("VANTAGE", "build/src/vantage")
CAPTURES = [os.path.join(ROOT, "samples", "demo.pcap.zst"),
            os.path.join(ROOT, "src", "proto", "dns", "data", "zone.pcap"),
            os.path.join(ROOT, "src", "proto", "dns", "data", "odd_names.pcap")]
FILTERS = ["ip or ip6", "udp", "udp port 53", "tcp", "port 53", "not port 53", "ip6",
           "udp or tcp port 53", "src port 53", "net 10.0.0.0/8 or net 127.0.0.0/8"]
HANDLERS = {"1.0": '{n: {type: net}, d: {type: dns}, c: {type: dhcp}}',
            "2.0": '{n: {type: net, require_version: "2.0"}, d: {type: dns, require_version: "2.0"}}'}
# The same hashes in every run: which query gives way in a full corner is decided by them.
ENVIRONMENT = {**os.environ, "VANTAGE_HASH_SEED": "7"}


def answers(filters, handlers, file, workers):
    """What policies of these filters, by number, say of a capture."""
    policies = "".join(
        f'    p{i}: {{kind: collection, input: {{tap: t, input_type: pcap, config: {{bpf: "{text}"}}}}, '
        f'handlers: {{modules: {handlers}}}}}\n' for i, text in filters.items())
    document = ('version: "1.0"\nvisor:\n  taps: {t: {input_type: pcap, config: {iface: none, '
                'host_spec: "10.0.0.0/8,127.0.0.1/32"}}}\n  policies:\n' + policies)
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        config.write(document)
        config.flush()
        done = subprocess.run([VANTAGE, "read", "-o", "summary", "-c", config.name, "--workers",
                               str(workers), file],
                              capture_output=True, text=True, timeout=180, env=ENVIRONMENT)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    whole = json.loads(done.stdout)
    return {i: whole[f"p{i}"] for i in filters}


class Kin(unittest.TestCase):
    def check(self, version, workers):
        filters = dict(enumerate(FILTERS))
        for file in CAPTURES:
            together = answers(filters, HANDLERS[version], file, workers)
            for i, text in filters.items():
                alone = answers({i: text}, HANDLERS[version], file, 1)
                self.assertEqual(together[i], alone[i], f"{text} over {os.path.basename(file)}")

    def test_version_1(self):
        self.check("1.0", 1)

    def test_version_2(self):
        self.check("2.0", 1)

    def test_with_two_workers(self):
        self.check("1.0", 2)


if __name__ == "__main__":
    tap.main()
