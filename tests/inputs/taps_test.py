#!/usr/bin/env python3
"""Taps of a running `vantage pktvisord` that policies come to and go from: captures on an interface, captures
and dnstap in files."""
import os
import socket
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import pktvisord  # noqa: E402
import tap  # noqa: E402

MINUTE = 1700000000 // 60 * 60  # a minute that began long ago


def may_capture():
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close()
        return True
    except PermissionError:
        return False


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(dir="/tmp")
        self.addCleanup(self.folder.cleanup)
        self.agent = pktvisord.Agent(self)

    def make(self, kind, config, handler, more="", periods=5):
        self.assertEqual(self.agent.ask("POST", "taps", pktvisord.tap_document("t", kind, config))[0], 201)
        got = self.agent.ask("POST", "policies",
                             pktvisord.policy_document("p", "t", kind, handler, more, periods=periods))
        self.assertEqual(got[0], 201, got)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def test_capture(self):
        """a capture is read once, and counts in its own minutes"""
        frames = [(MINUTE + i, pktvisord.udp_frame("192.0.2.1", "198.51.100.%d" % (1 + i % 9), (4000, 9), b"x" * 50))
                  for i in range(170)]
        pktvisord.write_capture(self.path("f.pcap"), frames)
        self.make("pcap", {"pcap_file": self.path("f.pcap"), "host_spec": "192.0.2.0/24"}, "net")
        for minute, packets in ((0, 50), (1, 60), (2, 60)):
            def probe(period="bucket/%d" % minute, wanted=packets):
                return self.agent.metrics("p", "t", period)["packets"]["total"] == wanted
            self.assertTrue(self.agent.wait(probe), self.agent.metrics("p", "t", "bucket/%d" % minute))
        whole = self.agent.metrics("p", "t", "window/5")
        self.assertEqual(whole["packets"]["out"], 170)
        self.assertEqual(whole["packets"]["cardinality"]["dst_ips_out"], 9)
        self.assertEqual(whole["packets"]["period"], {"start_ts": MINUTE, "length": 169})
        text = self.agent.request("GET", "/api/v1/policies/p/metrics/prometheus")[2]
        self.assertIn("packets_total{", text)
        self.assertEqual(self.agent.ask("DELETE", "policies/p")[0], 200)
        self.make_again()

    def make_again(self):
        """The same policy once more reads the file once more."""
        self.assertEqual(self.agent.ask("POST", "policies",
                                        pktvisord.policy_document("p", "t", "pcap", "net"))[0], 201)
        self.assertTrue(self.agent.wait(lambda: self.agent.metrics("p", "t", "window/5")["packets"]["total"] == 170))

    def test_flows(self):
        """NetFlow in a capture"""
        payload = pktvisord.netflow_5("10.0.0.1", "10.0.0.2", 1234, 53, 700, MINUTE)
        pktvisord.write_capture(self.path("f.pcap"), [
            (MINUTE, pktvisord.udp_frame("192.0.2.9", "192.0.2.1", (4000, 2055), payload))])
        self.make("flow", {"pcap_file": self.path("f.pcap"), "flow_type": "netflow"}, "flow", periods=1)
        self.assertTrue(self.agent.wait(
            lambda: self.agent.metrics("p", "t")["flow"]["devices"]["192.0.2.9"]["interfaces"]["1"]["in_bytes"] == 700))

    def test_dnstap(self):
        """dnstap in a file, to its truncated end"""
        frames = b"".join(pktvisord.dnstap_query("host%d.example.com" % (i % 20), MINUTE + i) for i in range(100))
        last = pktvisord.dnstap_query("late.example.com", MINUTE + 100)
        with open(self.path("f.tap"), "wb") as out:
            out.write(pktvisord.dnstap_control(2) + frames + last[:-5])
        self.make("dnstap", {"dnstap_file": self.path("f.tap")}, "dns")
        self.assertTrue(self.agent.wait(
            lambda: self.agent.metrics("p", "t", "window/2")["dns"]["wire_packets"]["queries"] == 100))
        self.assertEqual(self.agent.metrics("p", "t", "bucket/1")["dns"]["wire_packets"]["queries"], 60)
        self.assertEqual(self.agent.metrics("p", "t", "window/2")["dns"]["cardinality"]["qname"], 20)

    def test_refused(self):
        """a file that is not there, or another thing, refuses the policy and nothing else"""
        with open(self.path("text"), "w", encoding="utf-8") as out:
            out.write("no capture and no dnstap\n" * 8)
        for kind, handler, config in (("pcap", "net", {"pcap_file": self.path("none")}),
                                      ("pcap", "net", {"pcap_file": self.path("text")}),
                                      ("dnstap", "dns", {"dnstap_file": self.path("none")}),
                                      ("dnstap", "dns", {"dnstap_file": self.path("text")})):
            self.assertEqual(self.agent.ask("POST", "taps", pktvisord.tap_document("t", kind, config))[0], 201)
            status, answer = self.agent.ask("POST", "policies", pktvisord.policy_document("p", "t", kind, handler))
            self.assertEqual(status, 500)
            self.assertIn(next(iter(config.values())), answer["error"])
            self.assertEqual(self.agent.ask("GET", "policies"), (200, {}))
            self.assertEqual(self.agent.ask("DELETE", "taps/t")[0], 200)


@unittest.skipUnless(may_capture(), "no right to capture")
class Interfaces(unittest.TestCase):
    def send(self):
        """Datagrams to nobody on loopback; what is asked for is seen in the end."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            for _ in range(5):
                out.sendto(b"x" * 40, ("127.0.0.1", 9))

    def captures(self, agent):
        """The taps that the agent has open."""
        return sorted(t["name"] for t in agent.ask("GET", "summary")[1]["taps"])

    def counted(self, agent, policy, name):
        """Sends until the policy has seen it."""
        def probe():
            self.send()
            return agent.metrics(policy, name)["packets"]["udp"] >= 5
        return agent.wait(probe)

    def test_life(self):
        """a tap captures while a policy applies to it, and not before or after"""
        agent = pktvisord.Agent(self)
        self.assertEqual(self.captures(agent), [])
        self.assertEqual(agent.ask("POST", "taps", pktvisord.tap_document(
            "t", "pcap", {"iface": "lo"}))[0], 201)
        self.assertEqual(self.captures(agent), [])
        for name, bpf in (("one", {}), ("two", {"bpf": "udp port 9"})):
            got = agent.ask("POST", "policies", pktvisord.policy_document(name, "t", "pcap", "net", config=bpf))
            self.assertEqual(got[0], 201, got)
        self.assertTrue(self.counted(agent, "one", "t"))
        self.assertTrue(self.counted(agent, "two", "t"))
        self.assertTrue(agent.wait(lambda: self.captures(agent) == ["t"]))
        self.assertEqual(agent.ask("DELETE", "policies/one")[0], 200)
        seen = agent.metrics("two", "t", "window/5")["packets"]["udp"]
        self.assertTrue(agent.wait(lambda: self.send() or
                                   agent.metrics("two", "t", "window/5")["packets"]["udp"] > seen))
        self.assertEqual(agent.ask("DELETE", "policies/two")[0], 200)
        self.assertTrue(agent.wait(lambda: self.captures(agent) == []))
        self.assertEqual(self.rings(agent), 0)

    def rings(self, agent):
        """How many packet sockets the agent has open."""
        with open("/proc/net/packet", encoding="ascii") as table:
            inodes = {line.split()[-1] for line in table}
        folder = f"/proc/{agent.process.pid}/fd"
        links = [os.readlink(os.path.join(folder, fd)) for fd in os.listdir(folder)
                 if os.path.islink(os.path.join(folder, fd))]
        return sum(link[len("socket:["):-1] in inodes for link in links if link.startswith("socket:["))

    def test_by_address(self):
        """an interface may be named by an address of it"""
        agent = pktvisord.Agent(self)
        agent.ask("POST", "taps", pktvisord.tap_document("t", "pcap", {"iface": "127.0.0.1"}))
        self.assertEqual(agent.ask("POST", "policies", pktvisord.policy_document("p", "t", "pcap", "net"))[0], 201)
        self.assertTrue(self.counted(agent, "p", "t"))
        self.assertGreater(agent.metrics("p", "t", "window/5")["packets"]["in"], 0)

    def test_other_interface(self):
        """a policy may name an interface in its tap's place; one that is not there refuses it"""
        agent = pktvisord.Agent(self)
        agent.ask("POST", "taps", pktvisord.tap_document("t", "pcap", {"iface": "nosuch0"}))
        status, answer = agent.ask("POST", "policies", pktvisord.policy_document("p", "t", "pcap", "net"))
        self.assertEqual(status, 500)
        self.assertIn('Couldn\'t find interface by provided name: "nosuch0". Available interfaces: ', answer["error"])
        self.assertEqual(agent.ask("GET", "policies"), (200, {}))
        got = agent.ask("POST", "policies", pktvisord.policy_document("p", "t", "pcap", "net", config={"iface": "lo"}))
        self.assertEqual(got[0], 201, got)
        self.assertTrue(self.counted(agent, "p", "t"))

    def test_operand(self):
        """the interface of the command line goes with its policy, too"""
        agent = pktvisord.Agent(self, "lo")

        def probe():
            self.send()
            return agent.ask("GET", "policies/default/metrics/window/5")[1]["default"]["default-default-net"][
                "packets"]["udp"] >= 5
        self.assertTrue(agent.wait(probe))
        self.assertEqual(agent.ask("DELETE", "policies/default")[0], 200)
        self.assertTrue(agent.wait(lambda: self.captures(agent) == []))


if __name__ == "__main__":
    tap.main()
