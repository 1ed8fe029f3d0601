#!/usr/bin/env python3
"""Says the same in other segments: rewrites the TCP segments of a capture so that every byte of
every stream stays what it was and keeps its time, and all else changes.

    tools/resegment.py IN.pcap OUT.pcap --how bytes|random|swap|duplicate|overlap|all [--seed N]

    bytes      one segment a byte (of captures with much payload: seven bytes)
    random     segments of random sizes
    swap       random segments, neighbours in the wrong order
    duplicate  random segments, many of them twice
    overlap    random segments that begin again with bytes of the one before
    all        swap, duplicate and overlap at once

The pieces of a segment carry its time, so that an analyser that tells the truth about streams gives
the same transactions at the same times: the streaming law, which tests/golden.py holds it to. Only
whole segments of outermost, unfragmented IPv4 and IPv6 packets are rewritten, without SYN, RST and
URG; everything else is passed on as it is."""
import argparse
import dataclasses
import random
import struct

import capture

HOWS = ["bytes", "random", "swap", "duplicate", "overlap", "all"]
BYTES_MAX = 200_000  # payload up to which `bytes` means one byte a segment
FIN, SYN, RST, PSH, URG = 1, 2, 4, 8, 32
L2 = {1: 14, 113: 16, 276: 20, 101: 0, 228: 0, 229: 0, 0: 4, 108: 4}  # header sizes by link type


@dataclasses.dataclass
class Segment:
    packet: capture.Packet
    ip: int       # offsets in the frame
    tcp: int
    payload: int
    end: int      # of the IP packet: what follows is padding

    @property
    def flags(self):
        return self.packet.data[self.tcp + 13]

    @property
    def direction(self):
        data, size = self.packet.data, 8 if self.packet.data[self.ip] >> 4 == 4 else 32
        addresses = self.ip + (12 if size == 8 else 8)
        return data[addresses:addresses + size] + data[self.tcp:self.tcp + 4]


def parse(packet):
    """The TCP segment in a frame, or None where it is not one that we rewrite."""
    data, at = packet.data, L2.get(packet.link)
    if at is None or packet.wire_len != len(data) or len(data) < at + 20:
        return None
    if packet.link == 1:
        kind = struct.unpack_from("!H", data, 12)[0]
        while kind in (0x8100, 0x88A8) and len(data) >= at + 24:
            kind = struct.unpack_from("!H", data, at + 2)[0]
            at += 4
        if kind not in (0x0800, 0x86DD):
            return None
    ip, version = at, data[at] >> 4
    if version == 4:
        total, _, fragment = struct.unpack_from("!HHH", data, ip + 2)
        tcp, end, protocol = ip + (data[ip] & 15) * 4, ip + total, data[ip + 9]
        if fragment & 0x3FFF:
            return None
    elif version == 6 and len(data) >= ip + 40:
        tcp, protocol = ip + 40, data[ip + 6]
        end = tcp + struct.unpack_from("!H", data, ip + 4)[0]
    else:
        return None
    if protocol != 6 or end > len(data) or tcp + 20 > end:
        return None
    payload = tcp + (data[tcp + 12] >> 4) * 4
    return Segment(packet, ip, tcp, payload, end) if tcp + 20 <= payload <= end else None


def sum16(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def piece(segment, start, stop, number):
    """A frame that carries bytes start..stop of the segment's payload."""
    data, size = segment.packet.data, segment.end - segment.payload
    frame = bytearray(data[:segment.payload] + data[segment.payload + start:segment.payload + stop])
    ip, tcp = segment.ip, segment.tcp
    sequence = struct.unpack_from("!I", data, tcp + 4)[0]
    struct.pack_into("!I", frame, tcp + 4, (sequence + start) & 0xFFFFFFFF)
    if stop < size:
        frame[tcp + 13] &= ~(FIN | PSH) & 0xFF
    if data[ip] >> 4 == 4:
        identity = struct.unpack_from("!H", data, ip + 4)[0]
        struct.pack_into("!HH", frame, ip + 2, len(frame) - ip, (identity + number) & 0xFFFF)
        struct.pack_into("!H", frame, ip + 10, 0)
        struct.pack_into("!H", frame, ip + 10, sum16(bytes(frame[ip:tcp])))
        addresses = frame[ip + 12:ip + 20]
    else:
        struct.pack_into("!H", frame, ip + 4, len(frame) - ip - 40)
        addresses = frame[ip + 8:ip + 40]
    struct.pack_into("!H", frame, tcp + 16, 0)
    pseudo = bytes(addresses) + struct.pack("!II", len(frame) - tcp, 6)
    struct.pack_into("!H", frame, tcp + 16, sum16(pseudo + bytes(frame[tcp:])))
    return dataclasses.replace(segment.packet, data=bytes(frame), wire_len=len(frame))


def cuts(size, how, chance, step):
    """(start, stop) of the pieces, in order."""
    if how == "bytes":
        edges = list(range(0, size, step)) + [size]
    else:
        some = min(size - 1, chance.randint(1, 6))
        edges = [0] + sorted(chance.sample(range(1, size), some)) + [size] if size > 1 else [0, size]
    return list(zip(edges, edges[1:]))


def resegment(packets, how, seed=1):
    """The packets rewritten. The same seed gives the same packets."""
    chance = random.Random(seed)
    parsed = [parse(packet) for packet in packets]
    total = sum(s.end - s.payload for s in parsed if s)
    step = 1 if total <= BYTES_MAX else 7
    result = []
    begun = set()  # directions whose SYN or first bytes have passed
    for packet, segment in zip(packets, parsed):
        if segment and segment.flags & SYN:
            begun.add(segment.direction)
        if not segment or segment.end == segment.payload or segment.flags & (SYN | RST | URG):
            result.append(packet)
            continue
        ranges = cuts(segment.end - segment.payload, how, chance, step)
        if how in ("overlap", "all"):
            ranges = [(chance.randint(max(0, start - 9), start), stop) for start, stop in ranges]
        if how in ("duplicate", "all"):
            ranges = [r for r in ranges for _ in range(chance.choice((1, 1, 2)))]
        if how in ("swap", "all"):
            # A stream joined in the middle begins with what came first: that stays so.
            for at in range(0 if segment.direction in begun else 2, len(ranges) - 1, 2):
                if chance.random() < 0.7:
                    ranges[at:at + 2] = reversed(ranges[at:at + 2])
        begun.add(segment.direction)
        result += [piece(segment, *r, number) for number, r in enumerate(ranges)]
    return result


def has_streams(packets):
    return any(s and s.end > s.payload for s in map(parse, packets))


def main():
    parser = argparse.ArgumentParser(description="Says the same in other TCP segments.")
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--how", choices=HOWS, default="all")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    packets = resegment(capture.read(arguments.input), arguments.how, arguments.seed)
    with open(arguments.output, "wb") as file:
        file.write(capture.pcap(packets))


if __name__ == "__main__":
    main()
