"""Captures as another observer would have made them, or of other hosts: edits of a capture whose truth is
known. Each takes packets (tools/capture.py) of one connection in TCP over IPv4 without options of IP, and
returns the packets of the other capture; the network was what it was."""
import random
import struct

from strange_clock import ETHERNET, TCP_AT

SYN, FIN, RST = 2, 1, 4
SACK, TIME_STAMPS = 5, 8
OPTIONS_MAX = 40
MODULUS = 2 ** 32
MPTCP_DSS = bytes([30, 20, 0x20, 5]) + bytes(range(16))   # RFC 8684 section 3.3
UNKNOWN = bytes([253, 4, 0xab, 0xcd])                     # RFC 4727
ODD = bytes([69, 2, 1, 1])                                # TCP-ENO (RFC 8547), and two NOPs


def is_segment(packet):
    """Whether it is one of the connection's."""
    return packet.data[12:15] == b"\x08\x00\x45" and packet.data[ETHERNET + 9] == 6


def flags_of(packet):
    return packet.data[TCP_AT + 13]


def header_size(packet):
    return (packet.data[TCP_AT + 12] >> 4) * 4


def payload_size(packet):
    return struct.unpack_from("!H", packet.data, ETHERNET + 2)[0] - 20 - header_size(packet)


def source(packet):
    """The address and port that it comes from."""
    return packet.data[ETHERNET + 12:ETHERNET + 16] + packet.data[TCP_AT:TCP_AT + 2]


def changed(packet, data, grown=0):
    """The packet with other bytes, so much longer on the wire."""
    return type(packet)(packet.time_ns, bytes(data), packet.wire_len + grown, packet.link)


# ---- Another observer ------------------------------------------------------------------------

def with_gap(packets):
    """A fifth of the packets, in the middle, is missing."""
    return packets[:len(packets) * 2 // 5] + packets[len(packets) * 3 // 5:]


def with_losses(packets):
    """Each thirtieth packet is missing at random, none that opens or closes."""
    chance = random.Random(30)
    return [one for one in packets if flags_of(one) & (SYN | FIN | RST) or chance.random() > 1 / 30]


def from_the_middle(packets):
    """It begins after a third, with data that were not sent before."""
    top, third = {}, len(packets) // 3
    for at, one in enumerate(packets):
        start, size = struct.unpack_from("!I", one.data, TCP_AT + 4)[0], payload_size(one)
        is_new = (start - top.get(source(one), start) + 2 ** 31) % MODULUS >= 2 ** 31
        if at >= third and size > 0 and is_new:
            return packets[at:]
        top[source(one)] = (start + size) % MODULUS if is_new else top[source(one)]
    raise ValueError("no new data in the last two thirds")


def only_from(end):
    """Only what one end sends: 0 the client, 1 the server."""
    def edit(packets):
        client = source(packets[0])
        return [one for one in packets if (source(one) != client) == bool(end)]
    return edit


def mirrored(packets):
    """Each twice, 15 us apart, as by a port that is mirrored in both directions."""
    twice = [type(one)(one.time_ns + late, one.data, one.wire_len, one.link)
             for one in packets for late in (0, 15_000)]
    return sorted(twice, key=lambda one: one.time_ns)


def without_options(packets):
    """The snap length cuts TCP's options off."""
    return [changed(one, one.data[:TCP_AT + 20]) for one in packets]


# ---- Other hosts -----------------------------------------------------------------------------

def shifted(value, by):
    return (value + by) % MODULUS


def shift_blocks(data, by):
    """Moves the edges of the SACK blocks of a segment."""
    at, end = TCP_AT + 20, TCP_AT + (data[TCP_AT + 12] >> 4) * 4
    while at < end and data[at] != 0:
        size = 1 if data[at] == 1 else max(2, data[at + 1])
        if data[at] == SACK:
            for edge in range(at + 2, at + size, 4):
                value = struct.unpack_from("!I", data, edge)[0]
                struct.pack_into("!I", data, edge, shifted(value, by))
        at += size


def wrapped(packets):
    """Sequence numbers of both ends pass 2^32 in the middle of what they send."""
    first, sent = {}, {}
    for one in packets:
        start = struct.unpack_from("!I", one.data, TCP_AT + 4)[0]
        first.setdefault(source(one), start)
        sent[source(one)] = sent.get(source(one), 0) + payload_size(one)
    by = {end: -first[end] - sent[end] // 2 for end in first}
    ret = []
    for one in packets:
        data = bytearray(one.data)
        mine = by[source(one)]
        its = next((by[end] for end in by if end != source(one)), 0)
        start, ack = struct.unpack_from("!II", data, TCP_AT + 4)
        is_answer = data[TCP_AT + 13] & 16
        struct.pack_into("!II", data, TCP_AT + 4, shifted(start, mine), shifted(ack, its) if is_answer else ack)
        shift_blocks(data, its)
        ret.append(changed(one, data))
    return ret


def with_option(option):
    """All segments carry one more option, if there is room: MPTCP's, or one that nobody knows."""
    def add(one):
        size = header_size(one) + len(option)
        if size > 20 + OPTIONS_MAX:
            return one
        data = bytearray(one.data[:TCP_AT + 20] + option + one.data[TCP_AT + 20:])
        data[TCP_AT + 12] = size // 4 << 4 | data[TCP_AT + 12] & 15
        total = struct.unpack_from("!H", data, ETHERNET + 2)[0]
        struct.pack_into("!H", data, ETHERNET + 2, total + len(option))
        return changed(one, data, len(option))
    return lambda packets: [add(one) for one in packets]


# ---- Truth -----------------------------------------------------------------------------------

def unique_bytes(packets, end):
    """Distinct payload bytes that packets show of an end, 0 the client, 1 the server; no more than a
    quarter of all sequence numbers may be in use."""
    first, pieces = None, []
    for one in packets:
        if (source(one) != source(packets[0])) != bool(end):
            continue
        start = struct.unpack_from("!I", one.data, TCP_AT + 4)[0]
        first = start if first is None else first
        begin = (start - first + 2 ** 31) % MODULUS - 2 ** 31
        pieces.append((begin, begin + payload_size(one)))
    total, reached = 0, None
    for begin, stop in sorted(pieces):
        reached = begin if reached is None else reached
        total += max(0, stop - max(begin, reached))
        reached = max(reached, stop)
    return total
