#!/usr/bin/env python3
"""TCP health on networks of known trouble, made anew: verdicts, and figures against what the link counted.

Each trouble of tests/networks/troubles.py is captured at both hosts. What was lost was lost behind the
server's tap and before the client's, so the two must tell the same loss from two sides."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
sys.dont_write_bytecode = True
import tap  # noqa: E402
from troubled import Troubled  # noqa: E402


class Troubles(Troubled):
    names = ("clean", "bufferbloat", "deep_queue", "overflow", "loss", "reorder", "slow_reader", "syn_hole",
             "middle_hole", "mtu_hole", "idle_application", "slow_server", "refused")

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
        self.assert_round_trips()

    def test_bytes_are_those_that_were_sent(self):
        self.assert_bytes()

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
        """Hundreds of segments in flight, more than have a record each"""
        truth, at_client, at_server = self.both("deep_queue")
        real = truth["link"]["down"]["queue_p95_ms"]
        for health in (at_client, at_server):
            self.assert_verdicts(health, ["bufferbloat"], ("lossy", "blackholed"))
        self.assert_near(at_client["s2c"]["queue_p95_ms"], real, 0.25 * real)  # by time stamps
        round_trip = real + truth["rtt_ms"]
        self.assert_near(at_server["s2c"]["rtt_p95_ms"], round_trip, 0.2 * round_trip)

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
            # What the server's host knows as acknowledged, the taps saw before.
            trip = health["min_rtt_to_server_ms"]
            known = sum(pause - trip for pause in truth["pauses_ms"])
            self.assertGreaterEqual(health["s2c"]["idle_ms"], known)

    def test_slow_server(self):
        truth, at_client, at_server = self.both("slow_server")
        for health in (at_client, at_server):
            self.assert_verdicts(health, ["slow_server"], ("bufferbloat", "lossy"))
            # Between what the server took to itself and what its client waited, each less the path.
            trip = health["min_rtt_to_server_ms"]
            self.assertGreaterEqual(health["flags"]["server_response_ms"], truth["think_ms"] - trip)
            self.assertLessEqual(health["flags"]["server_response_ms"], truth["first_byte_ms"])

    def test_refused(self):
        for health in self.both("refused")[1:]:
            self.assertEqual(health["flags"]["close"], "refused")
            self.assertEqual(health["first_rst_from"], "server")


if __name__ == "__main__":
    tap.main()
