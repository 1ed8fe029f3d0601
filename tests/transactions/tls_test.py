#!/usr/bin/env python3
"""What clients and a real nginx agree upon is what the events say, one to one: versions, ciphers, names,
protocols, certificates, resumption, refusals. With a key log, so are the requests within, of a file and
live, where the secrets come while the records do."""
import contextlib
import hashlib
import itertools
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
import nginx  # noqa: E402
import sniffer  # noqa: E402
import sockets  # noqa: E402
import tap  # noqa: E402

PATIENCE = 180  # seconds
CONNECTIONS = 60
REQUESTS = 12

def client(version, cipher=None, protocols=()):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    if cipher:
        context.set_ciphers(cipher)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def standard_names():
    """What openssl calls a cipher → what the standards do."""
    rows = [line.split() for line in nginx.run("openssl", "ciphers", "-stdname", "ALL").splitlines()]
    return {row[2]: row[0] for row in rows}


def needs(*programs):
    reason = sniffer.missing("nginx", "openssl", *programs)
    if reason:
        raise unittest.SkipTest(reason)


class Handshakes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        needs()
        cls.names = standard_names()
        cls.folder = tempfile.mkdtemp(prefix="vantage-tls-")
        cls.wanted = []
        cls.server = nginx.Nginx()
        try:
            with sniffer.Sniffer(cls.server.port, os.path.join(cls.folder, "said.pcap")) as heard:
                cls.talk()
            cls.events = heard.events("tls")
        finally:
            cls.server.stop()
            shutil.rmtree(cls.folder, ignore_errors=True)

    @classmethod
    def connect(cls, context, name, session=None):
        plain = socket.create_connection(("127.0.0.1", cls.server.port), PATIENCE)
        port = plain.getsockname()[1]
        try:
            with context.wrap_socket(plain, server_hostname=name, session=session) as s:
                s.sendall(b"GET / HTTP/1.0\r\n\r\n")
                s.settimeout(PATIENCE)
                while s.recv(4096):
                    pass
                cls.wanted.append((port, "OK", s.version().removeprefix("TLSv"),
                                   cls.names[s.cipher()[0]], name, s.selected_alpn_protocol(),
                                   s.session_reused))
                return s.session
        except ssl.SSLError:  # the version is then what the client offered
            cls.wanted.append((port, "Error", "1.2", None, name, None, False))
            return None

    @classmethod
    def talk(cls):
        v12, v13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
        ciphers = ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384",
                   "ECDHE-RSA-CHACHA20-POLY1305", "AES128-SHA"]
        for i in range(CONNECTIONS):
            name = f"host-{i}.example.test"
            if i % 5 == 4:
                context = client(v12, protocols=["http/1.1"])
                session = cls.connect(context, name)
                cls.connect(context, name, session)
            elif i % 5 == 3:
                cls.connect(client(v12, "DHE-RSA-AES128-SHA"), name)  # nginx has no parameters for it
            elif i % 2:
                cls.connect(client(v13, protocols=["http/1.1"] if i % 3 else []), name)
            else:
                cls.connect(client(v12, ciphers[i // 2 % len(ciphers)]), name)

    def test_one_to_one(self):
        """Each connection is one event that says what its client saw"""
        told = []
        for event in self.events:
            tls = event["tls"]
            told.append((event["source"]["port"], event["status"], tls.get("version"), tls.get("cipher"),
                         tls["client"]["server_name"], self.spoken(event), tls["resumed"]))
        self.maxDiff = 4000
        self.assertEqual(sorted(told), sorted(self.wanted))
        self.assertGreater(sum(row[-1] for row in told), 5)
        self.assertGreater(sum(row[1] == "Error" for row in told), 5)

    def spoken(self, event):
        """In TLS 1.3 what was chosen is sealed; the client here is content with what it offers."""
        offers = event["tls"]["detailed"]["client_hello"]["extensions"].get(
            "application_layer_protocol_negotiation")
        sealed = event["tls"].get("version") == "1.3"
        return offers[0] if sealed and offers else event["tls"].get("next_protocol")

    def test_certificate(self):
        """Handshakes that show the certificate show nginx's"""
        shown = [event["tls"]["server"] for event in self.events
                 if "hash" in event["tls"].get("server", {})]
        self.assertGreater(len(shown), 10)
        digest = hashlib.sha1(self.server.certificate).hexdigest().upper()
        for server in shown:
            self.assertEqual(server["hash"]["sha1"], digest)
            self.assertEqual(server["x509"]["serial_number"], "4660")
            self.assertEqual(server["x509"]["alternative_names"], ["www.example.test", "127.0.0.1"])
            self.assertEqual(server["subject"], "CN=www.example.test,O=Example Works,C=XX")

    def test_refusals(self):
        """A refused handshake says which alert it was"""
        for event in self.events:
            if event["status"] == "Error":
                self.assertEqual(event["tls"]["detailed"]["alert_types"], ["handshake_failure"])


class Requests(unittest.TestCase):
    """curl asks; the events tell the requests that were sealed."""

    def setUp(self):
        needs("curl")
        self.folder = tempfile.mkdtemp(prefix="vantage-keys-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.keys = os.path.join(self.folder, "keys")
        self.config = os.path.join(self.folder, "agent.yml")
        with open(self.keys, "w", encoding="ascii"):
            pass
        with open(self.config, "w", encoding="ascii") as file:
            file.write(f"protocols:\n  tls:\n    key_log: {self.keys}\n")
        self.server = nginx.Nginx()
        self.addCleanup(self.server.stop)

    def ask(self, page="page", again="again"):
        for i in range(REQUESTS):
            version = ["--tls-max", "1.2"] if i % 2 else ["--tlsv1.3"]
            nginx.run("curl", "-sk", "--http1.1", *version, f"https://127.0.0.1:{self.server.port}/{page}-{i}",
                f"https://127.0.0.1:{self.server.port}/{again}-{i}",
                env={**os.environ, "SSLKEYLOGFILE": self.keys})
            time.sleep(0.05)

    def check(self, events, words=("page", "again")):
        told = sorted(event["query"] for event in events)
        wanted = sorted(f"GET /{word}-{i}" for i in range(REQUESTS) for word in words)
        self.assertEqual(told, wanted)
        self.assertTrue(all(event["http"]["response"]["status_code"] == 200 for event in events))

    def test_file(self):
        """Requests within TLS 1.2 and 1.3 are told when the key log is given"""
        path = os.path.join(self.folder, "said.pcap")
        with sniffer.Sniffer(self.server.port, path) as heard:
            self.ask()
        self.check(heard.events("http", "-c", self.config))
        self.check_certificates(heard.events("tls", "-c", self.config))
        self.assertEqual(heard.events("http"), [])

    def wait_for(self, probe, process, seconds=PATIENCE):
        """Until the probe says yes, without an error of the network: true; or the process has ended."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and process.poll() is None:
            with contextlib.suppress(OSError):
                if probe():
                    return True
            time.sleep(0.1)
        return False

    def ask_until_told(self, told, live):
        """Asks until once all of it is told; the words that were asked for then. Secrets that are read too long
        after what they open are of no use, which a busy machine may make of them."""
        def has_all():
            with open(told.name, encoding="utf-8") as so_far:  # its own place in it: the program writes on
                so_far = so_far.read()
            return all(so_far.count(f'"GET /{word}-') >= REQUESTS for word in words)

        end = time.monotonic() + PATIENCE
        for number in itertools.count():
            words = (f"page-{number}", f"again-{number}")
            self.ask(*words)
            if self.wait_for(has_all, live, 20) or time.monotonic() > end:
                return words

    def test_live(self):
        """Live the key log is read on as it grows"""
        api = f"127.0.0.1:{sockets.free_port()}"
        with open(self.config, "w", encoding="ascii") as file:
            file.write(json.dumps({
                "taps": [{"kind": "afpacket", "interfaces": ["lo"], "ignore_outgoing": True,
                          "filter": f"tcp port {self.server.port}"}],
                "outputs": [{"kind": "stdout"}], "api": {"listen": api},
                "protocols": {"tls": {"key_log": self.keys}}}))
        told = tempfile.NamedTemporaryFile("w+")
        self.addCleanup(told.close)
        live = subprocess.Popen([tap.vantage(), "run", "-c", self.config], stdin=subprocess.DEVNULL,
                                stdout=told, stderr=subprocess.PIPE, text=True)
        try:
            self.wait_for(lambda: urllib.request.urlopen(f"http://{api}/readyz", timeout=PATIENCE), live)
            words = self.ask_until_told(told, live)
        finally:
            live.send_signal(signal.SIGINT)
            said = live.communicate(timeout=PATIENCE)[1]
        self.assertEqual(live.returncode, 0, said)
        told.seek(0)
        lines = told.read()
        events = [event for event in sniffer.of_kind(lines, "http") if event["query"].startswith(
            tuple(f"GET /{word}-" for word in words))]
        self.check(events, words)
        ports = {event["source"]["port"] for event in events}
        self.check_certificates([event for event in sniffer.of_kind(lines, "tls") if event["source"]["port"] in ports])

    def check_certificates(self, events):
        """Each handshake is told once, with the certificate that TLS 1.3 seals."""
        self.assertEqual(sorted(event["tls"]["version"] for event in events),
                         sorted("1.2" if i % 2 else "1.3" for i in range(REQUESTS)))
        digest = hashlib.sha1(self.server.certificate).hexdigest().upper()
        self.assertEqual([event["tls"]["server"].get("hash", {}).get("sha1") for event in events],
                         [digest] * REQUESTS)


class Refusals(unittest.TestCase):
    def test_no_file(self):
        """A key log that is not there is one clear error"""
        with tempfile.TemporaryDirectory() as folder:
            config = os.path.join(folder, "a.yml")
            with open(config, "w", encoding="ascii") as file:
                file.write("protocols: {tls: {key_log: /nowhere/keys}}\n")
            capture = os.path.join(HERE, "..", "golden", "six.pcap")
            done = subprocess.run([tap.vantage(), "read", "-o", "events", "-c", config, capture],
                                  capture_output=True, text=True, check=False, timeout=PATIENCE)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
            self.assertIn("cannot read '/nowhere/keys'", done.stderr)

    def test_no_such_hash(self):
        """A hash that there is not is refused with those that there are"""
        with tempfile.TemporaryDirectory() as folder:
            config = os.path.join(folder, "a.yml")
            with open(config, "w", encoding="ascii") as file:
                file.write(json.dumps({"protocols": {"tls": {"fingerprints": ["sha1", "sha3"]}}}))
            done = subprocess.run([tap.vantage(), "check", config], capture_output=True, text=True,
                                  check=False, timeout=PATIENCE)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("md5, sha1, sha256", done.stdout + done.stderr)


if __name__ == "__main__":
    tap.main()
