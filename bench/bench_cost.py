"""What a command costs: CPU, wall time and peak memory of whole processes, run by cost.c."""
import json
import os
import statistics
import subprocess


class Failed(Exception):
    """A measured command did not do what it was asked."""


class Cost:
    """One run: seconds of CPU and of wall time, peak memory in bytes."""

    def __init__(self, line):
        status, user, system, wall, peak = (int(word) for word in line.split())
        self.status = status
        self.cpu = (user + system) / 1e6
        self.wall = wall / 1e6
        self.peak = peak << 10


class Meter:
    """Runs commands; `tools` is the folder of the built C programs, `folder` a place for output."""

    def __init__(self, tools, folder, vantage):
        self.tools = tools
        self.vantage = vantage
        self.out = os.path.join(folder, f"out-{os.getpid()}")

    def run(self, command, out=None):
        """Runs a command whose standard output goes to a file; its Cost and that output."""
        out = out or self.out
        done = subprocess.run([os.path.join(self.tools, "cost"), out, *command],
                              capture_output=True, text=True, check=True, timeout=1800)
        cost = Cost(done.stdout)
        if cost.status != 0:
            said = done.stderr.strip().splitlines()
            raise Failed(f"{' '.join(command[:2])} ended with status {cost.status}: "
                         f"{said[-1] if said else 'no message'}")
        with open(out, encoding="utf-8", errors="replace") as file:
            return cost, file.read()

    def count(self, capture):
        """The libpcap loop over a capture: its Cost, packets, bytes."""
        cost, text = self.run([os.path.join(self.tools, "pcap_count"), capture])
        packets, size = (int(word) for word in text.split())
        return cost, packets, size

    def summary(self, capture, *options):
        """`vantage read -o summary` over a capture: its Cost and its document."""
        cost, text = self.run([self.vantage, "read", "-o", "summary", *options, capture])
        try:
            return cost, json.loads(text)
        except json.JSONDecodeError as error:
            raise Failed(f"the summary of {os.path.basename(capture)} is not JSON: {error}") from error

    def events(self, capture, *options):
        """`vantage read -o events` over a capture, thrown away: its Cost."""
        return self.run([self.vantage, "read", "-o", "events", "--workers", "1", *options, capture],
                        "/dev/null")[0]

    def transactions(self, capture, *options):
        """How many transactions with a response there are in a capture."""
        command = [self.vantage, "read", "-o", "events", "--workers", "1", *options, capture]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            return sum(b'"dataset":"flow"' not in line and b'"duration":' in line
                       for line in process.stdout)

    def done(self):
        """Removes what the runs left."""
        if os.path.exists(self.out):
            os.unlink(self.out)


def median(values):
    """The median of a list that is not empty."""
    return statistics.median(values)
