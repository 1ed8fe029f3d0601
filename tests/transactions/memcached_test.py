#!/usr/bin/env python3
"""What clients ask a real memcached is what the events say, one to one: in text, in binary with quiet
commands, with meta commands, over UDP."""
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
import sniffer  # noqa: E402
import sockets  # noqa: E402
import tap  # noqa: E402

PATIENCE = 180  # seconds
ROUNDS = 300
GET, SET, GETKQ, NOOP, SETQ, DELETE = 0, 1, 0x0D, 0x0A, 0x11, 4


class Server:
    def __init__(self, *options):
        self.port = sockets.free_port()
        self.process = subprocess.Popen(
            ["memcached", "-l", "127.0.0.1", "-p", str(self.port), "-u", "nobody", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), PATIENCE).close()
                return
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise
                time.sleep(0.05)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)


def say(connection, command, *ends):
    """Sends text and reads up to one of the ends of a response."""
    connection.sendall(command)
    got = b""
    while not got.endswith(ends):
        got += connection.recv(65536)
    return got


def binary(opcode, key=b"", extras=b"", value=b"", opaque=0):
    size = len(extras) + len(key) + len(value)
    return struct.pack("!BBHBBHIIQ", 0x80, opcode, len(key), len(extras), 0, 0, size, opaque, 0) \
        + extras + key + value


def receive(connection, size):
    got = b""
    while len(got) < size:
        got += connection.recv(size - len(got))
    return got


def response(connection):
    head = receive(connection, 24)
    receive(connection, struct.unpack("!I", head[8:12])[0])
    return head[1], struct.unpack("!I", head[12:16])[0]


def told(event):
    """What an event says, as short as the workloads below."""
    request, answer = event["memcache"]["request"], event["memcache"].get("response", {})
    keys = request.get("keys", [])
    return (request["command"], ",".join(keys), event["status"], answer.get("count_values", 0))


@unittest.skipIf(sniffer.missing("memcached"), sniffer.missing("memcached"))
class Memcached(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = os.path.join(self.folder, "said.pcap")

    def test_text(self):
        """text: every command with its response"""
        wanted = []
        with Server() as server, sniffer.Sniffer(server.port, self.path) as wire:
            with server.connect() as client:
                for i in range(ROUNDS):
                    value = b"v" * (i * 37 % 5000)
                    say(client, b"set k%d 1 0 %d\r\n%s\r\n" % (i, len(value), value), b"STORED\r\n")
                    wanted.append(("set", f"k{i}", "OK", 0))
                    say(client, b"get k%d absent k%d\r\n" % (i, i // 2), b"END\r\n")
                    wanted.append(("get", f"k{i},absent,k{i // 2}", "OK", 2))
                    say(client, b"delete nothing\r\n", b"NOT_FOUND\r\n")
                    wanted.append(("delete", "nothing", "Error", 0))
                say(client, b"set n 0 0 1 noreply\r\n5\r\nincr n 3\r\n", b"8\r\n")
                wanted += [("set", "n", "OK", 0), ("incr", "n", "OK", 0)]
        events = wire.events("memcache")
        self.assertEqual([told(event) for event in events], wanted)
        self.assertEqual(events[-1]["memcache"]["response"]["value"], 8)

    def test_pipelined(self):
        """text: many commands at once, many connections at a time"""
        with Server() as server, sniffer.Sniffer(server.port, self.path) as wire:
            clients = [server.connect() for _ in range(10)]
            for number, client in enumerate(clients):
                client.sendall(b"".join(b"get c%d-%d\r\n" % (number, i) for i in range(100)))
            for client in clients:
                receive(client, 100 * len(b"END\r\n"))
                client.close()
        events = wire.events("memcache")
        self.assertEqual(len(events), 1000)
        asked = {event["memcache"]["request"]["keys"][0] for event in events}
        self.assertEqual(asked, {f"c{n}-{i}" for n in range(10) for i in range(100)})
        self.assertEqual({event["status"] for event in events}, {"OK"})

    def test_binary(self):
        """binary: quiet commands and those that are not"""
        wanted = []
        with Server() as server, sniffer.Sniffer(server.port, self.path) as wire:
            with server.connect() as client:
                for i in range(ROUNDS):
                    key = b"k%d" % i
                    client.sendall(binary(SET, key, bytes(8), b"x" * i, 4 * i))
                    response(client)
                    wanted.append(("set", f"k{i}", "OK", 0))
                    client.sendall(binary(GETKQ, b"none", opaque=4 * i + 1)
                                   + binary(GETKQ, key, opaque=4 * i + 2)
                                   + binary(SETQ, b"q", bytes(8), b"1", 4 * i + 2)
                                   + binary(NOOP, opaque=4 * i + 3))
                    while response(client)[0] != NOOP:
                        pass
                    wanted += [("get", "none", "OK", 0), ("get", f"k{i}", "OK", 1),
                               ("set", "q", "OK", 0), ("noop", "", "OK", 0)]
                    client.sendall(binary(DELETE, b"none", opaque=4 * i))
                    response(client)
                    wanted.append(("delete", "none", "Error", 0))
        self.assertEqual([told(event) for event in wire.events("memcache")], wanted)

    def test_meta(self):
        """meta commands: quiet and tagged"""
        with Server() as server, sniffer.Sniffer(server.port, self.path) as wire:
            with server.connect() as client:
                if b"MN" not in say(client, b"mn\r\n", b"\r\n"):
                    self.skipTest("this memcached has no meta commands")
                say(client, b"ms a 3 T0\r\nabc\r\nmg a v q\r\nmg none v q\r\nmg none v Ox\r\nmd a q\r\nmn\r\n",
                    b"MN\r\n")
        self.assertEqual([told(event) for event in wire.events("memcache")],
                         [("mn", "", "OK", 0), ("ms", "a", "OK", 0), ("mg", "a", "OK", 1),
                          ("mg", "none", "OK", 0), ("mg", "none", "OK", 0), ("md", "a", "OK", 0),
                          ("mn", "", "OK", 0)])

    def test_datagrams(self):
        """over UDP: answers of one datagram and of several, and a request that wants none"""
        wanted = []
        # One thread: of several, the second datagram's may be before the first's.
        with Server("-t", "1", "-U", str(port := sockets.free_port())) as server:
            with sniffer.Sniffer(0, self.path, where=f"udp port {port}") as wire:
                with server.connect() as client:
                    say(client, b"set big 0 0 9000\r\n%s\r\nset a 0 0 1\r\nx\r\n" % (b"v" * 9000),
                        b"STORED\r\nSTORED\r\n")
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                    client.settimeout(PATIENCE)
                    client.connect(("127.0.0.1", port))
                    for i in range(0, ROUNDS, 15):
                        self.assertIn(b"VALUE a 0 1\r\nx", self.ask(client, i, b"get a\r\n"))
                        wanted.append(("get", "a", "OK", 1))
                        self.assertIn(b"v" * 9000, self.ask(client, i + 1, b"get big\r\n"))
                        wanted.append(("get", "big", "OK", 1))
                        self.assertIn(b"NOT_FOUND", self.ask(client, i + 2, b"incr none 1\r\n"))
                        wanted.append(("incr", "none", "Error", 0))
                    client.sendall(struct.pack("!HHHH", ROUNDS, 0, 1, 0) + b"delete a noreply\r\n")
                    wanted.append(("delete", "a", "OK", 0))
                    self.assertEqual(self.ask(client, ROUNDS + 1, b"get a\r\n"), b"END\r\n")
                    wanted.append(("get", "a", "OK", 0))
        events = wire.events("memcache")
        self.assertEqual([told(event) for event in events], wanted)
        self.assertEqual({event["network"]["transport"] for event in events}, {"udp"})

    @staticmethod
    def ask(client, number, text):
        """One request, and what its datagrams say together, in order."""
        client.sendall(struct.pack("!HHHH", number, 0, 1, 0) + text)
        parts, total = {}, 1
        while len(parts) < total:
            datagram = client.recv(65536)
            _, place, total, _ = struct.unpack("!HHHH", datagram[:8])
            parts[place] = datagram[8:]
        return b"".join(parts[place] for place in sorted(parts))

    def test_middle(self):
        """a connection that is met in its middle"""
        with Server() as server, server.connect() as client:
            say(client, b"set a 0 0 1\r\nx\r\n", b"STORED\r\n")
            with sniffer.Sniffer(server.port, self.path) as wire:
                for _ in range(50):
                    say(client, b"get a\r\n", b"END\r\n")
        self.assertEqual([told(event) for event in wire.events("memcache")], [("get", "a", "OK", 1)] * 50)


if __name__ == "__main__":
    tap.main()
