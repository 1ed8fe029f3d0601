#!/usr/bin/env python3
"""The handlers tcp, tls, http and db in a running `vantage pktvisord`: over a capture, and over what passes on the
loopback interface while policies come and go."""
import http.client
import http.server
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import otlp  # noqa: E402
import pktvisord  # noqa: E402
import tap  # noqa: E402

SAMPLES = os.path.join(HERE, "..", "..", "samples")
POLICY = """visor: {policies: {%s: {kind: collection, input: {tap: t, input_type: pcap%s}, handlers: {
  window_config: {num_periods: 5}, modules: {%s}}}}}
"""


def modules(*types):
    return ", ".join("%s: {type: %s}" % (kind, kind) for kind in types)


def may_capture():
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
        return True
    except PermissionError:
        return False


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if "order" in self.path else 404)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


class Running(unittest.TestCase):
    def setUp(self):
        self.agent = pktvisord.Agent(self)

    def make(self, config, name, filtering, *types):
        if config:
            got = self.agent.ask("POST", "taps", pktvisord.tap_document("t", "pcap", config))
            self.assertEqual(got[0], 201, got)
        got = self.agent.ask("POST", "policies", POLICY % (name, filtering, modules(*types)))
        self.assertEqual(got[0], 201, got)

    def counted(self, name, kind, period="window/5"):
        document = self.agent.ask("GET", f"policies/{name}/metrics/{period}")[1]
        return document[name][f"{name}-t-{kind}"][kind]

    def test_capture(self):
        """A capture counts in its own minutes, as it does for `vantage read`"""
        self.make({"pcap_file": os.path.join(SAMPLES, "demo.pcap.zst")}, "p", "", "tcp", "tls", "http", "db")
        wanted = {"tcp": ("connections", 932), "tls": ("handshakes", 19), "http": ("requests", 1227),
                  "db": ("requests", 1334)}
        for kind, (metric, count) in wanted.items():
            self.agent.wait(lambda k=kind, m=metric, c=count: self.counted("p", k)[m] == c)
            self.assertEqual(self.counted("p", kind)[metric], count)
        minutes = [self.counted("p", "http", f"bucket/{i}")["requests"] for i in (0, 1)]
        self.assertEqual(sum(minutes), 1227)
        self.assertGreater(min(minutes), 0)
        text = self.agent.request("GET", "/api/v1/policies/p/metrics/prometheus")[2]
        for sample in ('http_route_requests{handler="p-t-http",host="shop.example",method="GET",policy="p",'
                       'route="/api/item/{id}",tap="t"} ', 'db_operation_latency_us{handler="p-t-db",',
                       'tcp_path_connections{handler="p-t-tcp",policy="p",port="80",tap="t"} ',
                       'tls_certificate_expires_at{handler="p-t-tls",policy="p",server_name="shop.example",tap="t"} '):
            self.assertIn("\n" + sample, text)

    def test_pushed(self):
        """Breakdowns are pushed as they are scraped, with their labels"""
        receiver = otlp.Receiver()
        self.addCleanup(receiver.close)
        self.agent = pktvisord.Agent(self, "--otel", "--otel-host", "127.0.0.1", "--otel-port", str(receiver.port),
                                     "--otel-interval", "1")
        self.make({"pcap_file": os.path.join(SAMPLES, "demo.pcap.zst")}, "p", "", "http", "tcp")

        def points(name):
            return receiver.metrics()[name]["gauge"]["points"]

        self.agent.wait(lambda: self.counted("p", "http")["requests"] == 1227)
        self.agent.wait(lambda: self.counted("p", "tcp")["connections"] == 932)
        self.agent.process.terminate()  # the last push has policies, which are pushed once a minute before
        self.agent.process.wait(pktvisord.PATIENCE)
        self.assertEqual(receiver.wrong, [])
        labels = otlp.attributes(points("http_route_requests")[0])
        self.assertEqual({"policy", "tap", "handler", "host", "method", "route"}, set(labels))
        self.assertEqual("p-t-http", labels["handler"])
        self.assertIn("exponential", receiver.metrics()["http_route_latency_us"])
        self.assertIn("port", otlp.attributes(points("tcp_path_connections")[0]))

    def test_run(self):
        """`vantage run` counts for a policy over two taps, of a document of pktvisor's with keys of ours beside it"""
        if not may_capture():
            self.skipTest("capturing needs CAP_NET_RAW")
        taps = {name: {"input_type": "pcap", "tags": {"where": name}, "config": {"pcap_file": os.path.abspath(path)}}
                for name, path in (("shop", os.path.join(SAMPLES, "demo.pcap.zst")),
                                   ("lab", os.path.join(HERE, "..", "..", "src", "proto", "tls", "data", "tls12.pcap")))}
        kinds = ("tcp", "tls", "http", "db")
        policy = {"kind": "collection", "input": {"input_type": "pcap", "tap_selector": {"any": [
            {"where": "shop"}, {"where": "lab"}]}}, "handlers": {"modules": {kind: {"type": kind} for kind in kinds}}}
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            path = os.path.join(folder, "run.yml")
            with open(path, "w", encoding="utf-8") as out:
                json.dump({"version": "1.0", "api": {"listen": "127.0.0.1:0"},
                           "visor": {"taps": taps, "policies": {"p": policy}}}, out)
            with open(os.path.join(folder, "log"), "w+", encoding="utf-8") as log:
                process = subprocess.Popen([os.environ.get("VANTAGE", "build/src/vantage"), "run", "-c", path], stderr=log)
                self.addCleanup(process.wait)
                self.addCleanup(process.terminate)
                self.agent = pktvisord.Running(process, lambda: open(log.name, encoding="utf-8").read())
        wanted = {("shop", "tcp", "connections"): 932, ("shop", "tls", "handshakes"): 19, ("shop", "http", "requests"): 1227,
                  ("shop", "db", "requests"): 1334, ("lab", "tcp", "connections"): 1, ("lab", "tls", "handshakes"): 1,
                  ("lab", "http", "requests"): 0, ("lab", "db", "requests"): 0}

        def got():
            document = self.agent.ask("GET", "policies/p/metrics/window/5")[1]["p"]
            return {key: document[f"p-{key[0]}-{key[1]}"][key[1]][key[2]] for key in wanted}

        self.agent.wait(lambda: got() == wanted)
        self.assertEqual(got(), wanted)

    def ask_server(self, port, path):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=pktvisord.PATIENCE)
        connection.request("GET", path)
        connection.getresponse().read()
        connection.close()

    def ask_until(self, port, path, enough):
        """Asks again and again, each time for another thing, until enough was counted."""
        number, end = 0, time.monotonic() + pktvisord.PATIENCE
        while time.monotonic() < end:
            number += 1
            self.ask_server(port, path % number)
            try:
                if enough():
                    return
            except KeyError:
                pass
        self.fail("not counted: " + path)

    def test_wire(self):
        """Policies that are made while packets pass count requests and connections from then on"""
        if not may_capture():
            self.skipTest("capturing needs CAP_NET_RAW")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        with_port = ", filter: {bpf: port %d}" % port
        self.make({"iface": "lo"}, "packets", with_port, "net")
        self.make(None, "p", with_port, "http", "tcp")
        self.ask_until(port, "/order/%d", lambda: self.counted("p", "http")["requests"] >= 20)
        got = self.counted("p", "http")
        self.assertEqual(list(got["routes"]), ["host=127.0.0.1,method=GET,route=/order/{id}"])
        self.assertEqual(got["status_2xx"], got["requests"])
        self.ask_until(port, "/none/%d", lambda: self.counted("p", "tcp")["handshakes"] >= 20)
        self.assertEqual(self.counted("p", "tcp")["failed_connections"], 0)
        sketches = self.agent.ask("GET", "sketches")[1]["p"]
        self.assertEqual([sketches["p-t-http"]["latency_us"], sketches["p-t-tcp"]["rtt_us"],
                          sketches["p-t-tcp"]["top_failed_targets"]], ["kll_float", "kll_float", "fi_strings"])
        self.assertEqual(self.agent.ask("DELETE", "policies/p")[0], 200)
        self.assertEqual(self.agent.ask("GET", "policies/p/metrics/bucket/0")[0], 404)
        self.make(None, "again", ", filter: {bpf: udp}", "tcp")
        self.ask_server(port, "/order/1")
        self.assertEqual(self.agent.wait(lambda: str(self.counted("again", "tcp")["connections"])), "0")


if __name__ == "__main__":
    tap.main()
