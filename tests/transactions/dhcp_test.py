#!/usr/bin/env python3
"""What udhcpc and dhclient say to a real dnsmasq, and it to them, is what the events say, message by message,
as the server's log has them: DHCP for IPv4 and for IPv6."""
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
import apart  # noqa: E402
import clocks  # noqa: E402
import sniffer  # noqa: E402

PATIENCE = 180  # seconds
CLIENTS = 4
# Both clients' script. An address stays when it is given back: else the message that says so waits for ARP,
# and is lost.
SCRIPT = """#!/bin/sh
test "$1$reason" = bound || test "$1$reason" = BOUND || exit 0
ip -4 address flush dev "$interface"
ip address add "${new_ip_address:-$ip}/24" dev "$interface"
"""
OLD_LEASE = """lease {
  interface "there0";
  fixed-address 198.51.100.7;
  renew 2 2099/01/06 00:00:00;
  rebind 2 2099/01/06 00:00:00;
  expire 2 2099/01/06 00:00:00;
}
"""


class Dhcp(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="vantage-dhcp-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.cable = apart.Neighbour(here=("192.0.2.1/24", "2001:db8:9::1/64"))
        self.cable.__enter__()
        self.addCleanup(self.cable.__exit__)
        self.log = self.path("log")
        self.script = self.path("script", SCRIPT)
        os.chmod(self.script, 0o755)
        self.calls = []

    def path(self, name, text=None):
        path = os.path.join(self.folder, name)
        if text is not None:
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
        return path

    def serve(self, range_of_addresses, *options):
        """dnsmasq, listening; it logs each message with the number of its transaction."""
        with open(self.log, "w", encoding="ascii") as log:
            server = subprocess.Popen(
                ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--user=root",
                 "--interface=here0", "--bind-interfaces", "--dhcp-authoritative", "--log-dhcp", "--no-ping",
                 f"--dhcp-leasefile={self.path('leases')}", f"--dhcp-range={range_of_addresses}", *options],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.addCleanup(server.wait, PATIENCE)
        self.addCleanup(server.terminate)
        apart.wait_until(lambda: "sockets bound" in self.logged(), "dnsmasq listens")

    def logged(self):
        with open(self.log, encoding="ascii", errors="replace") as file:
            return file.read()

    def said(self):
        """The messages of the log: number, kind."""
        rows = re.findall(r"dnsmasq-dhcp: (\d+) (?:DHCP([A-Z]+)\(|.* (release received))", self.logged())
        return [(f"0x{int(number):0{self.digits}x}", (kind or "REPLY").lower()) for number, kind, _ in rows]

    def run_there(self, *command):
        """Runs a client until it has what it asks for; what it has done was in between."""
        begin = time.time_ns()
        done = subprocess.run(self.cable.inside(*command), stdin=subprocess.DEVNULL, timeout=PATIENCE,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        self.calls.append(clocks.Call(begin, time.time_ns()))
        self.assertEqual(done.returncode, 0, command)

    def dhclient(self, version, name, *more):
        self.run_there("dhclient", version, *more, "-sf", self.script, "-lf", self.path(f"{name}.leases"),
                       "-pf", self.path(f"{name}.pid"), "-cf", "/dev/null", "there0")

    def sniff(self, ports):
        return sniffer.Sniffer(0, self.path("said.pcap"), "here0", f"udp portrange {ports}")

    def wait_for_releases(self, count):
        apart.wait_until(lambda: sum(kind == "release" for _, kind in self.said()) == count,
                         "the server has read the releases")

    def check(self, events, protocol, kind_of):
        """Each message of the log is an event, and no other; when it was is within what the clients did."""
        told = [(event[protocol]["transaction_id"], kind_of(event[protocol])) for event in events]
        self.maxDiff = None
        self.assertEqual(sorted(told), sorted(self.said()))
        self.assertEqual(clocks.strays(events, self.calls), [])
        return collections.Counter(kind for _, kind in told)

    def test_version_4(self):
        """IPv4: leases of udhcpc and of dhclient, one that is refused, releases"""
        self.digits = 8
        self.serve("192.0.2.100,192.0.2.150,1h")
        with self.sniff("67-68") as wire:
            for number in range(CLIENTS):
                self.run_there("udhcpc", "-i", "there0", "-f", "-q", "-n", "-t", "30", "-s",
                               self.script, "-x", f"hostname:host-{number}")
            self.path("old.leases", OLD_LEASE)
            self.dhclient("-4", "old", "-1")
            self.dhclient("-4", "old", "-r")
            self.wait_for_releases(1)
        events = wire.events("dhcpv4")
        kinds = self.check(events, "dhcpv4", lambda message: message["option"]["message_type"])
        self.assertEqual((kinds["nak"], kinds["release"]), (1, 1))
        self.assertGreater(kinds["ack"], CLIENTS)
        names = [event["dhcpv4"]["option"]["hostname"] for event in events
                 if event["source"]["port"] == 68 and "hostname" in event["dhcpv4"]["option"]]
        self.assertEqual(set(names), {f"host-{number}" for number in range(CLIENTS)})
        self.check_leases(events)

    def check_leases(self, events):
        """Who got which address is what the server says."""
        wanted = set(re.findall(r"DHCPACK\(here0\) (\S+) (\S+)", self.logged()))
        told = {(event["dhcpv4"]["assigned_ip"], event["dhcpv4"]["client_mac"].replace("-", ":").lower())
                for event in events if event["dhcpv4"]["option"]["message_type"] == "ack"}
        self.assertEqual(told, wanted)

    def test_version_6(self):
        """IPv6: leases of dhclient, with their releases"""
        self.digits = 6
        self.serve("2001:db8:9::100,2001:db8:9::1ff,64,1h",
                   "--dhcp-option=option6:dns-server,[2001:db8:9::53]")
        with self.sniff("546-547") as wire:
            for number in range(CLIENTS):
                self.dhclient("-6", f"six-{number}", "-1")
                self.dhclient("-6", f"six-{number}", "-r")
            self.wait_for_releases(CLIENTS)
        events = wire.events("dhcpv6")
        kinds = self.check(events, "dhcpv6", lambda message: message["message_type"])
        self.assertEqual(kinds["release"], CLIENTS)
        self.assertGreaterEqual(kinds["reply"], 2 * CLIENTS)
        wanted = {address for address in re.findall(r"DHCPREPLY\(here0\) (\S+)", self.logged())}
        told = {lease["ip"] for event in events for lease in event["dhcpv6"].get("leases", ())
                if event["dhcpv6"]["message_type"] == "reply" and "valid_lifetime_sec" in lease}
        self.assertEqual(told, wanted)


if __name__ == "__main__":
    apart.main("dnsmasq", "udhcpc", "dhclient")
