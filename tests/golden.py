#!/usr/bin/env python3
"""Golden captures and the streaming law.

    tests/golden.py --vantage PROGRAM FOLDER...            check every capture of the folders
    tests/golden.py --vantage PROGRAM FOLDER... --update   write what it says now as the truth

A golden is a capture (name.pcap or name.pcapng) with name.ndjson beside it: what
`vantage read -o events` prints for it, to the byte. name.case, if there is one, is JSON with any of
{"arguments": ["-c", "x.yml"], "status": 1, "laws": ["whole", "workers"]}; the program runs in the
capture's folder.

The streaming law: the same events come out however the same traffic comes in:

    whole     the file as it is
    pieces    on standard input, byte by byte and in random pieces
    workers   with 1, 2 and 4 workers
    formats   as pcap of the other byte order and of nanoseconds, as pcapng, gzipped, in Zstandard
    segments  its TCP streams cut, reordered, repeated and overlapped (tools/resegment.py); of flow
              events, which count packets, only FLOW_KEEPS is compared

Prints TAP, a point for each capture and law."""
import argparse
import difflib
import glob
import json
import os
import random
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tools"))
sys.dont_write_bytecode = True
import capture  # noqa: E402
import resegment  # noqa: E402

LAWS = ["whole", "pieces", "workers", "formats", "segments"]
TIMEOUT = 60
BYTEWISE_MAX = 64 << 10  # captures beyond this size come in random pieces only
DIFF_LINES = 12
FLOW_KEEPS = {"event": ["start", "end", "reason", "dataset"], "source": ["ip", "port"],
              "destination": ["ip", "port"], "flow": ["state", "final"], "network": ["community_id"]}


class Golden:
    def __init__(self, vantage, path):
        self.vantage = vantage
        self.path = os.path.abspath(path)
        self.stem = os.path.splitext(self.path)[0]
        self.name = os.path.basename(self.stem)
        self.case = {}
        if os.path.exists(self.stem + ".case"):
            with open(self.stem + ".case", encoding="utf-8") as file:
                self.case = json.load(file)
        self.laws = self.case.get("laws", LAWS)

    def run(self, source, *options, feed=None):
        """What the program prints for a file, or for `feed` (a list of pieces) on its input."""
        command = [self.vantage, "read", "-o", "events", *self.case.get("arguments", []), *options,
                   source]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                              stderr=subprocess.PIPE, cwd=os.path.dirname(self.path)) as program:
            feeder = threading.Thread(target=give, args=(program.stdin, feed or []))
            killer = threading.Timer(TIMEOUT, program.kill)
            collected = {}
            reader = threading.Thread(target=lambda: collected.update(e=program.stderr.read()))
            for thread in (feeder, killer, reader):
                thread.start()
            output = program.stdout.read()
            status = program.wait()
            killer.cancel()
            feeder.join()
            reader.join()
        if status != self.case.get("status", 0):
            said = collected["e"].decode("utf-8", "replace").strip().splitlines()
            raise Wrong(f"exit status {status}", [" ".join(command)] + said[-40:])
        return output

    def expected(self):
        try:
            with open(self.stem + ".ndjson", "rb") as file:
                return file.read()
        except FileNotFoundError:
            raise Wrong("no golden beside it", ["look at the events, then --update"]) from None

    def compare(self, how, got, want):
        if got != want:
            lines = [text.decode("utf-8", "replace").splitlines() for text in (want, got)]
            diff = list(difflib.unified_diff(*lines, "golden", how, lineterm="", n=0))
            raise Wrong(f"{how}: other events", diff[:DIFF_LINES])

    # The laws. Each raises Wrong, or returns why it does not apply, or None.

    def law_whole(self):
        self.compare("whole", self.run(self.path), self.expected())

    def law_pieces(self):
        with open(self.path, "rb") as file:
            raw = file.read()
        chance = random.Random(1)
        ways = {"random pieces": lambda at: chance.choice((1, 2, 15, 17, 100, 4096, 70000))}
        if len(raw) <= BYTEWISE_MAX:
            ways["byte by byte"] = lambda at: 1
        for how, size in ways.items():
            feed, at = [], 0
            while at < len(raw):
                feed.append(raw[at:at + size(at)])
                at += len(feed[-1])
            self.compare(how, self.run("-", feed=feed), self.expected())

    def law_workers(self):
        for count in ("1", "2", "4"):
            self.compare(f"{count} workers", self.run(self.path, "--workers", count),
                         self.expected())

    def law_formats(self):
        with open(self.path, "rb") as file:
            raw = file.read()
        files = {"copy.pcap.gz": capture.gzipped(raw), "copy.pcap.zst": capture.zstandard(raw)}
        if self.path.endswith(".pcap"):
            packets = capture.read(self.path)
            files |= {"swapped.pcap": capture.pcap(packets, ">"),
                      "nano.pcap": capture.pcap(packets),
                      "little.pcapng": capture.pcapng(packets),
                      "big.pcapng.gz": capture.gzipped(capture.pcapng(packets, ">"))}
        for name, content in files.items():
            self.compare(name, self.run_copy(name, content), self.expected())

    def law_segments(self):
        if not self.path.endswith(".pcap"):
            return "not a pcap file"
        packets = capture.read(self.path)
        if not resegment.has_streams(packets):
            return "no TCP streams"
        want = what_stays(self.expected())
        for how in resegment.HOWS:
            content = capture.pcap(resegment.resegment(packets, how))
            self.compare(how, what_stays(self.run_copy("segments.pcap", content)), want)

    def run_copy(self, name, content):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, name)
            with open(path, "wb") as file:
                file.write(content)
            return self.run(path)


class Wrong(Exception):
    """What went wrong, and lines that show it."""


def give(pipe, feed):
    """Writes the pieces one by one; a program that stops reading early shows in its status."""
    try:
        for part in feed:
            pipe.write(part)
        pipe.close()
    except BrokenPipeError:
        pass


def what_stays(events):
    """The events without what depends on the packets that carried the streams."""
    kept = []
    for line in events.splitlines():
        event = json.loads(line)
        if event["event"]["dataset"] == "flow":
            event = {group: {name: event.get(group, {}).get(name) for name in names}
                     for group, names in FLOW_KEEPS.items()}
            line = json.dumps(event).encode()
        kept.append(line + b"\n")
    return b"".join(kept)


def captures_of(folders):
    for folder in folders:
        found = [folder] if os.path.isfile(folder) else \
            glob.glob(os.path.join(folder, "*.pcap")) + glob.glob(os.path.join(folder, "*.pcapng"))
        yield from sorted(found)


def update(goldens):
    for golden in goldens:
        events = golden.run(golden.path)
        with open(golden.stem + ".ndjson", "wb") as file:
            file.write(events)
        print(f"{golden.stem}.ndjson: {events.count(bytes([10]))} events")


def check(goldens, laws):
    points = [(golden, law) for golden in goldens for law in laws if law in golden.laws]
    print(f"1..{len(points)}")
    failed = 0
    for number, (golden, law) in enumerate(points, 1):
        try:
            skip = getattr(golden, "law_" + law)()
            print(f"ok {number} - {golden.name}: {law}" + (f" # SKIP {skip}" if skip else ""))
        except Wrong as wrong:
            failed += 1
            print(f"not ok {number} - {golden.name}: {law}: {wrong.args[0]}")
            print("\n".join("# " + line for line in wrong.args[1]))
        sys.stdout.flush()
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description="Golden captures and the streaming law.")
    parser.add_argument("--vantage", required=True)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--law", choices=LAWS, action="append")
    parser.add_argument("folders", nargs="+", metavar="FOLDER|CAPTURE")
    arguments = parser.parse_args()
    vantage = os.path.abspath(arguments.vantage)
    goldens = [Golden(vantage, path) for path in captures_of(arguments.folders)]
    if not goldens:
        print("1..0 # SKIP no captures in " + " ".join(arguments.folders))
        return 0
    if arguments.update:
        try:
            return update(goldens)
        except Wrong as wrong:
            sys.exit("\n".join([wrong.args[0], *wrong.args[1]]))
    return check(goldens, arguments.law or LAWS)


if __name__ == "__main__":
    sys.exit(main())
