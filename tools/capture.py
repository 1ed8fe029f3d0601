"""Reads and writes capture files, for tests: pcap of either byte order, in micro- or nanoseconds,
pcapng as far as packets go, and the same gzipped or in a Zstandard frame. Standard library only."""
import dataclasses
import gzip
import struct
import zlib

MAGIC_MICRO, MAGIC_NANO, SECTION = 0xA1B2C3D4, 0xA1B23C4D, 0x0A0D0D0A


@dataclasses.dataclass(frozen=True)
class Packet:
    time_ns: int
    data: bytes
    wire_len: int
    link: int  # LINKTYPE_ number


def read(path):
    """All packets of a pcap file, gzipped or not."""
    with open(path, "rb") as file:
        raw = file.read()
    if raw[:2] == b"\x1f\x8b":
        raw = zlib.decompressobj(31).decompress(raw)
    for order in "<>":
        magic = struct.unpack_from(order + "I", raw)[0]
        if magic in (MAGIC_MICRO, MAGIC_NANO):
            return list(pcap_packets(raw, order, 1 if magic == MAGIC_NANO else 1000))
    raise ValueError(f"{path}: not a pcap file")


def pcap_packets(raw, order, unit_ns):
    link = struct.unpack_from(order + "I", raw, 20)[0] & 0xFFFF
    at = 24
    while at + 16 <= len(raw):
        seconds, fraction, size, wire_len = struct.unpack_from(order + "IIII", raw, at)
        if at + 16 + size > len(raw):
            return
        data = raw[at + 16:at + 16 + size]
        yield Packet(seconds * 10**9 + fraction * unit_ns, data, wire_len, link)
        at += 16 + size


def pcap(packets, order="<", nano=True):
    """The bytes of a pcap file. All packets must have one link type."""
    link = packets[0].link if packets else 1
    parts = [struct.pack(order + "IHHiIII", MAGIC_NANO if nano else MAGIC_MICRO, 2, 4, 0, 0, 262144,
                         link)]
    for p in packets:
        fraction = p.time_ns % 10**9 // (1 if nano else 1000)
        parts.append(struct.pack(order + "IIII", p.time_ns // 10**9, fraction, len(p.data),
                                 p.wire_len) + p.data)
    return b"".join(parts)


def pcapng(packets, order="<"):
    """The bytes of a pcapng file: one section, one interface with nanoseconds."""

    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        size = len(body) + 12
        return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", size)

    link = packets[0].link if packets else 1
    parts = [block(SECTION, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)),
             block(1, struct.pack(order + "HHI", link, 0, 262144)
                   + struct.pack(order + "HHB3xHH", 9, 1, 9, 0, 0))]
    for p in packets:
        parts.append(block(6, struct.pack(order + "IIIII", 0, p.time_ns >> 32,
                                          p.time_ns & 0xFFFFFFFF, len(p.data), p.wire_len) + p.data))
    return b"".join(parts)


def gzipped(raw):
    return gzip.compress(raw, 6, mtime=0)


def zstandard(raw):
    """A Zstandard frame of raw and run-length blocks (RFC 8878 §3.1.1): valid, if not small."""
    blocks = [raw[at:at + 65536] for at in range(0, len(raw), 65536)] or [b""]
    parts = [struct.pack("<IBB", 0xFD2FB528, 0, 0x38)]  # window of 128 KiB, no content size
    for number, block in enumerate(blocks):
        last = number == len(blocks) - 1
        is_run = len(block) > 1 and block == block[:1] * len(block)
        parts.append(struct.pack("<I", last | is_run << 1 | len(block) << 3)[:3])
        parts.append(block[:1] if is_run else block)
    return b"".join(parts)
