#!/usr/bin/env python3
"""Transactions do not depend on how TCP brought them: the same talk of HTTP, MySQL, PostgreSQL and Redis in
odd connections (a late SYN-ACK, data in the SYN, both sides opening at once, urgent data, keep-alives, sequence
numbers that wrap, repeats that say something else, overlaps, sides in the wrong order, ports used anew) and in
other envelopes (tags, tunnels, fragments), at any port, makes the same events, with one worker and with four."""
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(ROOT, "tools")]
sys.dont_write_bytecode = True
import capture  # noqa: E402
import frames  # noqa: E402
import tap  # noqa: E402

VANTAGE = os.environ.get("VANTAGE", os.path.join(ROOT, "build", "src", "vantage"))
CLIENT, SERVER = 0, 1
URG = 32
START_NS = 1_700_000_000 * 10**9
V4, V6 = ("10.1.0.1", "10.2.0.1"), ("fd00::1", "fd00::2")
OUTER = ("192.0.2.1", "192.0.2.2")


# ---- Talks: messages as (side, bytes), and what they are as (query, status) ----------------------------

def http_talk():
    said, told = [], []
    for i, size in enumerate((5, 3000, 0)):
        body = bytes(65 + (i + at) % 26 for at in range(size))
        said.append((CLIENT, b"GET /page%d HTTP/1.1\r\nHost: shop.example\r\n\r\n" % i))
        said.append((SERVER, b"HTTP/1.1 %d OK\r\nContent-Length: %d\r\n\r\n" % (200 + i, size) + body))
        told.append(("GET /page%d" % i, "OK"))
    return 80, said, told


def redis_talk():
    said, told = [], []
    for i, answer in enumerate((b"+OK\r\n", b"$-1\r\n", b"-ERR no\r\n")):
        key = b"key%d" % i
        said.append((CLIENT, b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$1\r\nv\r\n" % (len(key), key)))
        said.append((SERVER, answer))
        told.append(("SET key%d v" % i, "Error" if answer[:1] == b"-" else "OK"))
    return 6379, said, told


def packet(number, data):
    return struct.pack("<I", len(data))[:3] + bytes([number]) + data


def mysql_talk():
    ok = b"\0\1\0\2\0\0\0"
    said = [(SERVER, packet(0, b"\x0a8.0.30\0" + struct.pack("<I", 7) + b"12345678\0"
                            + struct.pack("<HBHHB", 0xA200, 33, 2, 0x0008, 21) + bytes(10)
                            + b"123456789012\0mysql_native_password\0")),
            (CLIENT, packet(1, struct.pack("<IIB", 0x0008A200, 1 << 24, 33) + bytes(23) + b"root\0"
                            + b"\x14" + bytes(20) + b"mysql_native_password\0")),
            (SERVER, packet(2, ok))]
    told = []
    for i, answer in enumerate((ok, ok, b"\xff\x28\x04#42000no such thing")):
        said.append((CLIENT, packet(0, b"\x03insert into t values (%d)" % i)))
        said.append((SERVER, packet(1, answer)))
        told.append(("insert into t values (%d)" % i, "Error" if answer[0] == 255 else "OK"))
    return 3306, said, told


def message(kind, data):
    return kind + struct.pack("!I", 4 + len(data)) + data


def pgsql_talk():
    ready = message(b"Z", b"I")
    start = struct.pack("!I", 196608) + b"user\0root\0\0"
    said = [(CLIENT, struct.pack("!I", 4 + len(start)) + start),
            (SERVER, message(b"R", bytes(4)) + ready)]
    told = []
    for i in range(3):
        answer = message(b"C", b"INSERT 0 1\0") if i < 2 else message(b"E", b"SERROR\0C42601\0Mno\0\0")
        said.append((CLIENT, message(b"Q", b"insert into t values (%d)\0" % i)))
        said.append((SERVER, answer + ready))
        told.append(("insert into t values (%d)" % i, "OK" if i < 2 else "Error"))
    return 5432, said, told


TALKS = {"http": http_talk(), "redis": redis_talk(), "mysql": mysql_talk(), "pgsql": pgsql_talk()}


class Line:
    """A connection's frames, put down one by one; each side's sequence number is kept."""
    client_port = 40000  # of the variant under way

    def __init__(self, port, ends=V4, starts=(1000, 900000)):
        self.ends, self.ports = ends, (Line.client_port, port)
        self.next = list(starts)
        self.packets = []  # (side, IP packet)

    def make(self, side, flags, data=b"", at=None, urgent=0):
        a, b = self.ends if side == CLIENT else self.ends[::-1]
        ports = self.ports if side == CLIENT else self.ports[::-1]
        seq = self.next[side] if at is None else at
        ack = self.next[1 - side] if flags & frames.ACK else 0
        segment = frames.tcp(a, b, ports, flags, seq, ack, data)
        if urgent:
            segment = segment[:18] + struct.pack("!H", urgent) + segment[20:]
        return side, frames.ip(a, b, frames.TCP, segment)

    def put(self, side, flags, data=b"", at=None, urgent=0):
        self.packets.append(self.make(side, flags, data, at, urgent))
        if at is None:
            self.next[side] += len(data) + bool(flags & (frames.SYN | frames.FIN))

    def open(self):
        self.put(CLIENT, frames.SYN)
        self.put(SERVER, frames.SYN | frames.ACK)
        self.put(CLIENT, frames.ACK)

    def say(self, side, data, flags=frames.PSH | frames.ACK, size=1200, urgent=0):
        for at in range(0, len(data), size):
            self.put(side, flags, data[at:at + size], urgent=urgent)

    def talk(self, said, **how):
        for side, data in said:
            self.say(side, data, **how)
            self.put(1 - side, frames.ACK)

    def close(self):
        self.put(CLIENT, frames.FIN | frames.ACK)
        self.put(SERVER, frames.FIN | frames.ACK)
        self.put(CLIENT, frames.ACK)


# ---- Connections: each makes the packets of a talk -----------------------------------------------------

def plainly(port, said, ends=V4, **how):
    line = Line(port, ends)
    line.open()
    line.talk(said, **how)
    line.close()
    return line.packets


def late_answer_to_syn(behind):
    """The SYN-ACK stands `behind` packets later than it was."""
    def make(port, said):
        packets = plainly(port, said)
        packets.insert(1 + behind, packets.pop(1))
        return packets
    return make


def data_in_syn(port, said):
    line = Line(port)
    first = said[0]
    if first[0] == CLIENT:
        line.put(CLIENT, frames.SYN, first[1])
        line.put(SERVER, frames.SYN | frames.ACK)
    else:
        line.put(CLIENT, frames.SYN)
        line.put(SERVER, frames.SYN | frames.ACK, first[1])
    line.put(CLIENT, frames.ACK)
    line.talk(said[1:])
    line.close()
    return line.packets


def data_in_syn_again(port, said):
    """The server takes only the SYN (RFC 7413 section 4.2): what stood in it is sent once more."""
    line = Line(port)
    side, data = said[0]
    if side == SERVER:
        return plainly(port, said)
    line.packets.append(line.make(CLIENT, frames.SYN, data))
    line.next[CLIENT] += 1
    line.put(SERVER, frames.SYN | frames.ACK)
    line.put(CLIENT, frames.ACK)
    line.talk(said)
    line.close()
    return line.packets


def both_open(port, said):
    """RFC 9293 section 3.5, figure 7."""
    line = Line(port)
    starts = list(line.next)
    line.put(CLIENT, frames.SYN)
    line.put(SERVER, frames.SYN)
    line.put(CLIENT, frames.SYN | frames.ACK, at=starts[0])
    line.put(SERVER, frames.SYN | frames.ACK, at=starts[1])
    line.talk(said)
    line.close()
    return line.packets


def urgently(port, said):
    return plainly(port, said, flags=frames.PSH | frames.ACK | URG, urgent=1)


def kept_alive(data):
    """Keep-alives (RFC 9293 section 3.8.4) of both sides between all messages."""
    def make(port, said):
        line = Line(port)
        line.open()
        for side, text in said:
            for who in CLIENT, SERVER:
                line.put(who, frames.ACK, data, at=line.next[who] - 1)
                line.put(1 - who, frames.ACK)
            line.say(side, text)
            line.put(1 - side, frames.ACK)
        line.close()
        return line.packets
    return make


def wrapped(before):
    """Sequence numbers of both sides wrap within the talk, `before` bytes on."""
    def make(port, said):
        line = Line(port, starts=(2**32 - before, 2**32 - before))
        line.open()
        line.talk(said)
        line.close()
        return line.packets
    return make


def repeated_otherwise(port, said):
    """What was acknowledged is sent again and says something else: the first counts."""
    line = Line(port)
    line.open()
    for side, data in said:
        at = line.next[side]
        line.say(side, data)
        line.put(1 - side, frames.ACK)
        line.put(side, frames.PSH | frames.ACK, bytes(b ^ 1 for b in data[:1200]), at=at)
        line.put(1 - side, frames.ACK)
    line.close()
    return line.packets


def overlapping(port, said):
    """Pieces of 20 bytes, each reaching 10 into the next, each pair the wrong way round."""
    line = Line(port)
    line.open()
    for side, data in said:
        start = line.next[side]
        pieces = [line.make(side, frames.PSH | frames.ACK, data[at:at + 20], start + at)
                  for at in range(0, len(data), 10)]
        for i in range(0, len(pieces), 2):
            line.packets += pieces[i:i + 2][::-1]
        line.next[side] += len(data)
        line.put(1 - side, frames.ACK)
    line.close()
    return line.packets


def swapped(whose):
    """A tap with a queue for each direction: what `whose` side sent comes before what it answers."""
    def make(port, said):
        packets = plainly(port, said)
        for i in range(3, len(packets) - 4):
            if packets[i][0] != whose and packets[i + 1][0] == whose:
                packets[i], packets[i + 1] = packets[i + 1], packets[i]
        return packets
    return make


def every_packet_twice(port, said):
    return [p for p in plainly(port, said) for _ in range(2)]


CONNECTIONS = {
    "plain": plainly,
    "byte by byte": lambda port, said: plainly(port, said, size=1),
    "SYN-ACK behind the first question": late_answer_to_syn(2),
    "SYN-ACK behind everything": late_answer_to_syn(6),
    "data in the SYN": data_in_syn,
    "data in the SYN, and again": data_in_syn_again,
    "both open": both_open,
    "urgent": urgently,
    "keep-alives": kept_alive(b""),
    "keep-alives of a byte": kept_alive(b"\0"),
    "wrap at once": wrapped(1),
    "wrap in the first message": wrapped(20),
    "wrap in the body": wrapped(1000),
    "repeats that say something else": repeated_otherwise,
    "overlaps out of order": overlapping,
    "the server's packets come early": swapped(SERVER),
    "the client's packets come early": swapped(CLIENT),
    "every packet twice": every_packet_twice,
}


# ---- Envelopes ----------------------------------------------------------------------------------------

def framed(packets):
    return [frames.ethernet(data, reverse=side == SERVER) for side, data in packets]


def in_fragments(packets):
    made = []
    for number, (side, data) in enumerate(packets):
        is_six = data[0] >> 4 == 6
        ends = V6 if is_six else V4
        ends = ends if side == CLIENT else ends[::-1]
        payload = data[40:] if is_six else data[20:]
        parts = frames.fragments(*ends, frames.TCP, payload, number + 1, 16) \
            if len(payload) > 40 else [data]
        made += [frames.ethernet(part, reverse=side == SERVER) for part in reversed(parts)]
    return made


def in_tunnel(wrap):
    def make(packets):
        return [frames.ethernet(wrap(side, data), reverse=side == SERVER) for side, data in packets]
    return make


def outer(side):
    return OUTER if side == CLIENT else OUTER[::-1]


ENVELOPES = {
    "VLAN": lambda packets: [frames.ethernet(d, (7,), s == SERVER) for s, d in packets],
    "QinQ": lambda packets: [frames.ethernet(d, (100, 7), s == SERVER) for s, d in packets],
    "GRE": in_tunnel(lambda side, data: frames.gre(data, outer(side))),
    "GRE with a key": in_tunnel(lambda side, data: frames.gre(data, outer(side), 9)),
    "VXLAN": in_tunnel(lambda side, data: frames.vxlan(frames.ethernet(data, reverse=side == SERVER),
                                                       outer(side), 49152 + side, 77)),
    "fragments": in_fragments,
}


class HostileStreams(unittest.TestCase):
    """All variants of a test are in one capture, one behind the other, each with a client's port of its own."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.made, self.names = [], {}

    def add(self, name, make):
        Line.client_port = 40000 + len(self.names)
        self.names[Line.client_port] = name
        self.made += make()

    def told(self, workers):
        """What each variant makes: {name: [(query, status, reason)]}."""
        path = os.path.join(self.folder.name, "some.pcap")
        with open(path, "wb") as file:
            file.write(capture.pcap([capture.Packet(START_NS + i * 100_000, data, len(data), 1)
                                     for i, data in enumerate(self.made)]))
        done = subprocess.run([VANTAGE, "read", "-o", "events", "--workers", str(workers), path],
                              check=True, capture_output=True, text=True, timeout=300)
        told = {name: [] for name in self.names.values()}
        for event in map(json.loads, done.stdout.splitlines()):
            if event["event"]["dataset"] != "flow":
                told[self.names[event["client"]["port"]]].append(
                    (event.get("query"), event["status"], event["event"].get("reason")))
        return told

    def check(self):
        for workers in 1, 4:
            for (protocol, *name), events in self.told(workers).items():
                with self.subTest(protocol=protocol, variant=name, workers=workers):
                    self.assertEqual(events, [(*each, None) for each in TALKS[protocol][2]])

    def test_connections(self):
        for protocol, (port, said, _) in TALKS.items():
            for name, make in CONNECTIONS.items():
                self.add((protocol, name), lambda: framed(make(port, said)))
        self.check()

    def test_envelopes(self):
        for protocol, (port, said, _) in TALKS.items():
            for name, wrap in ENVELOPES.items():
                for ends in V4, V6:
                    self.add((protocol, name, ends), lambda: wrap(plainly(port, said, ends)))
        self.check()

    def test_ports_are_hints(self):
        """Each talk at a port of another protocol, all at one port, and behind refusals of TLS and GSS."""
        for protocol, (_, said, _) in TALKS.items():
            for port in 80, 3306, 5432, 6379, 7000, 49999:
                self.add((protocol, port), lambda: framed(plainly(port, said)))
        said = TALKS["pgsql"][1]
        wishes = [[(CLIENT, struct.pack("!II", 8, 80877103 + more)), (SERVER, b"N")] for more in (0, 1)]
        for name, before in (("TLS", wishes[0]), ("GSS", wishes[1]), ("both", wishes[1] + wishes[0])):
            for port in 5432, 49999:
                self.add(("pgsql", name, port), lambda: framed(plainly(port, before + said)))
        self.check()

    def test_long_texts(self):
        """Statements are whole, and so are commands of Redis."""
        huge = b"x" * 300_000
        said = [(CLIENT, b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(huge), huge)), (SERVER, b"$-1\r\n")]
        self.add("redis", lambda: framed(plainly(6379, said)))
        said = TALKS["mysql"][1]
        said = said[:3] + [(CLIENT, packet(0, b"\x03select '" + huge)), (SERVER, said[-3][1])]
        self.add("mysql", lambda: framed(plainly(3306, said)))
        said = TALKS["pgsql"][1]
        said = said[:2] + [(CLIENT, message(b"Q", b"select '" + huge + b"\0")), (SERVER, said[3][1])]
        self.add("pgsql", lambda: framed(plainly(5432, said)))
        for name, events in self.told(1).items():
            with self.subTest(protocol=name):
                self.assertEqual(len(events), 1)
                said = events[0][0]
                begin = "GET " if name == "redis" else "select '"
                self.assertEqual(said, begin + huge.decode())

    def test_ports_used_anew(self):
        """A talk breaks off behind a question; then the same ports begin another one."""
        ends = {"silence": lambda line: None,
                "reset": lambda line: line.put(CLIENT, frames.RST | frames.ACK),
                "reset by the server": lambda line: line.put(SERVER, frames.RST | frames.ACK),
                "FIN": Line.close}

        def twice(port, said, end):
            line, again = Line(port), Line(port, starts=(5_000_000, 7_000_000))
            line.open()
            line.talk(said[:max(i for i, (side, _) in enumerate(said) if side == CLIENT) + 1])
            end(line)
            again.open()
            again.talk(said)
            again.close()
            return framed(line.packets + again.packets)

        for protocol, (port, said, _) in TALKS.items():
            for name, end in ends.items():
                self.add((protocol, name), lambda: twice(port, said, end))
        for (protocol, name), events in self.told(1).items():
            with self.subTest(protocol=protocol, end=name):
                told = [(*each, None) for each in TALKS[protocol][2]]
                self.assertEqual([e for e in events if e[2] is None], told[:-1] + told)
                rest = [e for e in events if e[2] is not None]
                self.assertEqual([e[:2] for e in rest], [(told[-1][0], "Error")], events)
                self.assertIn(rest[0][2], ("reset", "closed", "timeout", "gap"))


if __name__ == "__main__":
    tap.main()
