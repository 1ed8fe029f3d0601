#!/usr/bin/env python3
"""TCP health on networks of this machine: a sender's own buffer, marks of congestion, TLS, and what routers say.
What the link counted, what the program measured, or what its connect() was told is the truth."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
sys.dont_write_bytecode = True
import tap  # noqa: E402
import troubled  # noqa: E402
from hosts import BUSY, QUIET  # noqa: E402

class Further(troubled.Troubled):
    names = tuple(one.__name__ for one in BUSY + QUIET if one.__module__ == "further")

    def test_round_trips_are_those_of_the_link(self):
        self.assert_round_trips()

    def test_bytes_are_those_that_were_sent(self):
        self.assert_bytes()

    def test_small_send_buffer(self):
        """What a sender has room for is all that is ever out, and nobody else is blamed. On a calm machine the
        verdict names the sender; on a busy one the link is late, and no two round trips are alike"""
        _, at_client, at_server = self.both("small_send_buffer")
        self.assertLessEqual(at_server["s2c"]["max_flight_bytes"], 2 * 20_000)
        for health in (at_client, at_server):
            self.assertEqual(health["s2c"]["rwnd_limited_ms"], 0)
            self.assert_verdicts(health, (), ("receiver_limited", "short_of_window", "application_limited"))
            self.assertIn(health["flags"].get("limited_by"), (None, "sender", "network"))

    def test_marks(self):
        """Marked segments are counted behind the one who marks, and are no loss"""
        truth, at_client, at_server = self.both("marked")
        link = truth["link"]["down"]
        self.assertGreater(link["marked"], 5)
        self.assertEqual(at_client["s2c"]["ce_pkts"], link["marked"])
        self.assertNotIn("ce_pkts", at_server["s2c"])  # they are made behind it, and echoed
        self.assertGreater(at_server["s2c"]["ece_acks"], 0)
        self.assertGreater(truth["kernel"]["marked"], 0)
        for health in (at_client, at_server):
            self.assertEqual(health["flags"]["ecn_negotiated"], True)
            self.assert_verdicts(health, (), ("lossy", "reordered", "blackholed", "sender_limited"))
        for health in self.both("unmarked")[1:]:
            self.assertEqual((health["flags"]["ecn_negotiated"], health["s2c"]["ce_pkts"]), (False, 0))

    def test_tls(self):
        """The handshake's time, and the first byte of the first answer behind it: taps see the first packet after
        the client begins, and the last before both ends, or the client, have it"""
        for name, trips in (("tls12", 2), ("tls13", 1)):
            truth, at_client, at_server = self.both(name)
            with self.subTest(name):
                self.assertGreaterEqual(at_client["tls_handshake_ms"], trips * truth["rtt_ms"] - 0.1)
                self.assertLessEqual(at_client["tls_handshake_ms"], truth["handshake_ms"])
                self.assertGreaterEqual(at_client["ttfb_ms"], truth["think_ms"] + truth["rtt_ms"] - 0.1)
                self.assertLessEqual(at_client["ttfb_ms"], truth["first_byte_ms"])
                self.assertGreaterEqual(at_server["ttfb_ms"], truth["think_ms"] - 0.1)
                self.assertLessEqual(at_server["ttfb_ms"], truth["first_byte_ms"])

    def test_routers_say_what_is_wrong(self):
        """A connect that an ICMP error answers has failed, by the kind of the error"""
        for name, word in (("host_unreachable", "host_unreachable"), ("admin_prohibited", "admin_prohibited"),
                           ("port_unreachable", "port_unreachable")):
            truth, *healths = self.both(name)
            if "missing" in truth:
                continue
            with self.subTest(name):
                self.assertIn(truth["error"], ("No route to host", "Connection refused"))
                for health in healths:
                    self.assertGreaterEqual(health["icmp_errors"], 1)
                    self.assertEqual(health["flags"]["icmp_error"], word)
                    self.assertEqual(health["flags"]["close"], "unreachable")
                    self.assertEqual(troubled.verdicts(health), set())

    def test_silent_router(self):
        for health in self.both("silent_router")[1:]:
            self.assert_verdicts(health, ["blackholed"])
            self.assertEqual(health["flags"]["blackhole_kind"], "syn")
            self.assertNotIn("icmp_error", health["flags"])

    def test_the_mtu_is_told(self):
        """What was too large is sent again in smaller segments: no loss, no black hole"""
        truth, *healths = self.both("narrow")
        self.assertEqual(truth["arrived"], truth["sent"])
        for health in healths:
            self.assertEqual(health["flags"]["icmp_error"], "fragmentation_needed")
            self.assertEqual(health["flags"]["pmtud_icmp"], True)
            self.assertGreater(health["c2s"]["retrans_pkts"], 0)
            self.assert_verdicts(health, (), ("lossy", "blackholed"))

    def test_the_mtu_is_not_told(self):
        """Whom the error does not reach is in a black hole"""
        for health in self.both("narrow_and_mute")[1:]:  # the router's own tap saw it
            self.assert_verdicts(health, ["blackholed"])
            self.assertEqual(health["flags"]["blackhole_kind"], "pmtu")


if __name__ == "__main__":
    tap.main()
