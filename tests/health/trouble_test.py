#!/usr/bin/env python3
"""TCP health on networks of known trouble, made anew: verdicts, and figures against what the link counted.

Each trouble of tests/networks/troubles.py is captured at both hosts. What was lost was lost behind the
server's tap and before the client's, so the two must tell the same loss from two sides."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "networks")]
sys.dont_write_bytecode = True
import network  # noqa: E402
import tap  # noqa: E402
import troubles  # noqa: E402

# A busy machine is late: the least of many round trips hardly is, that of a few may be.
RTT_SLACK_MS = 100  # what a busy machine adds
CLIENT, SERVER = 0, 1


def health_of(capture):
    """What vantage says of the only connection of a capture; None without one."""
    done = subprocess.run([tap.vantage(), "read", "--connections", "-o", "events", capture],
                          capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(done.stderr)
    found = [event["tcp"]["health"] for event in map(json.loads, done.stdout.splitlines())
             if event["event"]["dataset"] == "tcp.connection"]
    assert len(found) <= 1, "one connection was made"
    return found[0] if found else None


def verdicts(health):
    """The verdicts that hold."""
    return set(filter(None, (health.get("verdicts") or "").split(",")))


class Troubles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        why = network.missing()
        if why:
            raise unittest.SkipTest(why)
        cls.folder = tempfile.TemporaryDirectory()
        cls.truths = troubles.make(cls.folder.name)
        for truth in cls.truths.values():
            truth["health"] = [health_of(capture) for capture in truth["captures"]]

    @classmethod
    def tearDownClass(cls):
        if hasattr(cls, "folder"):
            cls.folder.cleanup()

    def both(self, name):
        """The truth, and what was said at the client and at the server."""
        truth = self.truths[name]
        return truth, truth["health"][CLIENT], truth["health"][SERVER]

    def assert_verdicts(self, health, has, has_not=()):
        self.assertTrue(set(has) <= verdicts(health), f"{verdicts(health)} without {has}")
        self.assertFalse(set(has_not) & verdicts(health), f"{verdicts(health)} with {has_not}")

    def assert_near(self, got, wanted, by):
        self.assertIsNotNone(got)
        self.assertTrue(wanted - by <= got <= wanted + by, f"{got}, not {wanted} give or take {by}")

    def assert_counts_retransmissions(self, name, unseen=2):
        """Each segment that the link dropped was sent again, seen so at both taps. At the client all but
        `unseen`: when all behind a lost one was lost, too, its repeat comes in order."""
        truth, at_client, at_server = self.both(name)
        gone = truth["link"]["down"]["lost"] + truth["link"]["down"]["overflowed"]
        for_nothing = at_server["s2c"]["spurious_retrans_pkts"] + at_server["flags"].get("tlp", 0)
        self.assertGreater(gone, 5)
        behind = at_server["s2c"]["retrans_earlier_copy_seen_pkts"]
        self.assert_near(behind, gone + for_nothing / 2, 2 + for_nothing / 2)
        self.assertEqual(at_server["s2c"]["retrans_fills_hole_pkts"], 0)
        before = at_client["s2c"]["retrans_fills_hole_pkts"]
        self.assert_near(before, gone - unseen / 2, 2 + unseen / 2)

    def test_round_trips_are_those_of_the_link(self):
        for name, truth in self.truths.items():
            if "rtt_ms" not in truth:
                continue
            at_client, at_server = truth["health"]
            with self.subTest(name):
                for got in (at_client["min_rtt_to_server_ms"], at_server["min_rtt_to_client_ms"]):
                    self.assertGreaterEqual(got, truth["rtt_ms"] - 0.1)
                    self.assertLess(got, truth["rtt_ms"] + RTT_SLACK_MS)

    def test_bytes_are_those_that_were_sent(self):
        for name, truth in self.truths.items():
            for health in truth["health"]:
                if "bytes" in truth:
                    with self.subTest(name):
                        self.assertEqual(health["s2c"]["unique_bytes"], truth["bytes"])
                        self.assertEqual(health["flags"]["close"], "fin")

    def test_packets_are_those_that_passed(self):
        for name in ("clean", "loss", "reorder", "overflow"):
            truth, at_client, at_server = self.both(name)
            down = truth["link"]["down"]
            with self.subTest(name):
                self.assertEqual(at_server["s2c"]["data_pkts"], down["data"])
                self.assertEqual(at_client["s2c"]["data_pkts"],
                                 down["data"] - down["lost"] - down["overflowed"])

    def test_clean(self):
        truth, at_client, at_server = self.both("clean")
        self.assertEqual(truth["link"]["down"]["lost"] + truth["link"]["down"]["overflowed"], 0)
        for health in (at_client, at_server):
            self.assert_verdicts(health, (), ("lossy", "bufferbloat", "blackholed", "reordered"))
            self.assertEqual(health["s2c"]["retrans_pkts"], 0)

    def test_bufferbloat(self):
        truth, at_client, at_server = self.both("bufferbloat")
        real = truth["link"]["down"]["queue_p50_ms"]
        self.assertGreater(real, 150)
        for health, place in ((at_client, "before_tap"), (at_server, "behind_tap")):
            self.assert_verdicts(health, ["bufferbloat"], ("lossy", "blackholed"))
            self.assertEqual(health["queue_place"], place)
            self.assert_near(health["s2c"]["queue_p50_ms"], real, 0.2 * real + 10)

    def test_deep_queue(self):
        """Hundreds of segments in flight, of which few round trips are measured"""
        truth, at_client, at_server = self.both("deep_queue")
        real = truth["link"]["down"]["queue_p95_ms"]
        for health in (at_client, at_server):
            self.assert_verdicts(health, ["bufferbloat"], ("lossy", "blackholed"))
        self.assert_near(at_client["s2c"]["queue_p95_ms"], real, 0.25 * real)  # by time stamps

    def test_loss(self):
        self.assert_counts_retransmissions("loss")
        for health in self.both("loss")[1:]:
            self.assert_verdicts(health, ["lossy"], ("reordered", "blackholed"))

    def test_overflow(self):
        """A queue that drops its tail, many segments of a flight."""
        _, at_client, at_server = self.both("overflow")
        for health in (at_client, at_server):
            self.assert_verdicts(health, ["lossy"], ("reordered", "blackholed"))
        lost = self.truths["overflow"]["link"]["down"]["overflowed"]
        self.assert_counts_retransmissions("overflow", unseen=lost / 3)

    def test_reorder(self):
        truth, at_client, at_server = self.both("reorder")
        late = truth["link"]["down"]["late"]
        self.assertGreater(late, 10)
        self.assert_verdicts(at_client, ["reordered"], ("lossy", "blackholed"))
        self.assert_near(at_client["s2c"]["reordered_original_pkts"], late, 3)
        self.assert_verdicts(at_server, (), ("reordered", "blackholed"))  # it left in order

    def test_syn_hole(self):
        _, at_client, at_server = self.both("syn_hole")
        self.assert_verdicts(at_client, ["blackholed"])
        self.assertEqual(at_client["flags"]["blackhole_kind"], "syn")
        self.assertIsNone(at_server)

    def test_middle_hole(self):
        _, at_client, at_server = self.both("middle_hole")
        self.assert_verdicts(at_server, ["blackholed"])
        self.assertEqual(at_server["flags"]["blackhole_kind"], "mid_connection")
        self.assertNotIn("blackholed", at_client["flags"])  # silence proves nothing, nor its absence

    def test_mtu_hole(self):
        truth, at_client, at_server = self.both("mtu_hole")
        self.assertGreater(truth["link"]["down"]["too_large"], 3)
        self.assert_verdicts(at_server, ["blackholed"])
        self.assertEqual(at_server["flags"]["blackhole_kind"], "pmtu")
        self.assertEqual(at_client["s2c"]["unique_bytes"], 800)

    def test_slow_reader(self):
        for health in self.both("slow_reader")[1:]:
            self.assert_verdicts(health, ["receiver_limited"], ("bufferbloat", "lossy", "blackholed"))
            self.assertGreater(health["c2s"]["zero_window_pkts"], 2)
            self.assertEqual(health["flags"]["limited_by"], "receiver")

    def test_idle_application(self):
        truth, at_client, at_server = self.both("idle_application")
        for health in (at_client, at_server):
            self.assert_verdicts(health, ["application_limited"], ("bufferbloat", "lossy"))
            self.assertGreater(health["s2c"]["idle_ms"], 0.8 * truth["idle_ms"])

    def test_slow_server(self):
        truth, at_client, at_server = self.both("slow_server")
        for health in (at_client, at_server):
            self.assert_verdicts(health, ["slow_server"], ("bufferbloat", "lossy"))
            self.assert_near(health["flags"]["server_response_ms"], truth["think_ms"], 50)

    def test_refused(self):
        for health in self.both("refused")[1:]:
            self.assertEqual(health["flags"]["close"], "refused")
            self.assertEqual(health["first_rst_from"], "server")


if __name__ == "__main__":
    tap.main()
