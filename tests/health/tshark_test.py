#!/usr/bin/env python3
"""Next to tshark, on captures made anew: what both count must be the same. Where they are known to differ,
docs/tcp-health.md says who is right; here it is tested that they do not differ in anything else."""
import collections
import os
import shutil
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
sys.dont_write_bytecode = True
import tap  # noqa: E402
import troubled  # noqa: E402
from network import SERVER_ADDRESS  # noqa: E402

FIELDS = ("retransmission", "out_of_order", "duplicate_ack", "zero_window", "window_full", "initial_rtt")
MICROSECONDS_MS = 0.002  # to which vantage keeps times
DISORDER = ("loss", "overflow", "reorder", "reorder_unstamped", "loss_unstamped", "upload_loss")


def seen_by_tshark(path):
    """How often tshark finds each of FIELDS in packets of the client ("c2s") and of the server."""
    options = [word for field in FIELDS for word in ("-e", "tcp.analysis." + field)]
    done = subprocess.run(["tshark", "-n", "-r", path, "-T", "fields", "-e", "ip.src", *options],
                          capture_output=True, text=True, timeout=300, check=True)
    counts, initial_rtt_ms = {"c2s": collections.Counter(), "s2c": collections.Counter()}, None
    for line in done.stdout.splitlines():
        source, *values = line.split("\t")
        for field, value in zip(FIELDS, values):
            if value and field == "initial_rtt":
                initial_rtt_ms = 1000 * float(value)
            elif value:
                counts["s2c" if source == SERVER_ADDRESS else "c2s"][field] += 1
    return counts, initial_rtt_ms


class NextToTshark(troubled.Troubled):
    names = ("clean", "ack_loss", "slow_reader", "zero_window", "small_window", *DISORDER)

    @classmethod
    def setUpClass(cls):
        if not shutil.which("tshark"):
            raise unittest.SkipTest("needs tshark")
        super().setUpClass()
        for truth in cls.truths.values():
            truth["tshark"] = [seen_by_tshark(path) for path in truth["captures"]]

    def places(self, *names):
        """The trouble, what vantage says, what tshark counts, and its first round trip."""
        for name in names or self.names:
            truth = self.truths[name]
            for health, (counts, initial_rtt_ms) in zip(truth["health"], truth["tshark"]):
                with self.subTest(name):
                    yield name, health, counts, initial_rtt_ms

    def test_first_round_trip(self):
        for _, health, _, initial_rtt_ms in self.places():
            ours = health["handshake_rtt_to_server_ms"] + health["handshake_rtt_to_client_ms"]
            self.assert_near(ours, initial_rtt_ms, MICROSECONDS_MS)

    def test_zero_windows(self):
        for _, health, counts, _ in self.places():
            for way in ("c2s", "s2c"):
                self.assertEqual(health[way]["zero_window_pkts"], counts[way]["zero_window"])

    def test_full_windows(self):
        """But for probes and what is sent again, which tshark counts, too"""
        for _, health, counts, _ in self.places("slow_reader", "zero_window", "small_window"):
            ours, theirs = health["s2c"]["window_full_pkts"], counts["s2c"]["window_full"]
            self.assertGreater(ours, 0)
            self.assertTrue(theirs - 5 - theirs // 4 <= ours <= theirs + 1, f"{ours}, tshark {theirs}")

    def test_what_lies_below_the_highest_sequence_number(self):
        """Of what kind it is they differ, not that it is"""
        for name, health, counts, _ in self.places(*DISORDER, "clean", "ack_loss"):
            way = "c2s" if name == "upload_loss" else "s2c"
            ours = health[way]["retrans_pkts"] + health[way]["reordered_original_pkts"]
            theirs = counts[way]["retransmission"] + counts[way]["out_of_order"]
            self.assert_near(ours, theirs, 2 + 0.05 * theirs)

    def test_duplicate_acknowledgments(self):
        """With SACK, one is one whatever its window (RFC 6675): tshark wants the same window, and sees fewer"""
        for _, health, counts, _ in self.places("loss", "overflow"):
            self.assertGreater(counts["c2s"]["duplicate_ack"], 0)
            self.assertGreaterEqual(health["s2c"]["duplicate_acks"], counts["c2s"]["duplicate_ack"] * 0.8)


if __name__ == "__main__":
    tap.main()
