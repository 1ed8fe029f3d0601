"""Questions and answers, the i-th, of protocols whose answers say which question they answer; for talks.py.
Each event of theirs has the question's name, t<i>, somewhere. Standard library only."""
import struct


def block(data, length=">I"):
    return struct.pack(length, len(data)) + data


def thrift(i):
    def message(kind, field):
        name = b"t%d" % i
        return block(struct.pack(">HH", 0x8001, kind) + block(name) + struct.pack(">I", i) + field + b"\0")

    return message(1, b""), message(2, b"\x0b\0\0" + block(b"x" * (i % 977)))


def mongodb(i):
    def text(value):
        return block(value + b"\0", "<I")

    def message(number, answers, fields):
        body = bytes(4) + b"\0" + struct.pack("<I", len(fields) + 5) + fields + b"\0"
        return struct.pack("<IIII", len(body) + 16, number, answers, 2013) + body

    return (message(2 * i + 1, 0, b"\2find\0" + text(b"t%d" % i) + b"\2$db\0" + text(b"shop")),
            message(2 * i + 2, 2 * i + 1, b"\2pad\0" + text(b"x" * (i % 977)) + b"\1ok\0" + struct.pack("<d", 1)))


def cassandra(i):
    def frame(version, opcode, body):
        return struct.pack(">BBHB", version, 0, i % 128, opcode) + block(body)

    return (frame(4, 7, block(b"SELECT t%d" % i) + b"\0\1\0"),
            frame(0x84, 8, struct.pack(">I", 3) + block(b"x" * (i % 977), ">H")))


def kafka(i):
    """Metadata; the size is that of a broker's name."""
    return (block(struct.pack(">HHI", 3, 0, i) + block(b"t%d" % i, ">H") + struct.pack(">I", 0)),
            block(struct.pack(">III", i, 1, 1) + block(b"x" * (i % 977), ">H") + struct.pack(">II", 9092, 0)))


def amqp(i):
    """queue.declare, on one channel: the only ones here that are answered in their order."""
    def method(arguments):
        return b"\1\0\1" + block(arguments) + b"\xce"

    def name(size):
        return block(b"t%d" % i + b"-" + b"x" * size, ">B")

    return (method(b"\0\x32\0\x0a\0\0" + name(0) + b"\0" + struct.pack(">I", 0)),
            method(b"\0\x32\0\x0b" + name(i % 97) + bytes(8)))


def nfs(i):
    """READ; the name is the machine's in the credentials."""
    def record(data):
        return struct.pack(">I", 0x80000000 | len(data)) + data

    def opaque(data):
        return block(data) + bytes(-len(data) % 4)

    credentials = struct.pack(">I", 7) + opaque(b"t%d" % i) + struct.pack(">III", 0, 0, 0)
    call = struct.pack(">IIIIIII", i + 77, 0, 2, 100003, 3, 6, 1) + opaque(credentials) + bytes(8)
    size = i % 977
    return (record(call + opaque(b"h" * 32) + bytes(12)),
            record(struct.pack(">III", i + 77, 1, 0) + bytes(20) + struct.pack(">II", size, 1) +
                   opaque(b"x" * size)))


def dns(i):
    """Over TCP."""
    name = block(b"t%d" % i, ">B") + b"\7example\0" + struct.pack(">HH", 16, 1)
    text = block(b"x" * (i % 240), ">B")
    return (block(struct.pack(">HHHHHH", i + 1, 0x100, 1, 0, 0, 0) + name, ">H"),
            block(struct.pack(">HHHHHH", i + 1, 0x8180, 1, 1, 0, 0) + name +
                  struct.pack(">HHHI", 0xc00c, 16, 1, 60) + block(text, ">H"), ">H"))


def http2(i):
    def frame(kind, flags, body):
        return struct.pack(">I", len(body))[1:] + bytes([kind, flags]) + struct.pack(">I", 2 * i + 1) + body

    return (frame(1, 5, b"\x82\x86\x04" + block(b"/t/%d" % i, ">B") + b"\x01" + block(b"a", ">B")),
            frame(1, 4, b"\x88") + frame(0, 1, b"x" * (i % 977)))


HTTP2_LOGIN = ((0, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\4\0" + bytes(4)),
               (1, bytes(3) + b"\4\0" + bytes(4)))
# As talks.KINDS.
KINDS = {"thrift": (thrift, 9090, (), 0), "mongodb": (mongodb, 27017, (), 0),
         "cassandra": (cassandra, 9042, (), 0), "kafka": (kafka, 9092, (), 0), "amqp": (amqp, 5672, (), 0),
         "nfs": (nfs, 2049, (), 4), "dns": (dns, 53, (), 2), "http2": (http2, 80, HTTP2_LOGIN, 0)}
