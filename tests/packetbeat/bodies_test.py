#!/usr/bin/env python3
"""Large bodies: of 100 KiB up to more than max_message_size, plain, in chunks and packed, from Python's HTTP
server to a client that keeps what it reads. Events are to have them whole, at every output, and where they do
not they say so."""
import gzip
import http.server
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "..", "tools")]
sys.dont_write_bytecode = True
import bulk_server  # noqa: E402
import capture  # noqa: E402
import frames  # noqa: E402
import tap  # noqa: E402

VANTAGE = os.environ["VANTAGE"]
KIB, MIB = 1 << 10, 1 << 20
MOST = 10 * MIB  # max_message_size, as it is when nobody says otherwise
SIZES = {"100k": 100 * KIB, "1m": MIB, "5m": 5 * MIB, "12m": 12 * MIB}
WAYS = ("plain", "chunked", "gzip")
FEW = ("plain/100k", "gzip/5m", "chunked/12m")  # for all outputs
CUT = "Response cut at max_message_size"
START_NS, ETHERNET = 1700000000 * 10 ** 9, 1
PATIENCE = 180  # seconds


def text_of(size):
    """JSON of that size, which packs about as well as JSON does."""
    numbers = random.Random(size)
    parts = ["["]
    have = 1
    while have < size - 40:
        parts.append('{"id":%d,"name":"item"},' % numbers.randrange(10 ** 9))
        have += len(parts[-1])
    return ("".join(parts) + '"' + "x" * (size - have - 3) + '"]').encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bodies = {name: text_of(size) for name, size in SIZES.items()}

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        way, name = self.path.strip("/").split("/")
        body = bytes(10 * MIB) if name == "bomb" else self.bodies[name]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        if way == "gzip":
            body = gzip.compress(body, 6)
            self.send_header("Content-Encoding", "gzip")
        if way == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for at in range(0, len(body), 50000):
                piece = body[at:at + 50000]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        left = int(self.headers["Content-Length"])
        while left > 0:
            left -= len(self.rfile.read(min(left, MIB)))
        self.send_response(204)
        self.end_headers()


def talk(port, question):
    """What the server answers to one request, to its end."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as s:
        s.sendall(question)
        answer = b""
        while piece := s.recv(MIB):
            answer += piece
    return answer


def recorded(port, question):
    """The frames of a connection on which the server was asked that and answered."""
    ends, ports = ("10.0.0.1", "10.0.0.2"), (40000 + recorded.count, 80)
    recorded.count += 1
    next_seq, out = [1000, 5000], []

    def send(side, flags, data=b""):
        there, back = ends[side], ends[1 - side]
        out.append(frames.ethernet(frames.ipv4(there, back, frames.TCP, frames.tcp(
            there, back, ports if side == 0 else ports[::-1], flags, next_seq[side],
            next_seq[1 - side] if flags & frames.ACK else 0, data))))
        next_seq[side] += len(data) + (1 if flags & (frames.SYN | frames.FIN) else 0)

    send(0, frames.SYN)
    send(1, frames.SYN | frames.ACK)
    for side, data in ((0, question), (1, talk(port, question))):
        for at in range(0, len(data), 16000):
            send(side, frames.ACK | frames.PSH, data[at:at + 16000])
    send(1, frames.FIN | frames.ACK)
    send(0, frames.FIN | frames.ACK)
    return out


recorded.count = 0


def question_of(path, method="GET", body=b""):
    head = "%s /%s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" % (method, path)
    if body:
        head += "Content-Type: application/json\r\nContent-Length: %d\r\n" % len(body)
    return head.encode() + b"\r\n" + body


class Bodies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        port = server.server_port
        cls.captures = {}
        try:
            every = [f for way in WAYS for name in SIZES
                     for f in recorded(port, question_of("%s/%s" % (way, name)))]
            cls.write("every", every)
            cls.write("few", [f for path in FEW for f in recorded(port, question_of(path))])
            cls.write("one", recorded(port, question_of("plain/5m")))
            cls.write("bomb", recorded(port, question_of("gzip/bomb")))
            cls.write("upload", recorded(port, question_of("up/5m", "POST", Handler.bodies["5m"])))
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def write(cls, name, packets):
        path = os.path.join(cls.folder.name, name + ".pcap")
        packets = [capture.Packet(START_NS + i * 1000, data, len(data), ETHERNET)
                   for i, data in enumerate(packets)]
        with open(path, "wb") as file:
            file.write(capture.pcap(packets))
        cls.captures[name] = path

    def file(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w",
                  encoding="utf-8") as file:
            file.write(text)
        return path

    def run_vantage(self, *arguments):
        done = subprocess.run([VANTAGE, *arguments], capture_output=True, timeout=3 * PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        return [json.loads(line) for line in done.stdout.splitlines()]

    def read(self, name, options="include_body_for: [json]", workers=1, limits=""):
        config = self.file("vantage.yml", "protocols:\n  http: {%s}\n%s" % (options, limits))
        events = self.run_vantage("read", "-c", config, "-o", "events", "--workers", str(workers),
                                  self.captures[name])
        return [e for e in events if e["event"]["dataset"] == "http"]

    def packetbeat(self, name, output, options="include_body_for: [json]"):
        config = self.file("packetbeat.yml", "packetbeat.protocols:\n- type: http\n  ports: [80]\n"
                           "  %s\n%s" % (options, output))
        return self.run_vantage("packetbeat", "-e", "-t", "-I", self.captures[name], "-c", config)

    def check(self, events, count=len(FEW)):
        """Each is whole, or cut where max_message_size says, and tells it."""
        self.assertEqual(len(events), count)
        for event in events:
            way, name = event["url"]["path"].strip("/").split("/")
            with self.subTest(way=way, name=name):
                content = event["http"]["response"]["body"]["content"]
                self.assertEqual(len(content), min(SIZES[name], MOST))
                self.assertTrue(content == Handler.bodies[name][:MOST].decode())
                notes = event.get("error", {}).get("message", [])
                self.assertEqual(CUT in notes, SIZES[name] > MOST)

    def test_bodies_are_whole(self):
        one = self.read("every")
        self.check(one, len(WAYS) * len(SIZES))
        self.assertTrue(one == self.read("every", workers=2), "with two workers others")

    def test_every_output_takes_them(self):
        self.check(self.packetbeat("few", "output.console.enabled: true\n"))
        folder = os.path.join(self.folder.name, "out")
        self.packetbeat("few", "output.file: {path: %s, filename: events}\n" % folder)
        lines = []
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                lines += [json.loads(line) for line in file]
        self.check(lines)

    def test_elasticsearch_takes_them(self):
        server = bulk_server.BulkServer()
        self.addCleanup(server.close)
        self.packetbeat("few", "output.elasticsearch:\n  hosts: ['127.0.0.1:%d']\n" % server.port)
        self.assertEqual(server.faults, [])
        self.check([document for _, document in server.documents])

    def test_what_is_sent_is_whole_too(self):
        (event,) = self.read("upload", "include_body_for: [json], send_request: true")
        body = Handler.bodies["5m"].decode()
        self.assertTrue(event["http"]["request"]["body"]["content"] == body)
        self.assertTrue(event["request"].endswith("\r\n\r\n" + body))

    def test_smaller_when_asked(self):
        (event,) = self.read("one", "include_body_for: [json], max_message_size: 2M")
        self.assertEqual(len(event["http"]["response"]["body"]["content"]), 2 * MIB)
        self.assertIn(CUT, event["error"]["message"])

    def test_without_memory_they_are_cut_and_say_so(self):
        (event,) = self.read("one", limits="limits: {memory: 24M, flows: 1024}\n")
        content = event["http"]["response"]["body"]["content"]
        self.assertLess(len(content), 5 * MIB)
        said = json.dumps(event.get("error", {}))
        self.assertTrue("for want of memory" in said or content.endswith(" [...]"), said)

    def test_a_bomb_is_not_unpacked(self):
        (event,) = self.read("bomb")
        self.assertLess(len(event["http"]["response"]["body"]["content"]), 2 * MIB)
        self.assertIn("Response cut: it is packed too densely", event["error"]["message"])


if __name__ == "__main__":
    tap.main()
