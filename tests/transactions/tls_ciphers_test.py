#!/usr/bin/env python3
"""What curl, h2load, Python and openssl say within TLS 1.2 and 1.3 is told one to one, with each cipher that
can be opened, certificates of RSA and of elliptic curves, sessions that are resumed, other groups asked for
(HelloRetryRequest), early data that are taken or not, keys that change on the way and renegotiation: from a
file with a key log beside it, from one that holds its secrets, and live, with secrets that come when all was
said."""
import collections
import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "..", "tools")]
import capture  # noqa: E402
import clocks  # noqa: E402
import nginx  # noqa: E402
import sniffer  # noqa: E402
import sockets  # noqa: E402
import tap  # noqa: E402

PATIENCE = 180  # seconds
LARGE = 100_000

SERVER = """
    server {{
        listen 127.0.0.1:{%s} ssl http2;
        ssl_certificate {folder}/chain.pem;
        ssl_certificate_key {folder}/server.key;
        ssl_certificate {folder}/elliptic.pem;
        ssl_certificate_key {folder}/elliptic.key;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_ecdh_curve secp384r1;
        ssl_session_ticket_key {folder}/ticket.key;
        ssl_early_data %s;
        location / {{ return 200 "hello"; }}
        location /large {{ root {folder}; try_files /large =404; }}
    }}
"""
SERVERS = SERVER % ("port", "on") + SERVER % ("other", "off")

KINDS = ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
OLD = [f"ECDHE-{key}-{kind}" for key in ("RSA", "ECDSA") for kind in KINDS]
NEW = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
GROUPS = ("P-384", "X25519:P-384")  # with the second, the server asks for another hello

# What a client notes of a request, and what an event tells of it.
Request = collections.namedtuple("Request", "port version path status size")


def told(event):
    response = event["http"].get("response", {})
    return Request(event["source"]["port"], event["http"]["version"], event["url"]["path"],
                   response.get("status_code"), response.get("body", {}).get("bytes", 0))


def secrets_block(text):
    """A Decryption Secrets Block of pcapng."""
    body = struct.pack("<II", 0x544C534B, len(text)) + text + b"\0" * (-len(text) % 4)
    size = len(body) + 12
    return struct.pack("<II", 10, size) + body + struct.pack("<I", size)


def with_secrets(path, keys):
    """The capture as pcapng that holds its secrets, before all packets."""
    raw = capture.pcapng(capture.read(path))
    section = struct.unpack("<I", raw[4:8])[0]
    with open(keys, "rb") as file:
        return raw[:section] + secrets_block(file.read()) + raw[section:]


class Openssl:
    """A client that is told what to say when what is waited for has come."""

    def __init__(self, *options):
        self.process = subprocess.Popen(["openssl", "s_client", *options], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0)
        self.said = b""
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()

    def listen(self):
        while chunk := self.process.stdout.read(4096):
            self.said += chunk

    def say(self, text):
        self.process.stdin.write(text)

    def get(self, path, last=False):
        self.say(b"GET %s HTTP/1.1\r\nHost: here\r\n%s\r\n" %
                 (path.encode(), b"Connection: close\r\n" if last else b""))

    def wait(self, text, count=1):
        end = time.monotonic() + PATIENCE
        while self.said.count(text) < count:
            if time.monotonic() > end or not self.thread.is_alive():
                raise AssertionError(f"{text} did not come, but: {self.said[-2000:]}")
            time.sleep(0.01)

    def end(self):
        self.process.wait(PATIENCE)
        self.thread.join()
        self.process.stdin.close()
        self.process.stdout.close()
        return self.said


class Agent:
    """Listens live; its key log is a file that secrets are put into when the test likes."""

    def __init__(self, folder, where):
        self.keys = os.path.join(folder, "late")
        self.told = os.path.join(folder, "told")
        api = f"127.0.0.1:{sockets.free_port()}"
        config = os.path.join(folder, "agent.yml")
        with open(self.keys, "w", encoding="ascii"), open(config, "w", encoding="ascii") as file:
            file.write(json.dumps({
                "taps": [{"kind": "afpacket", "interfaces": ["lo"], "ignore_outgoing": True,
                          "filter": where}],
                "outputs": [{"kind": "stdout"}], "api": {"listen": api},
                "protocols": {"tls": {"key_log": self.keys}}}))
        with open(self.told, "w", encoding="ascii") as out:
            self.process = subprocess.Popen([tap.vantage(), "run", "-c", config], stdout=out,
                                            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + PATIENCE
        while not self.is_ready(api):
            if time.monotonic() > end or self.process.poll() is not None:
                raise AssertionError(f"the agent does not get ready: {self.stop()}")
            time.sleep(0.05)

    @staticmethod
    def is_ready(api):
        with contextlib.suppress(OSError):
            return urllib.request.urlopen(f"http://{api}/readyz", timeout=PATIENCE).status == 200
        return False

    def events(self):
        with open(self.told, encoding="utf-8") as out:
            return sniffer.of_kind(out.read().rpartition("\n")[0], "http")

    def learn(self, text):
        with open(self.keys, "a", encoding="ascii") as file:
            file.write(text)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=PATIENCE)[1]


class Ciphers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        reason = sniffer.missing("nginx", "openssl", "curl", "h2load")
        if reason:
            raise unittest.SkipTest(reason)
        cls.other = sockets.free_port()
        cls.server = nginx.Nginx(SERVERS, other=cls.other)
        cls.addClassCleanup(cls.server.stop)
        cls.port = cls.server.port
        with open(os.path.join(cls.server.folder, "large"), "wb") as file:
            file.write(b"a" * LARGE)
        os.chmod(cls.server.folder, 0o755)

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="vantage-ciphers-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.keys = self.at("keys")
        self.log = []    # of requests
        self.calls = []  # when they were made

    def at(self, name):
        return os.path.join(self.folder, name)

    def sniff(self, *ports):
        where = " or ".join(f"tcp port {port}" for port in ports)
        return sniffer.Sniffer(None, self.at("said.pcap"), where=f"({where})")

    def curl(self, number, *options):
        """Asks twice on a connection: for a little, and for more than fits in a record."""
        begin = time.time_ns()
        said = nginx.run(
            "curl", "-sk", *options, "-o", os.devnull, "-o", os.devnull, "-w",
            "%{local_port} %{http_version} /%{filename_effective} %{http_code} %{size_download}\n",
            f"https://127.0.0.1:{self.port}/small-{number}",
            f"https://127.0.0.1:{self.port}/large-{number}",
            env={**os.environ, "SSLKEYLOGFILE": self.keys})
        self.calls.append(clocks.Call(begin, time.time_ns()))
        for line, path in zip(said.splitlines(), (f"/small-{number}", f"/large-{number}")):
            port, version, _, status, size = line.split()
            self.log.append(Request(int(port), version, path, int(status), int(size)))

    def combinations(self):
        """Each cipher, with HTTP/1.1 and HTTP/2; in TLS 1.3 with and without a second hello."""
        for http in "--http1.1", "--http2":
            for cipher in OLD:
                yield http, "--tls-max", "1.2", "--ciphers", cipher
            for cipher in NEW:
                for groups in GROUPS:
                    yield http, "--tlsv1.3", "--tls13-ciphers", cipher, "--curves", groups

    def read(self, path, *options):
        done = subprocess.run([tap.vantage(), "read", "-o", "events", *options, path],
                              capture_output=True, text=True, check=False, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def check(self, events):
        """The requests that were noted, no others, each with a time within that of its call."""
        self.maxDiff = 4000
        self.assertEqual(sorted(told(event) for event in events), sorted(self.log))
        self.assertEqual(clocks.strays(events, self.calls), [])
        self.assertEqual({event["status"] for event in events}, {"OK"})
        self.assertEqual({event["url"]["scheme"] for event in events}, {"https"})

    def check_file(self):
        """What a key log beside the file opens, and one within."""
        with open(self.at("read.yml"), "w", encoding="ascii") as file:
            file.write(f"protocols: {{tls: {{key_log: {self.keys}}}}}\n")
        said = self.read(self.at("said.pcap"), "-c", self.at("read.yml"))
        self.check(sniffer.of_kind(said, "http"))
        with open(self.at("within.pcapng"), "wb") as file:
            file.write(with_secrets(self.at("said.pcap"), self.keys))
        self.assertTrue(self.read(self.at("within.pcapng")) == said, "other events with secrets within")
        return sniffer.of_kind(said, "tls")

    def test_file(self):
        """Each cipher, of a file"""
        wanted = []
        with self.sniff(self.port) as _:
            for number, options in enumerate(self.combinations()):
                self.curl(number, *options)
                wanted.append(options[-1] if "1.2" in options else options[-3])
        events = self.check_file()
        names = {row.split()[2]: row.split()[0]
                 for row in nginx.run("openssl", "ciphers", "-stdname", "ALL").splitlines()}
        self.assertEqual([event["tls"]["cipher"] for event in events],
                         [names.get(cipher, cipher) for cipher in wanted])
        self.assertEqual([event["tls"]["next_protocol"] for event in events],
                         ["http/1.1"] * (len(wanted) // 2) + ["h2"] * (len(wanted) // 2))

    def test_h2load(self):
        """Streams of h2load within TLS"""
        with self.sniff(self.port) as heard:
            load = nginx.run("h2load", "-n", "600", "-c", "3", "-m", "10", f"https://127.0.0.1:{self.port}/x",
                             f"https://127.0.0.1:{self.port}/large-x",
                             env={**os.environ, "SSLKEYLOGFILE": self.keys})
        self.assertIn("600 succeeded", load)
        with open(self.at("read.yml"), "w", encoding="ascii") as file:
            file.write(f"protocols: {{tls: {{key_log: {self.keys}}}}}\n")
        said = collections.Counter((event["url"]["path"], event["http"]["response"]["body"]["bytes"],
                                    event["status"])
                                   for event in heard.events("http", "-c", self.at("read.yml")))
        self.assertEqual(said, {("/x", 5, "OK"): 300, ("/large-x", LARGE, "OK"): 300})

    def resume(self, version):
        """Asks on a new connection and on one that resumes its session; who speaks is Python."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        context.keylog_filename = self.keys
        session, resumed = None, []
        for number in range(2):
            path = f"/{version.name}-{number}"
            begin = time.time_ns()
            with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as plain:
                port = plain.getsockname()[1]
                with context.wrap_socket(plain, session=session) as stream:
                    stream.sendall(b"GET %s HTTP/1.0\r\n\r\n" % path.encode())
                    while stream.recv(4096):
                        pass
                    resumed.append((port, stream.session_reused))
                    session = stream.session
            self.calls.append(clocks.Call(begin, time.time_ns()))
            self.log.append(Request(port, "1.0", path, 200, 5))
        return resumed

    def test_resumed(self):
        """Sessions that are resumed"""
        with self.sniff(self.port) as _:
            wanted = [row for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
                      for row in self.resume(version)]
        events = self.check_file()
        self.assertEqual([row[1] for row in wanted], [False, True] * 2)
        self.assertEqual([(event["source"]["port"], event["tls"]["resumed"]) for event in events], wanted)

    def openssl(self, port, *options):
        return Openssl("-connect", f"127.0.0.1:{port}", "-keylogfile", self.keys, *options)

    def note(self, begin, *paths):
        """Requests of openssl, whose port only the events tell."""
        self.calls.append(clocks.Call(begin, time.time_ns()))
        self.log += [Request(0, "1.1", path, 200, 5) for path in paths]

    def check_openssl(self, *ports):
        """As check_file(), but for the clients' ports."""
        with open(self.at("read.yml"), "w", encoding="ascii") as file:
            file.write(f"protocols: {{tls: {{key_log: {self.keys}}}}}\n")
        said = self.read(self.at("said.pcap"), "-c", self.at("read.yml"))
        events = sniffer.of_kind(said, "http")
        self.assertEqual([told(event)._replace(port=0) for event in events], self.log)
        self.assertEqual(clocks.strays(events, self.calls), [])
        with open(self.at("within.pcapng"), "wb") as file:
            file.write(with_secrets(self.at("said.pcap"), self.keys))
        self.assertTrue(self.read(self.at("within.pcapng")) == said, "other events with secrets within")

    def test_early_data(self):
        """What is said before the handshake is over, taken by the server or not"""
        session, early = self.at("session"), self.at("early")
        with self.sniff(self.port, self.other) as _:
            begin = time.time_ns()
            first = self.openssl(self.port, "-tls1_3", "-sess_out", session)
            first.get("/first", last=True)
            first.end()
            self.note(begin, "/first")
            for port, is_taken, groups in ((self.port, True, "P-384"), (self.other, False, "P-384"),
                                           (self.port, False, "X25519:P-384")):
                begin = time.time_ns()
                with open(early, "wb") as file:
                    file.write(b"GET /early HTTP/1.1\r\nHost: here\r\n\r\n")
                client = self.openssl(port, "-tls1_3", "-sess_in", session, "-early_data", early,
                                      "-groups", groups)
                if is_taken:
                    client.wait(b"hello")
                client.get("/behind", last=True)
                answer = b"accepted" if is_taken else b"rejected"
                self.assertIn(b"Early data was " + answer, client.end())
                self.note(begin, *(["/early"] if is_taken else []), "/behind")
        self.check_openssl()

    def test_keys_change(self):
        """Keys that change on the way, of one side and of both"""
        with self.sniff(self.port) as _:
            for cipher in NEW:
                begin = time.time_ns()
                client = self.openssl(self.port, "-tls1_3", "-ciphersuites", cipher)
                client.get("/one")
                client.wait(b"hello")
                client.say(b"K\n")  # both
                client.wait(b"KEYUPDATE")
                client.get("/two")
                client.wait(b"hello", 2)
                client.say(b"k\n")  # its own
                client.wait(b"KEYUPDATE", 2)
                client.get("/three", last=True)
                client.end()
                self.note(begin, "/one", "/two", "/three")
        self.check_openssl()

    def test_renegotiation(self):
        """A second handshake within a connection of TLS 1.2"""
        port = sockets.free_port()
        at = [os.path.join(self.server.folder, name) for name in ("chain.pem", "server.key")]
        server = subprocess.Popen(
            ["openssl", "s_server", "-4", "-accept", str(port), "-cert", at[0], "-key", at[1], "-tls1_2",
             "-client_renegotiation", "-HTTP"], cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait, PATIENCE)
        self.addCleanup(server.send_signal, signal.SIGTERM)
        sockets.wait_for_socket(server, "tcp", port)
        with open(self.at("page"), "w", encoding="ascii") as file:
            file.write("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        with self.sniff(port) as _:
            for kind in KINDS:
                begin = time.time_ns()
                client = self.openssl(port, "-tls1_2", "-cipher", f"ECDHE-RSA-{kind}")
                client.wait(b"verify error")  # for nobody knows the certificate: once a handshake
                client.wait(b"Verify return code")
                client.say(b"R\n")
                client.wait(b"verify error", 2)
                client.say(b"GET /page HTTP/1.0\r\n\r\n")
                client.end()
                self.note(begin, "/page")
        self.log = [request._replace(version="1.0") for request in self.log]
        self.check_openssl()

    def live(self, agent, numbers):
        """Asks with the combinations of these numbers; the secrets are handed on when all was said."""
        combinations = list(self.combinations())
        for number in numbers:
            self.keys = self.at(f"keys-{len(self.calls)}")
            self.curl(f"{number}-{len(self.calls)}", *combinations[number])
            with open(self.keys, encoding="ascii") as file:
                agent.learn(file.read())

    @staticmethod
    def number_of(request):
        return int(request.path.split("-")[1])

    def test_live(self):
        """Each cipher, live, with secrets that come late"""
        agent = Agent(self.folder, f"tcp port {self.port}")
        try:
            self.live(agent, range(len(list(self.combinations()))))
            end = time.monotonic() + PATIENCE
            again = time.monotonic() + 20
            while missing := set(self.log) - set(map(told, agent.events())):
                if time.monotonic() > end:
                    break
                if time.monotonic() > again:  # secrets may have come too late: the machine is busy
                    self.log = [request for request in self.log if request not in missing]
                    self.live(agent, sorted(set(map(self.number_of, missing))))
                    again = time.monotonic() + 20
                time.sleep(0.1)
        finally:
            said = agent.stop()
        self.assertEqual(agent.process.returncode, 0, said)
        events = [event for event in agent.events() if told(event) in set(self.log)]
        self.check(events)


if __name__ == "__main__":
    tap.main()
