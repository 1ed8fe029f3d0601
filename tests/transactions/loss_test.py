#!/usr/bin/env python3
"""A capture that lost packets tells less, and nothing that is not so: of every answered transaction that it
tells, the whole capture tells the same, with the same answer, unless the event itself says that packets of
it were lost or that its statement was not seen. The captures are the goldens of the protocols whose answers
bear no name and come in the order of the questions; of their TCP packets with data some are left out,
always the same. Made talks (talks.py) add clients that wait, that ask several things at once, and that ask
on while answers are under way: no answer is another question's, and of those who wait, and wherever answers say
what they answer, no more than three in a hundred are lost beyond those that a lost packet was of."""
import glob
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(ROOT, "tools")]
sys.dont_write_bytecode = True
import capture  # noqa: E402
import resegment  # noqa: E402
import talks  # noqa: E402
import talks_named  # noqa: E402
import tap  # noqa: E402

VANTAGE = os.environ.get("VANTAGE", os.path.join(ROOT, "build", "src", "vantage"))
PROTOCOLS = ("redis", "mysql", "pgsql", "http", "memcache")
SHARES = (0.05, 0.2)  # of the packets with data
SEEDS = (2,)
ALONE = 4  # packets with data of a capture that are lost one at a time as well
SYN = 2
EXCUSES = ("Packet loss", "query being used is unknown")


def places_of(packets):
    """Where packets with data are, but for the first of a side of which no SYN was captured: without it
    the connection is one that was joined later, and no hole is to be seen."""
    begun = set()
    for i, packet in enumerate(packets):
        segment = resegment.parse(packet)
        if segment is None:
            continue
        if segment.end > segment.payload and segment.direction in begun:
            yield i
        if segment.end > segment.payload or segment.flags & SYN:
            begun.add(segment.direction)


def answered(packets, folder):
    """The events of packets that have an answer, each with its line."""
    path = os.path.join(folder, "some.pcap")
    with open(path, "wb") as file:
        file.write(capture.pcap(packets))
    done = subprocess.run([VANTAGE, "read", "-o", "events", "--workers", "1", path], check=True,
                          capture_output=True, text=True, timeout=120)
    for line in done.stdout.splitlines():
        event = json.loads(line)
        if event["event"]["dataset"] != "flow" and "duration" in event["event"]:
            yield event, line


def told(packets, folder):
    """The answered transactions of packets: [(which, answer, excused)]."""
    for event, line in answered(packets, folder):
        which = (event["event"]["dataset"], event["client"]["ip"], event["client"].get("port"),
                 event["@timestamp"], event.get("method"), event.get("query"), event.get("resource"))
        answer = (event["event"].get("end"), event.get("status"),
                  event.get("destination", {}).get("bytes"))
        yield which, answer, any(excuse in line for excuse in EXCUSES)


class Loss(unittest.TestCase):
    def check_thinned(self, packets, whole, folder, how):
        """What is told of some of the packets is told of all of them; returns how much it is."""
        count = 0
        for which, answer, is_excused in told(packets, folder):
            count += 1
            if not is_excused:
                self.assertIn((which, answer), whole, f"{how}: not so in the whole capture")
        return count

    def check_capture(self, path):
        packets = capture.read(path)
        places = list(places_of(packets))
        if not places:
            return
        with tempfile.TemporaryDirectory() as folder:
            whole = {(which, answer) for which, answer, _ in told(packets, folder)}
            for share in SHARES:
                for seed in SEEDS:
                    chance = random.Random(seed)
                    lost = {i for i in places if chance.random() < share}
                    rest = [packet for i, packet in enumerate(packets) if i not in lost]
                    self.check_thinned(rest, whole, folder, f"{share:.0%} lost, {seed}")
            alone = random.Random(3).sample(places, min(len(places), ALONE))
            for i in alone:
                rest = packets[:i] + packets[i + 1:]
                self.check_thinned(rest, whole, folder, f"packet {i + 1} lost")


def add(protocol):
    def test(self):
        for path in sorted(glob.glob(os.path.join(ROOT, "src", "proto", protocol, "data", "*.pcap"))):
            with self.subTest(os.path.basename(path)):
                self.check_capture(path)
    test.__doc__ = f"{protocol}: what is left of it is what there was"
    setattr(Loss, f"test_{protocol}", test)


class Talks(unittest.TestCase):
    def check(self, name, style):
        """Plays talks of which one packet in a hundred is lost; returns the share of the transactions that
        is lost beyond those that a lost packet was of."""
        play = talks.Play(name, style, loss=0.01, seed=3)
        right = set()
        with tempfile.TemporaryDirectory() as folder:
            for event, line in answered(play.packets, folder):
                which = play.which(event)
                self.assertEqual(event["destination"]["bytes"], play.answer_bytes[which],
                                 f"another one's answer: {line}")
                right.add(which)
        missed = set(play.answer_bytes) - play.hit - right
        return len(missed) / len(play.answer_bytes)


def add_talk(name, style):
    def test(self):
        share = self.check(name, style)
        if style == "waits" or name in talks_named.KINDS:
            self.assertLessEqual(share, 0.03)
    test.__doc__ = f"{name}, a client that {style}: no answer is another question's"
    setattr(Talks, f"test_{name}_{style.replace(' ', '_')}", test)


for name in PROTOCOLS:
    add(name)
for name in talks.KINDS:
    for style in talks.STYLES:
        add_talk(name, style)

if __name__ == "__main__":
    tap.main()
