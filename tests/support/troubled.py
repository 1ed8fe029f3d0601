"""What tests of TCP health on troubled networks (tests/networks) share."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "networks")]
import network  # noqa: E402
import tap  # noqa: E402
import troubles  # noqa: E402

CLIENT, SERVER = 0, 1
# A busy machine is late: the least of many round trips hardly is, that of a few may be.
RTT_SLACK_MS = 100
LATE_MS, TRIES = 25, 4  # a link that was later than that is made again


def health_of(capture):
    """What vantage says of the only connection of a capture; None without one."""
    done = subprocess.run([tap.vantage(), "read", "--connections", "-o", "events", capture],
                          capture_output=True, text=True, timeout=180, check=False)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(done.stderr)
    found = [event["tcp"]["health"] for event in map(json.loads, done.stdout.splitlines())
             if event["event"]["dataset"] == "tcp.connection"]
    assert len(found) <= 1, "one connection was made"
    return found[0] if found else None


def verdicts(health):
    """The verdicts that hold."""
    return set(filter(None, (health.get("verdicts") or "").split(",")))


class Troubled(unittest.TestCase):
    """Cases about troubles that are made once for all of them: `names`."""
    names = ()

    @classmethod
    def setUpClass(cls):
        why = network.missing()
        if why:
            raise unittest.SkipTest(why)
        cls.folder = tempfile.TemporaryDirectory()
        cls.truths = troubles.make(cls.folder.name, cls.names)
        for _ in range(1, TRIES):
            late = [name for name, truth in cls.truths.items() if truth["link"]["late_max_ms"] > LATE_MS]
            cls.truths.update(troubles.make(cls.folder.name, late) if late else {})
        for truth in cls.truths.values():
            truth["health"] = [health_of(capture) for capture in truth["captures"]]

    @classmethod
    def tearDownClass(cls):
        if hasattr(cls, "folder"):
            cls.folder.cleanup()

    def both(self, name):
        """The truth, and what was said at the client and at the server."""
        truth = self.truths[name]
        return truth, truth["health"][CLIENT], truth["health"][SERVER]

    def assert_verdicts(self, health, has, has_not=()):
        self.assertTrue(set(has) <= verdicts(health), f"{verdicts(health)} without {has}")
        self.assertFalse(set(has_not) & verdicts(health), f"{verdicts(health)} with {has_not}")

    def assert_near(self, got, wanted, by):
        self.assertIsNotNone(got)
        self.assertTrue(wanted - by <= got <= wanted + by, f"{got}, not {wanted} give or take {by}")

    def assert_round_trips(self):
        """Of all troubles that have one: never less than the link takes."""
        for name, truth in self.truths.items():
            if "rtt_ms" not in truth:
                continue
            at_client, at_server = truth["health"]
            with self.subTest(name):
                for got in (at_client["min_rtt_to_server_ms"], at_server["min_rtt_to_client_ms"]):
                    self.assertGreaterEqual(got, truth["rtt_ms"] - 0.1)
                    self.assertLess(got, truth["rtt_ms"] + RTT_SLACK_MS)

    def assert_bytes(self):
        """Of all troubles that say how many were sent."""
        for name, truth in self.truths.items():
            for health in truth["health"]:
                for known, way in (("bytes", "s2c"), ("uploaded", "c2s")):
                    if known in truth:
                        with self.subTest(name):
                            self.assertEqual(health[way]["unique_bytes"], truth[known])
                            self.assertEqual(health["flags"]["close"], "fin")
