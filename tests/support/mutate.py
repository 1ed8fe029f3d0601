"""Damages capture files, the same way for the same seed.

Each mutation takes the bytes of a file and a random.Random and returns other bytes. They are made to get
past the first check of a reader: lengths that lie, fields that contradict each other, halves of records.
"""
import struct

INTERESTING = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
               0xFFFFFFF0, 262144, 262145]


def flip_bits(data, chance):
    """A few bits anywhere."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 40)):
        out[chance.randrange(len(out))] ^= 1 << chance.randrange(8)
    return bytes(out)


def cut(data, chance):
    """The file ends early."""
    return data[:chance.randrange(len(data))]


def drop_piece(data, chance):
    """A hole that nobody marked."""
    start = chance.randrange(len(data))
    return data[:start] + data[start + chance.randint(1, 200):]


def repeat_piece(data, chance):
    """A stretch of the file twice."""
    start = chance.randrange(len(data))
    return data[:start + chance.randint(1, 400)] + data[start:]


def insert_noise(data, chance):
    """Bytes that do not belong there."""
    start = chance.randrange(len(data))
    noise = chance.choice([b"\0", b"\xff", None])
    size = chance.randint(1, 300)
    return data[:start] + (noise * size if noise else chance.randbytes(size)) + data[start:]


def lie_in_header(data, chance):
    """An interesting number in the first 28 bytes, but for the magic."""
    out = bytearray(data)
    struct.pack_into(chance.choice("<>") + "I", out, 4 * chance.randint(1, 6),
                     chance.choice(INTERESTING))
    return bytes(out)


def lie_in_records(data, chance):
    """Interesting numbers at places where lengths may be."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 10)):
        form, size = chance.choice([("I", 4), ("H", 2), ("B", 1)])
        if len(out) > size:
            value = chance.choice(INTERESTING) & ((1 << 8 * size) - 1)
            struct.pack_into(chance.choice("<>") + form, out, chance.randrange(len(out) - size), value)
    return bytes(out)


def swap_magic(data, chance):
    """The magic of another format or byte order before the same records."""
    return chance.choice([b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1",
                          b"\xa1\xb2\x3c\x4d", b"\x0a\x0d\x0d\x0a", b"\x34\xcd\xb2\xa1",
                          b"\x1f\x8b\x08\x00", b"\x28\xb5\x2f\xfd"]) + data[4:]


ALL = [flip_bits, cut, drop_piece, repeat_piece, insert_noise, lie_in_header, lie_in_records, swap_magic]


def mutated(data, chance):
    """One to three mutations of a file that is not empty."""
    names = []
    for _ in range(chance.choice([1, 1, 2, 3])):
        if len(data) < 32:
            break
        mutation = chance.choice(ALL)
        names.append(mutation.__name__)
        data = mutation(data, chance)
    return data, names
