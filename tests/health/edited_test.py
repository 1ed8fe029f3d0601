#!/usr/bin/env python3
"""TCP health of captures that another observer would have made, or of hosts with other sequence numbers and
options: edits of captures made on networks of this machine. What the edit did not touch must not change."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "..", "tools")]
sys.dont_write_bytecode = True
import capture  # noqa: E402
import tap  # noqa: E402
import troubled  # noqa: E402
import edits  # noqa: E402

OF_THE_PATH = {"lossy", "reordered", "blackholed"}
PROVEN_BY_BOTH = OF_THE_PATH | {"receiver_limited", "short_of_window", "slow_server"}


class Edited(troubled.Troubled):
    names = ("clean", "loss", "reorder", "overflow")

    def after(self, edit, name, end):
        """What is said of an edited capture, and its packets."""
        packets = edit([one for one in capture.read(self.truths[name]["captures"][end])
                        if edits.is_segment(one)])
        path = os.path.join(self.folder.name, "edited.pcap")
        with open(path, "wb") as file:
            file.write(capture.pcap(packets))
        return troubled.health_of(path), packets

    def places(self):
        """All captures: the trouble, the end where it was captured, what is said of it."""
        for name, truth in self.truths.items():
            for end, health in enumerate(truth["health"]):
                yield name, end, health

    def assert_same(self, edit):
        for name, end, health in self.places():
            with self.subTest(f"{name} {end}"):
                self.assertEqual(self.after(edit, name, end)[0], health)

    def test_nothing_edited(self):
        self.assert_same(list)

    def test_sequence_numbers_that_wrap(self):
        self.assert_same(edits.wrapped)

    def test_mptcp(self):
        self.assert_same(edits.with_option(edits.MPTCP_DSS))

    def test_options_that_nobody_knows(self):
        self.assert_same(edits.with_option(edits.UNKNOWN))
        self.assert_same(edits.with_option(edits.ODD))

    def assert_missing(self, edit, name, end):
        """Bytes that the edit took out are the capture's loss, and no trouble of the network."""
        packets = [one for one in capture.read(self.truths[name]["captures"][end]) if edits.is_segment(one)]
        health, left = self.after(edit, name, end)
        before = self.truths[name]["health"][end]
        for side, way in enumerate(("c2s", "s2c")):
            shown = edits.unique_bytes(left, side)
            self.assertEqual(health[way]["unique_bytes"], shown)
            self.assert_near(health[way]["not_captured_bytes"], edits.unique_bytes(packets, side) - shown, 3000)
        self.assertEqual(health["quality"], "degraded")
        self.assertEqual(health["flags"]["capture_loss"], True)
        self.assertFalse(troubled.verdicts(health) & OF_THE_PATH - troubled.verdicts(before))
        return health

    def test_a_gap_in_the_capture(self):
        for end in (troubled.CLIENT, troubled.SERVER):
            with self.subTest(end):
                health = self.assert_missing(edits.with_gap, "clean", end)
                self.assertLessEqual(health["s2c"]["retrans_pkts"],
                                     self.truths["clean"]["link"]["down"]["repeats"])

    def test_a_capture_that_loses(self):
        for end in (troubled.CLIENT, troubled.SERVER):
            with self.subTest(end):
                self.assert_missing(edits.with_losses, "clean", end)

    def test_from_the_middle(self):
        for name, end, before in self.places():
            with self.subTest(f"{name} {end}"):
                health, _ = self.after(edits.from_the_middle, name, end)
                self.assertEqual(health["quality"], "midstream")
                self.assertEqual(health["flags"]["handshake_seen"], False)
                self.assertEqual(health["s2c"]["not_captured_bytes"], 0)
                self.assertNotIn("rwnd_limited_ms", health["s2c"])  # the scale of windows is not known
                self.assertFalse(troubled.verdicts(health) & {"blackholed", "receiver_limited", "short_of_window",
                                                              "sender_limited"})
                if "min_rtt_to_server_ms" not in health:  # when acknowledgments reach the sender nobody knows
                    self.assertFalse({"sender_busy_time_ms", "nonidle_throughput_mbps", "idle_ms"} &
                                     set(health["s2c"]))
                    self.assertNotIn("application_limited", troubled.verdicts(health))
                if name == "clean" and self.truths[name]["link"]["down"]["repeats"] == 0:
                    self.assertFalse(troubled.verdicts(health) & OF_THE_PATH)
                    self.assertEqual(health["s2c"]["retrans_pkts"], 0)

    def test_one_direction(self):
        for name, end, before in self.places():
            for side, way in enumerate(("c2s", "s2c")):
                with self.subTest(f"{name} {end} {way}"):
                    health, left = self.after(edits.only_from(side), name, end)
                    self.assertEqual(health["quality"], "one_way")
                    self.assertEqual(health[way]["unique_bytes"], edits.unique_bytes(left, 0))
                    self.assertEqual(health[way]["not_captured_bytes"], 0)
                    self.assertNotIn("sender_busy_time_ms", health[way])
                    self.assertFalse(troubled.verdicts(health) & PROVEN_BY_BOTH - troubled.verdicts(before))
                    self.assertNotIn("min_rtt_to_client_ms", health)

    def test_mirrored(self):
        for name, end, before in self.places():
            with self.subTest(f"{name} {end}"):
                health, left = self.after(edits.mirrored, name, end)
                self.assertEqual(health["duplicate_frames"], before["duplicate_frames"] + len(left) // 2)
                for figure in ("retrans_pkts", "reordered_original_pkts", "unique_bytes"):
                    self.assertEqual(health["s2c"][figure], before["s2c"][figure], figure)

    def test_options_cut_off(self):
        for name, end, before in self.places():
            with self.subTest(f"{name} {end}"):
                health, _ = self.after(edits.without_options, name, end)
                self.assertEqual(health["quality"], "truncated")
                self.assertEqual(health["flags"]["options_truncated"], True)
                self.assertNotIn("timestamps", health["flags"])
                self.assertEqual(health["s2c"]["unique_bytes"], before["s2c"]["unique_bytes"])
                self.assertFalse(troubled.verdicts(health) & {"blackholed", "receiver_limited", "short_of_window"})


if __name__ == "__main__":
    tap.main()
