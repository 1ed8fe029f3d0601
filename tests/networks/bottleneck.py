#!/usr/bin/env python3
"""A link of known faults between two TAP devices, in user space: each direction has a rate, a queue, a
delay, and things that it does to packets. Every packet's fate is counted, and what passes either end is
written to a capture, so that a test knows what happened on the network without asking the network.

    bottleneck.py FILE     the configuration, JSON: see DIRECTION and LINK

It takes over two TAP devices by file descriptors that it inherits, says "ready", and runs until its
standard input ends; then it prints its counts as JSON. Standard library only; some 10 000 frames a
second."""
import heapq
import json
import os
import random
import select
import struct
import sys
import time

# What a direction may be given; 0 is none of it. "Data": TCP segments with payload.
DIRECTION = {
    "delay": 0.010,       # seconds, one way
    "rate": 0,            # bits a second
    "queue": 0,           # bytes that may wait for the rate
    "drop_every": 0,      # every n-th data packet is lost
    "drop_share": 0,      # this share of data packets is lost, by chance
    "late_every": 0,      # every n-th data packet is `late` seconds later than others
    "late": 0,
    "mtu": 0,             # larger IP packets vanish, and nobody is told
    "hole_after": -1,     # all vanish after so many bytes of payload in this direction; -1: never
    "hole_with": "",      # also when the other direction's hole is open: "other"
}
LINK = {
    "taps": [0, 0],       # file descriptors: client's, server's
    "captures": ["", ""], # files: at the client, at the server
    "seed": 1,
    "up": DIRECTION,      # client to server
    "down": DIRECTION,    # server to client
}
CLIENT, SERVER = 0, 1
ETHERNET, IP_TYPE, TCP = 14, 0x0800, 6
SNAP = 128  # headers are enough


class Capture:
    """A pcap file with nanoseconds."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.file.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, SNAP, 1))

    def add(self, frame):
        now = time.time_ns()
        head = frame[:SNAP]
        self.file.write(struct.pack("<IIII", now // 10 ** 9, now % 10 ** 9, len(head), len(frame)) + head)


def payload_of(frame):
    """Bytes of TCP payload in an IPv4 frame."""
    if len(frame) < ETHERNET + 40 or frame[12:14] != b"\x08\x00" or frame[ETHERNET + 9] != TCP:
        return 0
    size = frame[ETHERNET] % 16 * 4
    total = struct.unpack_from("!H", frame, ETHERNET + 2)[0]
    return total - size - (frame[ETHERNET + size + 12] >> 4) * 4


class Direction:
    """One way: decides about a frame when it comes."""

    def __init__(self, options, chance):
        self.options = {**DIRECTION, **options}
        self.chance = chance
        self.free_at = 0.0  # when the line has sent all that waits
        self.passed = 0     # bytes of payload
        self.hole = self.options["hole_after"] == 0
        self.counts = dict.fromkeys(["frames", "data", "lost", "overflowed", "too_large", "vanished",
                                     "late", "delivered"], 0)
        self.queued = []    # seconds in the queue, of each data packet

    def is_lost(self, is_data):
        """By count or by chance, only data."""
        every, share = self.options["drop_every"], self.options["drop_share"]
        return is_data and ((every and self.counts["data"] % every == 0)
                            or (share and self.chance.random() < share))

    def fate(self, frame, now, other):
        """When the frame is to be delivered; None if never."""
        options, counts = self.options, self.counts
        payload = payload_of(frame)
        counts["frames"] += 1
        counts["data"] += payload > 0
        if self.hole or (options["hole_with"] == "other" and other.hole):
            counts["vanished"] += 1
            return None
        if options["mtu"] and len(frame) - ETHERNET > options["mtu"]:
            counts["too_large"] += 1
            return None
        if self.is_lost(payload > 0):
            counts["lost"] += 1
            return None
        at = self.through_queue(len(frame), now, payload > 0)
        if at is None:
            counts["overflowed"] += 1
            return None
        self.passed += payload
        self.hole = 0 <= options["hole_after"] <= self.passed
        if payload and options["late_every"] and counts["data"] % options["late_every"] == 0:
            counts["late"] += 1
            at += options["late"]
        counts["delivered"] += 1
        return at + options["delay"]

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
        return {**self.counts, "queue_p50_ms": 1000 * waits[len(waits) // 2],
                "queue_p95_ms": 1000 * waits[len(waits) * 95 // 100], "queue_max_ms": 1000 * waits[-1]}


class Link:
    """Both directions."""

    def __init__(self, config):
        config = {**LINK, **config}
        chance = random.Random(config["seed"])
        self.taps = config["taps"]
        self.captures = [Capture(path) for path in config["captures"]]
        self.ways = {CLIENT: Direction(config["up"], chance), SERVER: Direction(config["down"], chance)}
        self.due = []  # (when, number, end, frame): a heap
        self.number = 0
        self.late_max = 0.0  # by which this program itself was late

    def take(self, end):
        """Takes in frames that an end has sent."""
        for _ in range(64):
            try:
                frame = os.read(self.taps[end], 65536)
            except BlockingIOError:
                return
            now = time.monotonic()
            if frame[12:14] == b"\x08\x00":
                self.captures[end].add(frame)
            at = self.ways[end].fate(frame, now, self.ways[1 - end])
            if at is not None:
                heapq.heappush(self.due, (at, self.number, 1 - end, frame))
                self.number += 1

    def give(self):
        """Delivers what is due."""
        while self.due and self.due[0][0] <= time.monotonic():
            at, _, end, frame = heapq.heappop(self.due)
            self.late_max = max(self.late_max, time.monotonic() - at)
            if frame[12:14] == b"\x08\x00":
                self.captures[end].add(frame)
            os.write(self.taps[end], frame)

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
            capture.file.close()
        print(json.dumps({"up": self.ways[CLIENT].report(), "down": self.ways[SERVER].report(),
                          "late_max_ms": 1000 * self.late_max}))


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        Link(json.load(file)).run()
