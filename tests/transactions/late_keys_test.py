#!/usr/bin/env python3
"""Live, what was said within TLS is told when its secrets come late: after the packets were seen, for
connections that go on and for such that are over, and into a file that was put aside or cut meanwhile.
A client writes its secrets where nobody looks; the test hands them on when it likes."""
import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
import clocks  # noqa: E402
import nginx  # noqa: E402
import sniffer  # noqa: E402
import sockets  # noqa: E402
import tap  # noqa: E402

PATIENCE = 60  # seconds
LATE = 0.7     # seconds that secrets come after what they open
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


class Client:
    """A connection whose secrets go to a file of its own."""

    def __init__(self, port, version, secrets):
        self.secrets = secrets
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        context.keylog_filename = secrets
        self.log = {}
        self.socket = context.wrap_socket(socket.create_connection(("127.0.0.1", port), PATIENCE))

    def get(self, path):
        begin = time.time_ns()
        self.socket.sendall(b"GET %s HTTP/1.1\r\nHost: here\r\n\r\n" % path.encode())
        got = b""
        while not got.endswith(b"hello"):
            got += self.socket.recv(4096)
        self.log[path] = clocks.Call(begin, time.time_ns())

    def close(self):
        self.socket.close()

    def lines(self):
        with open(self.secrets, encoding="ascii") as file:
            return file.read()


class LateKeys(unittest.TestCase):
    def setUp(self):
        reason = sniffer.missing("nginx", "openssl")
        if reason:
            self.skipTest(reason)
        self.folder = tempfile.mkdtemp(prefix="vantage-late-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.keys = os.path.join(self.folder, "keys")
        with open(self.keys, "w", encoding="ascii"):
            pass
        self.server = nginx.Nginx()
        self.addCleanup(self.server.stop)
        self.count = 0
        self.start()

    def start(self):
        api = f"127.0.0.1:{sockets.free_port()}"
        config = os.path.join(self.folder, "agent.yml")
        with open(config, "w", encoding="ascii") as file:
            file.write(json.dumps({
                "taps": [{"kind": "afpacket", "interfaces": ["lo"], "ignore_outgoing": True,
                          "filter": f"tcp port {self.server.port}"}],
                "outputs": [{"kind": "stdout"}], "api": {"listen": api},
                "protocols": {"tls": {"key_log": self.keys}}}))
        self.told = os.path.join(self.folder, "told")
        with open(self.told, "w", encoding="ascii") as told:
            self.live = subprocess.Popen([tap.vantage(), "run", "-c", config], stdin=subprocess.DEVNULL,
                                         stdout=told, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.stop)
        self.wait(lambda: self.is_ready(api), "the agent is ready")

    @staticmethod
    def is_ready(api):
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f"http://{api}/readyz", timeout=PATIENCE).status == 200
        return False

    def stop(self):
        if self.live.poll() is None:
            self.live.send_signal(signal.SIGINT)
        said = self.live.communicate(timeout=PATIENCE)[1]
        self.assertEqual(self.live.returncode, 0, said)

    def wait(self, is_so, what, seconds=PATIENCE):
        end = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > end or self.live.poll() is not None:
                raise AssertionError(f"not within {seconds} s: {what}")
            time.sleep(0.05)

    def connect(self, version):
        self.count += 1
        return Client(self.server.port, version, os.path.join(self.folder, f"secrets-{self.count}"))

    def events(self):
        with open(self.told, encoding="utf-8") as told:
            return {event["url"]["path"]: event for event in sniffer.of_kind(
                told.read().rpartition("\n")[0], "http")}

    def hand_on(self, client):
        """The secrets come, late."""
        time.sleep(LATE)
        with open(self.keys, "a", encoding="ascii") as file:
            file.write(client.lines())

    def told_of(self, client):
        """Waits for the events of what a client has said so far; whether they came."""
        with contextlib.suppress(AssertionError):
            self.wait(lambda: set(client.log) <= set(self.events()), "events", 20)
            return True
        return False

    def attempt(self, talk):
        """Talks until once the secrets were read in time, which is 5 seconds and may be too few on a busy
        machine; all that was said then is told, and as of when it was."""
        end = time.monotonic() + PATIENCE
        while True:
            client = talk()
            if self.told_of(client):
                break
            if time.monotonic() > end:
                raise AssertionError(f"of {list(client.log)} only {list(self.events())} are told")
        for path, call in client.log.items():
            event = self.events()[path]
            self.assertEqual(event["http"]["response"]["status_code"], 200)
            self.assertEqual(clocks.strays([event], [call]), [])

    def test_goes_on(self):
        """A connection that goes on"""
        for version in V12, V13:
            def talk(version=version):
                client = self.connect(version)
                client.get(f"/a-{self.count}")
                client.get(f"/b-{self.count}")
                self.hand_on(client)
                client.get(f"/c-{self.count}")
                client.close()
                return client
            self.attempt(talk)

    def test_silent(self):
        """A connection that says nothing more"""
        for version in V12, V13:
            def talk(version=version):
                client = self.connect(version)
                self.addCleanup(client.close)
                client.get(f"/a-{self.count}")
                self.hand_on(client)
                return client
            self.attempt(talk)

    def test_over(self):
        """A connection that is over by then"""
        for version in V12, V13:
            def talk(version=version):
                client = self.connect(version)
                client.get(f"/a-{self.count}")
                client.close()
                self.hand_on(client)
                return client
            self.attempt(talk)

    def test_put_aside(self):
        """A file that was put aside for a new one, and one that was cut"""
        def aside():
            os.rename(self.keys, self.keys + ".1")
            with open(self.keys, "w", encoding="ascii"):
                pass

        def cut():
            os.truncate(self.keys, 0)

        for change in aside, cut, aside:
            def talk(change=change):
                first = self.connect(V13)
                first.get(f"/a-{self.count}")
                first.get(f"/b-{self.count}")
                self.hand_on(first)
                self.told_of(first)  # what is cut before it was read is lost
                change()
                second = self.connect(V12)
                second.get(f"/c-{self.count}")
                self.hand_on(second)
                for client in first, second:
                    client.close()
                second.log.update(first.log)
                return second
            self.attempt(talk)


if __name__ == "__main__":
    tap.main()
