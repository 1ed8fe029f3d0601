#!/usr/bin/env python3
"""A link of known faults between two TAP devices, in user space: each direction has a rate, a queue, a
delay, and things that it does to packets. Every packet's fate is counted, and what passes either end is
written to a capture, so that a test knows what happened on the network without asking the network.

    bottleneck.py FILE     the configuration, JSON: see DIRECTION and LINK

It takes over two TAP devices by file descriptors that it inherits, says "ready", and runs until its
standard input ends; then it prints its counts as JSON. A wire does not wait for programs: it goes before
all of them, if it may. Standard library only; some 10 000 frames a second."""
import heapq
import io
import json
import os
import random
import select
import struct
import sys
import time

import first
import strange_clock

# What a direction may be given; 0 is none of it. "Data": TCP segments with payload.
DIRECTION = {
    "delay": 0.010,       # seconds, one way
    "rate": 0,            # bits a second
    "queue": 0,           # bytes that may wait for the rate
    "drop_every": 0,      # every n-th data packet is lost
    "drop_share": 0,      # this share of data packets is lost, by chance
    "drop_acks_every": 0, # every n-th pure acknowledgment is lost
    "drop_icmp": 0,       # 1: ICMP is lost
    "mark_every": 0,      # every n-th data packet of ECN-capable transport is marked: congestion experienced
    "late_every": 0,      # every n-th data packet is `late` seconds later than others
    "late": 0,
    "jitter": 0,          # up to so many seconds more, by chance; the order is kept
    "mtu": 0,             # larger IP packets vanish, and nobody is told
    "hole_after": -1,     # all vanish after so many bytes of payload in this direction; -1: never
    "hole_with": "",      # also when the other direction's hole is open: "other"
    "hole_seconds": 0,    # so long, then the hole closes for good; 0: it never does
    "forge_after": -1,    # after so many bytes of payload the receiver gets a RST far out of its window
    "clock": "",          # what the time stamps of this direction's host are made to: see strange_clock.py
}
LINK = {
    "taps": [0, 0],       # file descriptors: client's, server's
    "captures": ["", ""], # files: at the client, at the server
    "seed": 1,
    "up": DIRECTION,      # client to server
    "down": DIRECTION,    # server to client
}
CLIENT, SERVER = 0, 1
ETHERNET, TCP = 14, 6
PURE_ACK, RST = 16, 4
FAR = 1 << 30  # from where the window is
SNAP = 128  # headers are enough


class Capture:
    """A pcap file with nanoseconds. Its times are those that the link reckons with: a program that had to wait
    between one reading of the clock and another would seem to be faster than its delay. It is written at the end:
    the link does not wait for a disk."""

    def __init__(self, path):
        self.epoch = time.time_ns() - time.monotonic_ns()
        self.path, self.file = path, io.BytesIO()
        self.file.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, SNAP, 1))

    def add(self, frame, now):
        """A frame that was seen at `now` of the monotonic clock, in seconds."""
        stamp = self.epoch + int(now * 10 ** 9)
        head = frame[:SNAP]
        self.file.write(struct.pack("<IIII", stamp // 10 ** 9, stamp % 10 ** 9, len(head), len(frame)) + head)

    def write(self):
        with open(self.path, "wb") as file:
            file.write(self.file.getbuffer())


def is_tcp(frame):
    """Whether it is TCP in IPv4 without options of IP, as hosts of such a network send it."""
    return len(frame) >= ETHERNET + 40 and frame[12:15] == b"\x08\x00\x45" and frame[ETHERNET + 9] == TCP


def payload_of(frame):
    """Bytes of TCP payload in a frame."""
    if not is_tcp(frame):
        return 0
    total = struct.unpack_from("!H", frame, ETHERNET + 2)[0]
    return total - 20 - (frame[ETHERNET + 32] >> 4) * 4


def is_pure_ack(frame):
    """Whether it is TCP that does nothing but acknowledge."""
    return is_tcp(frame) and payload_of(frame) == 0 and frame[ETHERNET + 33] == PURE_ACK


def is_icmp(frame):
    """Whether it is ICMP in IPv4."""
    return frame[12:14] == b"\x08\x00" and frame[ETHERNET + 9] == 1


def is_markable(frame):
    """Whether its sender speaks ECN (RFC 3168 §5)."""
    return is_tcp(frame) and frame[ETHERNET + 1] & 3 in (1, 2)


def forged_reset(frame):
    """A RST as from the sender of a frame, with a sequence number that is none of its own."""
    head = bytearray(frame[:ETHERNET + 40])
    struct.pack_into("!HHH", head, ETHERNET + 2, 40, 0, 0)
    sequence = struct.unpack_from("!I", head, ETHERNET + 24)[0]
    struct.pack_into("!I", head, ETHERNET + 24, (sequence + FAR) % 2 ** 32)
    struct.pack_into("!BB", head, ETHERNET + 32, 5 << 4, RST)
    return strange_clock.with_checksums(head)


class Order:
    """Follows what passes a place of a direction in which every byte is first sent in order."""

    def __init__(self):
        self.next = {}  # by the ports: the end of what passed, as sent
        self.repeats = self.overtaken = 0

    def take(self, frame, is_repeat=None):
        """Whether the frame repeats what its sender had sent. Behind the link only the place where it
        was sent knows that: is_repeat."""
        ports = frame[ETHERNET + 20:ETHERNET + 24]
        start = struct.unpack_from("!I", frame, ETHERNET + 24)[0]
        behind = (start - self.next.get(ports, start) + 2 ** 31) % 2 ** 32 - 2 ** 31 < 0
        if behind and is_repeat is not False:
            self.repeats += 1
        elif behind:
            self.overtaken += 1
        else:
            self.next[ports] = (start + payload_of(frame)) % 2 ** 32
        return behind


class Direction:
    """One way: decides about a frame when it comes."""

    def __init__(self, options, chance):
        self.options = {**DIRECTION, **options}
        self.chance = chance
        self.free_at = 0.0  # when the line has sent all that waits
        self.passed = 0     # bytes of payload
        self.hole = self.options["hole_after"] == 0
        self.opened = None  # when the hole opened
        self.latest = 0.0   # when the latest frame is due
        self.counts = dict.fromkeys(["frames", "data", "acks", "lost", "acks_lost", "overflowed", "too_large",
                                     "vanished", "late", "delivered", "forged", "markable", "marked"], 0)
        self.queued = []    # seconds in the queue, of each data packet
        self.sent, self.arrived = Order(), Order()
        clock = self.options["clock"]
        self.clock = strange_clock.CLOCKS[clock]() if clock else None

    def is_lost(self, frame, is_data):
        """By count or by chance: data, and acknowledgments by count."""
        options, counts = self.options, self.counts
        if is_data:
            every, share = options["drop_every"], options["drop_share"]
            lost = (every and counts["data"] % every == 0) or (share and self.chance.random() < share)
            counts["lost"] += bool(lost)
            return lost
        is_ack = is_pure_ack(frame)
        counts["acks"] += is_ack
        every = options["drop_acks_every"]
        lost = is_ack and every and counts["acks"] % every == 0
        counts["acks_lost"] += bool(lost)
        return lost

    def is_hole_open(self, now):
        """Whether all vanishes; a hole that heals does so when its time is over."""
        if self.hole and self.opened is None:
            self.opened = now
        seconds = self.options["hole_seconds"]
        return self.hole and (not seconds or now < self.opened + seconds)

    def is_gone(self, frame, now, other):
        """Whether the frame gets no further than the beginning of the line."""
        options, counts = self.options, self.counts
        if self.is_hole_open(now) or (options["hole_with"] == "other" and other.is_hole_open(now)):
            counts["vanished"] += 1
            return True
        if options["mtu"] and len(frame) - ETHERNET > options["mtu"]:
            counts["too_large"] += 1
            return True
        if options["drop_icmp"] and is_icmp(frame):
            counts["vanished"] += 1
            return True
        return self.is_lost(frame, payload_of(frame) > 0)

    def mark(self, frame):
        """The frame as the network leaves it."""
        if not self.options["mark_every"] or payload_of(frame) == 0 or not is_markable(frame):
            return frame
        self.counts["markable"] += 1
        if self.counts["markable"] % self.options["mark_every"]:
            return frame
        self.counts["marked"] += 1
        changed = bytearray(frame)
        changed[ETHERNET + 1] |= 3
        return strange_clock.with_checksums(changed)

    def extra_delay(self, payload):
        """Of packets that are late by count, and by chance."""
        options, extra = self.options, 0
        if payload and options["late_every"] and self.counts["data"] % options["late_every"] == 0:
            self.counts["late"] += 1
            extra += options["late"]
        return extra + self.chance.uniform(0, options["jitter"]) if options["jitter"] else extra

    def fate(self, frame, now, other):
        """When the frame is to be delivered; None if never."""
        options, counts = self.options, self.counts
        payload = payload_of(frame)
        counts["frames"] += 1
        counts["data"] += payload > 0
        if self.is_gone(frame, now, other):
            return None
        at = self.through_queue(len(frame), now, payload > 0)
        if at is None:
            counts["overflowed"] += 1
            return None
        self.passed += payload
        self.hole = self.hole or 0 <= options["hole_after"] <= self.passed
        at += options["delay"] + self.extra_delay(payload)
        self.latest = max(self.latest, at)
        counts["delivered"] += 1
        return self.latest if options["jitter"] else at

    def forges(self):
        """Whether it is time for a forged RST: once."""
        due = 0 <= self.options["forge_after"] <= self.passed and not self.counts["forged"]
        self.counts["forged"] += due
        return due

    def through_queue(self, size, now, is_data):
        """When the line has sent it; None: the queue is full."""
        rate = self.options["rate"]
        if not rate:
            return now
        waits = max(0.0, self.free_at - now)
        if waits * rate / 8 + size > self.options["queue"]:
            return None
        self.free_at = now + waits + size * 8 / rate
        if is_data:
            self.queued.append(waits)
        return self.free_at

    def report(self):
        """The counts, and how long data packets waited in the queue, in ms."""
        waits = sorted(self.queued) or [0]
        return {**self.counts, "repeats": self.sent.repeats, "repeats_arrived": self.arrived.repeats,
                "overtaken": self.arrived.overtaken, "queue_p50_ms": 1000 * waits[len(waits) // 2],
                "queue_p95_ms": 1000 * waits[len(waits) * 95 // 100], "queue_max_ms": 1000 * waits[-1]}


class Link:
    """Both directions."""

    def __init__(self, config):
        config = {**LINK, **config}
        chance = random.Random(config["seed"])
        self.taps = config["taps"]
        self.captures = [Capture(path) for path in config["captures"]]
        self.ways = {CLIENT: Direction(config["up"], chance), SERVER: Direction(config["down"], chance)}
        self.due = []  # (when, number, end that sent it, frame, is a repeat): a heap
        self.number = 0
        self.late_max = 0.0  # by which this program itself was late

    def take(self, end):
        """Takes in frames that an end has sent."""
        for _ in range(64):
            try:
                frame = os.read(self.taps[end], 65536)
            except BlockingIOError:
                return
            self.send(end, frame, time.monotonic())

    def send(self, end, frame, now):
        """A frame begins its way."""
        way = self.ways[end]
        if way.clock and is_tcp(frame):
            frame = way.clock.lie(frame)
        if frame[12:14] == b"\x08\x00":
            self.captures[end].add(frame, now)
        is_repeat = payload_of(frame) > 0 and way.sent.take(frame)
        at = way.fate(frame, now, self.ways[1 - end])
        if at is not None:
            frame = way.mark(frame)
            self.deliver_at(at, end, frame, is_repeat)
            if way.forges():
                self.deliver_at(at, end, forged_reset(frame), False)

    def deliver_at(self, at, end, frame, is_repeat):
        """Notes that what an end sent is due at the other."""
        heapq.heappush(self.due, (at, self.number, end, frame, is_repeat))
        self.number += 1

    def give(self):
        """Delivers what is due."""
        while self.due and self.due[0][0] <= time.monotonic():
            at, _, end, frame, is_repeat = heapq.heappop(self.due)
            now = time.monotonic()
            self.late_max = max(self.late_max, now - at)
            if frame[12:14] == b"\x08\x00":
                self.captures[1 - end].add(frame, now)
            if payload_of(frame) > 0:
                self.ways[end].arrived.take(frame, is_repeat)
            clock = self.ways[1 - end].clock
            if clock and is_tcp(frame):
                frame = clock.undo(frame)
            os.write(self.taps[1 - end], frame)

    def run(self):
        """Until standard input ends."""
        print("ready", flush=True)
        while True:
            wait = max(0.0, self.due[0][0] - time.monotonic()) if self.due else None
            ready = select.select([*self.taps, sys.stdin], [], [], wait)[0]
            if sys.stdin in ready:
                break
            self.give()
            for end, descriptor in enumerate(self.taps):
                if descriptor in ready:
                    self.take(end)
            self.give()
        for capture in self.captures:
            capture.write()
        print(json.dumps({"up": self.ways[CLIENT].report(), "down": self.ways[SERVER].report(),
                          "late_max_ms": 1000 * self.late_max}))


if __name__ == "__main__":
    first.go(2)  # of a link that waits, rate, delay and queue are not what it was told
    with open(sys.argv[1], encoding="utf-8") as file:
        Link(json.load(file)).run()
