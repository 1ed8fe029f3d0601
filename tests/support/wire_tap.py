"""TCP as hostile hosts and strangers send it, made up segment by segment: nothing is checked, no state is kept.
Only headers are written, as a capture with a snap length has them; how long a payload was stands in the IP
header."""
import socket
import struct

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CLIENT, SERVER = "198.51.100.10", "203.0.113.20"
MS, SECOND = 10 ** 6, 10 ** 9
START = 1700000000 * SECOND
OFFER = bytes([2, 4, 5, 180, 4, 2, 1, 3, 3, 7])  # MSS 1460, SACK, a scale of 7
PROTOCOL_TCP, SNAP = 6, 128


def stamps(value, echo):
    """The time stamps option, RFC 7323."""
    return struct.pack("!BBBBII", 1, 1, 8, 10, value % 2 ** 32, echo % 2 ** 32)


def blocks(*edges):
    """The SACK option, RFC 2018: (start, end) each."""
    packed = b"".join(struct.pack("!II", a % 2 ** 32, b % 2 ** 32) for a, b in edges)
    return struct.pack("!BBBB", 1, 1, 5, 2 + len(packed)) + packed


class Tap:
    """Writes a capture with nanoseconds. `now` is the time of the next packet, in ns since START."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.file.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, SNAP, 1))
        self.now, self.ident, self.packets = 0, 0, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def segment(self, ends, flags, seq=0, ack=0, size=0, window=64240, options=b""):
        """One segment; ends: ((address, port), (address, port)), from whom and to whom."""
        (source, source_port), (target, target_port) = ends
        options += b"\0" * (-len(options) % 4)
        header = struct.pack("!HHIIBBHHH", source_port, target_port, seq % 2 ** 32, ack % 2 ** 32,
                             (20 + len(options)) // 4 << 4, flags, window, 0, 0) + options
        self.ident = self.ident % 65535 + 1
        total = 20 + len(header) + size
        ip = struct.pack("!BBHHHBBH", 0x45, 0, total, self.ident, 0x4000, 64, PROTOCOL_TCP, 0)
        frame = bytes(12) + b"\x08\x00" + ip + socket.inet_aton(source) + socket.inet_aton(target) + header
        when = START + self.now
        self.file.write(struct.pack("<IIII", when // SECOND, when % SECOND, len(frame), 14 + total) + frame)
        self.packets += 1

    def talk(self, port=40000):
        """A connection to be made up."""
        return Talk(self, port)


class Talk:
    """A connection between CLIENT and SERVER; who sends is "c" or "s". Next sequence numbers are kept for
    those who want to go on properly."""

    def __init__(self, tap, port):
        self.tap = tap
        ends = ((CLIENT, port), (SERVER, 8080))
        self.ends = {"c": ends, "s": ends[::-1]}
        self.next = {"c": 1000, "s": 5000}

    def send(self, who, flags=ACK, size=0, wait=1 * MS, seq=None, ack=None, **rest):
        """A segment after `wait` ns; numbers are the proper ones unless told."""
        other = "s" if who == "c" else "c"
        self.tap.now += wait
        start = self.next[who] if seq is None else seq
        answer = self.next[other] if ack is None else ack
        self.tap.segment(self.ends[who], flags, start, answer if flags & ACK else 0, size, **rest)
        if seq is None:
            self.next[who] += size + (1 if flags & (SYN | FIN) else 0)

    def open(self, options=OFFER):
        """A handshake: 6 ms to the server, 14 ms to the client."""
        self.send("c", SYN, options=options)
        self.send("s", SYN | ACK, wait=6 * MS, options=options)
        self.send("c", ACK, wait=14 * MS)
        return self

    def exchange(self, turns=5, size=1000):
        """Questions, answers, and what acknowledges them."""
        for _ in range(turns):
            self.send("c", ACK | PSH, 100)
            self.send("s", ACK | PSH, size, wait=7 * MS)
            self.send("c", ACK, wait=14 * MS)

    def close(self):
        """A proper end."""
        self.send("c", FIN | ACK)
        self.send("s", FIN | ACK, wait=6 * MS)
        self.send("c", ACK, wait=14 * MS)
