#!/usr/bin/env python3
"""What a real QUIC server and its clients (ngtcp2, with GnuTLS) agree upon is what the events say, one to one:
each connection by the identifier that its client chose, with the name it asked for, the version, the cipher;
with address validation, and with a version that the server does not know."""
import collections
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
import apart  # noqa: E402
import clocks  # noqa: E402
import nginx  # noqa: E402
import sniffer  # noqa: E402
import sockets  # noqa: E402

PATIENCE = 60  # seconds
CONNECTIONS = 8
CIPHERS = {"AES-128-GCM": "TLS_AES_128_GCM_SHA256", "AES-256-GCM": "TLS_AES_256_GCM_SHA384",
           "CHACHA20-POLY1305": "TLS_CHACHA20_POLY1305_SHA256"}
Call = collections.namedtuple("Call", "name identifier cipher begin end")


def name(i):
    return f"host-{i}.example.test"


class Quic(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="vantage-quic-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        nginx.certify(self.folder)
        self.port = sockets.free_port()
        self.name_hosts()

    def name_hosts(self):
        """The clients ask for names that they find; here all are this host's."""
        hosts = os.path.join(self.folder, "hosts")
        with open(hosts, "w", encoding="ascii") as file:
            file.writelines(f"127.0.0.1 {name(i)}\n" for i in range(CONNECTIONS))
        apart.sh("mount", "--bind", hosts, "/etc/hosts")
        self.addCleanup(apart.sh, "umount", "/etc/hosts")

    def serve(self, *options):
        server = subprocess.Popen(
            ["gtlsserver", "-q", *options, "127.0.0.1", str(self.port), "server.key", "chain.pem"],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait, PATIENCE)
        self.addCleanup(server.kill)
        sockets.wait_for_socket(server, "udp", self.port)

    def connect(self, host, cipher, *options):
        """A client that has one page."""
        identifier = secrets.token_hex(16)
        begin = time.time_ns()
        done = subprocess.run(
            ["gtlsclient", "-q", "--exit-on-all-streams-close", f"--dcid={identifier}",
             "--handshake-timeout=60s", f"--ciphers=NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+{cipher}", *options,
             host, str(self.port), f"https://{host}/chain.pem"], cwd=self.folder,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return Call(host, identifier, CIPHERS[cipher], begin, time.time_ns())

    def record(self, options=(), client=()):
        self.serve(*options)
        path = os.path.join(self.folder, "said.pcap")
        with sniffer.Sniffer(0, path, where=f"udp port {self.port}") as wire:
            calls = [self.connect(name(i), list(CIPHERS)[i % len(CIPHERS)], *client)
                     for i in range(CONNECTIONS)]
        events = sorted(wire.events("quic"), key=lambda event: event["event"]["start"])
        return calls, events

    def check(self, calls, events, version):
        self.assertEqual([(event["tls"]["client"]["server_name"], event["tls"]["cipher"]) for event in events],
                         [(call.name, call.cipher) for call in calls])
        for call, event in zip(calls, events):
            self.assertEqual(event["status"], "OK")
            self.assertTrue(event["tls"]["established"])
            self.assertEqual(event["quic"]["version"], version)
            self.assertEqual(event["destination"]["domain"], call.name)
            hello = event["tls"]["detailed"]["client_hello"]["extensions"]
            self.assertEqual(hello["application_layer_protocol_negotiation"][0], "h3")
            self.assertEqual(clocks.strays([event], [call]), [])

    def test_version_1(self):
        """each connection is an event, by what its client chose"""
        calls, events = self.record()
        self.check(calls, events, "1")
        self.assertEqual([event["quic"]["server_connection_id"] for event in events],
                         [call.identifier for call in calls])

    def test_validated(self):
        """a server that has its clients prove their address first"""
        calls, events = self.record(["--validate-addr"])
        self.check(calls, events, "1")
        self.assertEqual({event["quic"]["retry"] for event in events}, {True})

    def test_few_ports(self):
        """clients whose ports were those of clients before them"""
        self.narrow_ports()
        calls, events = self.record()
        self.check(calls, events, "1")
        self.assertLess(len({event["source"]["port"] for event in events}), CONNECTIONS)

    def test_unknown_version(self):
        """clients that begin with a version that the server does not know, and then from another port"""
        self.refuse()

    def test_unknown_version_few_ports(self):
        """the same where the other ports were those of clients before them"""
        self.narrow_ports()
        self.refuse()

    def narrow_ports(self):
        """Of these ports at most four are free at a time."""
        name = "net.ipv4.ip_local_port_range"
        before = apart.sh("sysctl", "-n", name).strip()
        apart.sh("sysctl", "-qw", f"{name}=40000 40003")
        self.addCleanup(apart.sh, "sysctl", "-qw", f"{name}={before}")

    def refuse(self):
        calls, events = self.record(client=["--version=0x1a2a3a4a", "--preferred-versions=v1"])
        refused = [event["quic"] for event in events if "server_versions" in event["quic"]]
        self.assertEqual([quic["server_connection_id"] for quic in refused],
                         [call.identifier for call in calls])
        for quic in refused:
            self.assertEqual(quic["version"], "0x1a2a3a4a")
            self.assertIn("1", quic["server_versions"])
        self.check(calls, [event for event in events if event["quic"] not in refused], "1")
        self.assertEqual(len(events), 2 * CONNECTIONS)


if __name__ == "__main__":
    apart.main("gtlsserver", "gtlsclient", "openssl")
