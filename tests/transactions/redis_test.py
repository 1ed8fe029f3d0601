#!/usr/bin/env python3
"""What people type to a real Redis by telnet or netcat, without RESP, is told: at its port from the first line
on, elsewhere once the server has answered."""
import os
import shutil
import socket
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
import databases  # noqa: E402
import sniffer  # noqa: E402
import tap  # noqa: E402

PATIENCE = 180  # seconds


def talk(port, *lines):
    """Says each line, and reads the end of what is answered before the next."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as stream:
        for line in lines:
            stream.sendall(line)
            answer = b""
            while not answer.endswith(b"\r\n"):
                answer += stream.recv(65536) or b"?\r\n"


class Inline(unittest.TestCase):
    def setUp(self):
        for reason in sniffer.missing(), databases.Redis.missing():
            if reason:
                self.skipTest(reason)
        self.folder = tempfile.mkdtemp(prefix="vantage-redis-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def hear(self, server, *lines):
        heard = sniffer.Sniffer(server.port, os.path.join(self.folder, "said.pcap"))
        with heard:
            talk(server.port, *lines)
        return heard

    @staticmethod
    def told(events):
        return [(event["query"], event["status"], event["redis"].get("return_value"),
                 event["redis"].get("error")) for event in events]

    def test_at_its_port(self):
        """At a port of Redis the first line is enough, whatever is answered"""
        with databases.Redis() as server:
            config = os.path.join(self.folder, "read.yml")
            with open(config, "w", encoding="ascii") as file:
                file.write(f"protocols: {{redis: {{ports: [{server.port}]}}}}\n")
            for line, answer in ((b"SET a b\r\n", ("OK", "OK", None)), (b"get a\n", ("OK", "b", None)),
                                 (b"incr a\r\n", ("Error", None, "ERR value is not an integer or out of range"))):
                heard = self.hear(server, line)
                self.assertEqual(self.told(heard.events("redis", "-c", config)),
                                 [(line.decode().strip(), *answer)])

    def test_elsewhere(self):
        """Elsewhere what only Redis answers has all lines told, the first, too"""
        with databases.Redis() as server:
            heard = self.hear(server, b"SET a 1\r\n", b"INCR a\r\n", b"hset h f v\r\n")
            self.assertEqual(self.told(heard.events("redis")),
                             [("SET a 1", "OK", "OK", None), ("INCR a", "OK", "2", None),
                              ("hset h f v", "OK", "1", None)])

    def test_long(self):
        """Texts of megabytes are whole up to max_message_size, and what is beyond is cut and said"""
        words = [b"%06d," % i * 100000 for i in (1, 2)]  # 700 kB
        with databases.Redis() as server:
            heard = sniffer.Sniffer(server.port, os.path.join(self.folder, "long.pcap"))
            with heard, socket.create_connection(("127.0.0.1", server.port), PATIENCE) as stream:
                for word in words[0], b"".join(words):
                    stream.sendall(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$%d\r\n%s\r\n" % (len(word), word))
                    self.assertEqual(stream.recv(100), b"+OK\r\n")
                stream.sendall(b"GET a\r\n")
                left = len(b"$1400000\r\n\r\n") + 1400000
                while left > 0:
                    left -= len(stream.recv(1 << 20))
            config = os.path.join(self.folder, "read.yml")
            with open(config, "w", encoding="ascii") as file:
                file.write("protocols: {redis: {max_message_size: 1M}}\n")
            whole, cut = heard.events("redis"), heard.events("redis", "-c", config)
        texts = [f"SET a {words[0].decode()}", f"SET a {b''.join(words).decode()}", b"".join(words).decode()]
        self.assertEqual([whole[0]["query"], whole[1]["query"], whole[2]["redis"]["return_value"]], texts)
        self.assertFalse([event for event in whole if "error" in event])
        self.assertEqual([cut[0]["query"], cut[1]["query"], cut[2]["redis"]["return_value"]],
                         [text[:1 << 20] for text in texts])
        self.assertEqual([event.get("error", {}).get("message") for event in cut],
                         [None, "Request cut at max_message_size", "Response cut at max_message_size"])


if __name__ == "__main__":
    tap.main()
