#!/usr/bin/env python3
"""dnstap of servers on loopback beside unbound's (inputs_test.py): knot's over a Unix socket, dnsdist's, which asks
it, over TCP."""
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import pktvisord  # noqa: E402
import sockets  # noqa: E402
import tap  # noqa: E402

KNOT = """server:
    listen: 127.0.0.1@{port}
    rundir: {folder}
    pidfile: {folder}/knot.pid
database:
    storage: {folder}/db
log:
  - target: {folder}/knot.log
    any: info
{module}
template:
  - id: default
    storage: {folder}
    {use}
zone:
  - domain: vantage.test
    file: vantage.zone
"""
MODULE = """mod-dnstap:
  - id: all
    sink: unix:{folder}/d.sock
    log-queries: on
    log-responses: on
"""
ZONE = """$ORIGIN vantage.test.
$TTL 60
@ SOA ns a 1 2 3 4 5
@ NS ns
ns A 127.0.0.1
www A 192.0.2.7
"""
DNSDIST = """setLocal("127.0.0.1:{own}")
setSecurityPollSuffix("")
newServer({{address="127.0.0.1:{port}", healthCheckMode="up"}})
log = newFrameStreamTcpLogger("127.0.0.1:{tap}")
addAction(AllRule(), DnstapLogAction("dnsdist", log))
addResponseAction(AllRule(), DnstapLogResponseAction("dnsdist", log))
"""
KNOT_MODULE = "knot/modules-3.2/dnstap.so"


def question(name, number):
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + struct.pack(">HH", 1, 1)


class Servers(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir="/tmp")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def start(self, port, *command):
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        sockets.wait_for_socket(server, "udp", port)

    def knot(self, has_module):
        if shutil.which("knotd") is None:
            self.skipTest("no knot")
        os.mkdir(os.path.join(self.folder, "db"))
        self.write("vantage.zone", ZONE)
        port = sockets.free_port()
        path = self.write("knot.conf", KNOT.format(
            port=port, folder=self.folder, module=MODULE.format(folder=self.folder) if has_module else "",
            use="global-module: mod-dnstap/all" if has_module else ""))
        self.start(port, "knotd", "-c", path)
        return port

    def agent(self, config):
        """An agent that listens; each version of the handler counts."""
        agent = pktvisord.Agent(self)
        self.assertEqual(agent.ask("POST", "taps", pktvisord.tap_document("t", "dnstap", config))[0], 201)
        for name, more in (("one", ""), ("two", ', require_version: "2.0"')):
            got = agent.ask("POST", "policies", pktvisord.policy_document(name, "t", "dnstap", "dns", more))
            self.assertEqual(got[0], 201, got)
        return agent

    def ask(self, port, number):
        """Over UDP for a name that is there, over TCP for one that is not."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.settimeout(pktvisord.PATIENCE)
            out.sendto(question("www.vantage.test", number), ("127.0.0.1", port))
            self.assertEqual(out.recv(4096)[3] & 15, 0)
        with socket.create_connection(("127.0.0.1", port), pktvisord.PATIENCE) as out:
            message = question("none.vantage.test", number)
            out.sendall(struct.pack(">H", len(message)) + message)
            self.assertEqual(out.recv(4096)[5] & 15, 3)

    def check(self, agent, port):
        """Asks until some of it was told, for a server tells in its own time, and waits for the rest."""
        def packets():
            return agent.metrics("one", "t", "window/5").get("dns", {}).get("wire_packets", {"total": 0})

        number, end = 0, time.monotonic() + pktvisord.PATIENCE
        while packets()["total"] < 40 and time.monotonic() < end:
            number += 1
            self.ask(port, number)
            time.sleep(0.05)
        agent.wait(lambda: packets()["total"] == 4 * number)
        got = packets()
        self.assertEqual(got["total"], 4 * number)
        for key, count in (("queries", 2), ("replies", 2), ("udp", 2), ("tcp", 2), ("noerror", 1), ("nxdomain", 1)):
            self.assertEqual(got[key], count * number, key)
        names = {row["name"] for row in agent.metrics("one", "t", "window/5")["dns"]["top_nxdomain"]}
        self.assertEqual(names, {"none.vantage.test"})
        two = agent.metrics("two", "t", "window/5")["dns"]["in"]
        self.assertEqual([two[key] for key in ("xacts", "tcp_xacts", "orphan_responses")], [2 * number, number, 0])

    def test_knot(self):
        """knot tells of its questions and answers over a Unix socket"""
        libraries = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib")
        if not any(os.path.exists(os.path.join(folder, KNOT_MODULE)) for folder in libraries):
            self.skipTest("no dnstap module of knot")
        agent = self.agent({"socket": os.path.join(self.folder, "d.sock")})
        self.check(agent, self.knot(True))

    def test_dnsdist(self):
        """dnsdist tells of them over TCP"""
        if shutil.which("dnsdist") is None:
            self.skipTest("no dnsdist")
        listening = sockets.free_port()
        agent = self.agent({"tcp": f"127.0.0.1:{listening}"})
        port, own = self.knot(False), sockets.free_port()
        path = self.write("dnsdist.conf", DNSDIST.format(own=own, port=port, tap=listening))
        self.start(own, "dnsdist", "--supervised", "--disable-syslog", "-C", path)
        self.check(agent, own)


if __name__ == "__main__":
    tap.main()
