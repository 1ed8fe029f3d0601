#!/usr/bin/env python3
"""Metrics by remote write into a real Prometheus, asked for again there."""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
import minute  # noqa: E402
import pktvisord  # noqa: E402
import sockets  # noqa: E402
import tap  # noqa: E402
from pushing import PATIENCE, Pusher, wait_for  # noqa: E402


class Prometheus:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.port = sockets.free_port()
        config = os.path.join(self.folder.name, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("global: {}\n")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", "--web.enable-remote-write-receiver",
             "--enable-feature=native-histograms", f"--web.listen-address=127.0.0.1:{self.port}",
             f"--storage.tsdb.path={self.folder.name}/data"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("Prometheus", self.is_ready)

    def is_ready(self):
        try:
            return self.get("/-/ready") is not None
        except (urllib.error.URLError, ConnectionError):
            return False

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE) as answer:
            return answer.read()

    def query(self, text):
        answer = self.get("/api/v1/query?" + urllib.parse.urlencode({"query": text}))
        return json.loads(answer)["data"]["result"]

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.folder.cleanup()


@unittest.skipUnless(shutil.which("prometheus"), "no prometheus on this machine")
class RemoteWrite(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.prometheus = Prometheus()
        cls.addClassCleanup(cls.prometheus.stop)

    def output(self, more):
        return (f"kind: remote_write, url: 'http://127.0.0.1:{self.prometheus.port}/api/v1/write', "
                f"interval: 1s, {more}")

    def test_values_come_back(self):
        """values are those of /metrics, with the labels of all series; when the agent ends, so do they"""
        query = "vantage_packets_total{site='paris'}"
        with Pusher([self.output("attributes: [site=paris]")]) as agent:
            wait_for("a series", lambda: self.prometheus.query(query))
            before = agent.metric("vantage_packets_total")
            wait_for("as many packets",
                     lambda: float(self.prometheus.query(query)[0]["value"][1]) >= before)
            self.assertEqual(agent.metric("vantage_output_lost_events_total"), 0)
        wait_for("the end of the series", lambda: not self.prometheus.query(query))

    def test_policies(self):
        """what a policy counted arrives with pktvisor's names and labels, distributions as native histograms"""
        port = sockets.free_port()
        taps = (f"{{t: {{input_type: dnstap, config: {{tcp: '127.0.0.1:{port}'}}}}}}\n"
                "policies: {p: {kind: collection, input: {tap: t, input_type: dnstap}, handlers: {modules: "
                "{m: {type: dns}}}}}")
        with Pusher([self.output("histograms: exponential, attributes: [site=oslo]")], taps=taps) as agent:
            minute.leave_room(10)
            with socket.create_connection(("127.0.0.1", port), PATIENCE) as stream:
                for i in range(20):
                    stream.sendall(pktvisord.dnstap_query(f"h{i}.example.com", int(time.time())))
                wait_for("what was sent", lambda: agent.total("/api/v1/policies/p/metrics/window/5",
                                                              ("p", "p-t-m", "dns", "wire_packets", "total")) == 20)
            memory = "resources_memory_bytes{site='oslo'}"
            for query in ("histogram_count(%s) > 0", "histogram_sum(%s) > 1e6", "histogram_quantile(0.5, %s) > 1e6"):
                wait_for(query, lambda q=query: len(self.prometheus.query(q % memory)) == 1)
            # At once, or behind the end of the minute: what is over goes before what is under way.
            query = "max_over_time(dns_wire_packets_queries{site='oslo',policy='p',tap='t',handler='p-t-m'}[10m])"
            wait_for("what was counted", lambda: [float(s["value"][1]) for s in self.prometheus.query(query)] == [20])


if __name__ == "__main__":
    tap.main()
