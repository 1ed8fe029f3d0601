#!/usr/bin/env python3
"""What real servers and clients say within TLS 1.2 and 1.3 is told where a client wrote a key log: HTTP/2,
and databases, those too whose connections begin in the clear and go on in TLS."""
import hashlib
import os
import shutil
import socket
import ssl
import struct
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
import clocks  # noqa: E402
import databases  # noqa: E402
import mysql_client  # noqa: E402
import nginx  # noqa: E402
import sniffer  # noqa: E402
import tap  # noqa: E402

PATIENCE = 180  # seconds
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


class Redis(databases.Redis):
    def prepare(self):
        certify(self)
        chain, key = (os.path.join(self.folder, name) for name in ("chain.pem", "server.key"))
        self.options = ("--tls-cert-file", chain, "--tls-key-file", key, "--tls-ca-cert-file", chain,
                        "--tls-auth-clients", "no")
        super().prepare()

    def ports(self):
        return ("--port", "0", "--tls-port", str(self.port))


class Postgres(databases.Postgres):
    authentication = "trust"

    def prepare(self):
        certify(self)
        chain, key = (os.path.join(self.folder, name) for name in ("chain.pem", "server.key"))
        self.options = ("-c", "ssl=on", "-c", f"ssl_cert_file={chain}", "-c", f"ssl_key_file={key}")
        super().prepare()


class MariaDB(databases.MariaDB):
    def prepare(self):
        certify(self)
        chain, key = (os.path.join(self.folder, name) for name in ("chain.pem", "server.key"))
        self.options = (f"--ssl-cert={chain}", f"--ssl-key={key}")
        super().prepare()


def certify(server):
    nginx.certify(server.folder)
    key = os.path.join(server.folder, "server.key")
    os.chmod(key, 0o600)
    server.own(key)
    server.own(server.folder)


def read_all(stream, size):
    data = b""
    while len(data) < size:
        more = stream.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


class PostgresClient:
    """Asks for TLS (SSLRequest), then speaks the protocol itself."""

    def __init__(self, port, tls):
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket.sendall(struct.pack("!II", 8, 80877103))
        if read_all(self.socket, 1) != b"S":
            raise AssertionError("the server does not speak TLS")
        self.socket = tls.wrap_socket(self.socket)
        words = b"user\0postgres\0database\0postgres\0\0"
        self.socket.sendall(struct.pack("!II", 8 + len(words), 3 << 16) + words)
        self.wait()

    def wait(self):
        """Until the server is ready."""
        kind = b""
        while kind != b"Z":
            kind, size = struct.unpack("!cI", read_all(self.socket, 5))
            read_all(self.socket, size - 4)

    def query(self, sql):
        text = sql.encode() + b"\0"
        self.socket.sendall(b"Q" + struct.pack("!I", 4 + len(text)) + text)
        self.wait()

    def close(self):
        self.socket.sendall(b"X\0\0\0\4")
        self.socket.close()


class Sealed(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="vantage-sealed-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.keys = os.path.join(self.folder, "keys")
        self.config = os.path.join(self.folder, "read.yml")
        with open(self.keys, "w", encoding="ascii"):
            pass
        with open(self.config, "w", encoding="ascii") as file:
            file.write(f"protocols: {{tls: {{key_log: {self.keys}}}}}\n")

    def needs(self, *reasons):
        for reason in (sniffer.missing("openssl"), *reasons):
            if reason:
                self.skipTest(reason)

    def client(self, version):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = context.maximum_version = version
        context.keylog_filename = self.keys
        return context

    def sniff(self, port):
        return sniffer.Sniffer(port, os.path.join(self.folder, "said.pcap"))

    def events(self, heard, kind):
        self.assertEqual(heard.events(kind), [], "told without the key log")
        return heard.events(kind, "-c", self.config)


class Http2(Sealed):
    def test_curl(self):
        """Requests of curl to nginx over HTTP/2 are told, as https"""
        self.needs(sniffer.missing("nginx", "curl"))
        server = nginx.Nginx()
        self.addCleanup(server.stop)
        at = f"https://127.0.0.1:{server.port}"
        with self.sniff(server.port) as heard:
            for version in ("--tls-max", "1.2"), ("--tlsv1.3",):
                nginx.run("curl", "-sk", "--http2", *version, f"{at}/one", f"{at}/two?a=b",
                          env={**os.environ, "SSLKEYLOGFILE": self.keys})
        told = [(event["http"]["version"], event["http2"]["stream_id"], event["url"]["full"],
                 event["url"]["scheme"], event["http"]["response"]["status_code"])
                for event in self.events(heard, "http")]
        self.assertEqual(told, [("2", 1, f"{at}/one", "https", 200),
                                ("2", 3, f"{at}/two?a=b", "https", 200)] * 2)
        self.check_handshakes(server, heard.events("tls", "-c", self.config))

    def test_certificate_of_a_client(self):
        """A client's certificate is told, in TLS 1.3, too"""
        self.needs(sniffer.missing("nginx", "curl"))
        server = nginx.Nginx()
        self.addCleanup(server.stop)
        identity = ("--cert", os.path.join(server.folder, "chain.pem"),
                    "--key", os.path.join(server.folder, "server.key"))
        with self.sniff(server.port) as heard:
            for version in ("--tls-max", "1.2"), ("--tlsv1.3",):
                for shown in identity, ():
                    nginx.run("curl", "-sk", *version, *shown, f"https://127.0.0.1:{server.port}/",
                              env={**os.environ, "SSLKEYLOGFILE": self.keys})
        events = heard.events("tls", "-c", self.config)
        self.assertEqual([event["tls"]["client"].get("subject") for event in events],
                         ["CN=www.example.test,O=Example Works,C=XX", None] * 2)
        self.assertEqual({event["tls"]["detailed"]["client_certificate_requested"]
                          for event in events}, {True})

    def check_handshakes(self, server, events):
        """Also of TLS 1.3, where they are sealed, certificate and protocol are told."""
        self.assertEqual([event["tls"]["version"] for event in events], ["1.2", "1.3"])
        digest = hashlib.sha1(server.certificate).hexdigest().upper()
        for event in events:
            self.assertEqual(event["tls"]["next_protocol"], "h2")
            self.assertEqual(event["tls"]["server"]["hash"]["sha1"], digest)
            self.assertEqual(event["tls"]["server"]["subject"], "CN=www.example.test,O=Example Works,C=XX")


class Databases(Sealed):
    def ask(self, server, connect, kind):
        """The queries that the events tell, of a client for each version of TLS, whose handshake is told as
        well."""
        calls = []
        with server, self.sniff(server.port) as heard:
            for version in VERSIONS:
                begin = time.time_ns()
                connect(server.port, self.client(version))
                calls.append(clocks.Call(begin, time.time_ns()))
        events = self.events(heard, kind)
        self.assertEqual(clocks.strays(events, calls), [])
        self.assertEqual({event["network"]["protocol"] for event in events}, {kind})
        handshakes = heard.events("tls", "-c", self.config)
        self.assertEqual([event["tls"]["version"] for event in handshakes], ["1.2", "1.3"])
        self.assertEqual({event["source"]["port"] for event in events},
                         {event["source"]["port"] for event in handshakes})
        return [event["query"] for event in events], heard

    def test_mariadb(self):
        """A connection to MariaDB that goes on in TLS tells its queries"""
        self.needs(databases.MariaDB.missing())

        def connect(port, tls):
            client = mysql_client.Client(port, tls=tls, deprecate_eof=True)
            self.assertEqual(client.query("select 'secret', 1").rows, 1)
            client.query("set @a = 2")
            client.quit()

        told, heard = self.ask(MariaDB(), connect, "mysql")
        self.assertEqual(told, ["select 'secret', 1", "set @a = 2"] * 2)
        self.assertEqual({event["user"]["name"] for event in heard.events("mysql", "-c", self.config)},
                         {"root"})

    def test_mariadb_compressed(self):
        """... and one that is compressed within"""
        self.needs(databases.MariaDB.missing())

        def connect(port, tls):
            client = mysql_client.Client(port, tls=tls, compress=True)
            client.query("select 1")
            client.query(f"select '{'x' * 1000}'")
            client.quit()

        told, _ = self.ask(MariaDB(), connect, "mysql")
        self.assertEqual([query[:10] for query in told], ["select 1", "select 'xx"] * 2)

    def test_postgres(self):
        """A connection to PostgreSQL that goes on in TLS tells its queries"""
        self.needs(databases.Postgres.missing())

        def connect(port, tls):
            client = PostgresClient(port, tls)
            client.query("select 'secret', 1")
            client.query("select nothing")
            client.close()

        told, heard = self.ask(Postgres(), connect, "pgsql")
        self.assertEqual(told, ["select 'secret', 1", "select nothing"] * 2)
        self.assertEqual([event["status"] for event in heard.events("pgsql", "-c", self.config)],
                         ["OK", "Error"] * 2)

    def test_redis(self):
        """Commands to Redis within TLS are told"""
        self.needs(Redis.missing())

        def connect(port, tls):
            plain = socket.create_connection(("127.0.0.1", port), PATIENCE)
            with tls.wrap_socket(plain) as stream:
                for words in (b"SET", b"a", b"1"), (b"GET", b"a"):
                    stream.sendall(b"*%d\r\n" % len(words) +
                                   b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
                    stream.recv(100)

        told, _ = self.ask(Redis(), connect, "redis")
        self.assertEqual(told, ["SET a 1", "GET a"] * 2)


if __name__ == "__main__":
    tap.main()
