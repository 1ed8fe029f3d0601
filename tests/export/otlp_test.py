#!/usr/bin/env python3
"""Metrics over OTLP: what a receiver that reads strictly gets, and what becomes of it when the receiver
is busy, away, or refuses."""
import os
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
import otlp  # noqa: E402
import sockets  # noqa: E402
import tap  # noqa: E402
from pushing import Pusher, wait_for  # noqa: E402

FAST = "interval: 1s, backoff: 50ms, backoff_max: 200ms"


def output(port, more=FAST):
    return f"kind: otlp, url: 'http://127.0.0.1:{port}/v1/metrics', {more}"


def times(receiver):
    """When each request was made."""
    return [receiver.metrics(i)["vantage_build_info"]["gauge"]["points"][0]["time"]
            for i in range(len(receiver.requests))]


class Otlp(unittest.TestCase):
    def receiver(self, *args, **more):
        receiver = otlp.Receiver(*args, **more)
        self.addCleanup(receiver.close)
        return receiver

    def test_what_is_pushed(self):
        """requests are well formed; sums, levels and distributions are what they are called"""
        receiver = self.receiver()
        with Pusher([output(receiver.port, FAST + ", attributes: [site=paris]")]):
            wait_for("three requests", lambda: len(receiver.requests) >= 3)
        self.assertEqual(receiver.wrong, [])
        self.assertEqual(receiver.requests[-1]["resources"][0]["resource"]["attributes"][0],
                         {"key": "site", "value": {"string": "paris"}})
        who = otlp.attributes(receiver.requests[-1]["resources"][0]["resource"])
        self.assertEqual(who["service.name"], "vantage")
        metrics = receiver.metrics()
        packets = metrics["vantage_packets_total"]["sum"]
        self.assertEqual((packets["temporality"], packets["monotonic"]), (2, 1))
        self.assertGreater(packets["points"][0]["int"], 0)
        self.assertLess(packets["points"][0]["start"], packets["points"][0]["time"])

    def test_deltas(self):
        """with temporality delta sums are of the time since the last request, without a gap; the last comes at the end"""
        receiver = self.receiver()
        with Pusher([output(receiver.port, "temporality: delta")]) as agent:
            before = wait_for("packets", lambda: agent.metric("vantage_packets_total"))
        self.assertEqual(receiver.wrong, [])
        sums = [receiver.metrics(i)["vantage_packets_total"]["sum"] for i in range(len(receiver.requests))]
        self.assertEqual({s["temporality"] for s in sums}, {1})
        points = [s["points"][0] for s in sums]
        self.assertEqual([p["start"] for p in points[1:]], [p["time"] for p in points[:-1]])
        self.assertGreaterEqual(sum(p.get("int", 0) for p in points), before)

    def test_whole_intervals(self):
        """requests are made at whole multiples of the interval"""
        receiver = self.receiver()
        with Pusher([output(receiver.port, "interval: 4s")]):
            # On a busy machine a turn may pass by; no two requests are of the same.
            wait_for("two turns one after the other", lambda: 1 in self.apart(receiver))
            self.assertNotIn(0, self.apart(receiver))
        self.assertEqual(receiver.wrong, [])

    @staticmethod
    def apart(receiver):
        """How many turns of four seconds are between requests and the next ones."""
        turns = [time // 4_000_000_000 for time in times(receiver)]
        return [after - before for before, after in zip(turns, turns[1:])]

    @unittest.skipUnless(os.geteuid() == 0, "capturing needs root")
    def test_policies(self):
        """pktvisord's flags; a policy's levels are those of its own scope, distributions exponential"""
        receiver = self.receiver()
        command = ["pktvisord", "lo", "--port", "0", "--otel", "--otel-host", "127.0.0.1", "--otel-port",
                   str(receiver.port), "--otel-interval", "1"]
        with Pusher([], command) as agent:
            wait_for("a request", lambda: receiver.requests)
            self.assertIn("127.0.0.1", agent.url)
        self.assertEqual(receiver.wrong, [])
        metrics = receiver.metrics()  # the last one tells of the minute under way
        packets = metrics["packets_total"]
        self.assertEqual(packets["scope"]["name"], "pktvisor/default")
        self.assertEqual(otlp.attributes(packets["scope"])["policy_name"], "default")
        self.assertEqual(otlp.attributes(packets["gauge"]["points"][0])["policy"], "default")
        spread = [m["exponential"] for m in metrics.values() if "exponential" in m]
        self.assertTrue(spread)
        for point in (p for s in spread for p in s["points"]):
            counts = point.get("positive", {"counts": []})["counts"]
            self.assertEqual(sum(counts) + point["zero"], point["count"])

    def test_the_receiver_is_busy(self):
        """what is refused for now is sent again, in order, and nothing is lost"""
        receiver = self.receiver([(503, {}), (429, {"Retry-After": "1"}), (502, {})])
        with Pusher([output(receiver.port)]) as agent:
            wait_for("three requests", lambda: len(receiver.requests) >= 3)
            self.assertEqual(agent.metric("vantage_output_lost_events_total"), 0)
            self.assertEqual(agent.metric("vantage_output_retries_total"), 3)
        self.assertEqual(times(receiver), sorted(times(receiver)))
        self.assertEqual(receiver.wrong, [])

    def test_the_receiver_refuses(self):
        """what is refused for good is counted, and the next one goes"""
        receiver = self.receiver([(400, {})])
        with Pusher([output(receiver.port)]) as agent:
            wait_for("a request", lambda: receiver.requests)
            self.assertGreater(agent.metric("vantage_output_refused_events_total"), 0)
        self.assertEqual(receiver.wrong, [])

    def test_a_partial_success(self):
        """points that a success says were rejected are counted"""
        receiver = self.receiver(body=b"\x0a\x08\x08\x03\x12\x04nope")
        with Pusher([output(receiver.port)]) as agent:
            wait_for("rejected points",
                     lambda: agent.metric("vantage_output_refused_events_total") >= 3)

    def test_the_journal(self):
        """what could not be sent before the agent ended is sent by the next one, first"""
        with tempfile.TemporaryDirectory() as folder:
            journal = os.path.join(folder, "push")
            port = sockets.free_port()  # where nobody is, at first
            with Pusher([output(port, f"{FAST}, journal: {journal}, close_wait: 1s")]) as agent:
                wait_for("snapshots that wait", lambda: len(os.listdir(journal)) >= 2)
                self.assertGreater(agent.metric("vantage_output_waiting_events"), 0)
            left = len(os.listdir(journal))
            self.assertGreaterEqual(left, 2)
            receiver = self.receiver(port=port)
            with Pusher([output(receiver.port, f"{FAST}, journal: {journal}")]):
                wait_for("old and new ones", lambda: len(receiver.requests) > left)
            self.assertEqual(times(receiver), sorted(times(receiver)))
            self.assertEqual(receiver.wrong, [])
            self.assertEqual(os.listdir(journal), [])


if __name__ == "__main__":
    tap.main()
