"""Frames and conversations made in Python, for tests that need traffic they know to the byte.

Everything is bytes: layers are functions that put a header before a payload, so that
ethernet(ipv4(A, B, udp(...))) reads like the frame. Addresses are text; the checksums are right.
"""
import ipaddress
import struct

MAC_A = bytes.fromhex("020000000001")
MAC_B = bytes.fromhex("020000000002")
ICMP, TCP, UDP, GRE, ICMP6 = 1, 6, 17, 47, 58
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
VXLAN_PORT = 4789


def checksum(data):
    """The Internet checksum, RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packed(address):
    """The bytes of an IPv4 or IPv6 address."""
    return ipaddress.ip_address(address).packed


def pseudo(source, destination, protocol, size):
    """The pseudo header of RFC 9293 section 3.1 and RFC 8200 section 8.1."""
    a, b = packed(source), packed(destination)
    if len(a) == 4:
        return a + b + struct.pack("!BBH", 0, protocol, size)
    return a + b + struct.pack("!II", size, protocol)


def ethernet(payload, vlans=(), reverse=False, kind=None):
    """Ethernet II; `vlans` from the outermost inwards, two of them as 802.1ad in 802.1Q."""
    macs = MAC_A + MAC_B if reverse else MAC_B + MAC_A
    tags = b""
    for at, vlan in enumerate(vlans):
        tags += struct.pack("!HH", 0x88A8 if len(vlans) > 1 and at == 0 else 0x8100, vlan)
    if kind is None:
        kind = 0x0800 if payload[0] >> 4 == 4 else 0x86DD
    return macs + tags + struct.pack("!H", kind) + payload


def ipv4(source, destination, protocol, payload, ident=0, offset=0, more=False):
    """IPv4; `offset` in bytes and `more` make it a fragment."""
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), ident,
                       (0x2000 if more else 0) | offset // 8, 64, protocol, 0)
    head += packed(source) + packed(destination)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ipv6(source, destination, protocol, payload):
    """IPv6 without extension headers."""
    return (struct.pack("!IHBB", 0x60000000, len(payload), protocol, 64) + packed(source)
            + packed(destination) + payload)


def ip(source, destination, protocol, payload):
    """IPv4 or IPv6, as the addresses are."""
    make = ipv6 if ":" in source else ipv4
    return make(source, destination, protocol, payload)


def udp(source, destination, source_port, destination_port, data):
    """A UDP datagram between two addresses."""
    head = struct.pack("!HHHH", source_port, destination_port, 8 + len(data), 0)
    sum_ = checksum(pseudo(source, destination, UDP, 8 + len(data)) + head + data) or 0xFFFF
    return head[:6] + struct.pack("!H", sum_) + data


def tcp(source, destination, ports, flags, seq, ack, data=b""):
    """A TCP segment without options; `ports` is (source, destination)."""
    head = struct.pack("!HHIIBBHHH", *ports, seq % 2**32, ack % 2**32, 0x50, flags, 64240, 0, 0)
    sum_ = checksum(pseudo(source, destination, TCP, 20 + len(data)) + head + data)
    return head[:16] + struct.pack("!H", sum_) + head[18:] + data


def echo(is_reply, ident, number, data):
    """An ICMP echo."""
    head = struct.pack("!BBHHH", 0 if is_reply else 8, 0, 0, ident, number)
    return head[:2] + struct.pack("!H", checksum(head + data)) + head[4:] + data


def vxlan(frame, outer, source_port, vni):
    """A frame in VXLAN (RFC 7348) between the outer addresses, as an IP packet."""
    source, destination = outer
    head = struct.pack("!II", 0x08000000, vni << 8)
    return ip(source, destination, UDP,
              udp(source, destination, source_port, VXLAN_PORT, head + frame))


def gre(packet, outer, key=None):
    """An IP packet in GRE (RFC 2784, the key of RFC 2890) between the outer addresses."""
    kind = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
    head = struct.pack("!HH", 0 if key is None else 0x2000, kind)
    if key is not None:
        head += struct.pack("!I", key)
    return ip(*outer, GRE, head + packet)


def fragments(source, destination, protocol, payload, ident, size):
    """The fragments of a packet, `size` bytes each (a multiple of eight); IPv6 by extension header."""
    parts = []
    for offset in range(0, len(payload), size):
        part = payload[offset:offset + size]
        more = offset + size < len(payload)
        if ":" in source:
            head = struct.pack("!BBHI", protocol, 0, offset | more, ident)
            parts.append(ipv6(source, destination, 44, head + part))
        else:
            parts.append(ipv4(source, destination, protocol, part, ident, offset, more))
    return parts


def tcp_connection(client, server, ports, sizes, end="fin"):
    """The IP packets of a connection as (is from the server, packet).

    `sizes` is a list of (request bytes, response bytes); the end is "fin", "rst" or "open".
    """
    seq = [1000, 5000]
    sent = []

    def send(side, flags, data=b""):
        ends = (client, server) if side == 0 else (server, client)
        pair = ports if side == 0 else ports[::-1]
        ack = seq[1 - side] if flags & ACK else 0
        sent.append((side == 1, ip(*ends, TCP, tcp(*ends, pair, flags, seq[side], ack, data))))
        seq[side] += len(data) + bool(flags & (SYN | FIN))

    send(0, SYN)
    send(1, SYN | ACK)
    send(0, ACK)
    for request, response in sizes:
        send(0, PSH | ACK, b"q" * request)
        for at in range(0, response, 1200):
            send(1, PSH | ACK, b"r" * min(1200, response - at))
        send(0, ACK)
    if end == "fin":
        send(0, FIN | ACK)
        send(1, FIN | ACK)
        send(0, ACK)
    elif end == "rst":
        send(0, RST | ACK)
    return sent


def udp_exchange(client, server, ports, sizes):
    """Datagrams there and back as (is from the server, packet); `sizes` as for tcp_connection."""
    sent = []
    for request, response in sizes:
        sent.append((False, ip(client, server, UDP,
                               udp(client, server, *ports, b"q" * request))))
        sent.append((True, ip(server, client, UDP,
                              udp(server, client, *ports[::-1], b"r" * response))))
    return sent


def interleaved(conversations):
    """The packets of several conversations in turn, each conversation's own order kept."""
    queues = [list(conversation) for conversation in conversations]
    mixed = []
    while queues:
        for queue in queues:
            mixed.append(queue.pop(0))
        queues = [queue for queue in queues if queue]
    return mixed
