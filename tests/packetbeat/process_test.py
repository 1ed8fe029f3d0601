#!/usr/bin/env python3
"""Whose conversation it is: real processes on loopback, seen live, by name, program and arguments."""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
sys.dont_write_bytecode = True
import sockets  # noqa: E402
import tap  # noqa: E402

VANTAGE = os.environ["VANTAGE"]
PATIENCE = 180  # seconds
SERVER = """
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[2], int(sys.argv[1]))); s.listen(); print("ready", flush=True)
while True:
    c, _ = s.accept()
    while c.recv(4096): c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
    c.close()
"""
BEAT = """
packetbeat.interfaces.device: lo
packetbeat.flows: {timeout: 2s, period: 1s}
packetbeat.procs: {enabled: true, monitored: [{process: shop, cmdline_grep: "0.0.0.0 marked-shop"}]}
packetbeat.protocols: [{type: http, ports: [%d]}]
output.console.enabled: true
"""
OURS = """
taps: [{kind: afpacket, interfaces: [lo], filter: "tcp port %d"}]
api: {enabled: false}
processes: {enabled: true}
outputs: [{kind: stdout}]
"""


@unittest.skipUnless(os.geteuid() == 0, "capturing needs root")
class Processes(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.lines = []

    def start(self, command, **more):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **more)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
        process.stdout.close()

    def serve(self, port, address, word="plain"):
        server = self.start([sys.executable, "-c", SERVER, str(port), address, word], cwd="/tmp")
        self.assertEqual(server.stdout.readline(), "ready\n")
        return server

    def watch(self, command, text):
        path = os.path.join(self.folder.name, "settings.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o600)
        vantage = self.start([*command, "-c", path], stderr=subprocess.DEVNULL)
        reader = threading.Thread(target=lambda: self.lines.extend(vantage.stdout), daemon=True)
        reader.start()
        return vantage

    def ask(self, address, port, seen):
        """Talks to the server until an event that `seen` takes came out; returns it."""
        end = time.monotonic() + PATIENCE
        with socket.create_connection((address, port), timeout=PATIENCE) as client:
            self.client_port = client.getsockname()[1]
            while time.monotonic() < end:
                client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
                client.recv(4096)
                time.sleep(0.5)
                for line in list(self.lines):
                    event = json.loads(line)
                    if seen(event):
                        return event
        self.fail("no such event among %d, the last: %s" % (len(self.lines), self.lines[-1:]))

    def test_transactions_and_flows_of_packetbeat(self):
        port = sockets.free_port()
        server = self.serve(port, "0.0.0.0", "marked-shop")
        prefix = os.path.join(self.folder.name, "dump")
        vantage = self.watch([VANTAGE, "packetbeat", "-e", "--dump", prefix], BEAT % port)
        event = self.ask("127.0.0.1", port, lambda e: e["type"] == "http" and "process" in e)
        process = event["destination"]["process"]
        self.assertEqual((process["pid"], process["ppid"]), (server.pid, os.getpid()))
        self.assertEqual(process["name"], "shop")
        self.assertEqual(process["executable"], os.path.realpath(sys.executable))
        self.assertEqual(process["args"][1:2] + process["args"][3:],
                         ["-c", str(port), "0.0.0.0", "marked-shop"])
        self.assertEqual(process["working_directory"], "/tmp")
        self.assertRegex(process["start"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(event["process"], process)
        self.assertEqual(event["server"]["process"], process)
        self.assertEqual(event["source"]["process"]["pid"], os.getpid())
        flow = self.ask("127.0.0.1", port,
                        lambda e: e["type"] == "flow" and
                        e.get("source", {}).get("port") == self.client_port and "process" in e)
        self.assertEqual(flow["destination"]["process"]["pid"], server.pid)
        vantage.send_signal(signal.SIGTERM)
        vantage.wait(60)
        (dump,) = [name for name in os.listdir(self.folder.name) if name.startswith("dump-")]
        read = subprocess.run([VANTAGE, "read", "-o", "events", os.path.join(self.folder.name, dump)],
                              capture_output=True, text=True, timeout=180)
        self.assertIn('"query":"GET /"', read.stdout)

    def test_ipv6_in_our_own_dialect(self):
        port = sockets.free_port()
        server = self.serve(port, "::1")
        self.watch([VANTAGE, "run"], OURS % port)
        event = self.ask("::1", port, lambda e: e.get("type") == "http" and "process" in e)
        self.assertEqual(event["process"]["pid"], server.pid)
        self.assertTrue(event["process"]["name"].startswith("python"))

    def test_not_asked_not_told(self):
        port = sockets.free_port()
        self.serve(port, "127.0.0.1")
        self.watch([VANTAGE, "run"], (OURS % port).replace("processes: {enabled: true}\n", ""))
        event = self.ask("127.0.0.1", port, lambda e: e.get("type") == "http")
        self.assertNotIn("process", event)

    def test_captures_have_none(self):
        capture = os.path.join(HERE, "..", "..", "src", "proto", "http", "data", "http_odd.pcap")
        text = BEAT.replace("device: lo", "device: lo\nname: n") % 80
        path = os.path.join(self.folder.name, "packetbeat.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        done = subprocess.run([VANTAGE, "packetbeat", "-e", "-t", "-I", capture, "-c", path],
                              capture_output=True, text=True, timeout=180)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn('"process"', done.stdout)


if __name__ == "__main__":
    tap.main()
