#!/usr/bin/env python3
"""pktvisor's interface of `vantage pktvisord`, with DNS messages that come by dnstap: no rights needed."""
import http.client
import json
import os
import socket
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import minute  # noqa: E402
import pktvisord  # noqa: E402
import sockets  # noqa: E402
import tap  # noqa: E402

DECODER = os.path.join(os.environ.get("VANTAGE_SHARED", os.path.join(HERE, "..", "..", "..", "shared")),
                       "reference", "sk_check.py")
TAP = 'version: "1.0"\nvisor: {taps: {t: {input_type: dnstap, config: {tcp: "127.0.0.1:%d"}, tags: {a: b}}}}\n'
POLICY = """visor: {policies: {%s: {kind: collection, input: {tap_selector: {any: [a: b]}, input_type: dnstap},
  handlers: {window_config: {num_periods: 2}, modules: {d: {type: dns}, n: {type: net, require_version: "2.0"}}}}}}
"""


class Pktvisor(unittest.TestCase):
    def setUp(self):
        self.agent = pktvisord.Agent(self, "--prom-instance", "i1")
        self.ask = self.agent.ask
        self.dnstap = sockets.free_port()

    def test_life_of_a_policy(self):
        """A tap and policies are made, count, and go again"""
        self.assertEqual(self.ask("POST", "taps", TAP % self.dnstap)[0], 201)
        self.assertEqual(self.ask("POST", "taps", TAP % self.dnstap)[0], 409)
        minute.leave_room(30)
        for name in ("one", "two"):
            self.assertEqual(self.ask("POST", "policies", POLICY % name)[0], 201)
        with socket.create_connection(("127.0.0.1", self.dnstap), pktvisord.PATIENCE) as stream:
            for i in range(20):
                stream.sendall(pktvisord.dnstap_query(f"host{i}.example.com", int(time.time())))
            dns = self.wait_for("one", 20)
        self.assertEqual(dns["top_qname2"], [{"estimate": 20, "name": ".example.com"}])
        self.assertEqual(dns["cardinality"]["qname"], 20)
        self.assertEqual(self.ask("GET", "policies/one/metrics/bucket/2"),
                         (425, {"error": "invalid metrics period, specify [0, 1]"}))
        text = self.ask("GET", "policies/two/metrics/prometheus")[1]
        self.assertIn('dns_top_qtype{instance="i1",handler="two-t-d",policy="two",qtype="A",tap="t"} 20\n', text)
        self.assertIn('net_udp_packets{instance="i1",direction="in",', text)
        self.sketches()
        self.assertEqual(self.ask("DELETE", "policies/one"), (200, {}))
        self.assertEqual(self.wait_for("two", 20)["wire_packets"]["queries"], 20)
        self.assertEqual(self.ask("DELETE", "policies/two"), (200, {}))
        self.assertEqual(self.ask("GET", "policies"), (200, {}))
        self.assertEqual(self.ask("DELETE", "taps/t"), (200, {}))
        self.assertEqual(self.ask("GET", "taps"), (200, None))

    def sketch(self, path, kind):
        """What the shared decoder reads in a sketch; nothing where it is not there."""
        connection = http.client.HTTPConnection("127.0.0.1", self.agent.port, timeout=180)
        connection.request("GET", "/api/v1/sketches/" + path)
        reply = connection.getresponse()
        data = reply.read()
        connection.close()
        self.assertEqual((reply.status, reply.getheader("Content-Type")), (200, "application/octet-stream"))
        if not os.path.exists(DECODER):
            return {}
        done = subprocess.run([sys.executable, DECODER, kind], input=data, stdout=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        return json.loads(done.stdout)

    def sketches(self):
        """Sketches of what was counted, and refusals of what there is none of"""
        status, index = self.ask("GET", "sketches")
        rows = index["one"]["one-t-d"]
        self.assertEqual((status, rows["cardinality.qname"], rows["top_qname2"]), (200, "hll", "fi_strings"))
        for handler, metrics in index["one"].items():
            for name, kind in metrics.items():
                self.sketch(f"one/{handler}/{name}?window=2", kind)
        names = self.sketch("one/d/cardinality.qname?window=2", "hll")
        self.assertAlmostEqual(names.get("estimate", 20), 20, delta=0.5)
        top = json.dumps(self.sketch("one/one-t-d/top_qname2?window=2", "fi_strings"))
        self.assertTrue(top == "{}" or ".example.com" in top, top)
        for path, code in (("one/d/none", 404), ("one/x/cardinality.qname", 404), ("no/d/total", 404), ("one/d", 404),
                           ("one/d/cardinality.qname?bucket=9", 425), ("one/d/cardinality.qname?bucket=x", 400),
                           ("one/d/wire_packets.total", 404)):
            self.assertEqual(self.ask("GET", "sketches/" + path)[0], code, path)

    def wait_for(self, policy, total):
        """The DNS metrics of a policy once it has counted so many."""
        end = time.monotonic() + pktvisord.PATIENCE
        while True:
            status, document = self.ask("GET", f"policies/{policy}/metrics/window/2")
            self.assertEqual(status, 200)
            dns = document[policy][f"{policy}-t-d"]["dns"]
            if dns["wire_packets"]["total"] >= total or time.monotonic() > end:
                self.assertEqual(dns["wire_packets"]["total"], total)
                return dns
            time.sleep(0.1)


if __name__ == "__main__":
    tap.main()
