"""Talks for tests of what lost packets cost: connections on which each question and each answer is a packet
of its own, and an answer's size tells which question it belongs to. Standard library only."""
import json
import random
import re
import struct

import capture
import talks_named

CLIENT, SERVER = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
FIRST_PORT, CONNECTIONS, QUESTIONS = 20000, 6, 400
FIN, SYN, PUSH_ACK = 1, 2, 0x18
STYLES = ("waits", "asks four at once", "asks on")
MICROSECOND = 1000


def http(i):
    """A question and its answer, the i-th."""
    size = i % 977
    return (b"GET /t/%d HTTP/1.1\r\nHost: a\r\n\r\n" % i,
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)


def memcache(i):
    """Four commands in turn."""
    size = i % 977
    if i % 4 == 0:
        return (b"get t%d\r\n" % i, b"VALUE t%d 0 %d\r\n" % (i, size) + b"x" * size + b"\r\nEND\r\n")
    if i % 4 == 1:
        return b"set t%d 0 0 %d\r\n" % (i, size) + b"x" * size + b"\r\n", b"STORED\r\n"
    if i % 4 == 2:
        return b"incr t%d 1\r\n" % i, b"%d\r\n" % 10**(i % 9)
    return b"delete t%d\r\n" % i, b"DELETED\r\n" if i % 8 == 3 else b"NOT_FOUND\r\n"


def redis(i):
    key, size = b"t%d" % i, i % 977
    return b"*2\r\n$3\r\nGET\r\n$%d\r\n%s\r\n" % (len(key), key), b"$%d\r\n" % size + b"x" * size + b"\r\n"


def pgsql(i):
    def message(letter, body):
        return letter + struct.pack(">I", len(body) + 4) + body

    size = i % 977
    column = b"a\0" + struct.pack(">IHIHIH", 0, 0, 25, 0xFFFF, 0xFFFFFFFF, 0)
    return (message(b"Q", b"SELECT t%d\0" % i),
            message(b"T", struct.pack(">H", 1) + column) +
            message(b"D", struct.pack(">HI", 1, size) + b"x" * size) +
            message(b"C", b"SELECT 1\0") + message(b"Z", b"I"))


def mysql(i):
    def packets(number, *bodies):
        return b"".join(struct.pack("<I", len(body))[:3] + bytes([number + k]) + body
                        for k, body in enumerate(bodies))

    column = b"\3def\0\0\0\1a\0\x0c\x21\0\xff\0\0\0\xfd\0\0\0\0\0"
    end, size = b"\xfe\0\0\2\0", i % 240
    return (packets(0, b"\3SELECT t%d" % i),
            packets(1, b"\1", column, end, bytes([size]) + b"x" * size, end))


PGSQL_LOGIN = ((0, b"\0\0\0\x22\0\3\0\0user\0shop\0database\0cart\0\0\0"),
               (1, b"R\0\0\0\x08\0\0\0\0Z\0\0\0\5I"))
MYSQL_LOGIN = ((1, b"\x4a\0\0\0\x0a8.0.36\0\7\0\0\0saltsalt\0\xff\xff\xff\2\0\xff\xdf\x15" + bytes(10) +
                b"moresaltsalt\0mysql_native_password\0"),
               (0, b"\x3f\0\0\1\x05\xa2\x08\0\0\0\0\1\xff" + bytes(23) +
                b"shop\0\0mysql_native_password\0\0\0\0"),
               (1, b"\7\0\0\2\0\0\0\2\0\0\0"))
# How it is asked and answered, the port, what is said first, bytes of an answer that no event counts.
KINDS = {"http": (http, 80, (), 0), "memcache": (memcache, 11211, (), 0), "redis": (redis, 6379, (), 0),
         "pgsql": (pgsql, 5432, PGSQL_LOGIN, 6), "mysql": (mysql, 3306, MYSQL_LOGIN, 0), **talks_named.KINDS}


def schedule(style):
    """Who says which of the questions and answers, and when: [(microsecond, side, i)]."""
    chance = random.Random(5)
    said, now = [], 0
    step = 4 if style == "asks four at once" else 1
    for first in range(0, QUESTIONS, step):
        if style == "asks on":  # four are always under way
            said += [(first * 200 if first >= 4 else first * 5, 0, first), (first * 200 + 780, 1, first)]
            continue
        for k in range(step):
            said += [(now + k * 10, 0, first + k), (now + 800 + k * 20, 1, first + k)]
        now += 1000 + chance.randrange(1500)
    return sorted(said)


class Play:
    """Connections of one kind and style, of whose packets some are lost: `packets` that are left,
    `answer_bytes` of each question as an event should have them, and `hit`, those with a lost packet."""

    def __init__(self, name, style, loss, seed):
        self.packets, self.answer_bytes, self.hit = [], {}, set()
        self._chance, self._loss = random.Random(seed), loss
        self._make, self._port, self._login, self._apart = KINDS[name]
        for port in range(FIRST_PORT, FIRST_PORT + CONNECTIONS):
            self._connect(port, style)
        self.packets.sort(key=lambda packet: packet.time_ns)

    def which(self, event):
        """The question that an event is about."""
        text = json.dumps({name: event[name] for name in event if name != "network"})
        return event["client"]["port"], int(re.search(r"(?<![a-zA-Z0-9])t/?(\d+)(?![0-9])", text).group(1))

    def _connect(self, port, style):
        self._next = [1000, 5000]
        start = 1700000000 * 10**6 + port
        for number, (side, flags) in enumerate(((0, SYN), (1, SYN | 16), (0, 16))):
            self._send(port, start + number, side, b"", flags)
        for number, (side, data) in enumerate(self._login):
            self._send(port, start + 100 + number, side, data)
        last = 0
        for last, side, i in schedule(style):
            said = self._make(i)
            self.answer_bytes[port, i] = len(said[1]) - self._apart
            self._send(port, start + 2000 + last, side, said[side], PUSH_ACK, (port, i))
        for number, side in enumerate((0, 1)):
            self._send(port, start + last + 9000 + number, side, b"", FIN | 16)

    def _send(self, port, now, side, data, flags=PUSH_ACK, which=None):
        ends = ((CLIENT, port), (SERVER, self._port))[::-1 if side else 1]
        header = struct.pack(">HHIIBBHHH", ends[0][1], ends[1][1], self._next[side], self._next[1 - side], 0x50,
                             flags, 65000, 0, 0)
        size = 20 + len(header) + len(data)
        self._next[side] += len(data) + (1 if flags & (SYN | FIN) else 0)
        if which is not None and self._chance.random() < self._loss:
            self.hit.add(which)
            return
        ip = struct.pack(">BBHHHBBH", 0x45, 0, size, 0, 0, 64, 6, 0) + ends[0][0] + ends[1][0]
        frame = bytes(12) + b"\x08\0" + ip + header + data
        self.packets.append(capture.Packet(now * MICROSECOND, frame, len(frame), 1))
