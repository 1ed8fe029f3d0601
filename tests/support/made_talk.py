"""TCP connections that are made up, packet by packet, and captures of them."""
import struct

import frames

CLIENT, SERVER = "198.51.100.10", "203.0.113.20"
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MS = 10 ** 6
START = 1700000000 * 10 ** 9
SEGMENT = 1000


class Talk:
    """A connection that a tap between its ends sees; `trips`: ms from it to the server and back, and to the
    client. `made`: its (time, frame)s."""

    def __init__(self, port, at=0, ends=(CLIENT, SERVER), server_port=8080, trips=(6, 14)):
        self.port, self.now, self.made = port, START + at * MS, []
        self.client, self.server = ends
        self.server_port = server_port
        self.to_server, self.to_client = trips
        self.next = {self.client: 1000, self.server: 9000}
        self.ident = 1

    def packet(self, source, flags, data=b"", seq=None, wait=0):
        self.now += int(wait * MS)
        is_client = source == self.client
        other = self.server if is_client else self.client
        ports = (self.port, self.server_port) if is_client else (self.server_port, self.port)
        seq = self.next[source] if seq is None else seq
        ack = self.next[other] if flags & ACK else 0
        segment = frames.tcp(source, other, ports, flags, seq, ack, data)
        self.ident += 1
        self.made.append((self.now, frames.ethernet(
            frames.ipv4(source, other, 6, segment, ident=self.ident), reverse=not is_client)))
        if seq == self.next[source]:
            self.next[source] += len(data) + (1 if flags & (SYN | FIN) else 0)

    def open(self):
        self.packet(self.client, SYN)
        self.packet(self.server, SYN | ACK, wait=self.to_server)
        self.packet(self.client, ACK, wait=self.to_client)
        self.packet(self.client, ACK | PSH, b"?" * 100)

    def close(self):
        self.packet(self.server, FIN | ACK, wait=5)
        self.packet(self.client, FIN | ACK, wait=self.to_client)
        self.packet(self.server, ACK, wait=self.to_server)


def unfinished(port, at=0, syns=1):
    """A handshake that the server goes on to answer, and nobody completes."""
    talk = Talk(port, at)
    for again in range(syns):
        talk.packet(CLIENT, SYN, seq=1000, wait=1000 * again)
    talk.next[CLIENT] = 1001
    for again in range(4):
        talk.packet(SERVER, SYN | ACK, seq=9000, wait=6 + (1000 << again))
    return talk.made


def write_capture(path, made):
    """A pcap file with nanoseconds of (time, frame)s, which are sorted."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1))
        for when, frame in made:
            file.write(struct.pack("<IIII", when // 10 ** 9, when % 10 ** 9, len(frame),
                                   len(frame)) + frame)
