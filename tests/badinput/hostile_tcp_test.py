#!/usr/bin/env python3
"""What hostile hosts and strangers do to TCP health: no verdict out of noise, no memory held, no counter that
overflows. All captures are made up; tests/support/wire_tap.py writes them."""
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
sys.dont_write_bytecode = True
import tap  # noqa: E402
from wire_tap import (ACK, FIN, MS, OFFER, PSH, RST, SECOND, SERVER, SYN, Tap, blocks,  # noqa: E402
                      stamps)

NOISE = {"lossy", "reordered", "blackholed", "bufferbloat", "receiver_limited", "short_of_window",
         "sender_limited", "slow_server"}
COUNTER16 = 65535
ALMOST = 1.001


class HostileTcp(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.path = os.path.join(self.folder, "hostile.pcap")

    # ---- What is asked --------------------------------------------------------------------------

    def read(self, *options):
        """The reports of the capture; each keeps what every report must."""
        done = subprocess.run([tap.vantage(), "read", "--connections", "-o", "events", *options, self.path],
                              capture_output=True, text=True, timeout=300, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        found = [json.loads(line) for line in done.stdout.splitlines()]
        for event in found:
            self.assert_sound(event)
        return found

    def only(self, *options):
        """What is said of the only connection, and its verdicts."""
        found = self.read(*options)
        self.assertEqual(len(found), 1)
        health = found[0]["tcp"]["health"]
        return health, self.verdicts(health)

    @staticmethod
    def verdicts(health):
        return set(filter(None, (health.get("verdicts") or "").split(",")))

    def assert_sound(self, event):
        """What no packets whatsoever may lead to."""
        health = event["tcp"]["health"]
        life_ms = event["event"]["duration"] / 1e6
        for name, value in health.items():
            if isinstance(value, float):
                self.assertGreaterEqual(value, 0, name)
        for name in ("min_rtt_to_client_ms", "min_rtt_to_server_ms", "longest_stall_ms", "ttfb_ms"):
            self.assertLessEqual(health.get(name, 0), life_ms * ALMOST, name)
        # What is said of a sender ends with what it hears: a round trip later.
        trips_ms = health.get("min_rtt_to_client_ms", 0) + health.get("min_rtt_to_server_ms", 0)
        for way in ("c2s", "s2c"):
            self.assert_sound_way(health[way], life_ms + trips_ms)
        for verdict in health.get("verdict", {}).values():
            self.assertTrue(0 < verdict["confidence"] <= 1, verdict)

    def assert_sound_way(self, way, life_ms):
        for name, value in way.items():
            self.assertGreaterEqual(value, 0, name)
            self.assertTrue(value < 2 ** 62, name)
        self.assertLessEqual(way["unique_bytes"], way["data_bytes"])
        self.assertEqual(way["retrans_pkts"],
                         way["retrans_earlier_copy_seen_pkts"] + way["retrans_fills_hole_pkts"])
        self.assertLessEqual(way["retrans_pkts"] + way["reordered_original_pkts"], way["data_pkts"])
        self.assertLessEqual(way.get("sender_busy_time_ms", 0), life_ms * ALMOST + 1)
        self.assertLessEqual(way.get("rwnd_limited_ms", 0), way.get("sender_busy_time_ms", 0) * ALMOST + 1)

    # ---- Floods ---------------------------------------------------------------------------------

    def test_syn_flood(self):
        """Each SYN from another host: a report each, and no verdict"""
        count = 8000
        with Tap(self.path) as made:
            for i in range(count):
                made.now += 1000
                source = (f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}", 1024 + i % 60000)
                made.segment((source, (SERVER, 80)), SYN, seq=i * 7919, options=OFFER)
        found = self.read()
        self.assertEqual(len(found), count)
        self.assertFalse(set().union(*(self.verdicts(one["tcp"]["health"]) for one in found)))

    def test_a_flood_holds_no_more_memory_than_it_may(self):
        """Connections in trouble beyond the limit: some are said to be known in part, none is lost"""
        count = 8000
        with Tap(self.path) as made:
            talks = [made.talk(1024 + i) for i in range(count)]
            for one in talks:
                one.open()
            for turn in range(4):
                for one in talks:
                    one.send("s", ACK | PSH, 1000, wait=1000, seq=5001 + 3000 * turn)
        config = os.path.join(self.folder, "small.yml")
        with open(config, "w", encoding="utf-8") as file:
            file.write("limits: {memory: 160M}\nflows: {health: true, period: -1s, tcp_timeout: 1h}\n")
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        found = self.read("-c", config)
        after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        self.assertEqual(len(found), count)
        self.assertTrue(any(one["tcp"]["health"]["flags"].get("budget_spent") for one in found))
        # Of this process's children the largest; sanitizers need several times what the program does.
        self.assertTrue(after == before or after < 1000 * 1024, f"{after} KiB")

    def test_ack_storm(self):
        """Two ends that each think the other wrong: acknowledgments without end"""
        with Tap(self.path) as made:
            talk = made.talk().open()
            talk.exchange()
            for _ in range(40000):
                talk.send("c", ACK, wait=20000)
                talk.send("s", ACK, wait=20000)
            talk.exchange()
            talk.close()
        health, said = self.only()
        self.assertFalse(said & NOISE)
        self.assertEqual(health["packets"], 3 + 40000 * 2 + 30 + 3)
        self.assertEqual(health["s2c"]["retrans_pkts"], 0)
        self.assertEqual(health["flags"]["close"], "fin")

    def test_reset_storm(self):
        """More resets than are counted"""
        with Tap(self.path) as made:
            talk = made.talk().open()
            talk.exchange()
            for _ in range(COUNTER16 + 5000):
                talk.send("s", RST, wait=2000)
        health, said = self.only()
        self.assertFalse(said & NOISE)
        self.assertEqual(health["flags"]["close"], "rst_by_server")
        self.assertEqual(health["rst_pkts"], COUNTER16)

    # ---- Handshakes -----------------------------------------------------------------------------

    def test_half_of_a_handshake(self):
        """Any part of it, alone"""
        parts = ([("c", SYN)], [("s", SYN | ACK)], [("c", ACK)], [("c", SYN), ("c", ACK)], [("c", RST)],
                 [("s", SYN | ACK), ("c", RST)], [("c", SYN | ACK), ("s", SYN | ACK)], [("c", SYN), ("c", SYN)],
                 [("c", FIN)], [("c", FIN | ACK), ("s", ACK)], [("c", SYN | FIN)], [("c", SYN | RST)],
                 [("c", 0)], [("c", SYN | ACK | FIN | RST | PSH)], [("s", SYN | ACK), ("s", SYN | ACK)])
        for part in parts:
            with self.subTest(part):
                with Tap(self.path) as made:
                    talk = made.talk()
                    for who, flags in part:
                        talk.send(who, flags, wait=100 * MS)
                for event in self.read():
                    self.assertFalse(self.verdicts(event["tcp"]["health"]))
                    self.assertIsNot(event["tcp"]["health"]["flags"].get("blackholed"), True)
                    self.assertIsNot(event["tcp"]["health"]["flags"].get("bufferbloat"), True)

    # ---- Numbers --------------------------------------------------------------------------------

    def test_sequence_numbers_jump(self):
        """Segments of a stranger far from the window, amid a good connection"""
        chance = random.Random(4)
        with Tap(self.path) as made:
            talk = made.talk().open()
            for _ in range(400):
                talk.exchange(1)
                talk.send("s", ACK | PSH, 1000, wait=1000,
                          seq=talk.next["s"] + 2 ** 31 + chance.randrange(-2 ** 29, 2 ** 29))
            talk.close()
        health, said = self.only()
        self.assertFalse(said & NOISE)
        self.assertEqual(health["s2c"]["unique_bytes"], 400 * 1000)
        self.assertEqual(health["s2c"]["not_captured_bytes"], 0)

    def test_random_sequence_numbers(self):
        """Numbers that are none at all"""
        chance = random.Random(5)
        with Tap(self.path) as made:
            talk = made.talk()
            for _ in range(20000):
                talk.send(chance.choice("cs"), ACK, chance.choice((0, 0, 100, 1400)), wait=50000,
                          seq=chance.randrange(2 ** 32), ack=chance.randrange(2 ** 32),
                          window=chance.randrange(65536))
        health, said = self.only()
        self.assertFalse(said & {"blackholed", "bufferbloat", "receiver_limited", "short_of_window"})
        self.assertIsNot(health["flags"].get("bufferbloat"), True)

    def test_numbers_that_wrap_and_many_bytes(self):
        """6 GB: sequence numbers wrap, and counters hold more than 32 bits"""
        size, count = 64000, 100000
        with Tap(self.path) as made:
            talk = made.talk().open()
            talk.send("c", ACK | PSH, 100)
            for i in range(count):
                talk.send("s", ACK | PSH, size, wait=50000)
                if i % 2:
                    talk.send("c", ACK, wait=14000, ack=talk.next["s"])
            talk.send("c", ACK, wait=14 * MS)
            talk.close()
        health, said = self.only()
        self.assertFalse(said & (NOISE - {"sender_limited"}))
        self.assertEqual(health["s2c"]["unique_bytes"], size * count)
        self.assertEqual(health["s2c"]["data_bytes"], size * count)
        self.assertEqual((health["s2c"]["retrans_pkts"], health["s2c"]["not_captured_bytes"]), (0, 0))

    def test_counters_stop_at_their_largest(self):
        """More zero windows and keep-alives than are counted"""
        with Tap(self.path) as made:
            talk = made.talk().open()
            talk.exchange()
            for _ in range(COUNTER16 + 1000):
                talk.send("c", ACK, wait=200000, window=0, seq=talk.next["c"] - 1)
        health, _ = self.only()
        self.assertEqual(health["c2s"]["zero_window_pkts"], COUNTER16)
        self.assertEqual(health["flags"]["keepalives"], COUNTER16)

    # ---- Lies -----------------------------------------------------------------------------------

    def test_optimistic_acknowledgments(self):
        """A receiver acknowledges what it has not got: no round trip, no loss of the capture"""
        with Tap(self.path) as made:
            talk = made.talk().open()
            talk.send("c", ACK | PSH, 100)
            talk.send("s", ACK, wait=6 * MS)
            for _ in range(500):
                talk.send("c", ACK, wait=1 * MS, ack=talk.next["s"] + 20000)
                talk.send("s", ACK | PSH, 1000, wait=1 * MS)
            talk.send("c", ACK, wait=14 * MS)
            talk.close()
        health, said = self.only()
        self.assertFalse(said & NOISE)
        self.assertGreaterEqual(health["min_rtt_to_client_ms"], 13.9)
        self.assertEqual(health["s2c"]["not_captured_bytes"], 0)
        self.assertEqual(health["s2c"]["unique_bytes"], 500 * 1000)

    def test_lying_time_stamps(self):
        """Values and echoes by chance, from either end"""
        chance = random.Random(6)

        def lie():
            return stamps(chance.randrange(2 ** 32), chance.randrange(2 ** 32))
        with Tap(self.path) as made:
            talk = made.talk().open(OFFER + stamps(1, 0))
            for _ in range(1500):
                talk.send("c", ACK | PSH, 100, options=lie())
                talk.send("s", ACK | PSH, 1000, wait=7 * MS, options=lie())
                talk.send("c", ACK, wait=14 * MS, options=lie())
            talk.close()
        health, said = self.only()
        self.assertFalse(said & NOISE)
        self.assertIsNot(health["flags"].get("bufferbloat"), True)
        self.assertAlmostEqual(health["min_rtt_to_server_ms"], 6, delta=1.1)
        self.assertAlmostEqual(health["min_rtt_to_client_ms"], 14, delta=0.1)
        self.assertEqual(health["s2c"]["retrans_pkts"], 0)

    def test_lying_blocks(self):
        """SACK of what was never sent, backwards, and of everything twice"""
        with Tap(self.path) as made:
            talk = made.talk().open()
            talk.send("c", ACK | PSH, 100)
            for i in range(600):
                talk.send("s", ACK | PSH, 1000, wait=7 * MS)
                top = talk.next["s"]
                lies = ([(top + 10 ** 6, top + 2 * 10 ** 6)], [(top, top - 1000)], [(5001, top)],
                        [(top - 1000, top), (top - 5000, top)], [(top - 2 ** 31, top + 2 ** 31 - 1)])
                talk.send("c", ACK, wait=14 * MS, options=blocks(*lies[i % len(lies)]))
            talk.close()
        health, said = self.only()
        self.assertFalse(said & NOISE)
        self.assertEqual(health["s2c"]["retrans_pkts"], 0)
        self.assertEqual(health["s2c"]["spurious_retrans_pkts"], 0)
        self.assertGreaterEqual(health["min_rtt_to_client_ms"], 13.9)

    def test_windows_that_flap(self):
        """The largest scale, and windows of nothing and of a gigabyte in turn"""
        offer = OFFER[:-1] + b"\xff"  # more than 14 is 14: RFC 7323 section 2.3
        with Tap(self.path) as made:
            talk = made.talk().open(offer)
            talk.send("c", ACK | PSH, 100)
            for i in range(2000):
                talk.send("s", ACK | PSH, 1000, wait=7 * MS)
                talk.send("c", ACK, wait=14 * MS, window=65535 if i % 2 else 0)
            talk.send("c", ACK, wait=MS, window=65535)
            talk.close()
        health, said = self.only()
        self.assertFalse(said & {"blackholed", "lossy", "reordered", "bufferbloat"})
        self.assertLessEqual(health["s2c"]["max_window_bytes"], 65535 << 14)

    # ---- Injections -----------------------------------------------------------------------------

    def test_injected_resets(self):
        """Resets that miss the window, as if from either end: the connection goes on, and ends well"""
        chance = random.Random(7)
        with Tap(self.path) as made:
            talk = made.talk().open()
            for i in range(200):
                talk.exchange(1)
                who = "cs"[i % 2]
                away = chance.choice((-1, 1)) * chance.randrange(2 ** 24, 2 ** 30)
                talk.send(who, RST, wait=1000, seq=talk.next[who] + away)
            talk.close()
        health, said = self.only()
        self.assertFalse(said & NOISE)
        self.assertEqual(health["rst_pkts"], 200)
        self.assertEqual(health["flags"]["close"], "fin")
        self.assertEqual(health["s2c"]["unique_bytes"], 200 * 1000)
        self.assertNotIn("first_rst_from", health)

    def test_injected_resets_of_one_that_goes_on(self):
        """The same, and the capture ends before the connection does"""
        with Tap(self.path) as made:
            talk = made.talk().open()
            talk.exchange()
            talk.send("s", RST, wait=1000, seq=talk.next["s"] + 2 ** 29)
            talk.exchange()
        health, said = self.only()
        self.assertFalse(said & NOISE)
        self.assertEqual(health["rst_pkts"], 1)
        self.assertNotIn("close", health["flags"])

    def test_a_reset_that_fits_ends_it(self):
        """In the window it is believed, whoever made it"""
        with Tap(self.path) as made:
            talk = made.talk().open()
            talk.exchange()
            talk.send("s", RST, wait=1000)
        health, _ = self.only()
        self.assertEqual(health["flags"]["close"], "rst_by_server")
        self.assertEqual(health["first_rst_from"], "server")

    def test_anything_by_chance(self):
        """Segments by chance, near the window and far: reports stay sound, for any number of workers"""
        for seed in range(6):
            chance = random.Random(seed)
            with Tap(self.path) as made:
                talks = [made.talk(40000 + i) for i in range(4)]
                for _ in range(3000):
                    talk = chance.choice(talks)
                    who = chance.choice("cs")
                    near = chance.choice((0, 0, 0, -1, 1, -1448, 3000, 10 ** 6, 2 ** 31))
                    options = chance.choice((b"", b"", stamps(made.now // MS, chance.randrange(2 ** 20)),
                                             blocks((talk.next["s"] - 3000, talk.next["s"] - near % 5000)), OFFER))
                    talk.send(who, chance.choice((ACK, ACK, ACK | PSH, SYN, SYN | ACK, FIN | ACK, RST)),
                              chance.choice((0, 0, 1, 536, 1448, 60000)),
                              wait=chance.choice((0, 1000, MS, 40 * MS, 3 * SECOND)),
                              seq=None if near == 0 else talk.next[who] + near,
                              ack=None if near != 1 else chance.randrange(2 ** 32),
                              window=chance.choice((0, 1, 500, 65535)), options=options)
            with self.subTest(seed):
                self.assertEqual(self.read(), self.read("--workers", "3"))


if __name__ == "__main__":
    tap.main()
