#!/usr/bin/env python3
"""What happens to a live interface and to those who may not look at it: down, up, removed, `any`,
drops of the kernel, missing rights, wrong names and filters."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "..", "tools")]
import frames  # noqa: E402
import netlab  # noqa: E402
import scenes  # noqa: E402
import tap  # noqa: E402

PACKETS = 200
NO_PERMISSION = 77


def datagrams(count):
    """Frames of one flow of UDP."""
    packet = frames.ip("10.1.0.1", "10.2.0.1", frames.UDP,
                       frames.udp("10.1.0.1", "10.2.0.1", 4000, 4001, b"x" * 100))
    return [frames.ethernet(packet)] * count


class Live(unittest.TestCase):
    """Each test has a pair and a capture of PACKETS datagrams; the API says what was counted."""

    def setUp(self):
        reason = netlab.missing("tcpreplay", "curl", "ping")
        if reason:
            self.skipTest(reason)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.capture = os.path.join(folder.name, "sent.pcap")
        scenes.write(self.capture, datagrams(PACKETS))
        self.pair = netlab.Pair()
        self.pair.__enter__()
        self.addCleanup(self.pair.__exit__)

    def listen(self, interface="in0", *options):
        """Starts `vantage live`; its flows go to standard output."""
        return self.pair.listen([tap.vantage(), "live", interface, "-o", "events", *options])

    def counted(self, process, packets):
        """The packets of all final flows after the end; the API must have said the same before."""
        frames_seen = self.pair.totals(packets)["frames"]
        status, out, err = self.pair.finish(process)
        self.assertEqual(status, 0, err)
        flows = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(sum(flow["network"]["packets"] for flow in flows
                             if flow.get("flow", {}).get("final")),
                         frames_seen)
        return frames_seen

    def test_down_and_up(self):
        """An interface that goes down and comes up again is captured on"""
        live = self.listen()
        before = self.pair.running()
        self.pair.replay(self.capture)
        netlab.sh("ip", "-n", self.pair.receiver, "link", "set", "in0", "down")
        self.pair.wait_for_running(lambda now: now == 0)
        time.sleep(1)
        self.assertIsNone(live.poll(), "ended when the interface went down")
        netlab.sh("ip", "-n", self.pair.receiver, "link", "set", "in0", "up")
        self.pair.wait_for_running(lambda now: now == before)
        self.pair.replay(self.capture)
        self.assertEqual(self.counted(live, 2 * PACKETS), 2 * PACKETS)

    def test_removed(self):
        """An interface that is removed: what was seen is reported, the program goes on or ends in order"""
        live = self.listen()
        self.pair.replay(self.capture)
        self.pair.totals(PACKETS)
        netlab.sh("ip", "-n", self.pair.receiver, "link", "del", "in0")
        time.sleep(2)
        status, out, err = self.pair.finish(live)
        self.assertIn(status, (0, 1), err)
        self.assertNotIn("Sanitizer", err)
        flows = [json.loads(line) for line in out.splitlines()]
        self.assertEqual(sum(flow["network"]["packets"] for flow in flows
                             if flow.get("flow", {}).get("final")),
                         PACKETS)

    def test_removed_and_back(self):
        """An interface that is removed and made anew is captured on"""
        live = self.listen()
        before = self.pair.running()
        self.pair.replay(self.capture)
        self.pair.totals(PACKETS)
        netlab.sh("ip", "-n", self.pair.receiver, "link", "del", "in0")
        time.sleep(1)
        self.pair.add_link()
        self.pair.wait_for_running(lambda now: now == before or live.poll() is not None)
        self.assertIsNone(live.poll(), "ended when the interface was removed")
        self.pair.replay(self.capture)
        self.assertEqual(self.counted(live, 2 * PACKETS), 2 * PACKETS)

    def test_any(self):
        """`any` sees all interfaces of the namespace, and each packet once"""
        live = self.listen("any", "-f", "not port 10853")
        self.pair.replay(self.capture)
        netlab.sh(*self.pair.inside("ping", "-q", "-c", "3", "-i", "0.2", "127.0.0.1"))
        self.assertEqual(self.counted(live, PACKETS + 6), PACKETS + 6)

    def test_drops(self):
        """What the kernel drops is counted and shown"""
        live = self.listen("in0", "--ring", "2M")
        os.kill(live.pid, signal.SIGSTOP)
        # A stopped reader: the ring of two megabytes is full after some ten thousand frames.
        loops = 500
        self.pair.replay(self.capture, "--topspeed", f"--loop={loops}", "--preload-pcap")
        os.kill(live.pid, signal.SIGCONT)
        totals = self.pair.totals(PACKETS * loops)
        self.assertGreater(totals["dropped"], 0)
        self.assertGreater(totals["frames"], 0)
        self.assertEqual(totals["frames"] + totals["dropped"], PACKETS * loops)
        self.assertEqual(self.pair.finish(live)[0], 0)

    def test_filter(self):
        """A filter holds from the first packet on"""
        live = self.listen("in0", "-f", "udp port 9")
        self.pair.replay(self.capture)
        self.assertEqual(self.counted(live, 0), 0)


class Refused(unittest.TestCase):
    """One clear line and the right status."""

    def refuse(self, command, status, *words, lines=1):
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertGreaterEqual(len(done.stderr.strip().splitlines()), 1)
        self.assertLessEqual(len(done.stderr.strip().splitlines()), lines, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def test_no_permission(self):
        """Without CAP_NET_RAW: status 77, and the text says what to do"""
        command = [tap.vantage(), "live", "lo", "-o", "events"]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups",
                       "--inh-caps=-all", "--bounding-set=-all", *command]
        self.refuse(command, NO_PERMISSION, "CAP_NET_RAW", "sudo", "setcap", lines=8)

    def test_no_such_interface(self):
        """An interface that does not exist is named, with status 1 or 77"""
        if os.geteuid() != 0:
            self.skipTest("needs root")
        self.refuse([tap.vantage(), "live", "nosuch0", "-o", "events"], 1, "nosuch0")

    def test_bad_filter(self):
        """A filter that does not parse is shown, with status 2"""
        if os.geteuid() != 0:
            self.skipTest("needs root")
        self.refuse([tap.vantage(), "live", "lo", "-o", "events", "-f", "udp prot 53"], 2,
                    "udp prot 53", lines=3)


if __name__ == "__main__":
    tap.main()
