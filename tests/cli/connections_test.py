#!/usr/bin/env python3
"""vantage read --connections, on connections that this script makes up."""
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "..", "tools")]
sys.dont_write_bytecode = True
import capture  # noqa: E402
import frames  # noqa: E402
import tap  # noqa: E402

CLIENT, SERVER = "198.51.100.10", "203.0.113.20"
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MS = 10 ** 6
START = 1700000000 * 10 ** 9
SEGMENT = 1000


class Talk:
    """A connection as a tap 6 ms before the server and 14 ms behind the client sees it."""

    def __init__(self, port, at=0):
        self.port, self.now, self.made = port, START + at * MS, []
        self.next = {CLIENT: 1000, SERVER: 9000}
        self.ident = 1

    def packet(self, source, flags, data=b"", seq=None, wait=0):
        self.now += int(wait * MS)
        other = SERVER if source == CLIENT else CLIENT
        ports = (self.port, 8080) if source == CLIENT else (8080, self.port)
        seq = self.next[source] if seq is None else seq
        ack = self.next[other] if flags & ACK else 0
        segment = frames.tcp(source, other, ports, flags, seq, ack, data)
        self.ident += 1
        self.made.append((self.now, frames.ethernet(
            frames.ipv4(source, other, 6, segment, ident=self.ident), reverse=source != CLIENT)))
        if seq == self.next[source]:
            self.next[source] += len(data) + (1 if flags & (SYN | FIN) else 0)

    def open(self):
        self.packet(CLIENT, SYN)
        self.packet(SERVER, SYN | ACK, wait=6)
        self.packet(CLIENT, ACK, wait=14)
        self.packet(CLIENT, ACK | PSH, b"?" * 100)

    def close(self):
        self.packet(SERVER, FIN | ACK, wait=5)
        self.packet(CLIENT, FIN | ACK, wait=14)
        self.packet(SERVER, ACK, wait=6)


def healthy(port, at=0):
    talk = Talk(port, at)
    talk.open()
    talk.packet(SERVER, ACK, wait=6)
    for _ in range(50):
        talk.packet(SERVER, ACK | PSH, b"x" * SEGMENT, wait=1)
        talk.packet(CLIENT, ACK, wait=14)
    talk.close()
    return talk.made


def blackholed(port, at=0):
    talk = Talk(port, at)
    talk.open()
    talk.packet(SERVER, ACK, wait=6)
    talk.packet(SERVER, ACK | PSH, b"x" * 500, wait=1)
    seq = talk.next[SERVER] - 500
    for i in range(5):
        talk.packet(SERVER, ACK | PSH, b"x" * 500, seq=seq, wait=300 << i)
    return talk.made


def refused(port, at=0):
    talk = Talk(port, at)
    talk.packet(CLIENT, SYN)
    talk.packet(SERVER, RST | ACK, seq=0, wait=6)
    return talk.made


class Connections(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = os.path.join(cls.folder.name, "made.pcap")
        made = sorted(healthy(40001) + blackholed(40002, 7) + refused(40003, 9), key=lambda x: x[0])
        with open(cls.path, "wb") as file:
            file.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1))
            for when, frame in made:
                file.write(struct.pack("<IIII", when // 10 ** 9, when % 10 ** 9, len(frame),
                                       len(frame)) + frame)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def read(self, *options):
        done = subprocess.run([tap.vantage(), "read", "--connections", *options, self.path],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def events(self, *options):
        found = [json.loads(line) for line in self.read("-o", "events", *options).splitlines()]
        return {event["client"]["port"]: event for event in found}

    def test_one_event_for_each(self):
        events = self.events()
        self.assertEqual(sorted(events), [40001, 40002, 40003])
        for event in events.values():
            self.assertEqual(event["event"]["dataset"], "tcp.connection")
            self.assertEqual((event["client"]["ip"], event["server"]["ip"]), (CLIENT, SERVER))

    def test_measures(self):
        health = self.events()[40001]["tcp"]["health"]
        self.assertAlmostEqual(health["handshake_rtt_to_server_ms"], 6, places=2)
        self.assertAlmostEqual(health["handshake_rtt_to_client_ms"], 14, places=2)
        self.assertAlmostEqual(health["min_rtt_to_client_ms"], 14, places=2)
        self.assertEqual(health["s2c"]["unique_bytes"], 50 * SEGMENT)
        self.assertEqual(health["s2c"]["retrans_pkts"], 0)
        self.assertEqual((health["flags"]["close"], health["flags"]["blackholed"]), ("fin", False))
        self.assertNotIn("verdicts", health)

    def test_verdicts(self):
        events = self.events()
        hole = events[40002]["tcp"]["health"]
        self.assertEqual(hole["flags"]["blackhole_kind"], "mid_connection")
        self.assertEqual(hole["verdicts"].split(",")[0], "blackholed")
        self.assertIn("repeats", hole["verdict"]["blackholed"]["evidence"])
        self.assertEqual(events[40003]["tcp"]["health"]["flags"]["close"], "refused")

    def test_the_report_has_the_worst_first_in_80_columns(self):
        lines = self.read("-o", "report").splitlines()
        self.assertEqual([line.split()[-1] for line in lines[1:]], ["blackholed", "refused", "ok"])
        self.assertLessEqual(max(map(len, lines)), 80)

    def test_workers_make_no_difference(self):
        self.assertEqual(self.read("-o", "events"), self.read("-o", "events", "--workers", "3"))

    def test_events_join_with_flows(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            file.write("flows: {health: true, period: -1s}\n")
            file.flush()
            done = subprocess.run([tap.vantage(), "read", "-c", file.name, "-o", "events", self.path],
                                  capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = [json.loads(line) for line in done.stdout.splitlines()]
        ids = {kind: sorted(e["flow"]["id"] for e in found if e["event"]["dataset"] == kind)
               for kind in ("flow", "tcp.connection")}
        self.assertEqual(ids["flow"], ids["tcp.connection"])
        self.assertEqual(len(ids["flow"]), 3)


if __name__ == "__main__":
    tap.main()
