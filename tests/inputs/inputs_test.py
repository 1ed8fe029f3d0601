#!/usr/bin/env python3
"""Inputs of `vantage pktvisord` that are no packets, fed by exporters and servers of others on loopback:
softflowd (NetFlow, IPFIX), nfcapd and nfreplay, unbound (dnstap); sFlow made by hand; probes of loopback."""
import http.client
import json
import os
import re
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
import minute  # noqa: E402
import sockets  # noqa: E402
import tap  # noqa: E402

VANTAGE = os.environ.get("VANTAGE", "build/src/vantage")
PATIENCE = 180  # seconds
ROOM = 15      # seconds of a minute for one test

POLICY = """version: "1.0"
visor:
  taps:
    t: {input_type: %s, config: %s}
  policies:
    p:
      kind: collection
      input: {tap: t, input_type: %s}
      handlers:
        window_config: {num_periods: 2}
        modules:
          m: {type: %s%s}
"""


def ipv4(number, size):
    """A UDP packet of one of four conversations, in Ethernet."""
    udp = struct.pack(">HHHH", 4000 + number % 4, 53, 8 + size, 0) + bytes(size)
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), number, 0, 64, 17, 0,
                       socket.inet_aton("192.0.2.1"), socket.inet_aton("198.51.100.%d" % (1 + number % 4)))
    return bytes(12) + b"\x08\x00" + head + udp


def capture(path, packets):
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i, packet in enumerate(packets):
            out.write(struct.pack("<IIII", 1700000000 + i // 10, i % 10 * 1000, len(packet), len(packet)) + packet)


class Agent:
    """pktvisord with one tap, one policy, one module."""

    def __init__(self, case, kind, config, handler, more=""):
        self.folder = tempfile.TemporaryDirectory(dir="/tmp")
        case.addCleanup(self.folder.cleanup)
        path = os.path.join(self.folder.name, "visor.yaml")
        with open(path, "w", encoding="utf-8") as out:
            out.write(POLICY % (kind, json.dumps(config), kind, handler, more))
        command = [VANTAGE, "pktvisord", "--admin-api", "-l", "127.0.0.1", "-p", "0", "--config", path]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        case.addCleanup(self.process.stderr.close)
        case.addCleanup(self.process.wait)
        case.addCleanup(self.process.terminate)
        line = self.process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        case.assertTrue(found, line)
        self.port = int(found[1])
        minute.leave_room(ROOM)

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("GET", path)
        text = connection.getresponse().read().decode()
        connection.close()
        return text

    def metrics(self):
        document = json.loads(self.get("/api/v1/policies/p/metrics/window/2"))
        return document.get("p", {}).get("p-t-m", {})

    def exposes(self, sample, again=lambda: None):
        """Whether Prometheus would see a sample. It sees the minute under way alone: if that is a new one by then,
        the same is sent again."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            for _ in range(20):
                if sample in self.get("/api/v1/policies/p/metrics/prometheus"):
                    return True
                time.sleep(0.1)
            again()
        return False

    def wait(self, probe):
        """Asks until the metrics have what is asked for; the metrics then, or at the end."""
        end = time.monotonic() + PATIENCE
        while True:
            metrics = self.metrics()
            try:
                if probe(metrics) or time.monotonic() > end:
                    return metrics
            except KeyError:
                if time.monotonic() > end:
                    return metrics
            time.sleep(0.2)


def interface(metrics, device="127.0.0.1", number="0"):
    return metrics["flow"]["devices"][device]["interfaces"][number]


class Flows(unittest.TestCase):
    packets = [ipv4(i, 100 + i) for i in range(40)]
    total = sum(len(packet) - 14 for packet in packets)

    def agent(self, kind, more=""):
        self.port = sockets.free_port()
        config = {"flow_type": kind, "bind": "127.0.0.1", "port": self.port}
        return Agent(self, "flow", config, "flow", more)

    def softflowd(self, version, port):
        if shutil.which("softflowd") is None:
            self.skipTest("no softflowd")
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            os.chmod(folder, 0o777)  # softflowd gives up its rights
            path = os.path.join(folder, "f.pcap")
            capture(path, self.packets)
            subprocess.run(["softflowd", "-r", path, "-n", "127.0.0.1:%d" % port, "-v", str(version), "-d",
                            "-c", "none", "-p", folder + "/pid"],
                           check=True, capture_output=True, timeout=PATIENCE)

    def check_softflowd(self, version):
        agent = self.agent("netflow", ", metric_groups: {enable: [all]}")
        self.softflowd(version, self.port)
        metrics = agent.wait(lambda m: interface(m)["in_bytes"] >= self.total)
        got = interface(metrics)
        self.assertEqual(got["in_packets"], len(self.packets))
        self.assertEqual(got["in_udp_bytes"], self.total)
        self.assertEqual(got["cardinality"]["dst_ips_out"], 4)
        self.assertEqual(got["top_in_dst_ports_packets"], [{"estimate": 40, "name": "53"}])
        self.assertEqual(len(got["top_conversations_bytes"]), 4)
        self.assertEqual(got["top_conversations_packets"][0]["name"].count(":"), 2)
        self.assertTrue(agent.exposes('flow_in_bytes{device="127.0.0.1",device_interface="127.0.0.1|0"',
                                      lambda: self.softflowd(version, self.port)))

    def test_netflow_5(self):
        """softflowd's NetFlow 5 has what the capture has"""
        self.check_softflowd(5)

    def test_netflow_9(self):
        """softflowd's NetFlow 9 has what the capture has"""
        self.check_softflowd(9)

    def test_ipfix(self):
        """softflowd's IPFIX has what the capture has"""
        self.check_softflowd(10)

    def test_nfreplay(self):
        """what nfcapd kept and nfreplay sends again has what the capture has"""
        if shutil.which("nfreplay") is None or shutil.which("nfcapd") is None:
            self.skipTest("no nfreplay")
        port = sockets.free_port()
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            keeper = subprocess.Popen(["nfcapd", "-w", folder, "-p", str(port), "-b", "127.0.0.1"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            sockets.wait_for_socket(keeper, "udp", port)
            self.softflowd(9, port)
            sockets.wait_until_read(port)
            keeper.terminate()
            keeper.wait(timeout=PATIENCE)
            kept = [name for name in os.listdir(folder) if name.startswith("nfcapd.")]
            self.assertTrue(kept)
            agent = self.agent("netflow")
            subprocess.run(["nfreplay", "-r", os.path.join(folder, kept[0]), "-H", "127.0.0.1", "-p",
                            str(self.port), "-v", "9"], check=True, capture_output=True, timeout=PATIENCE)
        metrics = agent.wait(lambda m: interface(m)["in_bytes"] >= self.total)
        self.assertEqual(interface(metrics)["in_packets"], len(self.packets))
        self.assertEqual(interface(metrics)["in_bytes"], self.total)

    def test_sflow(self):
        """sFlow samples are multiplied, and named by a device map"""
        names = {"device_map": {"10.0.0.77": {"name": "edge", "interfaces": {"3": {"name": "uplink"}}}}}
        agent = self.agent("sflow", ", config: " + json.dumps(names))
        header = self.packets[0][:128]
        header += bytes(-len(header) % 4)
        raw = struct.pack(">IIII", 1, len(self.packets[0]), 0, len(header)) + header
        record = struct.pack(">II", 1, len(raw)) + raw
        sample = struct.pack(">IIIIIIII", 1, 3, 512, 1024, 0, 3, 4, 1) + record
        datagram = struct.pack(">II4sIIII", 5, 1, socket.inet_aton("10.0.0.77"), 0, 1, 1000, 1)
        datagram += struct.pack(">II", 1, len(sample)) + sample

        def send():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
                out.sendto(b"no sflow", ("127.0.0.1", self.port))
                out.sendto(datagram, ("127.0.0.1", self.port))

        send()
        metrics = agent.wait(lambda m: m["flow"]["devices"]["edge"]["records_flows"] == 1)
        self.assertEqual(interface(metrics, "edge", "uplink")["in_bytes"], 512 * len(self.packets[0]))
        self.assertEqual(interface(metrics, "edge", "4")["out_udp_packets"], 512)
        self.assertTrue(agent.exposes('device_interface="edge|uplink"', send))


class Probes(unittest.TestCase):
    def agent(self, kind, targets):
        # As long as there may be: none is to time out on a busy machine.
        config = {"test_type": kind, "interval_msec": 3000, "timeout_msec": 3000, "targets": targets}
        return Agent(self, "netprobe", config, "netprobe", ", metric_groups: {enable: [quantiles]}")

    def test_ping(self):
        """loopback answers echo requests of both versions; a name that does not exist is told"""
        agent = self.agent("ping", {"four": {"target": "127.0.0.1"}, "six": {"target": "::1"},
                                    "none": {"target": "no.such.name.invalid"}})
        metrics = agent.wait(lambda m: all(m["netprobe"]["targets"][t]["attempts"] >= 3 for t in ("four", "six")))
        targets = metrics["netprobe"]["targets"]
        if targets["four"]["connect_failures"] > 0:
            self.skipTest("no right to send echo requests")
        self.assertGreaterEqual(targets["four"]["successes"], 2)
        self.assertGreaterEqual(targets["four"]["response_max_us"], targets["four"]["response_min_us"])
        self.assertIn("p50", targets["four"]["response_quantiles_us"])
        self.assertIn("+Inf", targets["four"]["response_histogram_us"]["buckets"])
        self.assertEqual(targets["four"]["packets_timeout"], 0)
        self.assertTrue(agent.exposes('netprobe_successes{'))

    def test_tcp(self):
        """an open port answers, a closed one refuses"""
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen(64)
            agent = self.agent("tcp", {"open": {"target": "127.0.0.1", "port": server.getsockname()[1]},
                                       "closed": {"target": "localhost", "ip_version": 4,
                                                  "port": sockets.free_port()}})
            metrics = agent.wait(lambda m: m["netprobe"]["targets"]["open"]["successes"] >= 3 and
                                 m["netprobe"]["targets"]["closed"]["connect_failures"] >= 3)
        targets = metrics["netprobe"]["targets"]
        self.assertGreaterEqual(targets["open"]["successes"], 3)
        self.assertEqual(targets["open"]["connect_failures"], 0)
        self.assertEqual(targets["closed"]["successes"], 0)
        self.assertGreaterEqual(targets["closed"]["connect_failures"], 3)


class Dnstap(unittest.TestCase):
    def test_unbound(self):
        """what unbound tells of its clients' queries, over a Unix socket"""
        if shutil.which("unbound") is None:
            self.skipTest("no unbound")
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            where = os.path.join(folder, "d.sock")
            agent = Agent(self, "dnstap", {"socket": where}, "dns")
            port = sockets.free_port()
            path = os.path.join(folder, "unbound.conf")
            with open(path, "w", encoding="utf-8") as out:
                out.write(f"""server:
  interface: 127.0.0.1
  port: {port}
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  num-threads: 1
  local-zone: "vantage.test." static
  local-data: "www.vantage.test. A 192.0.2.7"
dnstap:
  dnstap-enable: yes
  dnstap-socket-path: "{where}"
  dnstap-log-client-query-messages: yes
  dnstap-log-client-response-messages: yes
remote-control:
  control-enable: no
""")
            server = subprocess.Popen(["unbound", "-d", "-c", path], stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
            self.addCleanup(server.wait)
            self.addCleanup(server.terminate)
            sockets.wait_for_socket(server, "udp", port)
            self.ask(port, "www.vantage.test", 5)
            self.ask(port, "none.vantage.test", 3)
            metrics = agent.wait(lambda m: m["dns"]["wire_packets"]["total"] >= 16)
        packets = metrics["dns"]["wire_packets"]
        self.assertEqual(packets["queries"], 8)
        self.assertEqual(packets["replies"], 8)
        self.assertEqual(packets["noerror"], 5)
        self.assertEqual(packets["nxdomain"], 3)
        self.assertEqual(metrics["dns"]["top_nxdomain"], [{"estimate": 3, "name": "none.vantage.test"}])

    def ask(self, port, name, times):
        labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.settimeout(PATIENCE)
            for i in range(times):
                out.sendto(struct.pack(">HHHHHH", i, 0x0100, 1, 0, 0, 0) + labels + struct.pack(">HH", 1, 1),
                           ("127.0.0.1", port))
                out.recv(4096)


if __name__ == "__main__":
    tap.main()
