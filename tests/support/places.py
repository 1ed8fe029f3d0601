"""Databases of places and owners in MaxMind's format (MMDB 2.0), of a few networks."""
import ipaddress
import os
import struct


UINT16, UINT32, UINT64 = 5, 6, 9


class Number(int):
    """A number of another type than UINT32."""

    def __new__(cls, value, kind):
        self = super().__new__(cls, value)
        self.kind = kind
        return self


def encode(value):
    """A value of the data section."""
    if isinstance(value, str):
        return head(2, len(value.encode())) + value.encode()
    if isinstance(value, float):
        return head(3, 8) + struct.pack(">d", value)
    if isinstance(value, (int, Number)):
        kind = value.kind if isinstance(value, Number) else UINT32
        data = int(value).to_bytes((int(value).bit_length() + 7) // 8, "big")
        return head(kind, len(data)) + data
    if isinstance(value, list):
        return head(11, len(value)) + b"".join(map(encode, value))
    return head(7, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())


def head(kind, size):
    assert size < 285
    more = b"" if size < 29 else bytes([size - 29])
    size = min(size, 29)
    return (bytes([kind << 5 | size]) if kind < 8 else bytes([size, kind - 7])) + more


def database(networks, kind):
    """The bytes of a database: {"192.0.2.0/24": value, ...}."""
    nodes, data, leaves = [[None, None]], b"", []
    for text, value in networks.items():
        network = ipaddress.ip_network(text)
        at, bits = 0, int(network.network_address)
        for i in range(network.prefixlen):
            bit = bits >> (31 - i) & 1
            if i == network.prefixlen - 1:
                nodes[at][bit] = ("leaf", len(data))
            elif nodes[at][bit] is None:
                nodes.append([None, None])
                nodes[at][bit] = len(nodes) - 1
            at = nodes[at][bit] if isinstance(nodes[at][bit], int) else at
        data += encode(value)
        leaves.append(value)
    count = len(nodes)
    tree = b""
    for pair in nodes:
        for record in pair:
            number = count if record is None else record if isinstance(record, int) else count + 16 + record[1]
            tree += number.to_bytes(3, "big")
    meta = {"node_count": count, "record_size": Number(24, UINT16), "ip_version": Number(4, UINT16), "database_type": kind,
            "languages": ["en"], "binary_format_major_version": Number(2, UINT16),
            "binary_format_minor_version": Number(0, UINT16), "build_epoch": Number(1, UINT64), "description": {}}
    return tree + bytes(16) + data + b"\xab\xcd\xefMaxMind.com" + encode(meta)


def city(continent, country, latitude=1.5, longitude=2.5):
    return {"continent": {"code": continent}, "country": {"iso_code": country[:2].upper(), "names": {"en": country}},
            "location": {"latitude": latitude, "longitude": longitude}}


def owner(number, name):
    return {"autonomous_system_number": number, "autonomous_system_organization": name}


def replace(path, content):
    """Puts a file in the place of another one, as those do who bring new databases."""
    with open(path + ".new", "wb") as out:
        out.write(content)
    os.rename(path + ".new", path)
