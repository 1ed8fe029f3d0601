"""Captures what is said on loopback while a test talks to a server of its own.

    with Sniffer(port, "said.pcap") as sniffer:
        ...
    events = sniffer.events("mysql")

With `interface` it is that one, in both directions; with `where`, a filter, all that this takes.

On a busy machine tcpdump may be far behind, and what it has not read when it is told to end is lost
and counted nowhere. So the capture ends when it shows a datagram that was sent after all the rest.
"""
import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import tap

PATIENCE = 180  # seconds


def missing(*programs):
    """Why loopback cannot be captured here, or what is not installed; None when all is well."""
    for program in ("tcpdump", *programs):
        if not shutil.which(program):
            return f"needs {program}"
    return None if os.geteuid() == 0 else "needs root to capture"


class Sniffer:
    def __init__(self, port, path, interface="lo", where=None):
        self.path = path
        self.mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.to = "127.0.0.1"
        if interface != "lo":  # to all, whom nobody answers
            self.mark.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
            self.mark.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            self.to = "255.255.255.255"
        self.mark.bind(("127.0.0.1" if interface == "lo" else "", 0))
        self.port = self.mark.getsockname()[1]
        self.told = tempfile.NamedTemporaryFile("w+")
        self.process = subprocess.Popen(
            # A slot of the ring is as long as a packet may be; loopback shows each packet twice.
            ["tcpdump", "-i", interface, "-Q", "in" if interface == "lo" else "inout", "-U",
             "--immediate-mode", "-B", "65536", "-s", "66000", "-w", path,
             f"{where or f'tcp port {port}'} or udp port {self.port}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.told)
        with contextlib.suppress(OSError):  # before all others, so that a busy machine makes it lose nothing
            os.sched_setscheduler(self.process.pid, os.SCHED_RR, os.sched_param(1))
        end = time.monotonic() + PATIENCE
        while "listening on" not in open(self.told.name, encoding="utf-8").read():
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(open(self.told.name, encoding="utf-8").read())
            time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        """Ends when nothing more has come for a while and tcpdump has written all of it."""
        size, quiet = -1, 0
        while quiet < 5:
            time.sleep(0.1)
            quiet = quiet + 1 if os.path.getsize(self.path) == size else 0
            size = os.path.getsize(self.path)
        self.wait_for_mark()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE)
        with open(self.told.name, encoding="utf-8") as told:
            lost = re.search(r"(\d+) packets? dropped by kernel", told.read())
        if lost and int(lost[1]):
            raise unittest.SkipTest(f"the capture lost {lost[1]} packets: the machine is too busy")

    def wait_for_mark(self):
        """Sends itself a datagram and waits until the capture has it, and so all that came before."""
        token = secrets.token_bytes(32)
        self.mark.sendto(token, (self.to, self.port))
        self.mark.close()
        end = time.monotonic() + PATIENCE
        while not self.has(token):
            if time.monotonic() > end or self.process.poll() is not None:
                raise AssertionError("the capture does not show the datagram that ends it")
            time.sleep(0.05)

    def has(self, token):
        with open(self.path, "rb") as written:
            written.seek(max(0, os.path.getsize(self.path) - 65536))
            return token in written.read()

    def events(self, kind, *options):
        """The transactions of that kind, as `vantage read` tells them."""
        return read_events(self.path, kind, *options)


def read_events(path, kind, *options):
    done = subprocess.run([tap.vantage(), "read", "-o", "events", *options, path],
                          capture_output=True, text=True, timeout=180, check=False)
    if done.returncode != 0:
        raise AssertionError(f"exit status {done.returncode}: {done.stderr[-2000:]}")
    return of_kind(done.stdout, kind)


def of_kind(lines, kind):
    events = [json.loads(line) for line in lines.splitlines()]
    return [event for event in events if event.get("type") == kind]
