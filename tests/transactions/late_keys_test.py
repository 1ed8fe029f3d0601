#!/usr/bin/env python3
"""Live, what was said within TLS is told when its secrets come late: after the packets were seen, for
connections that go on and for such that are over, and into a file that was put aside or cut meanwhile;
of databases, too, whose connections begin in the clear.
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
sys.path[:0] = [os.path.join(HERE, "..", "support"), HERE]
import clocks  # noqa: E402
import databases  # noqa: E402
import mysql_client  # noqa: E402
import nginx  # noqa: E402
import sealed_test as sealed  # noqa: E402
import sniffer  # noqa: E402
import sockets  # noqa: E402
import tap  # noqa: E402

PATIENCE = 180  # seconds
LATE = 0.7     # seconds that secrets come after what they open
V12, V13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


class Secretive:
    """A client whose secrets go to a file of its own, and who knows when it said what."""

    def __init__(self, version, secrets):
        self.secrets = secrets
        self.log = {}
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.tls.check_hostname = False
        self.tls.verify_mode = ssl.CERT_NONE
        self.tls.minimum_version = self.tls.maximum_version = version
        self.tls.keylog_filename = secrets

    def lines(self):
        with open(self.secrets, encoding="ascii") as file:
            return file.read()


class Client(Secretive):
    """Speaks HTTP."""

    def __init__(self, port, version, secrets):
        super().__init__(version, secrets)
        self.socket = self.tls.wrap_socket(socket.create_connection(("127.0.0.1", port), PATIENCE))

    def get(self, path):
        begin = time.time_ns()
        self.socket.sendall(b"GET %s HTTP/1.1\r\nHost: here\r\n\r\n" % path.encode())
        got = b""
        while not got.endswith(b"hello"):
            got += self.socket.recv(4096)
        self.log[path] = clocks.Call(begin, time.time_ns())

    def close(self):
        self.socket.close()


class Asker(Secretive):
    """Speaks to a database: in the clear first, then within TLS."""

    def __init__(self, connect, port, version, secrets):
        super().__init__(version, secrets)
        self.client = connect(port, self.tls)

    def query(self, sql):
        begin = time.time_ns()
        self.client.query(sql)
        self.log[sql] = clocks.Call(begin, time.time_ns())


class Late(unittest.TestCase):
    """A server, an agent that listens to it, and a key log that is empty at first."""

    def begin(self, server):
        self.folder = tempfile.mkdtemp(prefix="vantage-late-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.keys = os.path.join(self.folder, "keys")
        with open(self.keys, "w", encoding="ascii"):
            pass
        self.server = server
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

    def secrets(self):
        self.count += 1
        return os.path.join(self.folder, f"secrets-{self.count}")

    def of_kind(self, kind):
        with open(self.told, encoding="utf-8") as told:
            return sniffer.of_kind(told.read().rpartition("\n")[0], kind)

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
        for what, call in client.log.items():
            event = self.events()[what]
            self.assertEqual(event["status"], "OK")
            self.assertEqual(clocks.strays([event], [call]), [])


class LateKeys(Late):
    def setUp(self):
        reason = sniffer.missing("nginx", "openssl")
        if reason:
            self.skipTest(reason)
        server = nginx.Nginx()
        self.addCleanup(server.stop)
        self.begin(server)

    def connect(self, version):
        return Client(self.server.port, version, self.secrets())

    def events(self):
        return {event["url"]["path"]: event for event in self.of_kind("http")}

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


class LateDatabases(Late):
    def events(self):
        return {event["query"]: event for event in self.of_kind(self.kind)}

    def talk(self, server, connect, leave):
        """Some is asked before the secrets come, and some after, by a client for each version of TLS."""
        reason = sniffer.missing("openssl") or server.missing()
        if reason:
            self.skipTest(reason)
        self.begin(self.enterContext(server))
        for version in V12, V13:
            def talk(version=version):
                asker = Asker(connect, self.server.port, version, self.secrets())
                asker.query(f"select {self.count}, 'early'")
                self.hand_on(asker)
                asker.query(f"select {self.count}, 'late'")
                leave(asker.client)
                return asker
            self.attempt(talk)

    def test_mariadb(self):
        """A connection to MariaDB that goes on in TLS"""
        self.kind = "mysql"
        self.talk(sealed.MariaDB(), lambda port, tls: mysql_client.Client(
            port, tls=tls, deprecate_eof=True), lambda client: client.quit())

    def test_postgres(self):
        """A connection to PostgreSQL that goes on in TLS"""
        self.kind = "pgsql"
        self.talk(sealed.Postgres(), sealed.PostgresClient, lambda client: client.close())


if __name__ == "__main__":
    tap.main()
