"""The same network with IPv6: edits of a capture in IPv4 without options of IP, as edits.py makes them. What hosts
and routers said is said in IPv6, at the same times; ICMP errors are those of ICMPv6 (RFC 4443)."""
import struct

from strange_clock import ETHERNET

PREFIX = bytes.fromhex("20010db8") + bytes(8)  # of documentation, before an IPv4 address
GROWN = 20
TCP, ICMP, FRAGMENT, ICMPV6 = 6, 1, 44, 58
UNREACHABLE, NARROW = 3, 4
KINDS = {1: 3, 3: 4, 13: 1}  # to the address, to the port, prohibited


def error(message):
    """An ICMP error as ICMPv6; None when there is none such."""
    kind, code, _, mtu = struct.unpack_from("!BBxxHH", message)
    if kind != UNREACHABLE:
        return None
    head = struct.pack("!BBHI", 2, 0, 0, mtu + GROWN) if code == NARROW else struct.pack(
        "!BBHI", 1, KINDS.get(code, 0), 0, 0)
    return head + datagram(message[8:])


def datagram(old):
    """An IPv4 packet, which may be cut off, as IPv6."""
    size, protocol, payload = struct.unpack_from("!H", old, 2)[0] - 20, old[9], old[20:]
    if protocol == ICMP:
        payload = error(payload)
        size, protocol = len(payload), ICMPV6
    head = struct.pack("!IHBB", 6 << 28 | old[1] << 20, size, protocol, old[8])
    return head + PREFIX + old[12:16] + PREFIX + old[16:20] + payload


def is_known(packet):
    """Whether there is such a packet in IPv6: TCP, and what routers say to it."""
    at = packet.data[ETHERNET:]
    return packet.data[12:15] == b"\x08\x00\x45" and (at[9] == TCP or (at[9] == ICMP and at[20] == UNREACHABLE))


def as_ipv6(packets):
    """All that is TCP, and errors."""
    ret = []
    for one in filter(is_known, packets):
        data = one.data[:12] + b"\x86\xdd" + datagram(one.data[ETHERNET:])
        ret.append(type(one)(one.time_ns, data, max(one.wire_len + GROWN, len(data)), one.link))
    return ret


def piece(packet, number, part, at, more):
    """A fragment (RFC 8200 section 4.5)."""
    head = packet.data[ETHERNET:ETHERNET + 40]
    data = (packet.data[:ETHERNET] + head[:4] + struct.pack("!HBB", len(part) + 8, FRAGMENT, head[7]) + head[8:] +
            struct.pack("!BBHI", head[6], 0, at | more, number) + part)
    return type(packet)(packet.time_ns, data, len(data), packet.link)


def fragmented(packets):
    """Segments of more than 600 bytes come in two fragments, whole: of what was cut off zeros."""
    ret = []
    for number, one in enumerate(packets):
        if one.data[ETHERNET + 6] != TCP or one.wire_len <= 600:
            ret.append(one)
            continue
        body = one.data[ETHERNET + 40:] + bytes(one.wire_len - len(one.data))
        half = len(body) // 16 * 8
        ret += [piece(one, number, body[:half], 0, 1), piece(one, number, body[half:], half, 0)]
    return ret
