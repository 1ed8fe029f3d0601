"""Captures that tests know to the byte: each function makes the frames of one, write() a file of them."""
import capture
import frames

START_NS = 1_700_000_000 * 10**9


def connections(count, prefix4="10.1.0.", prefix6="fd00::1:"):
    """TCP of all kinds of ends and UDP, over IPv4 and IPv6."""
    made = []
    for i in range(count):
        client, server = (f"{prefix4}{i + 1}", "10.2.0.1") if i % 3 else (f"{prefix6}{i + 1:x}",
                                                                          "fd00::2:1")
        ends = ("fin", "rst", "open")[i % 3 if i % 4 else 0]
        if i % 5 == 4:
            made.append(frames.udp_exchange(client, server, (20000 + i, 3478), [(40, 120)] * (i % 3 + 1)))
        else:
            made.append(frames.tcp_connection(client, server, (30000 + i, 80),
                                              [(300, 2500)] * (i % 4), ends))
    return frames.interleaved(made)


def plain():
    """Conversations, a retransmission in each tenth, pings."""
    packets = connections(60)
    packets[40:40] = packets[20:30]
    for number in range(5):
        for is_reply in (False, True):
            ends = ("10.2.0.1", "10.1.0.1") if is_reply else ("10.1.0.1", "10.2.0.1")
            packets.append((is_reply, frames.ip(*ends, frames.ICMP,
                                                frames.echo(is_reply, 7, number, b"p" * 56))))
    return [frames.ethernet(packet, reverse=back) for back, packet in packets]


def tagged():
    """The same conversations untagged, in two VLANs and in a stack of two."""
    stacks = [(), (7,), (8,), (100, 7)]
    return [frames.ethernet(packet, vlans, back) for vlans in stacks
            for back, packet in connections(8)]


def in_vxlan():
    """Overlay traffic; as real endpoints do, each direction has outer ports of its own."""
    made = []
    for back, packet in connections(12):
        outer = ("192.0.2.2", "192.0.2.1") if back else ("192.0.2.1", "192.0.2.2")
        inner = frames.ethernet(packet, reverse=back)
        port = 50000 + (hash_of(packet) if back else hash_of(packet) + 17) % 1000
        made.append(frames.ethernet(frames.vxlan(inner, outer, port, 40), reverse=back))
    return made


def hash_of(packet):
    """A number that is the same for all packets of one direction of a flow."""
    return sum(packet[12:24])


def in_gre():
    """GRE with and without a key."""
    made = []
    for key in (None, 66):
        for back, packet in connections(10):
            outer = ("192.0.2.2", "192.0.2.1") if back else ("192.0.2.1", "192.0.2.2")
            made.append(frames.ethernet(frames.gre(packet, outer, key), reverse=back))
    return made


def fragmented():
    """Datagrams in fragments over IPv4 and IPv6, in order and with the first one last; both ways."""
    made = []
    for number, (a, b) in enumerate([("10.1.0.1", "10.2.0.1"), ("fd00::1", "fd00::2")] * 4):
        for back in (False, True):
            ends, ports = ((b, a), (53, 4000 + number)) if back else ((a, b), (4000 + number, 53))
            datagram = frames.udp(*ends, *ports, b"f" * (2000 + 400 * number))
            parts = frames.fragments(*ends, frames.UDP, datagram, 100 + number * 2 + back, 800)
            if number % 4 > 1:
                parts.reverse()
            made += [frames.ethernet(part, reverse=back) for part in parts]
    return made


def packets_of(made):
    """Frames as packets of a capture, a tenth of a millisecond apart."""
    return [capture.Packet(START_NS + number * 100_000, frame, len(frame), 1)
            for number, frame in enumerate(made)]


def write(path, made):
    """Writes frames as a pcap file."""
    with open(path, "wb") as file:
        file.write(capture.pcap(packets_of(made), nano=False))


ALL = {"plain": plain, "tagged": tagged, "vxlan": in_vxlan, "gre": in_gre, "fragments": fragmented}
