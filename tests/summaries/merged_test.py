#!/usr/bin/env python3
"""What two hosts say of TCP connections adds up to what one host would have said that saw them all: counters and
top lists by adding, quantiles by adding the buckets of their histograms."""
import os
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import otlp  # noqa: E402
import pktvisord  # noqa: E402
import tap  # noqa: E402
from made_talk import ACK, PSH, SERVER, START, Talk, write_capture  # noqa: E402

MINUTE = 60 * 10 ** 9
AT = (MINUTE - START % MINUTE) // 10 ** 6 + 1000  # ms behind START: all is in one minute
FULL = ("connections", "packets", "bytes", "count", "fast_retransmits", "retransmission_timeouts")


def answered(port, at, to_client, repeats=0, server_port=80):
    """A handshake and twenty segments of an answer; the first `repeats` of every other five are sent again."""
    talk = Talk(port, at, ("198.51.100.%d" % (port % 5), SERVER), server_port, (4, to_client))
    talk.open()
    talk.packet(SERVER, ACK, wait=4)
    for i in range(20):
        seq = talk.next[SERVER]
        talk.packet(SERVER, ACK | PSH, b"x" * 1000, wait=1)
        if i < repeats:
            talk.packet(SERVER, ACK | PSH, b"x" * 1000, seq=seq, wait=3 * to_client + 250)
        talk.packet(talk.client, ACK, wait=to_client)
    talk.close()
    return talk.made


def silent(port, at):
    """SYNs that nothing answers."""
    talk = Talk(port, at, server_port=443)
    for again in range(4):
        talk.packet(talk.client, 2, seq=1000, wait=1000 * again)
    return talk.made


def connections():
    """Near ones at one host, far ones at the other: their histograms are of other scales."""
    near = [answered(20000 + i, AT + 7 * i, 1 + i / 10) for i in range(40)]
    near += [answered(21000 + i, AT + 9 * i, 3, repeats=5) for i in range(5)] + [silent(22000, AT)]
    far = [answered(30000 + i, AT + 11 * i, 100 + 10 * i) for i in range(40)]
    far += [answered(31000 + i, AT + 5 * i, 250, 2, 8080) for i in range(3)]
    far += [silent(32000 + i, AT + i) for i in range(3)]
    return near, far


def buckets(point, sign):
    """Bucket → count."""
    side = point.get(sign) or {}
    return {side.get("offset", 0) + i: count for i, count in enumerate(side.get("counts", [])) if count}


def folded(counts, times):
    found = {}
    for bucket, count in counts.items():
        found[bucket >> times] = found.get(bucket >> times, 0) + count
    return found


def added(points, scale):
    """Histograms as one at that scale, which none is coarser than."""
    sums = {"count": 0, "zero": 0, "positive": {}, "negative": {}}
    for point in points:
        assert point["scale"] >= scale
        for key in ("count", "zero"):
            sums[key] += point.get(key, 0)
        for sign in ("positive", "negative"):
            for bucket, count in folded(buckets(point, sign), point["scale"] - scale).items():
                sums[sign][bucket] = sums[sign].get(bucket, 0) + count
    return sums


class Merged(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(dir="/tmp")
        cls.addClassCleanup(cls.folder.cleanup)

    def said(self, name, made):
        """(metric, labels) → a number, or a histogram's point, as an agent that saw this pushes it at its end."""
        path = os.path.join(self.folder.name, name + ".pcap")
        write_capture(path, sorted((p for one in made for p in one), key=lambda packet: packet[0]))
        receiver = otlp.Receiver()
        self.addCleanup(receiver.close)
        agent = pktvisord.Agent(self, "--otel", "--otel-host", "127.0.0.1", "--otel-port", str(receiver.port),
                                "--otel-interval", "1")
        agent.ask("POST", "taps", pktvisord.tap_document("t", "pcap", {"pcap_file": path}))
        got = agent.ask("POST", "policies", pktvisord.policy_document("p", "t", "pcap", "tcp"))
        self.assertEqual(got[0], 201, got)
        agent.wait(lambda: agent.metrics("p", "t", "window/5")["tcp"]["connections"] == len(made))
        agent.process.terminate()  # the last push has the minute under way
        agent.process.wait(pktvisord.PATIENCE)
        self.assertEqual(receiver.wrong, [])
        found = {}
        for metric, data in receiver.metrics().items():
            for kind in ("gauge", "exponential"):
                for point in data.get(kind, {}).get("points", []):
                    labels = tuple(sorted(otlp.attributes(point).items()))
                    found[metric, labels] = point if kind == "exponential" else point.get("int", point.get("double"))
        return found

    def test_two_hosts_are_one(self):
        """counters, shares of verdicts, top lists and every histogram of two agents add up to those of one"""
        near, far = connections()
        parts, whole = [self.said("near", near), self.said("far", far)], self.said("all", near + far)
        histograms = verdicts = paths = lists = 0
        whole = {key: value for key, value in whole.items() if key[0].startswith("tcp_")}
        for (name, labels), value in whole.items():
            of = [part[name, labels] for part in parts if (name, labels) in part]
            if isinstance(value, dict):
                with self.subTest(name=name, labels=labels):
                    self.assertEqual(added(of, value["scale"]), added([value], value["scale"]))
                    if value["count"]:
                        filled = [point for point in of if point["count"]]
                        self.assertEqual((min(p["min"] for p in filled), max(p["max"] for p in filled)),
                                         (value["min"], value["max"]))
                histograms += value["count"] > 0
                paths += name.startswith("tcp_path_")
            elif name.endswith(FULL) or name.startswith("tcp_top_"):
                self.assertEqual(sum(of), value, (name, labels))
                verdicts += "_verdict_" in name and value > 0
                lists += name.startswith("tcp_top_")
        self.assertTrue(histograms >= 8 and verdicts >= 2 and paths >= 3 and lists >= 3)
        scales = [[p["scale"] for (name, _), p in part.items() if name == "tcp_rtt_us"] for part in (*parts, whole)]
        self.assertLess(scales[2], scales[0])  # else nothing had to be folded


if __name__ == "__main__":
    tap.main()
