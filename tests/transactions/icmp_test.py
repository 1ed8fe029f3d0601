#!/usr/bin/env python3
"""What ping asks another host is what the events say, one to one with what ping says: replies with their
round trips, pings that nobody answers, and such that a router refuses; IPv4 and IPv6."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
import apart  # noqa: E402
import clocks  # noqa: E402
import sniffer  # noqa: E402

PATIENCE = 180  # seconds
PINGS = 40
SIZES = (56, 200, 1000)  # by which pings that run at the same time are told apart
UNHEARD, REFUSED = 6, 4


class Version:
    """What differs between the versions of IP."""

    def __init__(self, number, here, there, unheard, refused, refusal):
        self.number, self.here, self.there = number, here, there
        self.unheard, self.refused, self.refusal = unheard, refused, refusal
        self.request, self.reply = ("EchoRequest", "EchoReply")


V4 = Version(4, "192.0.2.1/24", "192.0.2.2/24", "198.51.100.7", "203.0.113.7", (3, 1))
V6 = Version(6, "2001:db8:9::1/64", "2001:db8:9::2/64", "2001:db8:a::7", "2001:db8:b::7", (1, 0))


class Icmp(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="vantage-icmp-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.pings = 0

    def ping(self, address, count, size, *more):
        self.pings += 1  # else two may choose the same number for what they send
        return subprocess.Popen(["ping", "-n", "-e", str(self.pings), "-c", str(count), "-i", "0.02", "-s", str(size), *more,
                                 address],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                text=True, env={**os.environ, "LC_ALL": "C"})

    def lay(self, version, cable):
        """The other host is the way to two more, of which one takes everything and one refuses it."""
        there = version.there.split("/")[0]
        for address, kind in ((version.unheard, "blackhole"), (version.refused, "unreachable")):
            apart.sh("ip", f"-{version.number}", "route", "add", address, "via", there)
            apart.sh(*cable.inside("ip", f"-{version.number}", "route", "add", kind, address))
        settings = {4: ("ipv4/ip_forward=1", "ipv4/icmp_ratelimit=0"),
                    6: ("ipv6/conf/all/forwarding=1", "ipv6/icmp/ratelimit=0")}
        for setting in settings[version.number]:
            name, _, value = setting.partition("=")
            apart.sh(*cable.inside("sh", "-c", f"echo {value} > /proc/sys/net/{name}"))

    def record(self, version):
        """What pings said (by their sizes, and unheard and refused), and the events."""
        path = os.path.join(self.folder, "said.pcap")
        with apart.Neighbour(here=(version.here,), there=(version.there,)) as cable:
            self.lay(version, cable)
            there = version.there.split("/")[0]
            with sniffer.Sniffer(0, path, "here0", "icmp or icmp6") as wire:
                running = {size: self.ping(there, PINGS, size, "-W", str(PATIENCE)) for size in SIZES}
                running["unheard"] = self.ping(version.unheard, UNHEARD, 56, "-W", "1")
                running["refused"] = self.ping(version.refused, REFUSED, 56, "-W", str(PATIENCE))
                said = {name: ping.communicate(timeout=2 * PATIENCE)[0] for name, ping in running.items()}
            return said, wire.events("icmp")

    def check(self, version):
        said, events = self.record(version)
        asked = [event for event in events
                 if event["icmp"].get("request", {}).get("message") == "EchoRequest"]
        there = version.there.split("/")[0]
        for size in SIZES:
            self.check_replies(said[size], [event for event in asked if event["path"] == there and
                                            event["source"]["bytes"] == size])
        for address, count in ((version.unheard, UNHEARD), (version.refused, REFUSED)):
            told = [event for event in asked if event["path"] == address]
            self.assertEqual([(event["status"], event["event"]["reason"]) for event in told],
                             [("Error", "timeout")] * count)
        self.assertEqual(len(asked), PINGS * len(SIZES) + UNHEARD + REFUSED)
        self.check_refusals(version, said["refused"], events)

    def check_replies(self, text, events):
        """Every ping is an event; its time is what ping measured, who looks later than the capture."""
        times = {int(number): float(time) for number, time in
                 re.findall(r"icmp_seq=(\d+) ttl=\d+ time=([\d.]+) ms", text)}
        self.assertEqual(sorted(times), list(range(1, PINGS + 1)), text)
        self.assertEqual([event["status"] for event in events], ["OK"] * PINGS)
        events.sort(key=lambda event: event["event"]["start"])
        for number, event in enumerate(events, 1):
            self.assertGreaterEqual(event["event"]["duration"], 0)
            # ping shows three digits.
            self.assertLessEqual(event["event"]["duration"], times[number] * 1.006e6 + clocks.ERROR)
            self.assertEqual(event["source"]["bytes"], event["destination"]["bytes"])

    def check_refusals(self, version, text, events):
        """What the router refused is an error of its own, as often as ping was told."""
        heard = len(re.findall(r"^From \S+ icmp_seq=\d+ Destination ", text, re.MULTILINE))
        self.assertEqual(heard, REFUSED, text)
        kind, code = version.refusal
        told = [event for event in events if event["icmp"].get("request", {}).get("type") == kind
                or event["icmp"].get("response", {}).get("type") == kind]
        self.assertEqual([event["status"] for event in told], ["Error"] * REFUSED)
        for event in told:
            shown = event["icmp"].get("request") or event["icmp"]["response"]
            self.assertEqual(shown["code"], code)
            self.assertEqual(event["source"]["ip"], version.there.split("/")[0])

    def test_version_4(self):
        """IPv4: replies, silence and refusals are told as ping has them"""
        self.check(V4)

    def test_version_6(self):
        """IPv6, too"""
        self.check(V6)


if __name__ == "__main__":
    apart.main("ping")
