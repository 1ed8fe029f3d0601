"""Clocks that hosts may have for their time stamps (RFC 7323), and middleboxes that change them. A clock
rewrites the time stamps that its host sends, and the echoes that come back to it, so that the host notices
nothing, and a capture on the way shows a host with such a clock."""
import struct

ETHERNET, TCP_AT = 14, 34
MODULUS = 2 ** 32
HALF = 2 ** 31


def checksum(data):
    """The Internet checksum, RFC 1071."""
    data = bytes(data) + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def with_checksums(frame):
    """A frame of TCP in IPv4 without options, its checksums made right."""
    frame = bytearray(frame)
    struct.pack_into("!H", frame, ETHERNET + 10, 0)
    struct.pack_into("!H", frame, ETHERNET + 10, checksum(frame[ETHERNET:TCP_AT]))
    struct.pack_into("!H", frame, TCP_AT + 16, 0)
    segment = frame[TCP_AT:ETHERNET + struct.unpack_from("!H", frame, ETHERNET + 2)[0]]
    pseudo = frame[ETHERNET + 12:ETHERNET + 20] + struct.pack("!HH", 6, len(segment))
    struct.pack_into("!H", frame, TCP_AT + 16, checksum(pseudo + segment))
    return bytes(frame)


def stamps_at(frame):
    """Where the time stamps' values are in a frame; None without them."""
    at, end = TCP_AT + 20, TCP_AT + (frame[TCP_AT + 12] >> 4) * 4
    while at < end and frame[at] != 0:
        if frame[at] == 8:
            return at + 2
        at += 1 if frame[at] == 1 else max(2, frame[at + 1])
    return None


class Clock:
    """The base: a true one. read() turns ticks since the first packet into what is told."""

    def __init__(self):
        self.first = None
        self.packets = 0
        self.true = {}  # of what was told: the latest true value

    def read(self, ticks):
        return ticks

    def lie(self, frame):
        """A frame of the host, with what its clock is made to say."""
        at = stamps_at(frame)
        if at is None:
            return frame
        value, echo = struct.unpack_from("!II", frame, at)
        self.first = value if self.first is None else self.first
        self.packets += 1
        ticks = (value - self.first + HALF) % MODULUS - HALF
        told = (self.first + self.read(ticks)) % MODULUS
        self.true[told] = value
        return with_checksums(frame[:at] + struct.pack("!II", told, echo) + frame[at + 8:])

    def undo(self, frame):
        """A frame to the host, with the echo of its own clock."""
        at = stamps_at(frame)
        if at is None:
            return frame
        value, echo = struct.unpack_from("!II", frame, at)
        true = self.true.get(echo, echo)
        return with_checksums(frame[:at] + struct.pack("!II", value, true) + frame[at + 8:])


class Slow(Clock):
    """A hundred ticks a second."""

    def read(self, ticks):
        return ticks // 10


class Fast(Clock):
    """A million ticks a second, of which only each thousandth is seen."""

    def read(self, ticks):
        return ticks * 1000


class Coarse(Clock):
    """Ticks of a millisecond that come sixteen at a time."""

    def read(self, ticks):
        return ticks // 16 * 16


class Wrong(Clock):
    """Runs by a twelfth too fast, as no clock in use does."""

    def read(self, ticks):
        return ticks * 13 // 12


class Standing(Clock):
    """Says always the same."""

    def read(self, ticks):
        return 0


class Counting(Clock):
    """No clock at all: the number of the packet."""

    def read(self, ticks):
        return self.packets


class Leaping(Clock):
    """Goes on by leaps of up to 50 s, a packet at a time."""

    def __init__(self):
        super().__init__()
        self.told = 0

    def read(self, ticks):
        self.told += 1 + self.packets * 7919 % 50000
        return self.told


CLOCKS = {one.__name__.lower(): one for one in Clock.__subclasses__()}
