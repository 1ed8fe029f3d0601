#!/usr/bin/env python3
"""What a running `vantage pktvisord` is told wrongly: messages that are damaged are counted, documents that are wrong
are refused with pktvisor's words, and policies that count go on."""
import json
import os
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

DOCUMENTS = (  # what is wrong, and how it is refused
    ("taps", "", 500, "empty data"),
    ("taps", "visor: [", 500, ""),
    ("taps", "visor: 7", 500, "invalid schema"),
    ("taps", "version: '9.0'\nvisor: {taps: {}}", 500, "unsupported version"),
    ("taps", "visor: {policies: {}}", 500, "no taps found in schema"),
    ("taps", "visor: {taps: {a: {input_type: pcap}, b: {input_type: pcap}}}", 500,
     "only a single tap expected but got 2"),
    ("taps", "visor: {taps: {a: {}}}", 500, "missing or invalid tap type key 'input_type'"),
    ("taps", "visor: {taps: {a: {input_type: radio}}}", 500,
     "Tap 'a' requires input stream type 'radio' which is not available"),
    ("taps", "visor: {taps: {t: {input_type: pcap}}}", 409, "tap with name 't' already defined"),
    ("taps", "visor: {taps: {a: " + "[" * 4000 + "]" * 4000 + "}}", 500, ""),
    ("policies", "visor: {policies: {q: {kind: heap}}}", 500, "unknown policy kind: heap"),
    ("policies", "visor: {policies: {p: {kind: collection}}}", 409, "policy with name 'p' already defined"),
    ("policies", "visor: {policies: {q: {kind: collection}}}", 500,
     "missing or invalid policy input stream configuration at key 'input'"),
    ("policies", pktvisord.policy_document("q", "none", "dnstap", "dns"), 500, "tap 'none' does not exist"),
    ("policies", pktvisord.policy_document("q", "t", "pcap", "dns"), 500,
     "input_type for policy specified tap 't' doesn't match tap's defined input type: pcap/dnstap"),
    ("policies", pktvisord.policy_document("q", "t", "dnstap", "nothing"), 500,
     "Policy 'q' requires stream handler type 'nothing' and version '1.0' which is not available"),
    ("policies", pktvisord.policy_document("q", "t", "dnstap", "dns", ', require_version: "9.0"'), 500,
     "Policy 'q' requires stream handler type 'dns' and version '9.0' which is not available"),
    ("policies", pktvisord.policy_document("q", "t", "dnstap", "dns", ", metric_groups: {enable: [all_of_it]}"), 500,
     "all_of_it is an invalid/unsupported metric group. The valid groups are: all, "),
    ("policies", pktvisord.policy_document("q", "t", "dnstap", "dns", ", config: {speed: 9}"), 500,
     "speed is an invalid/unsupported config or filter. The valid configs/filters are: "),
    ("policies", pktvisord.policy_document("q", "t", "dnstap", "dns", config={"speed": 9}), 500,
     "speed is an invalid/unsupported config or filter. The valid configs/filters are: "),
    ("policies", pktvisord.policy_document("q", "t", "dnstap", "dhcp"), 500, "unsupported input event for handler"),
    ("policies", "visor: {policies: {q: {kind: collection, input: {tap_selector: {any: [none: x]}, input_type: dnstap}, "
     "handlers: {modules: {m: {type: dns}}}}}}", 422, "no tap match found for specified 'input.tap_selector' tags"),
)


class Hostile(unittest.TestCase):
    def make(self, agent, kind, config, handler):
        self.assertEqual(agent.ask("POST", "taps", pktvisord.tap_document("t", kind, config))[0], 201)
        got = agent.ask("POST", "policies", pktvisord.policy_document("p", "t", kind, handler))
        self.assertEqual(got[0], 201, got)

    def errors(self, agent, kind, name):
        """What the input has counted as damaged."""
        (info,) = agent.ask("GET", "policies/p")[1]["p"]["input"].values()
        return info[kind][name]

    def test_documents(self):
        """documents that are wrong are refused with pktvisor's words, and disturb nobody"""
        agent = pktvisord.Agent(self)
        port = sockets.free_port()
        self.make(agent, "dnstap", {"tcp": f"127.0.0.1:{port}"}, "dns")
        with socket.create_connection(("127.0.0.1", port), pktvisord.PATIENCE) as stream:
            for sent, (path, document, code, said) in enumerate(DOCUMENTS, 1):
                with self.subTest(document[:90]):
                    status, answer = agent.ask("POST", path, document)
                    self.assertEqual(status, code, answer)
                    self.assertIn(said, answer["error"])
                stream.sendall(pktvisord.dnstap_query("a.example.com", int(time.time())))
                self.assertTrue(agent.wait(lambda n=sent: agent.metrics("p", "t", "window/5")["dns"]["wire_packets"][
                    "queries"] == n))
        self.assertEqual(agent.request("POST", "/api/v1/taps", "x", kind=None)[0], 400)
        self.assertEqual(agent.request("POST", "/api/v1/taps", "x", kind="text/plain")[0], 400)
        self.assertEqual(sorted(agent.ask("GET", "taps")[1]), ["t"])
        self.assertEqual([n for n in agent.ask("GET", "policies")[1] if not n.endswith("-resources")], ["p"])

    def test_file(self):
        """a configuration that is no YAML is refused with its line"""
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            path = os.path.join(folder, "v.yaml")
            with open(path, "w", encoding="utf-8") as out:
                out.write("version: '1.0'\nvisor:\n  taps:\n    t: {input_type: [pcap\n  policies: {}\n")
            done = subprocess.run([os.environ.get("VANTAGE", "build/src/vantage"), "pktvisord", "--config", path],
                                  capture_output=True, text=True, timeout=pktvisord.PATIENCE, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertRegex(done.stderr, path + r":[456]:\d+: ")

    def test_dnstap(self):
        """damaged DNS, frames that end early, lengths that lie: counted, and the next client is heard"""
        agent = pktvisord.Agent(self)
        port = sockets.free_port()
        self.make(agent, "dnstap", {"tcp": f"127.0.0.1:{port}"}, "dns")
        good = pktvisord.dnstap_query("a.example.com", int(time.time()))

        def send(*parts):
            with socket.create_connection(("127.0.0.1", port), pktvisord.PATIENCE) as stream:
                stream.sendall(b"".join(parts))

        send(good, good[:-3])                          # ends within a frame
        send(good, b"\xff\xff\xff\xff" + bytes(64))    # a frame of 4 GiB
        send(good, struct.pack(">I", 12) + b"no protobuf!", good)
        send(b"GET / HTTP/1.1\r\n\r\n" + bytes(200))
        self.assertTrue(agent.wait(lambda: self.errors(agent, "dnstap", "frame_errors") == 4),
                        self.errors(agent, "dnstap", "frame_errors"))
        bad = pktvisord.dnstap_query("b.example.com", int(time.time()))
        bad = bad.replace(b"\x01b\x07example", b"\x3fb\x07example")  # a label that is longer than what there is
        send(bad, good)

        def counted():
            dns = agent.metrics("p", "t", "window/5")["dns"]
            return dns["wire_packets"]["queries"] >= 5 and dns["top_qname3"] and dns
        dns = agent.wait(counted)
        self.assertEqual([row["name"] for row in dns["top_qname3"]], ["a.example.com"])

    def test_flows(self):
        """data before their template, lengths that lie, other versions: counted, and what comes after is, too"""
        agent = pktvisord.Agent(self)
        port = sockets.free_port()
        self.make(agent, "flow", {"flow_type": "netflow", "bind": "127.0.0.1", "port": port}, "flow")
        fields = ((8, 4), (12, 4), (4, 1), (7, 2), (11, 2), (1, 4), (2, 4), (10, 4), (14, 4))
        record = socket.inet_aton("10.0.0.1") + socket.inet_aton("10.0.0.2") + struct.pack(
            ">BHHIIII", 17, 4000, 53, 900, 9, 3, 4)

        def nine(sets):
            return struct.pack(">HHIIII", 9, 1, 0, int(time.time()), 1, 7) + sets

        template = struct.pack(">HHHH", 0, 8 + 4 * len(fields), 256, len(fields)) + b"".join(
            struct.pack(">HH", *f) for f in fields)
        data = struct.pack(">HH", 256, 4 + len(record)) + record
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            out.connect(("127.0.0.1", port))
            for datagram in (nine(data), nine(struct.pack(">HH", 0, 9999) + template[4:]), nine(struct.pack(">HH", 256, 2)),
                             struct.pack(">HH", 77, 1) + bytes(40), b"\x00", pktvisord.netflow_5(
                                 "10.0.0.1", "10.0.0.2", 1, 2, 3)[:-9]):
                out.send(datagram)
            self.assertTrue(agent.wait(lambda: self.errors(agent, "flow", "packet_errors") == 6),
                            self.errors(agent, "flow", "packet_errors"))
        # A template and its data from two ports: NetFlow 9 knows exporters, not ports.
        for datagram in (nine(template), nine(data)):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
                out.sendto(datagram, ("127.0.0.1", port))
        self.assertTrue(agent.wait(lambda: agent.metrics("p", "t", "window/5")["flow"]["devices"]["127.0.0.1"][
            "interfaces"]["3"]["in_bytes"] == 900))
        self.assertEqual(self.errors(agent, "flow", "packet_errors"), 6)

    def test_interfaces(self):
        """interfaces beyond those that there is room for are counted as lost"""
        agent = pktvisord.Agent(self)
        port = sockets.free_port()
        self.make(agent, "flow", {"flow_type": "netflow", "bind": "127.0.0.1", "port": port}, "flow")

        def lost():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
                for i in range(300):
                    datagram = bytearray(pktvisord.netflow_5("10.0.0.1", "10.0.0.2", 1, 2, 3))
                    datagram[36:40] = struct.pack(">HH", 2 * i, 2 * i + 1)
                    out.sendto(bytes(datagram), ("127.0.0.1", port))
            flow = agent.metrics("p", "t")["flow"]
            return len(flow["devices"]["127.0.0.1"]["interfaces"]) == 256 and flow["records_lost"] > 0
        self.assertTrue(agent.wait(lost))


class Files(unittest.TestCase):
    def test_templates_of_several_ports(self):
        """a capture's exporter may send templates and data from different ports, however many workers read"""
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            def frame(port, payload):
                return (1700000000, pktvisord.udp_frame("192.0.2.9", "192.0.2.1", (port, 2055), payload))
            fields = ((8, 4), (1, 4), (10, 4))
            head = struct.pack(">HHIIII", 9, 1, 0, 1700000000, 1, 7)
            template = struct.pack(">HHHH", 0, 8 + 4 * len(fields), 256, len(fields)) + b"".join(
                struct.pack(">HH", *f) for f in fields)
            data = struct.pack(">HH", 256, 16) + socket.inet_aton("10.0.0.1") + struct.pack(">II", 50, 3)
            capture, path = os.path.join(folder, "f.pcap"), os.path.join(folder, "v.yaml")
            pktvisord.write_capture(capture, [frame(4000, head + template)] +
                                    [frame(4001 + i, head + data) for i in range(20)])
            with open(path, "w", encoding="utf-8") as out:
                out.write("visor: {taps: {t: {input_type: flow, config: {flow_type: netflow, pcap_file: x}}}, "
                          "policies: {p: {kind: collection, input: {tap: t, input_type: flow}, handlers: "
                          "{modules: {m: {type: flow}}}}}}")
            done = subprocess.run([os.environ.get("VANTAGE", "build/src/vantage"), "read", "-c", path, "-o", "summary",
                                   "--workers", "4", capture], capture_output=True, text=True, check=False,
                                  timeout=pktvisord.PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout.splitlines()[-1])
        flow = found["p"]["p-t-m"]["flow"] if "p" in found else found["policies"]["p"]["p-t-m"]["flow"]
        self.assertEqual(flow["devices"]["192.0.2.9"]["interfaces"]["3"]["in_bytes"], 1000)


if __name__ == "__main__":
    tap.main()
