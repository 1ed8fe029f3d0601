"""Two hosts that are joined by a link of known faults (bottleneck.py): two network namespaces with a TAP
device each, and sockets in them for this process. Addresses are those of documentation, nothing leaves
the machine, and all is removed on exit. Needs root.

    with Network("name", folder, {"down": {"rate": 8e6, "queue": 400000}}) as network:
        listener = network.listen(8080)
        client = network.socket(CLIENT); client.connect((SERVER_ADDRESS, 8080))
        ...
    network.truth       what happened to packets
    network.captures    files: at the client, at the server
"""
import ctypes
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
CLIENT, SERVER = 0, 1
ADDRESSES = ("198.51.100.10", "198.51.100.20")
SERVER_ADDRESS = ADDRESSES[SERVER]
MACS = ("02:00:00:00:00:0a", "02:00:00:00:00:14")
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454ca, 2, 0x1000
CLONE_NEWNET = 0x40000000


def missing():
    """Why this machine cannot have such networks, or None."""
    if os.geteuid() != 0:
        return "needs root for network namespaces and TAP devices"
    if not shutil.which("ip"):
        return "needs ip (iproute2)"
    if not os.path.exists("/dev/net/tun"):
        return "needs /dev/net/tun"
    probe = subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False)
    return None if probe.returncode == 0 else "the system allows no network namespaces"


def sh(*command, text=None):
    """Runs a command that must succeed."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


def inside(space, work):
    """What work() returns, run by a thread in a namespace: what it opens belongs there."""
    result = []

    def run():
        libc = ctypes.CDLL(None, use_errno=True)
        descriptor = os.open(f"/run/netns/{space}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            if libc.setns(descriptor, CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            result.append(work())
        except Exception as error:  # raised again by the caller
            result.append(error)
        finally:
            os.close(descriptor)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if isinstance(result[0], Exception):
        raise result[0]
    return result[0]


def open_tap():
    """A TAP device in this thread's namespace."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", b"wire", IFF_TAP | IFF_NO_PI))
    return descriptor


def set_up_kernel(others):
    """What a host may be configured to, set to what everybody has, but for `others`."""
    settings = {"tcp_mtu_probing": 0, "tcp_syn_linear_timeouts": 4, "tcp_no_metrics_save": 1, **others}
    for name, value in settings.items():
        try:
            with open(f"/proc/sys/net/ipv4/{name}", "w", encoding="ascii") as file:
                file.write(str(value))
        except OSError:
            pass  # an older kernel


class Network:
    """See above. `link`: the configuration of bottleneck.py, but for devices and captures. `kernel`: what
    both hosts have in /proc/sys/net/ipv4."""

    def __init__(self, name, folder, link, kernel=None):
        self.name, self.folder, self.link, self.kernel = name, folder, link, kernel or {}
        self.spaces = [f"vantage-{name}-{end}-{os.getpid()}" for end in ("c", "s")]
        self.captures = [os.path.join(folder, f"{name}.{end}.pcap") for end in ("client", "server")]
        self.taps, self.sockets, self.process, self.truth = [], [], None, None

    def __enter__(self):
        try:
            for end, space in enumerate(self.spaces):
                sh("ip", "netns", "add", space)
                self.taps.append(inside(space, open_tap))
                inside(space, lambda: set_up_kernel(self.kernel))
                sh("ip", "-n", space, "-batch", "-", text=(
                    f"link set wire address {MACS[end]} mtu 1500 txqueuelen 10000 addrgenmode none\n"
                    f"address add {ADDRESSES[end]}/24 dev wire\nlink set wire up\n"
                    f"neighbour replace {ADDRESSES[1 - end]} lladdr {MACS[1 - end]} dev wire\n"))
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def start(self):
        """The link begins to carry frames."""
        path = os.path.join(self.folder, f"{self.name}.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({**self.link, "taps": self.taps, "captures": self.captures}, file)
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "bottleneck.py"), path], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, pass_fds=self.taps)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError("the link did not start")

    def __exit__(self, kind, *_rest):
        try:
            out = self.process.communicate(timeout=60)[0]
            if kind is None:
                self.truth = json.loads(out)
        finally:
            self.remove()

    def remove(self):
        """Takes all away."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for one in self.sockets:
            one.close()
        for descriptor in self.taps:
            os.close(descriptor)
        for space in self.spaces:
            subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)

    def socket(self, end, timeout=60, receive=0, send=0):
        """A TCP socket of an end; of buffers the kernel makes twice that."""
        made = inside(self.spaces[end], lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        self.sockets.append(made)
        made.settimeout(timeout)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")  # every kernel has it
        if receive:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        if send:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send)
        return made

    def listen(self, port):
        """A listening socket of the server; what it accepts is closed with the network."""
        listener = self.socket(SERVER)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((SERVER_ADDRESS, port))
        listener.listen(8)
        return listener
