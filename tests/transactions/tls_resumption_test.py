#!/usr/bin/env python3
"""Sessions that are taken up again, and chains of certificates, between openssl's own client and server: what
the client says of each (new or reused, early data accepted or not) and what openssl reads in the certificates
is what the events say."""
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
import sniffer  # noqa: E402
import sockets  # noqa: E402
import tap  # noqa: E402

PATIENCE = 120  # seconds
CHAIN = ["leaf", "middle", "root"]

# What a server is started with. Of each there are two, so that what one gave the other refuses.
SERVERS = {
    "1.2 id": ["-tls1_2", "-no_ticket"],
    "1.2 ticket": ["-tls1_2"],
    "1.3": ["-tls1_3"],
    "1.3 stateful": ["-tls1_3", "-no_ticket"],
    "mutual 1.2": ["-tls1_2", "-Verify", "3"],
    "mutual 1.3": ["-tls1_3", "-Verify", "3"],
    "1.3 early": ["-tls1_3", "-early_data", "-max_early_data", "4000"],
}


def openssl(*words, said=""):
    done = subprocess.run(["openssl", *words], input=said, capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    return done.stdout + done.stderr


class Certificates:
    """A root, what it signed, and what that signed: keys, certificates, and the chain but for the leaf."""

    def __init__(self, folder):
        self.folder = folder
        for i, name in reversed(list(enumerate(CHAIN))):
            self.make(name, CHAIN[i + 1] if i + 1 < len(CHAIN) else None, i)
        with open(self.path("rest.pem"), "w", encoding="ascii") as rest:
            rest.write("".join(self.text(name) for name in CHAIN[1:]))

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, name, signer, i):
        kind = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"] if i % 2 else ["rsa:2048"]
        openssl("req", "-new", "-newkey", *kind, "-nodes", "-subj", f"/C=XX/O=Example Works/CN={name}.example.test",
                "-keyout", self.path(f"{name}.key"), "-out", self.path(f"{name}.csr"))
        with open(self.path("what"), "w", encoding="ascii") as what:
            what.write("basicConstraints=CA:true\n" if signer is None or i > 0 else
                       f"subjectAltName=DNS:{name}.example.test,DNS:*.example.test\n")
        by = (["-CA", self.path(f"{signer}.pem"), "-CAkey", self.path(f"{signer}.key")] if signer else
              ["-signkey", self.path(f"{name}.key")])
        openssl("x509", "-req", "-in", self.path(f"{name}.csr"), *by, "-set_serial", str(4660 + i), "-days", "30",
                "-extfile", self.path("what"), "-out", self.path(f"{name}.pem"))

    def text(self, name):
        with open(self.path(f"{name}.pem"), encoding="ascii") as file:
            return file.read()

    def read(self, name):
        """What openssl reads in it: subject and issuer by common name, serial number, dates, how its key works."""
        text = openssl("x509", "-in", self.path(f"{name}.pem"), "-noout", "-subject", "-issuer", "-serial",
                       "-dates", "-dateopt", "iso_8601", "-text", "-nameopt", "sep_multiline,sname")
        return {"subject": re.search(r"subject=.*?CN=(\S+)", text, re.S)[1],
                "issuer": re.search(r"issuer=.*?CN=(\S+)", text, re.S)[1],
                "serial": str(int(re.search(r"serial=(\w+)", text)[1], 16)),
                "not_before": re.search(r"notBefore=(.*)", text)[1],
                "not_after": re.search(r"notAfter=(.*)", text)[1],
                "algorithm": "RSA" if "rsaEncryption" in text else "ECDSA"}


def shown(certificate):
    """The same of a certificate in an event."""
    return {"subject": certificate["subject"]["common_name"], "issuer": certificate["issuer"]["common_name"],
            "serial": certificate["serial_number"],
            "not_before": certificate["not_before"].replace(".000", "").replace("T", " "),
            "not_after": certificate["not_after"].replace(".000", "").replace("T", " "),
            "algorithm": certificate["public_key_algorithm"]}


class Server:
    def __init__(self, certificates, words):
        self.port = sockets.free_port()
        path = certificates.path
        self.process = subprocess.Popen(
            ["openssl", "s_server", "-accept", f"127.0.0.1:{self.port}", "-cert", path("leaf.pem"),
             "-key", path("leaf.key"), "-cert_chain", path("rest.pem"), "-CAfile", path("root.pem"),
             "-quiet", *words],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), PATIENCE).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("openssl s_server does not answer")

    def stop(self):
        self.process.kill()
        self.process.communicate()


class Client:
    """Connections of openssl's client, one after the other, and what it says of each."""

    def __init__(self, certificates):
        self.certificates = certificates
        self.said = []  # of each: the version, whether it was a session of before, and of early data

    def connect(self, server, *words, keep=None):
        """To the end of the handshake, and until there is a session in the file `keep`."""
        process = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-servername", "leaf.example.test",
             "-CAfile", self.certificates.path("root.pem"), "-keylogfile", self.certificates.path("keys"),
             *words, *(["-sess_out", keep] if keep else [])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        watch = threading.Timer(PATIENCE, process.kill)
        watch.start()
        text = ""
        for line in process.stdout:
            text += line
            if "Verify return code" in line:
                break
        while keep and not os.path.exists(keep) and process.poll() is None:
            time.sleep(0.02)
        text += process.communicate("Q\n", timeout=PATIENCE)[0]
        watch.cancel()
        how, version = re.search(r"(New|Reused), TLSv([\d.]+), Cipher is", text).groups()
        early = re.search(r"Early data was (not sent|accepted|rejected)", text)
        self.said.append((version, how == "Reused", early[1] if early else "not sent"))


class Resumption(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        reason = sniffer.missing("openssl")
        if reason:
            raise unittest.SkipTest(reason)
        cls.folder = tempfile.mkdtemp(prefix="vantage-resumption-")
        cls.certificates = Certificates(cls.folder)
        cls.client = Client(cls.certificates)
        cls.servers = {}
        path = os.environ.get("KEEP") or os.path.join(cls.folder, "said.pcap")
        try:
            cls.servers = {(name, i): Server(cls.certificates, words) for name, words in SERVERS.items()
                           for i in range(2)}
            where = " or ".join(f"tcp port {server.port}" for server in cls.servers.values())
            with sniffer.Sniffer(0, path, where=where) as heard:
                for name in SERVERS:
                    cls.talk(name)
                cls.talk_shorter()
            config = cls.certificates.path("agent.yml")
            with open(config, "w", encoding="ascii") as file:
                file.write(json.dumps({"protocols": {"tls": {"key_log": cls.certificates.path("keys"),
                                                             "include_raw_certificates": True}}}))
            cls.events, cls.opened = (sorted(heard.events("tls", *options), key=lambda event: event["event"]["start"])
                                      for options in ([], ["-c", config]))
        finally:
            for server in cls.servers.values():
                server.stop()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder, ignore_errors=True)

    @classmethod
    def begin(cls, server, *words):
        """A new session; its file."""
        session = cls.certificates.path(f"session-{len(cls.client.said)}")
        cls.client.connect(server, *words, keep=session)
        return session

    @classmethod
    def talk(cls, name):
        """A new session; the same again; the same where nobody knows it; both again, with early data."""
        first, other = cls.servers[name, 0], cls.servers[name, 1]
        if name.startswith("mutual"):
            path = cls.certificates.path
            cls.client.connect(first, "-cert", path("leaf.pem"), "-key", path("leaf.key"), "-cert_chain", path("rest.pem"))
            return
        session = cls.begin(first)
        for server in (first, other):
            cls.client.connect(server, "-sess_in", session)
        if name == "1.3 early":
            early = cls.certificates.path("early")
            with open(early, "w", encoding="ascii") as file:
                file.write("at once\n")
            for server in (first, other):
                cls.client.connect(server, "-sess_in", cls.begin(first), "-early_data", early)

    @classmethod
    def talk_shorter(cls):
        """As clients that send no session identifier beside a key of before (RFC 8446, appendix D.4)."""
        server = cls.servers["1.3", 0]
        cls.client.connect(server, "-no_middlebox", "-sess_in", cls.begin(server, "-no_middlebox"))

    def test_one_to_one(self):
        """Each handshake is told with its version, and as resumed where the client took a session up again"""
        told = [(event["tls"]["version"], event["tls"]["resumed"]) for event in self.events]
        self.assertEqual(told, [said[:2] for said in self.client.said])
        self.assertEqual(sum(said[1] for said in self.client.said), 7)
        self.assertTrue(all(event["tls"]["established"] for event in self.events))

    def chains(self, side, event):
        """What an event says of each certificate that a side showed."""
        first = event["tls"].get(side, {}).get("x509")
        return [shown(certificate) for certificate in
                ([first] if first else []) + event["tls"]["detailed"].get(f"{side}_certificate_chain", [])]

    def test_chains(self):
        """Certificates are told as openssl reads them, in the order of the chain; of TLS 1.3 to who has the keys"""
        read = [self.certificates.read(name) for name in CHAIN]
        texts = [self.certificates.text(name).strip() for name in CHAIN]
        for (version, reused, _), plain, opened in zip(self.client.said, self.events, self.opened):
            self.assertEqual(self.chains("server", plain), read if version == "1.2" and not reused else [])
            self.assertEqual(self.chains("server", opened), [] if reused else read)
            raw = opened["tls"].get("server", {}).get("certificate_chain", [])
            self.assertEqual([text.strip() for text in raw], [] if reused else texts)

    def test_clients(self):
        """So are a client's"""
        read = [self.certificates.read(name) for name in CHAIN]
        ports = [self.servers[f"mutual {version}", 0].port for version in ("1.2", "1.3")]
        for events, wanted in ((self.events, [read, []]), (self.opened, [read, read])):
            told = [self.chains("client", event) for event in events if event["destination"]["port"] in ports]
            self.assertEqual(told, wanted)


if __name__ == "__main__":
    tap.main()
