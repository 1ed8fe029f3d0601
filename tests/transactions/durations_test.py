#!/usr/bin/env python3
"""How long events say that answers took is what servers took and clients waited: no less than the server
was told to sleep, no more than the client's clock says, but for what a capture's times are off. A transaction
lies where the client's log has it, one to one."""
import http.server
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
import clocks  # noqa: E402
import databases  # noqa: E402
import libpq  # noqa: E402
import mysql_client  # noqa: E402
import sniffer  # noqa: E402
import tap  # noqa: E402

PATIENCE = 180  # seconds
SLEEPS = [0, 1, 5, 20, 50, 100, 0, 200, 10, 0]  # milliseconds


class Web(http.server.BaseHTTPRequestHandler):
    """Sleeps before the answer, and within it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        milliseconds = int(self.path.strip("/"))
        time.sleep(milliseconds / 1000)
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"ab")
        time.sleep(milliseconds / 1000)
        self.wfile.write(b"cd")

    def log_message(self, *_):
        pass


class Durations(unittest.TestCase):
    def setUp(self):
        reason = sniffer.missing()
        if reason:
            self.skipTest(reason)
        self.folder = tempfile.mkdtemp(prefix="vantage-durations-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def sniff(self, port):
        return sniffer.Sniffer(port, os.path.join(self.folder, "said.pcap"))

    def ask(self, do):
        """Does it for each sleep; the client's log."""
        log = []
        for milliseconds in SLEEPS:
            begin = time.time_ns()
            do(milliseconds)
            log.append(clocks.Call(begin, time.time_ns()))
        return log

    def check(self, events, log):
        """Each event is within its call, and as long as the server slept, at least."""
        self.assertEqual(len(events), len(log))
        for event, call, milliseconds in zip(events, log, SLEEPS):
            self.assertEqual(event["status"], "OK")
            self.assertEqual(clocks.strays([event], [call]), [])
            self.assertGreaterEqual(event["event"]["duration"] + clocks.ERROR, milliseconds * 10**6)
            self.assertGreaterEqual(event["event"]["first_byte"] + clocks.ERROR, milliseconds * 10**6)
            self.assertLessEqual(event["event"]["first_byte"] + event["event"]["transfer"],
                                 event["event"]["duration"] + clocks.ERROR)

    def needs(self, reason):
        if reason:
            self.skipTest(reason)

    def test_mariadb(self):
        """MariaDB: statements that sleep"""
        self.needs(databases.MariaDB.missing())
        with databases.MariaDB() as server, self.sniff(server.port) as wire:
            client = mysql_client.Client(server.port)
            log = self.ask(lambda milliseconds: client.query(f"select sleep({milliseconds / 1000})"))
            client.quit()
        self.check([event for event in wire.events("mysql") if "sleep" in event["query"]], log)

    def test_postgres(self):
        """PostgreSQL: statements that sleep"""
        self.needs(databases.Postgres.missing())
        with databases.Postgres() as server, self.sniff(server.port) as wire:
            with libpq.Connection(server.port) as client:
                log = self.ask(lambda milliseconds: client.query(f"select pg_sleep({milliseconds / 1000})"))
        self.check([event for event in wire.events("pgsql") if "sleep" in event["query"]], log)

    def test_redis(self):
        """Redis: commands that sleep"""
        self.needs(databases.Redis.missing())
        with databases.Redis() as server, self.sniff(server.port) as wire:
            with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client:
                def do(milliseconds):
                    seconds = b"%.3f" % (milliseconds / 1000)
                    client.sendall(b"*3\r\n$5\r\nDEBUG\r\n$5\r\nSLEEP\r\n$%d\r\n%s\r\n"
                                   % (len(seconds), seconds))
                    self.assertEqual(client.recv(100), b"+OK\r\n")
                log = self.ask(do)
        self.check(wire.events("redis"), log)

    def test_http(self):
        """HTTP: a server that sleeps before its answer, and in the middle of it"""
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            port = server.server_address[1]
            with self.sniff(port) as wire:
                with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
                    def do(milliseconds):
                        client.sendall(b"GET /%d HTTP/1.1\r\nHost: here\r\n\r\n" % milliseconds)
                        got = b""
                        while not got.endswith(b"abcd"):
                            got += client.recv(4096)
                    log = self.ask(do)
            server.shutdown()
        events = wire.events("http")
        self.check(events, log)
        for event, milliseconds in zip(events, SLEEPS):
            self.assertGreaterEqual(event["event"]["transfer"] + clocks.ERROR, milliseconds * 10**6)


if __name__ == "__main__":
    tap.main()
