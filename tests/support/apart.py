"""Tests that want a network of their own: run apart, in namespaces of network, mounts and processes, where
/run is empty, every port is free, no packet comes from elsewhere, and no process stays behind.

    if __name__ == "__main__":
        apart.main("ping")      # like tap.main(), with what the test needs

Within, `Neighbour` is another host, at the other end of a cable.
"""
import os
import shutil
import subprocess
import sys
import time
import unittest

import sniffer
import tap

PATIENCE = 180  # seconds
INSIDE = "VANTAGE_TEST_APART"
UNSHARE = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c"]
READY = "mount -t tmpfs tmpfs /run && ip link set lo up"


def missing(*needs):
    """Why a test cannot run apart, or None. What it needs are names of programs, or what has missing()."""
    reasons = [sniffer.missing(need) if isinstance(need, str) else need.missing()
               for need in ("ip", "unshare", *needs)]
    reason = next(filter(None, reasons), None)
    if reason or INSIDE in os.environ:
        return reason
    probe = subprocess.run([*UNSHARE, READY], capture_output=True, check=False, timeout=PATIENCE)
    return None if probe.returncode == 0 else "the system allows no namespaces"


def main(*needs):
    """Runs the script's cases apart; where that cannot be, skips them all and says why."""
    reason = missing(*needs)
    if reason:
        for case in vars(sys.modules["__main__"]).values():
            if isinstance(case, type) and issubclass(case, unittest.TestCase):
                case.setUpClass = classmethod(lambda _, reason=reason: skip(reason))
    elif INSIDE not in os.environ:
        os.environ[INSIDE] = "yes"
        os.execvp(UNSHARE[0], [*UNSHARE, READY + ' && exec "$0" "$@"', sys.executable, *sys.argv])
    tap.main()


def skip(reason):
    raise unittest.SkipTest(reason)


def sh(*command):
    """Runs a command that must succeed; its standard output."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


def wait_until(is_so, what):
    """Until that holds, with patience."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > end:
            raise AssertionError(f"not within {PATIENCE} s: {what}")
        time.sleep(0.05)


class Neighbour:
    """Another host: its own namespace, called `there`, with the interface `there0` at a cable to ours, `here0`.
    `here` and `there` are addresses with their prefixes' lengths, which the two ends get."""

    def __init__(self, here=(), there=()):
        self.addresses = {"here0": here, "there0": there}

    def __enter__(self):
        sh("ip", "netns", "add", "there")
        sh("ip", "link", "add", "here0", "type", "veth", "peer", "name", "there0", "netns", "there")
        sh(*self.inside("ip", "link", "set", "lo", "up"))
        for device, inside in (("here0", lambda *words: words), ("there0", self.inside)):
            for address in self.addresses[device]:
                # Nobody else is here: an address is good at once.
                sh(*inside("ip", "address", "add", address, "dev", device,
                           *(["nodad"] if ":" in address else [])))
            sh(*inside("ip", "link", "set", device, "up"))
        for inside in (lambda *words: words, self.inside):
            wait_until(lambda inside=inside: "tentative" not in sh(*inside("ip", "-6", "address")),
                       "addresses of the link that are settled")
        return self

    def __exit__(self, *_):
        subprocess.run(["ip", "link", "del", "here0"], capture_output=True, check=False)
        subprocess.run(["ip", "netns", "del", "there"], capture_output=True, check=False)

    @staticmethod
    def inside(*command):
        """The command, run there."""
        return ("ip", "netns", "exec", "there", *command)
