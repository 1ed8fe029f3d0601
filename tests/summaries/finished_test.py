#!/usr/bin/env python3
"""What the handlers tcp, tls, http and db see of connections: while they go on, by side, by what filters ask of
packets, by country and owner; certificates by the day; their sketches."""
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import frames  # noqa: E402
import made_talk  # noqa: E402
import pktvisord  # noqa: E402
import sockets  # noqa: E402
import places  # noqa: E402
import tap  # noqa: E402

VANTAGE = os.environ.get("VANTAGE", "build/src/vantage")
DEMO = os.path.join(ROOT, "samples", "demo.pcap.zst")
DECODER = os.path.join(os.environ.get("VANTAGE_SHARED", os.path.join(ROOT, "..", "shared")), "reference", "sk_check.py")
START = 1_700_000_040  # the begin of a minute
US, THEM = "10.0.0.1", "192.0.2.80"


def conversation(client, server, ports, times, size=100, vlans=()):
    """A connection as (second, frame): the handshake at the first of `times`, data both ways at each, then it is closed."""
    sizes = [(size, size)] * len(times)
    packets = frames.tcp_connection(client, server, ports, sizes)
    each = 3  # frames of an exchange: request, response, acknowledgement
    out = []
    for i, (back, packet) in enumerate(packets):
        turn = min(max(i - 3, 0) // each, len(times) - 1)
        out.append((times[turn], frames.ethernet(packet, vlans, back)))
    return out


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(dir="/tmp")
        self.addCleanup(self.folder.cleanup)

    def capture(self, *conversations):
        path = os.path.join(self.folder.name, "c.pcap")
        pktvisord.write_capture(path, sorted((f for c in conversations for f in c), key=lambda f: f[0]))
        return path

    def read(self, handler, path, more="", tap_config="iface: x", filtering="", top=""):
        """What a handler has counted of a whole capture."""
        config = os.path.join(self.folder.name, "v.yaml")
        with open(config, "w", encoding="utf-8") as out:
            out.write("""version: "1.0"
visor:
  config: {%s}
  taps: {t: {input_type: pcap, config: {%s}}}
  policies: {p: {kind: collection, input: {tap: t, input_type: pcap, filter: {%s}},
                 handlers: {modules: {m: {type: %s%s}}}}}
""" % (top, tap_config, filtering, handler, more))
        done = subprocess.run([VANTAGE, "read", "-c", config, "-o", "summary", path], capture_output=True, text=True,
                              timeout=180)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)["p"]["p-t-m"][handler]


class Going(Case):
    def test_long_connections_are_seen_as_they_go_on(self):
        """a connection of four minutes is in each of them, with what it did then"""
        times = [START + 10 + 20 * i for i in range(12)]  # until 230 s behind the first minute's begin
        long = conversation(US, THEM, (40000, 80), times)
        short = conversation(US, THEM, (40001, 80), [START + 5])
        path = self.capture(long, short, conversation(US, THEM, (40002, 443), [times[-1] + 30]))
        agent = pktvisord.Agent(self)
        agent.ask("POST", "taps", pktvisord.tap_document("t", "pcap", {"pcap_file": path}))
        got = agent.ask("POST", "policies", pktvisord.policy_document("p", "t", "pcap", "tcp", periods=10))
        self.assertEqual(got[0], 201, got)

        def minutes():
            found = []
            for i in range(10):
                status, document = agent.ask("GET", f"policies/p/metrics/bucket/{i}")
                if status != 200:
                    break
                found.insert(0, document["p"]["p-t-m"]["tcp"])
            return found if sum(m["connections"] for m in found) == 3 else None

        found = agent.wait(minutes)
        self.assertEqual([m["open_connections"] for m in found], [0, 1, 1, 1, 0])
        self.assertEqual(sum(m["handshakes"] for m in found), 3)
        whole = self.read("tcp", path)
        for key in ("packets", "data_packets", "data_bytes", "syn_packets", "connections", "handshakes"):
            self.assertEqual(sum(m[key] for m in found), whole[key], key)
        self.assertEqual(whole["open_connections"], 0)
        self.assertEqual([m["data_bytes"] for m in found], [200, 600, 600, 1200, 200])  # it ends in the fourth
        for minute in found[1:4]:
            self.assertIn("p50", minute["rtt_us"])
            looks = minute["connections"] + minute["open_connections"]
            self.assertEqual(minute["top_targets"], [{"estimate": looks, "name": THEM + ":80"}])
            self.assertEqual(minute["paths"]["port=80"]["connections"], looks)
            self.assertEqual(minute["observed_connections"], looks)


class Floods(Case):
    def test_a_flood_in_a_file(self):
        """a capture that a policy of a running agent names has the rule of floods, too"""
        for count, verdicts in ((20, 20), (300, 0)):
            path = os.path.join(self.folder.name, f"{count}.pcap")
            made = sorted((p for i in range(count) for p in made_talk.unfinished(20000 + i, i)), key=lambda p: p[0])
            made_talk.write_capture(path, made)
            agent = pktvisord.Agent(self)
            agent.ask("POST", "taps", pktvisord.tap_document("t", "pcap", {"pcap_file": path}))
            got = agent.ask("POST", "policies", pktvisord.policy_document("p", "t", "pcap", "tcp"))
            self.assertEqual(got[0], 201, got)
            agent.wait(lambda a=agent, n=count: a.metrics("p", "t", "window/5")["tcp"]["connections"] == n)
            self.assertEqual(agent.metrics("p", "t", "window/5")["tcp"]["verdicts"]["blackholed"], verdicts)
            self.assertEqual(self.read("tcp", path)["verdicts"]["blackholed"], verdicts)


class Sides(Case):
    def setUp(self):
        super().setUp()
        self.path = self.capture(conversation(US, THEM, (40000, 80), [START]),
                                 conversation(THEM, US, (40001, 80), [START]),
                                 conversation(THEM, US, (40002, 80), [START]),
                                 conversation("198.51.100.1", THEM, (40003, 80), [START]))

    def test_sides(self):
        """what others ask of our hosts comes in, what these ask goes out"""
        ours = 'iface: x, host_spec: "10.0.0.0/8"'
        got = self.read("tcp", self.path, tap_config=ours)
        sides = [got[key + "_connections"] for key in ("in", "out", "unknown_dir")]
        self.assertEqual(sides, [2, 1, 1])
        only = self.read("tcp", self.path, ", config: {only_directions: [out, unknown]}", ours)
        self.assertEqual((only["connections"], only["in_connections"], only["filtered_connections"]), (2, 0, 2))
        demo = self.read("http", DEMO, tap_config='iface: x, host_spec: "192.0.2.80/32"')
        self.assertEqual(demo["in_requests"] + demo["out_requests"] + demo["unknown_dir_requests"], demo["requests"])
        self.assertGreater(demo["in_requests"], 0)
        for handler, what in (("db", "requests"), ("tls", "handshakes")):
            got = self.read(handler, DEMO, ", config: {only_directions: in}")
            self.assertEqual((got[what], got["in_" + what]), (0, 0))


class Filters(Case):
    def test_what_only_packets_have(self):
        """VLANs, MAC addresses, flags and lengths choose the connections that such a packet is of"""
        path = self.capture(conversation(US, THEM, (40000, 80), [START], size=100, vlans=(5,)),
                            conversation(US, THEM, (40001, 80), [START], size=400, vlans=(6,)),
                            conversation(US, THEM, (40002, 80), [START], size=100),
                            conversation(US, THEM, (40003, 80), [START])[3:])  # without its handshake
        for expression, count in (("vlan 5", 1), ("vlan", 2), ("vlan 7", 0), ("ether host 02:00:00:00:00:01", 4),
                                  ("ether host 02:00:00:00:00:09", 0), ("tcp[tcpflags] & tcp-syn != 0", 1),
                                  ("len > 300", 1), ("tcp[13] & 2 != 0 or vlan 6", 2), ("not vlan", 2),
                                  ("tcp dst port 80", 4), ("src host 10.0.0.1", 4)):
            with self.subTest(expression):
                got = self.read("tcp", path, filtering='bpf: "%s"' % expression)
                self.assertEqual(got["connections"], count)
        self.assertEqual(self.read("http", DEMO, filtering='bpf: "vlan 5"')["requests"], 0)
        whole = self.read("http", DEMO)["requests"]
        self.assertEqual(self.read("http", DEMO, filtering='bpf: "len > 1"')["requests"], whole)


class Places(Case):
    def test_paths_by_country_and_owner(self):
        """databases of places and owners name the paths, and filters ask them"""
        city, owner = (os.path.join(self.folder.name, name) for name in ("city.mmdb", "asn.mmdb"))
        places.replace(city, places.database({"10.0.0.0/8": places.city("EU", "Finland"),
                                              "198.51.100.0/24": places.city("NA", "Canada")}, "City"))
        places.replace(owner, places.database({"10.0.0.0/8": places.owner(1759, "One")}, "ASN"))
        path = self.capture(conversation(US, THEM, (40000, 80), [START]), conversation(US, THEM, (40001, 80), [START]),
                            conversation("198.51.100.1", THEM, (40002, 80), [START]),
                            conversation("203.0.113.1", THEM, (40003, 80), [START]))
        top = f"geo_city: {city}, geo_asn: {owner}"
        got = self.read("tcp", path, ", config: {path_keys: [country, asn, port]}", top=top)
        self.assertEqual({name: part["connections"] for name, part in got["paths"].items()},
                         {"asn=1759,country=FI,port=80": 2, "country=CA,port=80": 1, "port=80": 1})
        for more, count in (("only_geoloc_prefix: eu/fin", 2), ("only_asn_number: [\"1759\"]", 2),
                            ("geoloc_notfound: true", 4), ("asn_notfound: true", 4)):
            got = self.read("tcp", path, ", config: {%s}" % more, top=top)
            self.assertEqual(got["connections"], count, more)  # of its two ends one will do


class Certificates(Case):
    ENDS = 1968030781  # the certificate of the capture

    def seen_at(self, second):
        with open(os.path.join(ROOT, "src", "proto", "tls", "data", "tls12.pcap"), "rb") as file:
            data = file.read()
        out, at = bytearray(data[:24]), 24
        order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
        first = struct.unpack_from(order + "I", data, 24)[0]
        while at < len(data):
            then, part, size, wire = struct.unpack_from(order + "IIII", data, at)
            out += struct.pack(order + "IIII", then - first + second, part, size, wire)
            out += data[at + 16:at + 16 + size]
            at += 16 + size
        path = os.path.join(self.folder.name, "tls.pcap")
        with open(path, "wb") as file:
            file.write(out)
        return self.read("tls", path)

    def test_certificates_end(self):
        """a certificate is good, near its end, or behind it, by the time of the capture"""
        for days, expected in ((90, (1, 0, 0)), (10, (1, 0, 1)), (-10, (1, 1, 0))):
            got = self.seen_at(self.ENDS - days * 86400)
            self.assertEqual((got["server_certificates"], got["expired_certificates"], got["expiring_certificates"]),
                             expected, days)
            self.assertAlmostEqual(got["certificate_days_left"]["p50"], max(days, 0), delta=0.05 * abs(days))
            self.assertEqual(len(got["top_expiring_sni"]), days < 30)


class Sketches(Case):
    def test_an_independent_reader_reads_them(self):
        """the raw bytes of every row of the four are sketches, and say what the document says"""
        if not os.path.exists(DECODER):
            self.skipTest("../shared is not here")
        agent = pktvisord.Agent(self)
        agent.ask("POST", "taps", pktvisord.tap_document("t", "pcap", {"pcap_file": os.path.abspath(DEMO)}))
        modules = ", ".join("%s: {type: %s}" % (kind, kind) for kind in ("tcp", "tls", "http", "db"))
        got = agent.ask("POST", "policies", "visor: {policies: {p: {kind: collection, input: {tap: t, input_type: pcap}, "
                        "handlers: {modules: {%s}}}}}" % modules)
        self.assertEqual(got[0], 201, got)
        agent.wait(lambda: agent.ask("GET", "policies/p/metrics/window/5")[1]["p"]["p-t-tcp"]["tcp"]["connections"] == 932)
        kinds, seen = {}, {}
        for module, rows in agent.ask("GET", "sketches")[1]["p"].items():
            document = agent.ask("GET", "policies/p/metrics/window/5")[1]["p"][module][module.split("-")[-1]]
            for path, kind in rows.items():
                part = path.split(".", 1)[0] + path.rsplit(".", 1)[-1]
                seen[part] = seen.get(part, 0) + 1
                if seen[part] > 2 and "." in path:
                    continue  # of the parts of one kind two will do
                said = self.decoded(agent, module, path, kind)
                kinds[kind] = kinds.get(kind, 0) + 1
                if path.startswith("cardinality."):
                    self.assertAlmostEqual(said["estimate"], document["cardinality"][path.split(".")[-1]],
                                           delta=1 + said["estimate"] / 50)
                if path == "routes.host=shop.example,method=GET,route=/api/item/{id}.latency_us":
                    self.assertEqual(said["n"], document["routes"][path[7:-11]]["requests"])
        self.assertGreater(kinds["hll"], 6)
        self.assertGreater(kinds["fi_strings"], 20)
        self.assertGreater(kinds["kll_float"], 10)
        self.assertGreater(seen["pathsrtt_us"], 0)
        self.assertGreater(seen["routeslatency_us"], 0)

    def test_devices(self):
        """so are those of the devices and interfaces that flows came from"""
        if not os.path.exists(DECODER):
            self.skipTest("../shared is not here")
        agent, port = pktvisord.Agent(self), sockets.free_port()
        agent.ask("POST", "taps", pktvisord.tap_document("t", "flow", {
            "flow_type": "netflow", "bind": "127.0.0.1", "port": port}))
        self.assertEqual(agent.ask("POST", "policies", pktvisord.policy_document("p", "t", "flow", "flow"))[0], 201)
        inside = "devices.127.0.0.1.interfaces.1."

        def rows_of():
            """What is listed of the minute that goes on, into which something was just sent."""
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
                for i in range(5):
                    out.sendto(pktvisord.netflow_5(f"10.0.0.{i}", "10.0.1.1", 5000 + i, 53, 700), ("127.0.0.1", port))
            rows = agent.ask("GET", "sketches")[1]["p"]["p-t-m"]
            return rows if inside + "top_in_src_ips_bytes" in rows else None

        rows = agent.wait(rows_of)
        agent.wait(lambda: agent.metrics("p", "t", "window/5")["flow"]["devices"]["127.0.0.1"]["records_flows"] >= 5)
        self.assertEqual(rows[inside + "top_in_src_ips_bytes"], "fi_strings")
        self.assertEqual(rows[inside + "cardinality.src_ips_in"], "hll")
        self.assertEqual(self.decoded(agent, "m", inside + "cardinality.src_ips_in", "hll")["estimate"], 5)
        top = self.decoded(agent, "m", inside + "top_in_dst_ips_bytes", "fi_strings")
        self.assertIn("10.0.1.1", json.dumps(top))
        self.assertEqual(agent.request("GET", "/api/v1/sketches/p/m/devices.127.0.0.1.none")[0], 404)

    def decoded(self, agent, module, path, kind):
        raw = os.path.join(self.folder.name, "raw")
        url = f"http://127.0.0.1:{agent.port}/api/v1/sketches/p/{module}/{urllib.parse.quote(path, safe='')}?window=5"
        with open(raw, "wb") as out:
            with urllib.request.urlopen(url, timeout=pktvisord.PATIENCE) as answer:
                out.write(answer.read())
        done = subprocess.run([sys.executable, DECODER, kind, raw], capture_output=True, text=True, timeout=180)
        said = json.loads(done.stdout)
        self.assertEqual((done.returncode, said["ok"]), (0, True), (module, path, said))
        return said


if __name__ == "__main__":
    tap.main()
