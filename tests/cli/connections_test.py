#!/usr/bin/env python3
"""vantage read --connections and --connection, on connections that this script makes up."""
import json
import os
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.dont_write_bytecode = True
import tap  # noqa: E402
from made_talk import (ACK, CLIENT, PSH, RST, SEGMENT, SERVER, SYN, Talk, unfinished,  # noqa: E402
                       write_capture)


def healthy(port, at=0):
    talk = Talk(port, at)
    talk.open()
    talk.packet(SERVER, ACK, wait=6)
    for _ in range(50):
        talk.packet(SERVER, ACK | PSH, b"x" * SEGMENT, wait=1)
        talk.packet(CLIENT, ACK, wait=14)
    talk.close()
    return talk.made


def blackholed(port, at=0):
    talk = Talk(port, at)
    talk.open()
    talk.packet(SERVER, ACK, wait=6)
    talk.packet(SERVER, ACK | PSH, b"x" * 500, wait=1)
    seq = talk.next[SERVER] - 500
    for i in range(5):
        talk.packet(SERVER, ACK | PSH, b"x" * 500, seq=seq, wait=300 << i)
    return talk.made


def refused(port, at=0):
    talk = Talk(port, at)
    talk.packet(CLIENT, SYN)
    talk.packet(SERVER, RST | ACK, seq=0, wait=6)
    return talk.made


class Floods(unittest.TestCase):
    """Handshakes that nobody completes: a few are black holes, many at a time are a flood."""

    def read(self, made, *options):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "made.pcap")
            write_capture(path, sorted(made, key=lambda x: x[0]))
            done = subprocess.run([tap.vantage(), "read", "--connections", "-o", "events", *options, path],
                                  capture_output=True, text=True, timeout=180)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def flags(self, made, *options):
        events = [json.loads(line) for line in self.read(made, *options).splitlines()]
        return {event["client"]["port"]: event["tcp"]["health"]["flags"] for event in events}

    def test_a_few_are_black_holes(self):
        flags = self.flags([packet for i in range(10) for packet in unfinished(20000 + i, i)])
        self.assertEqual({one.get("blackhole_kind") for one in flags.values()}, {"synack"})
        self.assertFalse(any("syn_flood" in one for one in flags.values()))

    def test_many_are_a_flood(self):
        made = [packet for i in range(300) for packet in unfinished(20000 + i, i)]
        made += healthy(50000, 100) + unfinished(50001, 100, syns=3)
        for workers in ("1", "3"):
            flags = self.flags(made, "--workers", workers)
            healthy_one, alive = flags.pop(50000), flags.pop(50001)
            self.assertEqual(len(flags), 300)
            self.assertEqual({one.get("syn_flood") for one in flags.values()}, {True})
            self.assertEqual({one.get("close") for one in flags.values()}, {"syn_flood"})
            self.assertFalse(any("blackholed" in one for one in flags.values()))
            self.assertEqual((healthy_one.get("syn_flood"), healthy_one["blackholed"]), (None, False))
            self.assertEqual((alive.get("syn_flood"), alive["blackhole_kind"]), (None, "synack"))


    def test_it_does_not_depend_on_workers(self):
        """A flood that swells and ebbs about its threshold, with reports while it lasts"""
        made, at = [], 0
        for i in range(400):
            at += 100 + 3 * abs(200 - i)  # up to 10 a second, and down again
            made += unfinished(20000 + i, at)
        one = self.read(made, "--period", "10s", "--workers", "1")
        flooded = one.count('"syn_flood":true')
        self.assertTrue(0 < flooded < one.count("\n"))  # some are told as its own, some are not
        for workers in ("2", "3", "4"):
            self.assertEqual(self.read(made, "--period", "10s", "--workers", workers), one)


class Connections(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = os.path.join(cls.folder.name, "made.pcap")
        made = sorted(healthy(40001) + blackholed(40002, 7) + refused(40003, 9), key=lambda x: x[0])
        write_capture(cls.path, made)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def read(self, *options):
        done = subprocess.run([tap.vantage(), "read", "--connections", *options, self.path],
                              capture_output=True, text=True, timeout=180)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def events(self, *options):
        found = [json.loads(line) for line in self.read("-o", "events", *options).splitlines()]
        return {event["client"]["port"]: event for event in found}

    def test_one_event_for_each(self):
        events = self.events()
        self.assertEqual(sorted(events), [40001, 40002, 40003])
        for event in events.values():
            self.assertEqual(event["event"]["dataset"], "tcp.connection")
            self.assertEqual((event["client"]["ip"], event["server"]["ip"]), (CLIENT, SERVER))

    def test_measures(self):
        health = self.events()[40001]["tcp"]["health"]
        self.assertAlmostEqual(health["handshake_rtt_to_server_ms"], 6, places=2)
        self.assertAlmostEqual(health["handshake_rtt_to_client_ms"], 14, places=2)
        self.assertAlmostEqual(health["min_rtt_to_client_ms"], 14, places=2)
        self.assertEqual(health["s2c"]["unique_bytes"], 50 * SEGMENT)
        self.assertEqual(health["s2c"]["retrans_pkts"], 0)
        self.assertEqual((health["flags"]["close"], health["flags"]["blackholed"]), ("fin", False))
        self.assertNotIn("verdicts", health)

    def test_verdicts(self):
        events = self.events()
        hole = events[40002]["tcp"]["health"]
        self.assertEqual(hole["flags"]["blackhole_kind"], "mid_connection")
        self.assertEqual(hole["verdicts"].split(",")[0], "blackholed")
        self.assertIn("repeats", hole["verdict"]["blackholed"]["evidence"])
        self.assertEqual(events[40003]["tcp"]["health"]["flags"]["close"], "refused")

    def test_the_report_has_the_worst_first_in_80_columns(self):
        lines = self.read("-o", "report").splitlines()
        self.assertEqual([line.split()[-1] for line in lines[1:]], ["blackholed", "refused", "ok"])
        self.assertLessEqual(max(map(len, lines)), 80)

    def test_workers_make_no_difference(self):
        self.assertEqual(self.read("-o", "events"), self.read("-o", "events", "--workers", "3"))

    def test_events_join_with_flows(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
            file.write("flows: {health: true, period: -1s}\n")
            file.flush()
            done = subprocess.run([tap.vantage(), "read", "-c", file.name, "-o", "events", self.path],
                                  capture_output=True, text=True, timeout=180)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = [json.loads(line) for line in done.stdout.splitlines()]
        ids = {kind: sorted(e["flow"]["id"] for e in found if e["event"]["dataset"] == kind)
               for kind in ("flow", "tcp.connection")}
        self.assertEqual(ids["flow"], ids["tcp.connection"])
        self.assertEqual(len(ids["flow"]), 3)


class OneConnection(unittest.TestCase):
    """--connection and --plot, on the same connections."""

    @classmethod
    def setUpClass(cls):
        Connections.setUpClass.__func__(cls)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_read(self, *options, source=None):
        return subprocess.run([tap.vantage(), "read", *options, source or self.path],
                              capture_output=True, text=True, timeout=180)

    def event(self, name):
        done = self.run_read("--connection", name, "-o", "events")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)

    def picture(self, name, *options):
        path = os.path.join(self.folder.name, "picture.svg")
        done = self.run_read("--connection", name, "--plot", path, *options)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        return xml.etree.ElementTree.parse(path).getroot()

    def paths(self, root, kind):
        return [path.get("d") for path in root.iter("{http://www.w3.org/2000/svg}path")
                if path.get("class") == kind]

    def test_the_numbers_of_the_list_are_names(self):
        lines = self.run_read("--connections", "-o", "report").stdout.splitlines()[1:]
        self.assertEqual([line.split()[0] for line in lines], ["1", "2", "3"])
        self.assertEqual(self.event("1")["client"]["port"], 40002)  # the black hole

    def test_other_names(self):
        by_number = self.event("3")
        ends = f"{CLIENT}:40001-{SERVER}:8080"
        for name in (by_number["network"]["community_id"], by_number["flow"]["id"], ends,
                     f"{SERVER}:8080-{CLIENT}:40001", f"{CLIENT}:40001"):
            self.assertEqual(self.event(name), by_number, name)

    def test_the_report_has_all_figures(self):
        done = self.run_read("--connection", "1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for words in (f"{CLIENT}:40002 > {SERVER}:8080", "blackholed", "5 repeats in 9.3 s",
                      "black hole: mid_connection", "Mbit/s", "ms", "bytes", "segments"):
            self.assertIn(words, done.stdout)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)

    def test_none_and_several_are_refused_with_candidates(self):
        none = self.run_read("--connection", "17")
        self.assertEqual((none.returncode, none.stdout), (2, ""))
        self.assertIn("no connection is 17: give a number from 1 to 3", none.stderr)
        self.assertIn(f"{CLIENT}:40002-{SERVER}:8080", none.stderr)
        several = self.run_read("--connection", f"{SERVER}:8080")
        self.assertEqual((several.returncode, several.stdout), (2, ""))
        self.assertIn("3 connections are", several.stderr)
        for port in (40001, 40002, 40003):
            self.assertIn(str(port), several.stderr)

    def test_what_does_not_go_together_is_refused(self):
        for options, words in ((["--plot", "x.svg"], "--connection ID"),
                               (["--connection", "1", "-w", "x.pcap"], "-w writes packets")):
            done = self.run_read(*options)
            self.assertEqual(done.returncode, 2)
            self.assertIn(words, done.stderr)
        done = self.run_read("--connection", "1", "--plot", "x.svg", source="-")
        self.assertEqual(done.returncode, 2)
        self.assertIn("write it to a file first", done.stderr)

    def test_a_picture_shows_what_the_record_counts(self):
        root = self.picture("1")
        text = " ".join(root.itertext())
        self.assertTrue("blackholed 80 %" in text and "mid_connection" in text)
        repeats = self.event("1")["tcp"]["health"]["s2c"]["retrans_pkts"]
        self.assertTrue(f"sent again ×{repeats}" in text)
        # One path draws a triangle ("z") for each, after the sample of the legend.
        self.assertEqual([d.count("z") for d in self.paths(root, "repeat")], [1, repeats])
        with open(os.path.join(self.folder.name, "picture.svg"), encoding="utf-8") as file:
            self.assertFalse("script" in file.read())

    def test_the_legend_names_what_is_drawn(self):
        """A sample of each kind in the legend, and marks of it in a panel; of the few data of a direction no
        round trips are drawn, and none are named"""
        few = Talk(40010)
        few.open()
        few.packet(SERVER, ACK | PSH, b"x" * 100, wait=6)
        few.packet(CLIENT, ACK, wait=14)
        few.close()
        path = os.path.join(self.folder.name, "few.pcap")
        write_capture(path, few.made)
        for source, name, trips in ((path, "1", False), (self.path, "3", True)):
            svg = os.path.join(self.folder.name, "picture.svg")
            self.assertEqual(self.run_read("--connection", name, "--plot", svg, source=source).returncode, 0)
            root = xml.etree.ElementTree.parse(svg).getroot()
            text = " ".join(root.itertext())
            for kind, words in (("trip", "round trip from the tap"), ("flight", "in flight"),
                                ("delay", "delay before the tap"), ("data", "data ×"), ("ack", "acknowledged")):
                self.assertEqual(words in text, len(self.paths(root, kind)) > 1, kind)
            self.assertEqual("round trip from the tap" in text, trips)

    def test_a_picture_of_each(self):
        self.assertTrue("nothing is wrong" in " ".join(self.picture("3").itertext()))
        refused_text = " ".join(self.picture("2").itertext())
        self.assertTrue("refused" in refused_text and "RST" in refused_text)

    def test_workers_do_not_change_it(self):
        path = os.path.join(self.folder.name, "picture.svg")
        pictures = []
        for workers in ("1", "3"):
            self.picture("3", "--workers", workers)
            with open(path, encoding="utf-8") as file:
                pictures.append(file.read())
        self.assertEqual(*pictures)

    def test_a_long_one_is_thinned_and_says_so(self):
        made = Talk(40009)
        made.open()
        made.packet(SERVER, ACK, wait=6)
        for i in range(15000):
            made.packet(SERVER, ACK | PSH, b"x" * 10, wait=0.2)
            made.packet(CLIENT, ACK, wait=14 if i % 100 == 99 else 0.1)
        path = os.path.join(self.folder.name, "long.pcap")
        write_capture(path, made.made)
        svg = os.path.join(self.folder.name, "long.svg")
        done = self.run_read("--connection", "1", "--plot", svg, source=path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        with open(svg, encoding="utf-8") as file:
            text = file.read()
        self.assertTrue("marks are drawn as" in text)
        self.assertTrue("data ×15001" in text)  # the text itself is too long to be shown
        self.assertLess(len(text), 1 << 20)


if __name__ == "__main__":
    tap.main()
