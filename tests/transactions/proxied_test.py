#!/usr/bin/env python3
"""What clients say through a real HAProxy, which puts a header of the PROXY protocol before it, is told as
if there were none: HTTP, TLS and a database whose server speaks first."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
import databases  # noqa: E402
import mysql_client  # noqa: E402
import nginx  # noqa: E402
import sniffer  # noqa: E402
import sockets  # noqa: E402
import tap  # noqa: E402

PATIENCE = 180  # seconds

NGINX = """
    server {{
        listen 127.0.0.1:{port} {tls} proxy_protocol;
        ssl_certificate {folder}/chain.pem;
        ssl_certificate_key {folder}/server.key;
        ssl_protocols TLSv1.3;
        location / {{ return 200 "$proxy_protocol_addr"; }}
    }}
"""

HAPROXY = """
defaults
    mode tcp
    timeout connect 60s
    timeout client 60s
    timeout server 60s
listen all
    bind 127.0.0.1:{port}
    server one 127.0.0.1:{to} {header}
"""


class HAProxy:
    """Hands connections on to a port of loopback, with a header before what they say."""

    def __init__(self, to, header):
        self.port = sockets.free_port()
        self.folder = tempfile.mkdtemp(prefix="vantage-haproxy-")
        config = os.path.join(self.folder, "haproxy.cfg")
        with open(config, "w", encoding="ascii") as file:
            file.write(HAPROXY.format(port=self.port, to=to, header=header))
        self.process = subprocess.Popen(["haproxy", "-db", "-q", "-f", config], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        sockets.wait_for_socket(self.process, "tcp", self.port)

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)


class Proxied(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="vantage-proxied-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def needs(self, *reasons):
        for reason in (sniffer.missing("haproxy"), *reasons):
            if reason:
                self.skipTest(reason)

    def through(self, to, header):
        proxy = HAProxy(to, header)
        self.addCleanup(proxy.stop)
        return proxy.port

    def sniff(self, port):
        return sniffer.Sniffer(port, os.path.join(self.folder, "said.pcap"))

    def server(self, tls):
        server = nginx.Nginx(NGINX, tls=tls)
        self.addCleanup(server.stop)
        return server.port

    def test_http(self):
        """HTTP behind headers of version 1 and 2, several requests on a connection"""
        self.needs(sniffer.missing("nginx", "curl"))
        port = self.server("")
        for header in "send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options unique-id,crc32c":
            at = f"http://127.0.0.1:{self.through(port, header)}"
            with self.sniff(port) as heard:
                said = nginx.run("curl", "-s", f"{at}/one", f"{at}/two")
            self.assertEqual(said, "127.0.0.1" * 2, "nginx took no header")
            events = heard.events("http")
            self.assertEqual([(event["url"]["path"], event["http"]["response"]["status_code"],
                               event["destination"]["port"]) for event in events],
                             [("/one", 200, port), ("/two", 200, port)], header)

    def test_tls(self):
        """TLS behind a header of version 2"""
        self.needs(sniffer.missing("nginx", "curl"))
        port = self.server("ssl")
        to = self.through(port, "send-proxy-v2")
        with self.sniff(port) as heard:
            nginx.run("curl", "-sk", "--tlsv1.3", f"https://127.0.0.1:{to}/")
        self.assertEqual([(event["tls"]["version"], event["destination"]["port"])
                          for event in heard.events("tls")], [("1.3", port)])

    def test_mariadb(self):
        """A database that greets its client once it has the header"""
        self.needs(databases.MariaDB.missing())
        with databases.MariaDB("--proxy-protocol-networks=127.0.0.1") as server:
            for header in "send-proxy", "send-proxy-v2":
                to = self.through(server.port, header)
                with self.sniff(server.port) as heard:
                    client = mysql_client.Client(to)
                    client.query("select 1")
                    client.quit()
                self.assertEqual([event["query"] for event in heard.events("mysql")], ["select 1"], header)


if __name__ == "__main__":
    tap.main()
