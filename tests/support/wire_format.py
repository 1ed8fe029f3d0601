"""Protocol Buffers' wire format, read strictly: what a schema does not name, has another wire type
than it says, a number in more bytes than it needs, text that is not UTF-8 or a byte too many is an
error.

A schema is {field number: (name, kind, inner)}: kinds are u64, s64 (zigzag), f64 (fixed64), double,
text, bytes and message; with "[]" behind it a field may come often, or be packed if it is a number."""
import struct


class Malformed(Exception):
    pass


def varint(data, at):
    value = shift = 0
    while True:
        if at == len(data) or shift > 63:
            raise Malformed(f"no varint at {at}")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            if byte == 0 and shift > 7:
                raise Malformed(f"a varint longer than it needs to be at {at}")
            return value & (1 << 64) - 1, at


WIRES = {"u64": 0, "s64": 0, "f64": 1, "double": 1, "text": 2, "bytes": 2, "message": 2}


def one(kind, inner, data, at):
    """A value of that kind and where it ends."""
    if kind in ("u64", "s64"):
        value, at = varint(data, at)
        return (value >> 1) ^ -(value & 1) if kind == "s64" else value, at
    if kind in ("f64", "double"):
        if at + 8 > len(data):
            raise Malformed("eight bytes are cut")
        return struct.unpack_from("<d" if kind == "double" else "<q", data, at)[0], at + 8
    size, at = varint(data, at)
    if at + size > len(data):
        raise Malformed("a field reaches beyond its message")
    value = bytes(data[at:at + size])
    if kind == "text":
        value = value.decode("utf-8")
    elif kind == "message":
        value = decode(inner, value)
    return value, at + size


def decode(schema, data):
    """A message as a dictionary; fields that did not come are not in it, lists are."""
    found = {name: [] for name, kind, *_ in schema.values() if kind.endswith("[]")}
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag >> 3 not in schema:
            raise Malformed(f"field {tag >> 3} is not in the schema of {sorted(schema)}")
        name, kind, inner = (*schema[tag >> 3], None)[:3]
        is_list, kind = kind.endswith("[]"), kind.removesuffix("[]")
        if is_list and tag & 7 == 2 and WIRES[kind] != 2:
            size, at = varint(data, at)
            end = at + size
            while at < end:
                value, at = one(kind, inner, data[:end], at)
                found[name].append(value)
            continue
        if tag & 7 != WIRES[kind]:
            raise Malformed(f"{name} has wire type {tag & 7}")
        value, at = one(kind, inner, data, at)
        if is_list:
            found[name].append(value)
        elif name in found:
            raise Malformed(f"{name} came twice")
        else:
            found[name] = value
    return found
