#!/usr/bin/env python3
"""The API of a running agent: what the documents promise, with real traffic behind it."""
import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import unittest
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import agent  # noqa: E402
import tap  # noqa: E402

TICKS_MAX, TRIES = 20, 20


class Rest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.agent = agent.Agent()
        cls.addClassCleanup(cls.agent.stop)
        cls.agent.wait_for("/api/v1/summary", lambda board: board["totals"]["frames"] > 100)

    def test_app(self):
        """/api/v1/metrics/app has pktvisor's shape"""
        app = self.agent.get("/api/v1/metrics/app")["app"]
        self.assertIsInstance(app["up_time_min"], float)
        self.assertRegex(app["version"], r"^\d+\.\d+\.\d+")

    def test_summary_adds_up(self):
        """The summary's hierarchy, workers and totals tell the same story"""
        board = self.agent.get("/api/v1/summary")
        self.assertEqual(board["mode"], "demo")
        self.assertEqual(sum(layer["bytes"] for layer in board["hierarchy"]), board["totals"]["bytes"])
        self.assertEqual(sum(layer["packets"] for layer in board["hierarchy"]), board["totals"]["frames"])
        self.assertEqual(sum(worker["flows_active"] for worker in board["workers"]),
                         board["totals"]["flows_active"])

    def test_schema_describes_summary(self):
        """Every metric of the summary is described by the schema"""
        schema, board = self.agent.get("/api/v1/schema"), self.agent.get("/api/v1/summary")
        for described in schema["metrics"]:
            self.assertEqual({row["name"] for row in described["metrics"]},
                             set(board["metrics"][described["name"]]["total"]))

    def test_promtool(self):
        """promtool accepts /metrics"""
        if shutil.which("promtool") is None:
            self.skipTest("promtool is not there")
        self.agent.wait_for("/api/v1/paths", lambda page: page["total"])
        text = self.agent.ask("/metrics")[2]
        done = subprocess.run(["promtool", "check", "metrics"], input=text, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual((done.returncode, done.stdout.decode()), (0, ""))
        for name in ("packets_total", "bytes_total", "dropped_packets_total", "flows_active",
                     "flows_evicted_total", "memory_bytes", "worker_load_ratio",
                     "path_connections", "path_rtt_seconds", "path_verdict_ratio"):
            self.assertIn(f"vantage_{name}", text.decode())

    def test_flows(self):
        """Flows are sorted, filtered and paged"""
        page = self.agent.wait_for("/api/v1/flows?limit=20", lambda page: page["flows"])
        sizes = [flow["network"]["bytes"] for flow in page["flows"]]
        self.assertEqual(sizes, sorted(sizes, reverse=True))
        page = self.agent.get("/api/v1/flows?proto=tcp&sort=start&order=asc")
        self.assertEqual({flow["network"]["transport"] for flow in page["flows"]} - {"tcp"}, set())
        starts = [flow["event"]["start"] for flow in page["flows"]]
        self.assertEqual(starts, sorted(starts))
        self.assertEqual(self.agent.get("/api/v1/flows?ip=203.0.113.77")["flows"], [])

    def test_flows_at_once(self):
        """Many who ask for flows at once all get whole answers"""
        self.agent.wait_for("/api/v1/flows", lambda page: page["flows"])
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            pages = list(pool.map(self.agent.get, ["/api/v1/flows?limit=1000"] * 64))
        self.assertEqual([page for page in pages if not page["complete"] or not page["flows"]], [])

    def test_connections(self):
        """TCP connections come worst first; those that are drawn have marks that belong to their figures"""
        page = self.agent.wait_for("/api/v1/connections", lambda page: len(page["connections"]) >= 5)
        self.assertTrue(page["judged"] and page["total"] >= len(page["connections"]))
        self.assertTrue(any(self.drawn(self.agent.get("/api/v1/connections")) for _ in range(TRIES)))
        status, _, body = self.agent.ask("/api/v1/connection?id=nobody")
        self.assertEqual(status, 404)
        self.assertIn("no such connection", json.loads(body)["error"])

    def drawn(self, page):
        """How many of its connections are over and drawn from their first packet."""
        drawn = 0
        for one in page["connections"]:
            self.assertEqual(one["event"]["dataset"], "tcp.connection")
            query = urllib.parse.quote(one["flow"]["id"], safe="")
            status, _, body = self.agent.ask("/api/v1/connection?id=" + query)
            if status == 404:
                continue  # it had to make room meanwhile
            view = json.loads(body)
            self.assertEqual(view["connection"]["flow"]["id"], one["flow"]["id"])
            graph = view["graph"]
            self.assertIn(graph["drawn"], ("whole", "part", "begun", "no"))
            times = [mark[0] for mark in graph["marks"]]
            self.assertEqual(times, sorted(times))
            if graph["drawn"] == "whole" and view["connection"]["flow"]["final"]:
                drawn += 1
                data = sum(mark[5] for mark in graph["marks"]
                           if graph["kinds"][mark[1]] in ("data", "repeat", "fill", "late", "copy"))
                health = view["connection"]["tcp"]["health"]
                self.assertEqual(data, health["c2s"]["data_pkts"] + health["s2c"]["data_pkts"])
        return drawn

    def test_bad_parameter(self):
        """A bad parameter is named, with what it takes"""
        status, _, body = self.agent.ask("/api/v1/flows?limit=many")
        self.assertEqual(status, 400)
        self.assertIn("'limit' takes a whole number", json.loads(body)["error"])

    def test_stream(self):
        """The stream ticks once a second, with the newest second"""
        with urllib.request.urlopen(self.agent.url + "/api/v1/stream", timeout=180) as stream:
            seconds = []
            while len(seconds) < TICKS_MAX and (not seconds or seconds[-1] < seconds[0] + 3):
                line = stream.readline()
                if line.startswith(b"data: "):
                    seconds.append(json.loads(line[6:])["seconds"][-1]["second"])
        # On a busy machine a second may be late, and come with the next.
        self.assertGreaterEqual(seconds[-1], seconds[0] + 3, seconds)
        self.assertEqual(seconds, sorted(seconds))

    def test_taken_port(self):
        """An occupied port is one clear line and status 1"""
        address = self.agent.url.removeprefix("http://")
        done = subprocess.run([tap.vantage(), "demo", "--listen", address], check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=180)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.decode().splitlines()), 1)
        self.assertIn(f"{address} is taken by another program", done.stderr.decode())


class End(unittest.TestCase):
    def test_interrupt(self):
        """Ctrl-C ends the agent cleanly while streams are open"""
        with agent.Agent() as running:
            with urllib.request.urlopen(running.url + "/api/v1/stream", timeout=180) as stream:
                stream.readline()
                self.assertEqual(running.stop(), 0)


if __name__ == "__main__":
    tap.main()
