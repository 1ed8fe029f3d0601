"""Captures what is said on loopback while a test talks to a server of its own.

    with Sniffer(port, "said.pcap") as sniffer:
        ...
    events = sniffer.events("mysql")
"""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import tap

PATIENCE = 20  # seconds


def missing(*programs):
    """Why loopback cannot be captured here, or what is not installed; None when all is well."""
    for program in ("tcpdump", *programs):
        if not shutil.which(program):
            return f"needs {program}"
    return None if os.geteuid() == 0 else "needs root to capture"


class Sniffer:
    def __init__(self, port, path):
        self.path = path
        self.told = tempfile.NamedTemporaryFile("w+")
        self.process = subprocess.Popen(
            # A slot of the ring is as long as a packet may be; loopback shows each packet twice.
            ["tcpdump", "-i", "lo", "-Q", "in", "-U", "--immediate-mode", "-B", "65536", "-s", "66000",
             "-w", path, f"tcp port {port}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.told)
        end = time.monotonic() + PATIENCE
        while "listening on" not in open(self.told.name, encoding="utf-8").read():
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(open(self.told.name, encoding="utf-8").read())
            time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Ends when nothing more has come for a while."""
        size, quiet = -1, 0
        while quiet < 5:
            time.sleep(0.1)
            quiet = quiet + 1 if os.path.getsize(self.path) == size else 0
            size = os.path.getsize(self.path)
        self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE)
        with open(self.told.name, encoding="utf-8") as told:
            lost = re.search(r"(\d+) packets? dropped by kernel", told.read())
        if lost and int(lost[1]):
            raise unittest.SkipTest(f"the capture lost {lost[1]} packets: the machine is too busy")

    def events(self, kind, *options):
        """The transactions of that kind, as `vantage read` tells them."""
        return read_events(self.path, kind, *options)


def read_events(path, kind, *options):
    done = subprocess.run([tap.vantage(), "read", "-o", "events", *options, path],
                          capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise AssertionError(f"exit status {done.returncode}: {done.stderr[-2000:]}")
    return of_kind(done.stdout, kind)


def of_kind(lines, kind):
    events = [json.loads(line) for line in lines.splitlines()]
    return [event for event in events if event.get("type") == kind]
