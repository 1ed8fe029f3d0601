"""A veth pair between two network namespaces of this process, for tests of live capture.

    with Pair() as pair:
        live = pair.listen([...vantage live in0...])
        pair.replay("x.pcap")
        pair.finish(live)

Frames sent from `out0` arrive at `in0`. No address is assigned and no kernel answers, so what arrives
is what was sent. Everything is removed on exit.
"""
import json
import os
import shutil
import signal
import subprocess
import time

PATIENCE = 180  # seconds


def missing(*programs):
    """Why such tests cannot run here, or None."""
    if os.geteuid() != 0:
        return "needs root for network namespaces"
    for program in ("ip", *programs):
        if not shutil.which(program):
            return f"needs {program}"
    probe = subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False)
    return None if probe.returncode == 0 else "the system allows no network namespaces"


def sh(*command, timeout=PATIENCE):
    """Runs a command that must succeed; its standard output."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


class Pair:
    """The pair; see above."""

    def __init__(self):
        self.sender = f"vantage-ts-{os.getpid()}"
        self.receiver = f"vantage-tr-{os.getpid()}"
        self.started = []

    def __enter__(self):
        try:
            for space in (self.sender, self.receiver):
                sh("ip", "netns", "add", space)
            self.add_link()
            sh("ip", "-n", self.receiver, "link", "set", "lo", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error):
        for process in self.started:
            if process.poll() is None:
                process.kill()
                process.communicate()
        for space in (self.sender, self.receiver):
            subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)

    def add_link(self):
        """Makes the pair of interfaces, also anew after they were removed."""
        sh("ip", "link", "add", "name", "out0", "netns", self.sender, "mtu", "1600", "type", "veth",
           "peer", "name", "in0", "mtu", "1600", "netns", self.receiver)
        for space, device in ((self.sender, "out0"), (self.receiver, "in0")):
            sh("ip", "-n", space, "link", "set", device, "addrgenmode", "none")
            sh("ip", "-n", space, "link", "set", device, "up")

    def inside(self, *command):
        """The command, run in the receiver's namespace."""
        return ["ip", "netns", "exec", self.receiver, *command]

    def running(self):
        """How many packet sockets of the receiver's namespace hear an interface that is there and up."""
        rows = sh(*self.inside("cat", "/proc/net/packet")).splitlines()[1:]
        return sum(row.split()[5] == "1" for row in rows)

    def wait_for_running(self, is_enough):
        """Until that holds of running()."""
        deadline = time.monotonic() + PATIENCE
        while not is_enough(self.running()):
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.running()} packet sockets hear an interface")
            time.sleep(0.05)

    def listen(self, command):
        """Starts a capturing program in the receiver's namespace; returns when it listens."""
        before = self.running()
        process = subprocess.Popen(self.inside(*command), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.started.append(process)
        try:
            self.wait_for_running(lambda now: now > before or process.poll() is not None)
        except AssertionError:
            process.kill()
        if process.poll() is not None:
            raise AssertionError(f"{' '.join(command)} does not listen: {process.communicate()[1]}")
        self.wait_until_ready(process)  # for those that open several
        return process

    def wait_until_ready(self, process):
        """Until the agent in the receiver's namespace says so, or ends."""
        end = time.monotonic() + PATIENCE
        ask = self.inside("curl", "-sS", "-f", "http://127.0.0.1:10853/readyz")
        while process.poll() is None and subprocess.run(ask, capture_output=True, check=False).returncode != 0:
            if time.monotonic() > end:
                raise AssertionError("the agent does not get ready")
            time.sleep(0.05)

    def replay(self, capture, *options):
        """Sends a capture with tcpreplay, by default 2000 packets a second."""
        sh("ip", "netns", "exec", self.sender, "tcpreplay", "-q", *(options or ("--pps=2000",)),
           "-i", "out0", capture, timeout=2 * PATIENCE)
        time.sleep(0.3)

    def totals(self, packets, seconds=PATIENCE):
        """`totals` of the API of the agent in the receiver's namespace, as soon as that many packets
        are taken or dropped, or else when the time is up."""
        deadline = time.monotonic() + seconds
        while True:
            text = sh(*self.inside("curl", "-sS", "http://127.0.0.1:10853/api/v1/summary"))
            totals = json.loads(text)["totals"]
            if totals["frames"] + totals["dropped"] >= packets or time.monotonic() > deadline:
                return totals
            time.sleep(0.2)

    @staticmethod
    def finish(process, timeout=PATIENCE):
        """Ends a program as Ctrl-C does: (status, standard output, standard error)."""
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=timeout)
        return process.returncode, out, err
