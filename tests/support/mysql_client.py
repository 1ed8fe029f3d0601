"""A MySQL client made of the protocol itself, so that a test says to the byte what is sent: with and
without EOF packets, compressed or not, several commands at once.

    client = Client(port, deprecate_eof=True, compress=True)
    client.query("select 1")

With a `tls` (an ssl.SSLContext) the connection goes on within TLS before it says who it is.
"""
import hashlib
import socket
import struct
import zlib

LONG_PASSWORD, CONNECT_WITH_DB, COMPRESS, LOCAL_FILES = 1, 8, 32, 128
SSL = 2048
PROTOCOL_41, TRANSACTIONS, SECURE = 512, 8192, 32768
MULTI_STATEMENTS, MULTI_RESULTS, PS_MULTI_RESULTS = 1 << 16, 1 << 17, 1 << 18
PLUGIN_AUTH, DEPRECATE_EOF = 1 << 19, 1 << 24
MORE_RESULTS, CURSOR_EXISTS = 8, 64


class ServerError(Exception):
    pass


class Result:
    def __init__(self):
        self.rows = 0
        self.columns = 0
        self.affected = 0
        self.insert_id = 0
        self.results = 0


def number(data, at):
    """A length-encoded integer and where it ends."""
    first = data[at]
    if first < 0xfb:
        return first, at + 1
    size = {0xfc: 2, 0xfd: 3, 0xfe: 8}[first]
    return int.from_bytes(data[at + 1:at + 1 + size], "little"), at + 1 + size


def text(data):
    """A text with its length before it."""
    if len(data) < 0xfb:
        return bytes([len(data)]) + data
    return b"\xfc" + struct.pack("<H", len(data)) + data


class Client:
    def __init__(self, port, user="root", password="", database="", deprecate_eof=False,
                 compress=False, tls=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=180)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.compressed = False
        self.outer = 0
        self.deprecate_eof = deprecate_eof
        self.salt = self.greeting(self.packet())
        can = (LONG_PASSWORD | LOCAL_FILES | PROTOCOL_41 | TRANSACTIONS | SECURE | MULTI_STATEMENTS |
               MULTI_RESULTS | PS_MULTI_RESULTS | PLUGIN_AUTH)
        can |= DEPRECATE_EOF if deprecate_eof else 0
        can |= COMPRESS if compress else 0
        can |= CONNECT_WITH_DB if database else 0
        proof = self.proof(password)
        can |= SSL if tls else 0
        fixed = struct.pack("<IIB23x", can, 1 << 24, 45)
        if tls:
            self.send(fixed, 1)
            self.socket = tls.wrap_socket(self.socket)
        body = fixed + user.encode() + b"\0" + text(proof)
        body += database.encode() + b"\0" if database else b""
        self.send(body + b"mysql_native_password\0", 2 if tls else 1)
        self.expect_ok(self.packet())
        self.compressed = compress

    @staticmethod
    def greeting(packet):
        end = packet.index(b"\0", 1)
        return packet[end + 5:end + 13] + packet[end + 32:end + 44]

    def proof(self, password):
        if not password:
            return b""
        once = hashlib.sha1(password.encode()).digest()
        mix = hashlib.sha1(self.salt + hashlib.sha1(once).digest()).digest()
        return bytes(a ^ b for a, b in zip(once, mix))

    # ---- bytes

    def frame(self, body, sequence=0):
        return struct.pack("<I", len(body))[:3] + bytes([sequence & 255]) + body

    def write(self, plain):
        if not self.compressed:
            self.socket.sendall(plain)
            return
        packed = zlib.compress(plain) if len(plain) >= 50 else plain
        size = len(plain) if len(plain) >= 50 else 0
        self.socket.sendall(struct.pack("<I", len(packed))[:3] + bytes([self.outer & 255]) +
                            struct.pack("<I", size)[:3] + packed)
        self.outer += 1

    def send(self, body, sequence=0):
        self.write(self.frame(body, sequence))

    def raw(self, size):
        data = b""
        while len(data) < size:
            more = self.socket.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def read(self, size):
        while len(self.buffer) < size:
            if not self.compressed:
                self.buffer += self.raw(size - len(self.buffer))
                continue
            header = self.raw(7)
            body = self.raw(int.from_bytes(header[:3], "little"))
            self.outer = header[3] + 1
            self.buffer += zlib.decompress(body) if header[4:] != b"\0\0\0" else body
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def packet(self):
        header = self.read(4)
        self.sequence = header[3]
        body = self.read(int.from_bytes(header[:3], "little"))
        if len(body) == 0xffffff:
            body += self.packet()
        return body

    # ---- answers

    def expect_ok(self, packet, result=None):
        """The status behind an OK packet, or its old form."""
        if packet[0] == 0xff:
            raise ServerError(int.from_bytes(packet[1:3], "little"), packet[9:].decode())
        if packet[0] == 0xfe and len(packet) == 5:
            return int.from_bytes(packet[3:5], "little")
        affected, at = number(packet, 1)
        insert_id, at = number(packet, at)
        if result:
            result.affected += affected
            result.insert_id = insert_id or result.insert_id
        return int.from_bytes(packet[at:at + 2], "little")

    def answer(self, files=None):
        result, status = Result(), MORE_RESULTS
        while status & MORE_RESULTS:
            first = self.packet()
            result.results += 1
            if first[0] in (0, 0xff):
                status = self.expect_ok(first, result)
            elif first[0] == 0xfb:
                status = self.send_file(files, result)
            else:
                status = self.rows(number(first, 0)[0], result)
        return result

    def send_file(self, pieces, result):
        sequence = self.sequence + 1
        for piece in [*pieces, b""]:
            self.send(piece, sequence)
            sequence += 1
        return self.expect_ok(self.packet(), result)

    def rows(self, columns, result):
        result.columns = result.columns or columns
        for _ in range(columns):
            self.packet()
        if not self.deprecate_eof:
            status = self.expect_ok(self.packet())
            if status & CURSOR_EXISTS:
                return status
        return self.fetch_rows(result)

    def fetch_rows(self, result):
        while True:
            row = self.packet()
            if row[0] == 0xff or (row[0] == 0xfe and len(row) < 0xffffff):
                return self.expect_ok(row)
            result.rows += 1

    # ---- commands

    def command(self, code, body=b""):
        self.outer = 0
        self.send(bytes([code]) + body)

    def query(self, sql, files=None):
        self.command(3, sql.encode())
        return self.answer(files)

    def simple(self, code, body=b""):
        self.command(code, body)
        return self.expect_ok(self.packet())

    def ping(self):
        return self.simple(14)

    def init_db(self, name):
        return self.simple(2, name.encode())

    def statistics(self):
        self.command(9)
        return self.packet()

    def prepare(self, sql):
        self.command(22, sql.encode())
        return self.prepared()

    def prepared(self):
        first = self.packet()
        if first[0] == 0xff:
            self.expect_ok(first)
        statement, columns, params = struct.unpack("<IHH", first[1:9])
        for count in (params, columns):
            for _ in range(count):
                self.packet()
            if count and not self.deprecate_eof:
                self.packet()
        return statement

    @staticmethod
    def execution(statement, values, types=True, cursor=0):
        """The body of COM_STMT_EXECUTE; `values` are pairs of a type and its bytes, None for NULL."""
        body = struct.pack("<IBI", statement, cursor, 1)
        if not values:
            return body
        bitmap = bytearray((len(values) + 7) // 8)
        for i, (_, data) in enumerate(values):
            if data is None:
                bitmap[i // 8] |= 1 << i % 8
        body += bytes(bitmap) + bytes([1 if types else 0])
        if types:
            body += b"".join(struct.pack("<H", kind) for kind, _ in values)
        return body + b"".join(data for _, data in values if data not in (None, ...))

    def execute(self, statement, values=(), types=True, cursor=0):
        self.command(23, self.execution(statement, values, types, cursor))
        return self.answer()

    def fetch(self, statement, count):
        self.command(28, struct.pack("<II", statement, count))
        result = Result()
        self.fetch_rows(result)
        return result

    def long_data(self, statement, parameter, data):
        self.command(24, struct.pack("<IH", statement, parameter) + data)

    def close_statement(self, statement):
        self.command(25, struct.pack("<I", statement))

    def quit(self):
        self.command(1)
        self.socket.close()
