#!/usr/bin/env python3
"""Words of policies over captures: what filters let through and groups show, which values are refused, in pktvisor's
texts and with the file's line; names with odd bytes in documents and in Prometheus' text."""
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import pktvisord  # noqa: E402
import places  # noqa: E402
import tap  # noqa: E402

VANTAGE = os.environ.get("VANTAGE", "build/src/vantage")
OURS, SERVER, STRANGER = "10.0.0.1", "192.0.2.53", "198.51.100.7"
SECOND = 1_700_000_040


def message(name, number, answer=None, answers=0, qtype=1):
    """A question, or its answer with that code."""
    labels = b"".join(bytes([len(x)]) + x for x in name.split(b".")) + b"\0"
    flags = 0x0100 if answer is None else 0x8180 | answer
    text = struct.pack(">HHHHHH", number, flags, 1, answers, 0, 0) + labels + struct.pack(">HH", qtype, 1)
    return text + answers * struct.pack(">HHHIH4s", 0xC00C, 1, 1, 60, 4, bytes(4))


def exchange(number, name, code, answers=0, client=OURS, qtype=1):
    ports = (4000 + number, 53)
    return [(SECOND, pktvisord.udp_frame(client, SERVER, ports, message(name, number, qtype=qtype))),
            (SECOND + 1, pktvisord.udp_frame(SERVER, client, ports[::-1], message(name, number, code, answers, qtype)))]


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir="/tmp")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.file = self.path("d.pcap")
        pktvisord.write_capture(self.file, exchange(1, b"www.example.com", 0, 1) + exchange(2, b"none.example.com", 3) +
                                exchange(3, b"a.example.org", 0, 2, qtype=28) + exchange(4, b"b.example.org", 2) +
                                exchange(5, b"www.example.net", 5, client=STRANGER))

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_text(self, text):
        with open(self.path("v.yaml"), "w", encoding="utf-8") as out:
            out.write(text)
        done = subprocess.run([VANTAGE, "read", "-c", self.path("v.yaml"), "-o", "summary", self.file],
                              capture_output=True, text=True, timeout=180)
        return done.returncode, done.stdout, done.stderr

    def policy(self, module="type: net", tap="iface: x, host_spec: 10.0.0.0/8", tags="", given="tap: t, input_type: pcap",
               more="", top=""):
        return f"""version: "1.0"
visor:
  config: {{{top}}}
  taps:
    t: {{input_type: pcap, config: {{{tap}}}{tags}}}
  policies:
    p:
      kind: collection
      input: {{{given}}}
      handlers:
        modules:
          m: {{{module}}}
{more}"""

    def read(self, *arguments, **named):
        code, out, said = self.run_text(self.policy(*arguments, **named))
        self.assertEqual(code, 0, said)
        module = json.loads(out).get("p", {}).get("p-t-m", {})
        return next(iter(module.values()), {})


class Dns(Case):
    def test_filters(self):
        """each filter of dns 1.0: events, filtered, queries and replies"""
        for words, expected in (
                ("only_rcode: 3", (1, 0, 0, 1)), ("only_rcode: [servfail, 3]", (2, 0, 0, 2)),
                ("exclude_noerror: true", (10, 7, 0, 3)), ("exclude_noerror: true, only_rcode: 0", (10, 7, 0, 3)),
                ("only_queries: true", (10, 5, 5, 0)), ("only_responses: true", (10, 5, 0, 5)),
                ("answer_count: 2", (10, 9, 0, 1)), ("answer_count: 0", (10, 2, 5, 3)),
                ("only_qtype: [aaaa]", (10, 8, 1, 1)), ("only_qtype: [1, 28]", (10, 0, 5, 5)),
                ("only_qname: [WWW.example.com]", (2, 0, 1, 1)), ("only_qname_suffix: [.example.org]", (10, 6, 2, 2)),
                ("only_dnssec_response: true", (10, 10, 0, 0)), ("dnstap_msg_type: client", (10, 0, 5, 5)),
                ("geoloc_notfound: true", (10, 10, 0, 0))):
            with self.subTest(words):
                got = self.read("type: dns, config: {%s}" % words)["wire_packets"]
                self.assertEqual(tuple(got[key] for key in ("events", "filtered", "queries", "replies")), expected)

    def test_patience(self):
        """xact_ttl_ms goes before xact_ttl_secs"""
        late = [exchange(1, b"a.b", 0)[0], (SECOND + 3, exchange(1, b"a.b", 0)[1][1])]
        pktvisord.write_capture(self.file, late)
        for words, total in (("xact_ttl_secs: 2", 0), ("xact_ttl_secs: 9", 1), ("xact_ttl_ms: 2000, xact_ttl_secs: 9", 0),
                             ("xact_ttl_ms: 9000, xact_ttl_secs: 1", 1)):
            got = self.read("type: dns, config: {%s}" % words)["xact"]["counts"]
            self.assertEqual((got["total"], got["timed_out"]), (total, 1 - total), words)

    def test_odd_names(self):
        """bytes that are no letters are escaped once, in JSON and in Prometheus' text"""
        name = b"caf\xe9.we\\ird\".example.com"
        pktvisord.write_capture(self.file, exchange(1, name, 0, 1))
        wanted = 'caf\\233.we\\\\ird\\".example.com'  # as RFC 4343 writes it
        got = self.read("type: dns, metric_groups: {enable: [all]}")
        self.assertEqual(got["top_noerror"], [{"estimate": 1, "name": wanted}])
        agent = pktvisord.Agent(self)
        agent.ask("POST", "taps", pktvisord.tap_document("t", "pcap", {"pcap_file": self.file}))
        made = agent.ask("POST", "policies", pktvisord.policy_document(
            "p", "t", "pcap", "dns", ", metric_groups: {enable: [all]}"))
        self.assertEqual(made[0], 201, made)
        agent.wait(lambda: agent.metrics("p", "t")["dns"]["top_noerror"])
        text = agent.request("GET", "/api/v1/policies/p/metrics/prometheus")[2]
        label = re.search(r'^dns_top_noerror\{.*qname="((?:[^"\\]|\\.)*)"', text, re.M)[1]
        self.assertEqual(re.sub(r'\\(.)', lambda m: "\n" if m[1] == "n" else m[1], label), wanted)


class Net(Case):
    def test_places(self):
        """places and owners of the other end; what goes neither way has none, and does not pass"""
        city, owner = self.path("city.mmdb"), self.path("asn.mmdb")
        places.replace(city, places.database({"192.0.2.0/24": places.city("EU", "Sweden")}, "City"))
        places.replace(owner, places.database({"192.0.2.0/24": places.owner(1221, "One")}, "ASN"))
        top = f"geo_city: {city}, geo_asn: {owner}"
        for words, total in (("only_geoloc_prefix: [eu/swe]", 8), ("only_geoloc_prefix: [NA]", 0),
                             ("only_asn_number: [1221, 7]", 8), ("only_asn_number: [12]", 0), ("geoloc_notfound: true", 0),
                             ("asn_notfound: true", 0)):
            with self.subTest(words):
                self.assertEqual(self.read("type: net, config: {%s}" % words, top=top)["total"], total)
                two = self.read('type: net, require_version: "2.0", config: {%s}' % words, top=top)
                self.assertEqual(sum(two.get(side, {}).get("total_packets", 0) for side in ("in", "out", "unknown")), total)

    def test_groups(self):
        """groups show and hide; what is disabled is disabled first"""
        whole = self.read("type: net")
        self.assertIn("top_ipv4", whole)
        self.assertNotIn("top_ipv4", self.read("type: net, metric_groups: {disable: [top_ips]}"))
        only = self.read("type: net, metric_groups: {disable: [all], enable: [top_ips]}")
        self.assertIn("top_ipv4", only)
        self.assertNotIn("udp", only)
        self.assertEqual(self.read("type: net, metric_groups: {disable: [all]}"), {})
        self.assertEqual(self.read("type: net, config: {topn_count: 1}")["top_ipv4"],
                         [{"estimate": 8, "name": SERVER}])


class Refused(Case):
    def test_values(self):
        """what an option cannot be, in pktvisor's words"""
        for module, said in (
                ("type: net, config: {topn_count: many}", "wrong type for key: topn_count"),
                ("type: net, config: {num_periods: many}", "wrong type for key: num_periods"),
                ("type: net, config: {deep_sample_rate: [1]}", "wrong type for key: deep_sample_rate"),
                ("type: net, config: {topn_percentile_threshold: x}", "wrong type for key: topn_percentile_threshold"),
                ("type: net, config: {geoloc_notfound: 1}", "wrong type for key: geoloc_notfound"),
                ("type: net, config: {only_asn_number: [x]}",
                 "NetStreamHandler: only_asn_number filter contained an invalid/unsupported value: x"),
                ("type: net, metric_groups: {enable: [quantiles]}",
                 "quantiles is an invalid/unsupported metric group. The valid groups are: all, cardinality"),
                ("type: net, metric_groups: {}", "stream handler metric groups should contain enable and/or disable tags"),
                ("type: net, require_version: \"3.0\"", "requires stream handler type 'net' and version '3.0'"),
                ("type: dns, config: {exclude_noerror: maybe}", "wrong type for key: exclude_noerror"),
                ("type: dns, config: {xact_ttl_ms: soon}", "wrong type for key: xact_ttl_ms"),
                ("type: dns, config: {only_rcode: x}", "wrong value type for only_rcode filter. It should be an integer or"),
                ("type: dns, config: {only_rcode: 77}", "only_rcode filter contained an invalid/unsupported rcode"),
                ("type: dns, config: {only_rcode: [FOO]}", "invalid/unsupported rcode: FOO"),
                ("type: dns, config: {only_qtype: [FOO]}", "only_qtype filter contained an invalid/unsupported qtype: FOO"),
                ("type: dns, config: {answer_count: few}", "wrong value type for answer_count filter"),
                ("type: dns, config: {dnstap_msg_type: foo}", "Valid types: auth, client, forwarder, resolver, stub, tool"),
                ("type: dns, config: {nothing: 1}", "nothing is an invalid/unsupported config or filter"),
                ("type: flow", "FlowStreamHandler: unsupported input event")):
            with self.subTest(module):
                code, _, text = self.run_text(self.policy(module))
                self.assertEqual(code, 2)
                self.assertIn(said, text)
                self.assertIn("v.yaml:12: ", text)

    def test_places_in_the_file(self):
        """what is wrong with taps and policies, with the line where it is"""
        two = "tap_selector: {%s}, input_type: pcap"
        for text, line, said in (
                (self.policy(tap="iface: x, pcap_source: cards"), 9, "unknown pcap source"),
                (self.policy(tap="iface: x, debug: 3"), 9, "wrong type for key: debug"),
                (self.policy(tap="iface: x, host_spec: here"), 9, "invalid IPv4 address: here"),
                (self.policy(tags=", tags: x"), 5, "tap tags is not a map"),
                (self.policy(tags=", tags: {a: 1}", given=two % "any: [{a: x}]"), 9,
                 "Tap [t]: tag and selector value types are different for key 'a'"),
                (self.policy(given=two % "any: [{a: 1}], all: [{a: 1}]"), 9,
                 "input can have only key 'input.tap_selector.all' or key 'input.tap_selector.any'"),
                (self.policy(given=two % "some: []"), 9,
                 "missing key 'input.tap_selector.all' or key 'input.tap_selector.any'"),
                (self.policy(given=two % "any: [{a: 1, b: 2}]"), 9,
                 "selector tag must contain only one key/value pair per sequence index"),
                (self.policy(given=two % "all: [{a: 9}]"), 9, "no tap match found for specified 'input.tap_selector' tags"),
                (self.policy(given="tap: nowhere, input_type: pcap"), 9, "tap 'nowhere' does not exist"),
                (self.policy(more="      config: {merge_like_handlers: 3}\n"), 13, "wrong type for key: merge_like_handlers"),
                (self.policy(more="      config: x\n"), 13, "policy configuration is not a map"),
                (self.policy().replace('"1.0"', '"7"'), 1, "unsupported version")):
            with self.subTest(said):
                code, _, got = self.run_text(text)
                self.assertEqual(code, 2)
                self.assertIn(said, got)
                self.assertIn(f"v.yaml:{line}: ", got)
                self.assertEqual(len(got.splitlines()), 1, got)


class Taps(Case):
    def test_selectors(self):
        """any and all of tags, and like handlers as one"""
        text = """visor:
  taps:
    a: {input_type: pcap, config: {iface: x}, tags: {site: north, core: true, rack: 1}}
    b: {input_type: pcap, config: {iface: y}, tags: {site: north, core: false, rack: 2}}
    c: {input_type: pcap, config: {iface: z}, tags: {site: south, core: true, rack: 1}}
  policies:
    p: {kind: collection, input: {tap_selector: {%s}, input_type: pcap}, handlers: {modules: {m: {type: net}}}%s}
"""
        for selector, chosen in (("any: [{site: north}]", "ab"), ("any: [{site: south}, {rack: 2}]", "bc"),
                                 ("all: [{site: north}, {core: true}]", "a"), ("all: [{core: true}]", "ac"),
                                 ("any: [{rack: 1}, {none: 1}]", "ac")):
            code, out, said = self.run_text(text % (selector, ""))
            self.assertEqual(code, 0, said)
            self.assertEqual(sorted(json.loads(out)["p"]), [f"p-{name}-m" for name in chosen], selector)
        code, out, said = self.run_text(text % ("any: [{core: true}]", ", config: {merge_like_handlers: true}"))
        self.assertEqual(code, 0, said)
        merged = json.loads(out)["p"]
        self.assertEqual(list(merged), ["packets_merged"])


if __name__ == "__main__":
    tap.main()
