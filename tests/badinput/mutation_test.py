#!/usr/bin/env python3
"""Captures that a fuzzer or `editcap -E` damaged: no crash, no hang, no leak, no memory without bound.

Run with the developer build, whose sanitizers see what an exit status hides. VANTAGE_MUTATIONS=N sets how
many files of each format are made (40); a failure names the seed, by which `mutation_test.py SEED FILE`
makes the file anew.
"""
import concurrent.futures
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "..", "tools")]
import capture  # noqa: E402
import mutate  # noqa: E402
import scenes  # noqa: E402
import tap  # noqa: E402
import verdict  # noqa: E402

EACH = int(os.environ.get("VANTAGE_MUTATIONS", "40"))
OUTPUTS = ("summary", "events", "report")
FORMATS = {
    "pcap": lambda packets: capture.pcap(packets),
    "big-endian pcap": lambda packets: capture.pcap(packets, ">", nano=False),
    "pcapng": lambda packets: capture.pcapng(packets),
    "gzipped pcap": lambda packets: capture.gzipped(capture.pcap(packets)),
    "Zstandard pcapng": lambda packets: capture.zstandard(capture.pcapng(packets)),
}
EDITCAP_RATES = ("0.0005", "0.005", "0.02", "0.1")


def mutant(seed):
    """(bytes, description) of the file of a seed such as "pcap/7"."""
    chance = random.Random(seed)
    scene = chance.choice(sorted(scenes.ALL))
    packets = scenes.packets_of(scenes.ALL[scene]())[:chance.choice([3, 30, 100])]
    data, names = mutate.mutated(FORMATS[seed.split("/")[0]](packets), chance)
    return data, f"{scene}, {', '.join(names)}"


def judge(seed, folder):
    """What is wrong with how the file of a seed is taken, or None."""
    data, description = mutant(seed)
    path = os.path.join(folder, seed.replace("/", "-"))
    with open(path, "wb") as file:
        file.write(data)
    kind = OUTPUTS[random.Random(seed + "/output").randrange(len(OUTPUTS))]
    fault = verdict.fault(verdict.run([tap.vantage(), "read", "-o", kind, path]), kind)
    os.unlink(path)
    return fault and f"seed {seed!r} ({description}), -o {kind}: {fault}"


class Mutation(unittest.TestCase):
    def check(self, format_):
        with tempfile.TemporaryDirectory() as folder, \
                concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            faults = [fault for fault in pool.map(lambda number: judge(f"{format_}/{number}", folder),
                                                  range(EACH)) if fault]
        self.assertFalse(faults, f"{len(faults)} of {EACH}:\n" + "\n".join(faults[:3]))


def add_format(name):
    """A test of its own for each format."""

    def test(self):
        self.check(name)

    test.__doc__ = f"{EACH} damaged files of {name}"
    setattr(Mutation, "test_" + name.replace(" ", "_"), test)


for format_name in FORMATS:
    add_format(format_name)


class Editcap(unittest.TestCase):
    """`editcap -E` leaves the file whole and damages packets: each of them must be counted."""

    @classmethod
    def setUpClass(cls):
        if not shutil.which("editcap"):
            raise unittest.SkipTest("needs editcap of the Wireshark tools")

    def summary(self, folder, scene, rate):
        made = scenes.ALL[scene]()
        whole, damaged = os.path.join(folder, "whole.pcap"), os.path.join(folder, "damaged.pcap")
        scenes.write(whole, made)
        subprocess.run(["editcap", "-E", rate, "--seed", "7", whole, damaged], check=True,
                       capture_output=True)
        for kind in OUTPUTS:
            done = verdict.run([tap.vantage(), "read", "-o", kind, damaged])
            self.assertIsNone(verdict.fault(done, kind), (scene, rate, kind))
            self.assertEqual(done.status, 0, done.err)
            if kind == "summary":
                document = json.loads(done.out)
        self.assertEqual(document["capture"]["packets"], len(made), (scene, rate))
        return document

    def test_every_packet_is_counted(self):
        """Packets with one to hundred bytes in a thousand wrong are all counted"""
        with tempfile.TemporaryDirectory() as folder:
            for scene in scenes.ALL:
                for rate in EDITCAP_RATES:
                    with self.subTest(scene=scene, rate=rate):
                        self.summary(folder, scene, rate)

    def test_reasons_are_counted(self):
        """Malformed packets are counted by reason"""
        with tempfile.TemporaryDirectory() as folder:
            document = self.summary(folder, "plain", "0.1")
        reasons = document["policies"]["default"]["net"]["malformed_packets"]
        wrong = {reason: count for reason, count in reasons.items() if reason != "none" and count}
        self.assertGreater(len(wrong), 1, reasons)
        self.assertGreater(sum(wrong.values()), 10, reasons)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        with open(sys.argv[2], "wb") as result:
            result.write(mutant(sys.argv[1])[0])
    else:
        tap.main()
