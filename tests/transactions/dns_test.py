#!/usr/bin/env python3
"""What dig asks a real Knot DNS is what the events say, one to one: names that exist and names that do
not, over UDP and TCP, several questions on a connection, a transfer of many messages, EDNS."""
import collections
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
import sniffer  # noqa: E402
import sockets  # noqa: E402
import tap  # noqa: E402

PATIENCE = 180  # seconds
HOSTS = 3000   # in the zone: so many that a transfer needs several messages

CONFIG = """
server:
    rundir: {folder}
    listen: 127.0.0.1@{port}
    nsid: "answers"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: warning
database:
    storage: {folder}
acl:
  - id: local
    address: 127.0.0.1
    action: transfer
zone:
  - domain: example.test
    file: {folder}/example.zone
    acl: local
"""

ZONE = """$ORIGIN example.test.
$TTL 300
@ SOA ns hostmaster 7 7200 900 1209600 300
@ NS ns
ns A 127.0.0.1
@ MX 10 mail
mail AAAA 2001:db8::25
www CNAME h1
@ TXT "v=spf1 -all"
_sip._udp SRV 10 20 5060 h2
@ CAA 0 issue "ca.example"
@ HTTPS 1 . alpn="h2"
"""


class Knot:
    """A server of its own, on a free port of loopback."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="vantage-knot-")
        self.port = sockets.free_port()
        self.write("knot.conf", CONFIG.format(folder=self.folder, port=self.port))
        self.write("example.zone", ZONE + "".join(
            f"h{i} A 192.0.{i >> 8}.{i & 255}\n" for i in range(1, HOSTS + 1)))
        self.told = open(os.path.join(self.folder, "told"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(["knotd", "-c", os.path.join(self.folder, "knot.conf")],
                                        stdin=subprocess.DEVNULL, stdout=self.told, stderr=self.told)
        try:
            self.wait()
        except BaseException:
            self.stop()
            raise

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def wait(self):
        end = time.monotonic() + PATIENCE
        while "NOERROR" not in self.dig("+time=2", "h1.example.test"):
            self.told.seek(0)
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(self.told.read())
            time.sleep(0.1)

    def dig(self, *words):
        """What dig says; it asks once."""
        return subprocess.run(["dig", "-p", str(self.port), "@127.0.0.1", "+tries=1", f"+time={PATIENCE}",
                               *words],
                              capture_output=True, text=True, check=False, timeout=PATIENCE,
                              env={**os.environ, "HOME": self.folder}).stdout

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE)
        self.told.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def told(event):
    """What an event says, as ask() puts it."""
    dns = event["dns"]
    return (event["network"]["transport"], event["query"].removeprefix("class IN, type "),
            dns["response_code"], dns["answers_count"])


class Questions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        reason = sniffer.missing("knotd", "dig")
        if reason:
            raise unittest.SkipTest(reason)
        cls.folder = tempfile.mkdtemp(prefix="vantage-dns-")
        cls.wanted = []
        cls.knot = Knot()
        try:
            path = os.path.join(cls.folder, "said.pcap")
            with sniffer.Sniffer(f"{cls.knot.port} or udp port {cls.knot.port}", path) as heard:
                cls.talk()
            cls.events = heard.events("dns")
        finally:
            cls.knot.stop()
            shutil.rmtree(cls.folder, ignore_errors=True)

    @classmethod
    def ask(cls, name, kind, code, count, *options, transport="udp"):
        text = cls.knot.dig(name, kind, *options)
        said = re.search(r"status: (\w+)", text)
        assert said is None or said[1] == code, text
        cls.wanted.append((transport, f"{kind}, {name}", code, count))

    @classmethod
    def talk(cls):
        cls.ask("h1.example.test", "A", "NOERROR", 1)
        cls.ask("www.example.test", "A", "NOERROR", 2)
        cls.ask("mail.example.test", "AAAA", "NOERROR", 1, "+dnssec")
        cls.ask("example.test", "MX", "NOERROR", 1)
        cls.ask("example.test", "TXT", "NOERROR", 1, "+noedns")
        cls.ask("example.test", "SOA", "NOERROR", 1)
        cls.ask("_sip._udp.example.test", "SRV", "NOERROR", 1)
        cls.ask("example.test", "CAA", "NOERROR", 1)
        cls.ask("example.test", "HTTPS", "NOERROR", 1)
        cls.ask("h9.example.test", "AAAA", "NOERROR", 0)
        cls.ask("nobody.example.test", "A", "NXDOMAIN", 0)
        cls.ask("elsewhere.example", "A", "REFUSED", 0)
        cls.ask("h2.example.test", "A", "NOERROR", 1, "+subnet=192.0.2.0/24", "+nsid")
        cls.ask("h3.example.test", "A", "NOERROR", 1, "+tcp", transport="tcp")
        cls.ask("nobody.example.test", "A", "NXDOMAIN", 0, "+tcp", transport="tcp")
        cls.ask("example.test", "AXFR", "NOERROR", HOSTS + 11, transport="tcp")
        cls.batch(range(1, 201), "udp")
        cls.batch(range(300, 340), "tcp", "+tcp", "+keepopen")

    @classmethod
    def batch(cls, numbers, transport, *options):
        """Many questions of one dig: over TCP on one connection."""
        words = []
        for i in numbers:
            words += [f"h{i}.example.test", "A", *options]
            cls.wanted.append((transport, f"A, h{i}.example.test", "NOERROR", 1))
        cls.knot.dig(*options, *words)

    def find(self, query):
        return [e for e in self.events if e["query"].endswith(query)]

    def test_one_event_for_each(self):
        """each question of dig is one event, with the code and the number of records of its answer"""
        got = collections.Counter(told(e) for e in self.events)
        wanted = collections.Counter(self.wanted)
        self.assertEqual(wanted - got, collections.Counter())
        self.assertEqual(got - wanted, collections.Counter())

    def test_status(self):
        """what failed is an error, all else is not"""
        for event in self.events:
            fine = event["dns"]["response_code"] == "NOERROR"
            self.assertEqual(event["status"], "OK" if fine else "Error")
            self.assertNotIn("error", event, event)
            self.assertGreater(event["event"]["duration"], 0)

    def test_addresses(self):
        """what a name resolves to is in the answer, in resolved_ip and in related.ip"""
        event = self.find("www.example.test")[0]
        self.assertEqual([a["type"] for a in event["dns"]["answers"]], ["CNAME", "A"])
        self.assertEqual(event["dns"]["resolved_ip"], ["192.0.0.1"])
        self.assertEqual(event["related"]["ip"], ["127.0.0.1", "192.0.0.1"])
        self.assertEqual(event["dns"]["question"]["registered_domain"], "example.test")

    def test_transfer(self):
        """a transfer of many messages is one event with all their bytes"""
        event = self.find("AXFR, example.test")[0]
        self.assertGreater(event["destination"]["bytes"], 16 * HOSTS)
        self.assertEqual(event["dns"]["answers"][0]["type"], "SOA")

    def test_edns(self):
        """the subnet that was asked for is not the server's to repeat, its name is"""
        event = [e for e in self.find("A, h2.example.test") if "nsid" in e["dns"].get("opt", {})][0]
        self.assertEqual(bytes.fromhex(event["dns"]["opt"]["nsid"]), b"answers")
        self.assertNotIn("opt", self.find("TXT, example.test")[0]["dns"])


if __name__ == "__main__":
    tap.main()
