#!/usr/bin/env python3
"""TLS that begins in a connection which is another protocol's at first: openssl asks a server for STARTTLS as
nine protocols have it, which vantage does not read, and curl asks proxies for a connection. Each handshake is
one event that says who was asked for; the server here says what theirs do, no more."""
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
import sniffer  # noqa: E402
import tap  # noqa: E402

PATIENCE = 60  # seconds
XMPP = "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client' id='1'>"
GRANTED = b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"  # RFC 4511 §4.12

# What a server says first, and to what it answers what; behind the last answer there is TLS.
TALKS = {
    "smtp": ("220 mail.test ESMTP\r\n", [("EHLO", "250-mail.test\r\n250-SIZE 1000000\r\n250 STARTTLS\r\n"),
                                         ("STARTTLS", "220 go ahead\r\n")]),
    "lmtp": ("220 mail.test LMTP\r\n", [("LHLO", "250-mail.test\r\n250 STARTTLS\r\n"),
                                        ("STARTTLS", "220 go ahead\r\n")]),
    "imap": ("* OK ready\r\n", [("CAPABILITY", "* CAPABILITY IMAP4rev1 STARTTLS\r\n. OK done\r\n"),
                                ("STARTTLS", ". OK begin\r\n")]),
    "pop3": ("+OK ready\r\n", [("STLS", "+OK begin\r\n")]),
    "ftp": ("220 ready\r\n", [("FEAT", "211-Features:\r\n AUTH TLS\r\n211 End\r\n"),
                              ("AUTH TLS", "234 proceed\r\n")]),
    "nntp": ("200 ready\r\n", [("CAPABILITIES", "101 list\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n"),
                               ("STARTTLS", "382 go on\r\n")]),
    "sieve": ('"IMPLEMENTATION" "x"\r\n"STARTTLS"\r\nOK "ready"\r\n', [("STARTTLS", 'OK "begin"\r\n')]),
    "ldap": ("", [("1.3.6.1.4.1.1466.20037", GRANTED)]),
    "xmpp": ("", [("<stream:stream", XMPP + "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:"
                   "xmpp-tls'/></stream:features>"),
                  ("<starttls", "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")]),
}
# How curl is told of a proxy, which resolves the name itself.
PROXIES = ["socks4a", "socks5h", "http"]


def bytes_of(text):
    return text if isinstance(text, bytes) else text.encode()


class Server:
    """A listening socket whose connections a function has, one after the other."""

    def __init__(self, answer, context):
        self.answer, self.context = answer, context
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                plain, _ = self.socket.accept()
            except OSError:
                return
            plain.settimeout(PATIENCE)
            try:
                self.answer(plain)
                with self.context.wrap_socket(plain, server_side=True) as sealed:
                    sealed.recv(4096)
                    sealed.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
            except (OSError, ValueError):
                pass
            plain.close()

    def stop(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def starttls(plain, name):
    greeting, answers = TALKS[name]
    plain.sendall(bytes_of(greeting))
    heard = b""
    while bytes_of(answers[-1][0]) not in heard:  # not every client asks for all of it
        more = plain.recv(4096)
        if not more:
            raise ValueError(name)
        heard = more
        plain.sendall(b"".join(bytes_of(answer) for awaited, answer in answers
                               if bytes_of(awaited) in heard))


def read(plain, size):
    data = plain.recv(size, socket.MSG_WAITALL)
    if len(data) < size:
        raise ValueError("the end")
    return data


def proxy(plain, kind):
    """Grants what is asked; it is the server as well (RFC 1928, SOCKS4A, RFC 9110 §9.3.6)."""
    if kind == "http":
        heard = b""
        while b"\r\n\r\n" not in heard:
            heard += read(plain, 1)
        plain.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    elif kind == "socks4a":
        read(plain, 8)
        for _ in range(2):  # who asks, and for whom
            while read(plain, 1) != b"\0":
                pass
        plain.sendall(b"\0\x5a" + bytes(6))
    else:
        read(plain, read(plain, 2)[1])
        plain.sendall(b"\x05\x00")
        read(plain, read(plain, 5)[4] + 2)
        plain.sendall(b"\x05\x00\x00\x01" + bytes(6))


def openssl(*words):
    return subprocess.run(["openssl", *words], input="", capture_output=True, text=True,
                          timeout=PATIENCE, check=False)


class LateTls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        reason = sniffer.missing("openssl", "curl")
        if reason:
            raise unittest.SkipTest(reason)
        cls.folder = tempfile.mkdtemp(prefix="vantage-late-")
        key, certificate = (os.path.join(cls.folder, name) for name in ("key.pem", "certificate.pem"))
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-subj", "/CN=mail.test", "-days", "30", "-keyout", key, "-out", certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        servers = {name: Server(lambda plain, name=name: starttls(plain, name), context)
                   for name in TALKS}
        servers |= {kind: Server(lambda plain, kind=kind: proxy(plain, kind), context)
                    for kind in PROXIES}
        cls.ports = {servers[name].port: f"{name}.example.test" for name in servers}
        path = os.environ.get("KEEP") or os.path.join(cls.folder, "said.pcap")
        try:
            where = " or ".join(f"tcp port {port}" for port in cls.ports)
            with sniffer.Sniffer(0, path, where=where) as heard:
                cls.failed = [name for name in servers if not cls.ask(name, servers[name].port)]
            cls.events = heard.events("tls")
        finally:
            for server in servers.values():
                server.stop()
            shutil.rmtree(cls.folder, ignore_errors=True)

    @staticmethod
    def ask(name, port):
        """Whether the client saw a handshake to its end."""
        if name in PROXIES:
            command = ["curl", "-sSk", "--max-time", str(PATIENCE), "-x", f"{name}://127.0.0.1:{port}",
                       f"https://{name}.example.test/"]
            return subprocess.run(command, capture_output=True, timeout=2 * PATIENCE,
                                  check=False).returncode == 0
        words = ["-starttls", name, "-name", f"{name}.example.test"]
        run = openssl("s_client", "-connect", f"127.0.0.1:{port}", "-servername", f"{name}.example.test",
                      *words, "-brief")
        return re.search(r"Protocol version: TLSv1\.3", run.stdout + run.stderr) is not None

    def test_each_is_told(self):
        """Each connection is one event, of who was asked for"""
        self.assertEqual(self.failed, [])
        told = [(event["destination"]["port"], event["tls"]["client"].get("server_name"),
                 event["tls"]["version"], event["tls"]["established"]) for event in self.events]
        self.assertEqual(sorted(told), sorted((port, name, "1.3", True) for port, name in
                                              self.ports.items()))


if __name__ == "__main__":
    tap.main()
