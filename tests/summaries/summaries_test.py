#!/usr/bin/env python3
"""The handlers tcp, tls, http and db over committed captures, and what docs/summaries.md says of them."""
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import tap  # noqa: E402

VANTAGE = os.environ.get("VANTAGE", "build/src/vantage")
DEMO = os.path.join(ROOT, "samples", "demo.pcap.zst")
POLICY = """version: "1.0"
visor:
  taps: {t: {input_type: pcap, config: {iface: eth0}}}
  policies:
    p:
      kind: collection
      input: {tap: t, input_type: pcap%s}
      handlers: {modules: {m: {type: %s%s}}}
"""
PARTS = {"paths", "certificates", "hosts", "routes", "operations"}


def capture(*path):
    return os.path.join(ROOT, *path)


def run(*arguments):
    return subprocess.run([VANTAGE, *arguments], capture_output=True, text=True, timeout=180)


def read_text(text, file, *more):
    """The answer to a policy's text over a capture."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        config.write(text)
        config.flush()
        return run("read", "-c", config.name, "-o", "summary", *more, file)


def read(handler, file, more="", filtering="", *arguments):
    """What a handler has counted."""
    done = read_text(POLICY % (filtering, handler, more), file, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["p"]["p-t-m"][handler]


def events(file, kind):
    done = run("read", "-o", "events", file)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return [event for event in found if event.get("type") in kind]


def names(items):
    return {item["name"]: item["estimate"] for item in items}


class Handlers(unittest.TestCase):
    def test_http_is_what_the_events_say(self):
        """Requests, statuses and routes agree with the events of the same capture"""
        got = read("http", DEMO, ", config: {topn_count: 50}")
        wanted = events(DEMO, {"http"})
        self.assertEqual(got["requests"], len(wanted))
        statuses = [event["http"]["response"]["status_code"] for event in wanted if "response" in event["http"]]
        for digit in range(1, 6):
            self.assertEqual(got[f"status_{digit}xx"], sum(s // 100 == digit for s in statuses))
        self.assertEqual(got["errors"], sum(event["status"] == "Error" for event in wanted))
        items = [event for event in wanted if re.fullmatch(r"/api/item/\d+", event["url"]["path"])]
        route = got["routes"]["host=shop.example,method=GET,route=/api/item/{id}"]
        self.assertEqual(route["requests"], len(items))
        self.assertEqual(route["errors"], sum(event["status"] == "Error" for event in items))
        spent = sorted(event["event"]["duration"] / 1000 for event in items)
        self.assertAlmostEqual(route["latency_us"]["p50"], spent[(len(spent) - 1) // 2], delta=0.05 * spent[-1])
        self.assertEqual(sum(host["requests"] for host in got["hosts"].values()), len(wanted))
        self.assertEqual(sum(item["requests"] for item in got["routes"].values()), len(wanted))
        self.assertEqual(got["routes_folded"], 0)
        self.assertEqual(sum(names(got["top_status_codes"]).values()), len(statuses))

    def test_db_is_what_the_events_say(self):
        """Requests by protocol, operation and error agree with the events of the same capture"""
        got = read("db", DEMO, ", config: {topn_count: 60}")
        wanted = events(DEMO, {"mysql", "pgsql", "redis", "mongodb", "cassandra", "memcache"})
        self.assertEqual(got["requests"], len(wanted))
        for protocol in ("mysql", "pgsql", "redis"):
            self.assertEqual(got[protocol + "_requests"], sum(event["type"] == protocol for event in wanted))
        selects = [event for event in wanted if event["type"] == "pgsql" and event.get("method") == "SELECT"]
        operation = got["operations"]["protocol=pgsql,operation=SELECT"]
        self.assertEqual(operation["requests"], len(selects))
        self.assertEqual(operation["errors"], sum(event["status"] == "Error" for event in selects))
        self.assertIn("division by zero", names(got["top_error_messages"]))
        only = read("db", DEMO, ", config: {only_protocols: [redis]}")
        self.assertEqual(only["requests"], got["redis_requests"])
        self.assertEqual(only["filtered_requests"], got["requests"] - got["redis_requests"])

    def test_tls(self):
        """Versions, names, fingerprints, and when certificates end"""
        got = read("tls", capture("src", "proto", "tls", "data", "tls12.pcap"))
        event = events(capture("src", "proto", "tls", "data", "tls12.pcap"), {"tls"})[0]
        self.assertEqual([got[key] for key in ("handshakes", "established", "version_tls12", "unanswered")],
                         [1, 1, 1, 0])
        self.assertEqual(names(got["top_sni"]), {event["tls"]["client"]["server_name"]: 1})
        self.assertEqual(names(got["top_ja3"]), {event["tls"]["client"]["ja3"]: 1})
        self.assertEqual(names(got["top_ja4"]), {event["tls"]["client"]["ja4"]: 1})
        self.assertEqual(names(got["top_ciphers"]), {event["tls"]["cipher"]: 1})
        self.assertEqual(got["certificates"]["www.example.test"], {"expires_at": 1968030781, "handshakes": 1})
        refused = read("tls", capture("src", "proto", "tls", "data", "tls12_refused.pcap"))
        self.assertEqual([refused["failed"], refused["without_sni"]], [1, 1])
        quic = read("tls", self.quic_capture())
        self.assertGreater(quic["quic"], 0)
        self.assertEqual(read("tls", DEMO, ", config: {only_sni_suffix: nobody.test}")["handshakes"], 0)

    def quic_capture(self):
        folder = capture("src", "proto", "quic", "data")
        for name in sorted(os.listdir(folder)):
            if name.endswith(".pcap") and events(os.path.join(folder, name), {"quic"}):
                return os.path.join(folder, name)
        self.skipTest("no capture of QUIC with a handshake")
        return None

    def test_tcp_fails_and_loses(self):
        """Failed connects by target, retransmissions, verdicts and paths"""
        refused = read("tcp", capture("tests", "golden", "refused.pcap"))
        self.assertEqual(names(refused["top_failed_targets"]), {"192.0.2.80:8081": 1, "192.0.2.99:80": 1})
        self.assertEqual([refused["failed_connections"], refused["refused_connections"],
                          refused["unanswered_connections"]], [2, 1, 1])
        loss = read("tcp", capture("tests", "golden", "loss.pcap"))
        self.assertEqual([loss["connections"], loss["handshakes"], loss["verdicts"]["lossy"]], [1, 1, 1])
        self.assertEqual(loss["retransmitted_packets"], 12)
        path = loss["paths"]["port=80"]
        self.assertEqual([path["connections"], path["verdicts"]["lossy"]], [1, 1])
        self.assertEqual(path["rtt_us"], loss["rtt_us"])

    def test_worst_paths_come_first(self):
        """Paths by zone and port, the longest round trips first"""
        more = ", config: {path_keys: [zone, port], zones: [web=192.0.2.80/32, data=192.0.2.0/24]}"
        got = read("tcp", DEMO, more)["paths"]
        self.assertIn("port=80,zone=web", got)
        self.assertIn("port=3306,zone=data", got)
        trips = [path["rtt_us"]["p95"] for path in got.values() if "rtt_us" in path]
        self.assertEqual(trips, sorted(trips, reverse=True))
        self.assertEqual(len(read("tcp", DEMO, ", config: {topn_count: 2}")["paths"]), 2)

    def test_workers_count_alike(self):
        """The same counts with one, two and four workers"""
        for handler in ("tcp", "http", "tls", "db"):
            got = [read(handler, DEMO, "", "", "--workers", str(n)) for n in (1, 2, 4)]
            for other in got[1:]:
                self.assertEqual({k: v for k, v in got[0].items() if isinstance(v, int)},
                                 {k: v for k, v in other.items() if isinstance(v, int)})

    def test_filters_are_asked_of_flows(self):
        """An input's bpf lets through what is finished, too, in either direction"""
        whole = read("tcp", DEMO)["connections"]
        for expression in ("src port 3306", "dst port 3306", "host 192.0.2.33"):
            self.assertEqual(read("tcp", DEMO, "", ", filter: {bpf: %s}" % expression)["connections"], 38)
        self.assertEqual(read("tcp", DEMO, "", ", filter: {bpf: not port 3306}")["connections"], whole - 38)
        self.assertEqual(read("tcp", DEMO, "", ", filter: {bpf: udp}")["connections"], 0)

    def test_the_reader_has_them(self):
        """pktvisor-reader counts with other handlers, beside the three it has"""
        done = run("pktvisor-reader", "--with", "tcp,tls,http,db", DEMO)
        got = json.loads(done.stdout)["5m"]
        self.assertEqual(sorted(got), ["db", "dhcp", "dns", "http", "packets", "tcp", "tls"])
        self.assertEqual(got["http"]["requests"], read("http", DEMO)["requests"])
        done = run("pktvisor-reader", "--with", "tcq", DEMO)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("'tcq'", done.stderr)


class Mistakes(unittest.TestCase):
    def refused(self, handler, more, *words):
        done = read_text(POLICY % ("", handler, more), DEMO)
        self.assertIn(done.returncode, (1, 2))
        for word in words:
            self.assertIn(word, done.stderr)

    def test_options_that_are_none(self):
        """What is not valid is refused in pktvisor's words, with what is"""
        self.refused("tcp", ", config: {path_key: [asn]}", "path_key is an invalid/unsupported config or filter",
                     "path_keys, zones")
        self.refused("http", ", metric_groups: {enable: [route]}",
                     "route is an invalid/unsupported metric group", "routes")
        self.refused("tcp", ", config: {path_keys: [city]}", "path_keys", "city", "asn, country, port, zone")
        self.refused("tcp", ", config: {zones: [here]}", "zones", "here", "NAME=NETWORK")
        self.refused("tcp", ", config: {zones: [here=there]}", "there")
        self.refused("db", ", config: {only_protocols: [oracle]}", "only_protocols", "oracle", "mysql")


class Documentation(unittest.TestCase):
    def setUp(self):
        with open(capture("docs", "summaries.md"), encoding="utf-8") as page:
            self.page = page.read()

    def test_every_example_works(self):
        """Each YAML of the page is taken as it is, and counts"""
        examples = re.findall(r"```yaml\n(.*?)```", self.page, re.S)
        self.assertGreaterEqual(len(examples), 5)
        for example in examples:
            done = read_text(example, DEMO)
            self.assertEqual(done.returncode, 0, done.stderr + example)
            counted = [module for name, policy in json.loads(done.stdout).items() if not name.endswith("-resources")
                       for module in policy.values()]
            self.assertEqual(len(counted), len(re.findall(r"\btype: ", example)))
            for module in counted:
                for block in module.values():
                    self.assertGreater(max(v for k, v in block.items() if k.startswith("observed_")), 0)

    def test_every_metric_is_on_the_page(self):
        """Each metric of a handler stands in its chapter"""
        for handler in ("tcp", "tls", "http", "db"):
            chapter = re.search(r"^## %s\n(.*?)(?=^## |\Z)" % handler, self.page, re.S | re.M)[1]
            got = read(handler, DEMO, ", metric_groups: {enable: [all]}")
            for key, value in got.items():
                inner = value if key in ("cardinality", "rates") else {}
                for name in [f"{key}.{part}" for part in inner] or [key]:
                    if key not in ("period", "verdicts"):
                        self.assertIn(f"`{name}`", chapter, f"{handler}: {name}")
                if key in PARTS:
                    for member in next(iter(value.values())):
                        self.assertIn(f"`{member}`", chapter, f"{handler}: {key}: {member}")
            for verdict in got.get("verdicts", ()):
                self.assertIn(f"`{verdict}`", chapter)


if __name__ == "__main__":
    tap.main()
