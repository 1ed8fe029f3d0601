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

PATIENCE = 60  # seconds


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


if __name__ == "__main__":
    tap.main()
