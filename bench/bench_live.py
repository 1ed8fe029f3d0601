"""The highest rate that a capture tool follows without a drop, over a veth pair of our own.

Two network namespaces; blast.c sends from one, the tool listens in the other. A rate counts as clean when
two trials of three lose nothing. The tools share the processors with the sender, as they would with
whatever makes the traffic.
"""
import json
import os
import re
import signal
import subprocess
import time

TRIAL_SECONDS = 2
RATES = [rate * 1000 for rate in (1200, 1000, 800, 650, 500, 400, 300, 200, 100, 50)]
REACHED = 0.9  # of a rate, for the sender to have made it


def sh(*command):
    """Runs a short command that must succeed; its standard output."""
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout


class Pair:
    """A veth pair between two namespaces, named after this process and removed on exit."""

    def __init__(self):
        self.sender = f"vantage-bs-{os.getpid()}"
        self.receiver = f"vantage-br-{os.getpid()}"

    def __enter__(self):
        for space in (self.sender, self.receiver):
            sh("ip", "netns", "add", space)
        sh("ip", "link", "add", "name", "out0", "netns", self.sender, "type", "veth",
           "peer", "name", "in0", "netns", self.receiver)
        for space, device in ((self.sender, "out0"), (self.receiver, "in0")):
            sh("ip", "-n", space, "link", "set", device, "addrgenmode", "none")
            sh("ip", "-n", space, "link", "set", device, "up")
        sh("ip", "-n", self.receiver, "link", "set", "lo", "up")
        return self

    def __exit__(self, *_error):
        for space in (self.sender, self.receiver):
            subprocess.run(["ip", "netns", "del", space], check=False, capture_output=True)

    def start(self, command, out):
        """Starts a capturing command in the receiver's namespace; returns when it listens."""
        process = subprocess.Popen(["ip", "netns", "exec", self.receiver, *command],
                                   stdout=out, stderr=subprocess.PIPE, text=True)
        for _ in range(200):
            time.sleep(0.05)
            sockets = sh("ip", "netns", "exec", self.receiver, "cat", "/proc/net/packet")
            if len(sockets.splitlines()) > 1:
                time.sleep(0.2)
                return process
            if process.poll() is not None:
                break
        process.kill()
        raise RuntimeError(f"{command[0]} does not listen: {process.communicate()[1].strip()}")

    def blast(self, tools, capture, rate):
        """Sends; how many frames, and how many a second."""
        sent, took = sh("ip", "netns", "exec", self.sender, os.path.join(tools, "blast"), "out0",
                        capture, str(int(rate)), str(TRIAL_SECONDS)).split()
        time.sleep(0.5)
        return int(sent), int(sent) * 1e6 / int(took)


def finish(process):
    """Ends a tool as Ctrl-C does; what it said on standard output and error."""
    process.send_signal(signal.SIGINT)
    try:
        return process.communicate(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()


class Tcpdump:
    """tcpdump -w /dev/null with the kernel buffer of `kib` KiB, 0 for its default."""

    def __init__(self, kib=0):
        self.name = f"tcpdump -B {kib}" if kib else "tcpdump"
        self.options = ["-B", str(kib)] if kib else []

    def trial(self, pair, tools, capture, rate):
        """(frames sent, seen, dropped, a second). What it had not yet read when it was ended counts as
        seen: "received by filter", not "captured"."""
        process = pair.start(["tcpdump", "-Z", "root", "-n", "-i", "in0", *self.options,
                              "-w", "/dev/null"], subprocess.DEVNULL)
        sent, pace = pair.blast(tools, capture, rate)
        said = finish(process)[1]
        seen = int(re.search(r"(\d+) packets received by filter", said).group(1))
        dropped = int(re.search(r"(\d+) packets dropped by kernel", said).group(1))
        return sent, seen, dropped, pace


class Vantage:
    """vantage live with everything at its defaults; its own API says what it saw."""

    name = "vantage"

    def __init__(self, program):
        self.program = program

    def trial(self, pair, tools, capture, rate):
        """(frames sent, seen, dropped, a second)."""
        process = pair.start([self.program, "live", "in0"], subprocess.DEVNULL)
        sent, pace = pair.blast(tools, capture, rate)
        totals = self.totals(pair)
        while totals["frames"] + totals["dropped"] < sent:
            before = totals
            time.sleep(1.1)
            totals = self.totals(pair)
            if totals == before:
                break
        finish(process)
        return sent, totals["frames"], totals["dropped"], pace

    @staticmethod
    def totals(pair):
        """The figures of the agent in the receiver's namespace."""
        return json.loads(sh("ip", "netns", "exec", pair.receiver, "curl", "-sS",
                             "http://127.0.0.1:10853/api/v1/summary"))["totals"]


def highest_clean(tool, pair, tools, capture):
    """The highest of RATES that the sender makes and the tool follows; 0 if none."""
    for rate in RATES:
        clean = lost = 0
        while clean < 2 and lost < 2:
            sent, seen, dropped, pace = tool.trial(pair, tools, capture, rate)
            if pace >= rate * REACHED and dropped == 0 and seen >= sent:
                clean += 1
            else:
                lost += 1
        if clean == 2:
            return rate
    return 0


def compare(tools, capture, program):
    """The highest clean rate of each tool: {name: frames a second}."""
    with Pair() as pair:
        return {tool.name: highest_clean(tool, pair, tools, capture)
                for tool in (Tcpdump(), Tcpdump(65536), Vantage(program))}
