#!/usr/bin/env python3
"""TCP health on networks of seldom trouble, and of what only looks like trouble: no verdict out of noise,
and the counts of the link, which follows sequence numbers where packets leave and where they arrive."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
sys.dont_write_bytecode = True
import tap  # noqa: E402
import troubled  # noqa: E402
from hosts import BUSY, QUIET  # noqa: E402

NAMES = tuple(one.__name__ for one in BUSY + QUIET if one.__module__ == "oddities")
CLOCKS = tuple(name for name in NAMES if name.startswith("clock_"))
OF_THE_PATH = ("lossy", "reordered", "blackholed")
STANDING_MS = 60  # of delay are a queue


class Oddities(troubled.Troubled):
    names = NAMES

    def assert_no_queue(self, name):
        """No bufferbloat, unless the link itself was so late that one may have stood."""
        truth, *healths = self.both(name)
        if truth["link"]["late_max_ms"] + truth["link"]["down"]["queue_max_ms"] < STANDING_MS / 2:
            for health in healths:
                self.assertIsNot(health["flags"].get("bufferbloat"), True)

    def assert_as_the_link(self, name, way="s2c", line="down", sender=troubled.SERVER):
        """Repeats and disorder are those that left their sender, and those that arrived."""
        truth = self.truths[name]
        there, here = truth["health"][sender][way], truth["health"][1 - sender][way]
        link = truth["link"][line]
        with self.subTest(name):
            self.assertEqual(there["data_pkts"], link["data"])
            self.assert_near(there["retrans_pkts"], link["repeats"], 2)
            self.assertEqual(there["retrans_fills_hole_pkts"], 0)
            self.assertEqual(there["reordered_original_pkts"], 0)
            self.assertEqual(here["data_pkts"],
                             link["data"] - link["lost"] - link["overflowed"] - link["vanished"])
            self.assert_near(here["retrans_pkts"], link["repeats_arrived"], 2 + link["overtaken"] * 0.2)
            self.assert_near(here["reordered_original_pkts"], link["overtaken"], 2 + link["overtaken"] * 0.2)
            for health in (there, here):
                self.assertEqual(health["not_captured_bytes"], 0)

    def test_round_trips_are_those_of_the_link(self):
        self.assert_round_trips()

    def test_bytes_are_those_that_were_sent(self):
        self.assert_bytes()

    def test_counts_are_those_of_the_link(self):
        for name in ("ack_loss", "jitter", "reorder_unstamped", "loss_unstamped", "small_window",
                     "zero_window", "forged_reset", *CLOCKS):
            self.assert_as_the_link(name)
        self.assert_as_the_link("upload_loss", "c2s", "up", troubled.CLIENT)

    def test_nothing_is_wrong_with_the_path(self):
        for name in ("ack_loss", "jitter", "small_window", "zero_window", "forged_reset", "half_open",
                     "fast_open", *CLOCKS):
            truth, at_client, at_server = self.both(name)
            with self.subTest(name):
                if truth["link"]["down"]["repeats"] + truth["link"]["up"]["repeats"] < 3:
                    for health in (at_client, at_server):
                        self.assert_verdicts(health, (), OF_THE_PATH)
                self.assert_no_queue(name)

    def test_lost_acknowledgments_are_no_lost_data(self):
        truth, *healths = self.both("ack_loss")
        self.assertGreater(truth["link"]["up"]["acks_lost"], 10)
        for health in healths:
            self.assertIsNot(health["flags"].get("capture_loss"), True)

    def test_strange_clocks_leave_round_trips_alone(self):
        for name in CLOCKS:
            for health in self.both(name)[1:]:
                with self.subTest(name):
                    self.assertEqual(health["flags"]["timestamps"], True)
                    self.assertEqual(health["flags"]["close"], "fin")

    def test_upload_loss(self):
        for health in self.both("upload_loss")[1:]:
            self.assert_verdicts(health, ["lossy"], ("reordered", "blackholed"))

    def test_loss_without_time_stamps(self):
        for health in self.both("loss_unstamped")[1:]:
            self.assert_verdicts(health, ["lossy"], ("reordered", "blackholed"))
            self.assertEqual(health["flags"]["timestamps"], False)

    def test_disorder_without_time_stamps(self):
        truth, at_client, at_server = self.both("reorder_unstamped")
        self.assertGreater(truth["link"]["down"]["overtaken"], 8)
        self.assert_verdicts(at_client, ["reordered"], ("lossy", "blackholed"))
        self.assert_near(at_server["s2c"]["spurious_retrans_pkts"], truth["link"]["down"]["repeats"], 2)
        self.assert_verdicts(at_server, (), OF_THE_PATH)  # all that was sent again was so for nothing

    def test_a_hole_that_heals_is_an_episode(self):
        truth, at_client, at_server = self.both("healed_hole")
        self.assertGreaterEqual(truth["link"]["down"]["vanished"], 3)
        self.assertEqual(at_server["flags"]["blackhole_episodes"], 1)
        self.assertGreater(at_server["flags"]["blackhole_episode_s"], 2)
        for health in (at_client, at_server):
            self.assertEqual(health["flags"]["blackholed"], False)
            self.assertGreater(health["s2c"]["sender_busy_time_ms"], 2000)

    def test_a_forged_reset_changes_nothing(self):
        _, at_client, at_server = self.both("forged_reset")
        self.assertEqual((at_client["rst_pkts"], at_server["rst_pkts"]), (1, 0))
        self.assertEqual(at_client["flags"]["close"], "fin")
        self.assert_verdicts(at_client, (), OF_THE_PATH)

    def test_half_open(self):
        for health in self.both("half_open")[1:]:
            self.assertEqual(health["flags"]["half_open"], True)
            self.assertEqual(health["flags"]["close"], "rst_by_server")
            self.assertEqual(health["first_rst_from"], "server")

    def test_fast_open(self):
        for health in self.both("fast_open")[1:]:
            self.assertEqual(health["c2s"]["data_pkts"], 1)
            self.assertEqual(health["established"], True)
            self.assertEqual(health["flags"]["turns"], 1)

    def test_small_window(self):
        for health in self.both("small_window")[1:]:
            self.assertEqual(health["flags"]["limited_by"], "receiver")
            self.assertEqual(health["c2s"]["zero_window_pkts"], 0)
            self.assert_verdicts(health, ["short_of_window"], ["receiver_limited"])

    def test_zero_window(self):
        for health in self.both("zero_window")[1:]:
            self.assertEqual(health["flags"]["limited_by"], "receiver")
            self.assertGreater(health["c2s"]["zero_window_pkts"], 0)
            self.assertGreater(health["s2c"]["rwnd_limited_ms"], 2000)
            self.assert_verdicts(health, ["receiver_limited"])


if __name__ == "__main__":
    tap.main()
