#!/usr/bin/env python3
"""Live traffic gives what the file gave: a capture is replayed over a veth pair, and the final flow
events of `vantage live` are held against those of `vantage read` on the same packets."""
import json
import os
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "..", "tools")]
import netlab  # noqa: E402
import scenes  # noqa: E402
import tap  # noqa: E402

# What must be the same. Times are those of the replay, and so is what hangs on them.
FIELDS = ["source.ip", "source.port", "source.packets", "source.bytes", "source.mac",
          "destination.ip", "destination.port", "destination.packets", "destination.bytes",
          "destination.mac", "network.transport", "network.type", "network.community_id", "flow.state",
          "flow.history", "flow.vlan", "flow.tunnel.type", "flow.tunnel.id",
          "flow.source.tcp_flags", "flow.destination.tcp_flags", "flow.fragments",
          "flow.tcp.retransmissions", "flow.tcp.out_of_order", "event.incomplete"]


def flat(node, prefix=""):
    """Nested JSON objects as one with dotted names."""
    items = {}
    for key, value in node.items():
        if isinstance(value, dict):
            items.update(flat(value, f"{prefix}{key}."))
        else:
            items[prefix + key] = value
    return items


def final_flows(text):
    """The last reports of all flows in lines of events, without times, in an order of their own."""
    flows = []
    for line in text.splitlines():
        event = flat(json.loads(line))
        if event.get("event.dataset") == "flow" and event.get("flow.final"):
            flows.append({name: event[name] for name in FIELDS if name in event})
    return sorted(flows, key=lambda flow: json.dumps(flow, sort_keys=True))


class Replay(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        reason = netlab.missing("tcpreplay", "curl")
        if reason:
            raise unittest.SkipTest(reason)

    def check(self, made, workers):
        """Replays frames and compares; the number of flows is returned."""
        self.maxDiff = 4000
        with tempfile.TemporaryDirectory() as folder, netlab.Pair() as pair:
            path = os.path.join(folder, "sent.pcap")
            scenes.write(path, made)
            wanted = final_flows(netlab.sh(tap.vantage(), "read", "-o", "events", path))
            live = pair.listen([tap.vantage(), "live", "in0", "-o", "events", "--workers",
                                str(workers)])
            pair.replay(path)
            pair.totals(len(made))
            status, out, err = pair.finish(live)
        self.assertEqual(status, 0, err)
        self.assertEqual(sum(flow["source.packets"] + flow.get("destination.packets", 0)
                             for flow in wanted), len(made))
        self.assertEqual(final_flows(out), wanted)

    def check_all(self, made):
        for workers in (1, 2):
            with self.subTest(workers=workers):
                self.check(made, workers)

    def test_plain(self):
        """TCP, UDP and ICMP live as from the file, with 1 and 2 workers"""
        self.check_all(scenes.plain())

    def test_vlan(self):
        """VLAN tags that the kernel strips are seen, with 1 and 2 workers"""
        self.check_all(scenes.tagged())

    def test_vxlan(self):
        """VXLAN: both directions of an inner flow in one event, with 1 and 2 workers"""
        self.check_all(scenes.in_vxlan())

    def test_gre(self):
        """GRE: both directions of an inner flow in one event, with 1 and 2 workers"""
        self.check_all(scenes.in_gre())

    def test_fragments(self):
        """Fragments are counted in their flow, with 1 and 2 workers"""
        self.check_all(scenes.fragmented())


if __name__ == "__main__":
    tap.main()
