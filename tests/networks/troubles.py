#!/usr/bin/env python3
"""Captures of TCP connections whose troubles are known, made anew on networks of this machine:

    troubles.py FOLDER [NAME...]    as root; FOLDER gets NAME.client.pcap, NAME.server.pcap, truth.json
    troubles.py --list

A trouble is a function of this file: it makes its network, lets two hosts talk, and returns what is known.
The path takes 20 ms there and back unless it says otherwise, and the link is between the two places of
capture: what is lost is lost behind the server's tap and before the client's."""
import concurrent.futures
import json
import os
import socket
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import first  # noqa: E402
import further  # noqa: E402,F401 (puts its troubles on the lists)
import network  # noqa: E402
import oddities  # noqa: E402,F401 (likewise)
from hosts import (BUSY, QUIET, ask, close, download, receive, sends, serve, trouble,  # noqa: E402
                   wait_until_acknowledged)

# ---- Troubles --------------------------------------------------------------------------------

@trouble(BUSY)
def clean(folder):
    """Nothing: 500 kB at 40 Mbit/s."""
    with network.Network("clean", folder, {"down": {"rate": 40e6, "queue": 10 ** 6}}) as net:
        download(net, 500_000)
    return net, {"rtt_ms": 20, "bytes": 500_000}


@trouble(BUSY)
def bufferbloat(folder):
    """600 kB through 2 Mbit/s with a queue that never ends: as much as the client's window waits in it."""
    with network.Network("bufferbloat", folder, {"down": {"rate": 2e6, "queue": 10 ** 7}}) as net:
        download(net, 600_000, receive=50_000)
    return net, {"rtt_ms": 20, "bytes": 600_000}


@trouble(BUSY)
def deep_queue(folder):
    """1.5 MB through 8 Mbit/s with a queue that never ends: 700 kB wait in it."""
    with network.Network("deep_queue", folder, {"down": {"rate": 8e6, "queue": 10 ** 7}}) as net:
        download(net, 1_500_000)
    return net, {"rtt_ms": 20, "bytes": 1_500_000}


@trouble(BUSY)
def overflow(folder):
    """1.5 MB through 8 Mbit/s with 100 kB of queue, which overflows."""
    with network.Network("overflow", folder, {"down": {"rate": 8e6, "queue": 100_000}}) as net:
        download(net, 1_500_000)
    return net, {"rtt_ms": 20, "bytes": 1_500_000}


@trouble(BUSY)
def loss(folder):
    """Every 50th data packet of 1 MB is lost."""
    with network.Network("loss", folder, {"down": {"rate": 20e6, "queue": 500_000,
                                                   "drop_every": 50}}) as net:
        download(net, 1_000_000)
    return net, {"rtt_ms": 20, "bytes": 1_000_000}


@trouble(BUSY)
def reorder(folder):
    """Every 30th data packet takes 4 ms longer, so that others overtake it; nothing is lost."""
    with network.Network("reorder", folder, {"down": {"rate": 20e6, "queue": 500_000, "late_every": 30,
                                                      "late": 0.004}}) as net:
        download(net, 800_000)
    return net, {"rtt_ms": 20, "bytes": 800_000}


@trouble(BUSY)
def slow_reader(folder):
    """The client reads 24 kB every 200 ms into a small buffer, which fills."""
    def read_slowly(sock):
        time.sleep(0.3)
        while receive(sock, 24_000) == 24_000:
            time.sleep(0.2)
    with network.Network("slow_reader", folder, {}) as net:
        download(net, 250_000, take=read_slowly, receive=16_384)
    return net, {"rtt_ms": 20, "bytes": 250_000}


@trouble(QUIET)
def syn_hole(folder):
    """No SYN arrives."""
    with network.Network("syn_hole", folder, {"up": {"hole_after": 0}}) as net:
        serve(net, sends(100))
        ask(net, timeout=7.5)
    return net, {}


@trouble(QUIET)
def middle_hole(folder):
    """After 200 kB nothing passes any more, in either direction."""
    with network.Network("middle_hole", folder, {"down": {"hole_after": 200_000},
                                                 "up": {"hole_with": "other"}}) as net:
        serve(net, sends(400_000))
        ask(net, timeout=7)
    return net, {"rtt_ms": 20}


@trouble(QUIET)
def mtu_hole(folder):
    """IP packets over 1400 bytes vanish, and no ICMP tells: 800 bytes arrive, the rest does not."""
    def answer(sock):
        sock.sendall(b"x" * 800)
        wait_until_acknowledged(sock)
        sock.sendall(b"x" * 100_000)
    with network.Network("mtu_hole", folder, {"down": {"mtu": 1400}}) as net:
        serve(net, answer)
        ask(net, timeout=7)
    return net, {"rtt_ms": 20}


@trouble(QUIET)
def idle_application(folder):
    """Five answers of 20 kB with 400 ms between them."""
    pauses = []  # with all acknowledged and nothing to say

    def answer(sock):
        for _ in range(5):
            sock.sendall(b"x" * 20_000)
            wait_until_acknowledged(sock)
            begun = time.monotonic()
            time.sleep(0.4)
            pauses.append(1000 * (time.monotonic() - begun))
        sock.shutdown(socket.SHUT_WR)
    with network.Network("idle_application", folder, {}) as net:
        thread = serve(net, answer)
        client = ask(net)
        thread.join(10)
        close(client)
    return net, {"rtt_ms": 20, "bytes": 100_000, "pauses_ms": pauses[:4]}


@trouble(QUIET)
def slow_server(folder):
    """The server thinks for 1.5 s; how long it did, and how long its client waited, both say."""
    known = {"rtt_ms": 20, "bytes": 20_000}

    def answer(sock):
        begun = time.monotonic()
        time.sleep(1.5)
        known["think_ms"] = 1000 * (time.monotonic() - begun)
        sends(20_000)(sock)

    def take(sock):
        receive(sock, 1)
        known["first_byte_ms"] = 1000 * (time.monotonic() - begun)
        receive(sock)
    with network.Network("slow_server", folder, {}) as net:
        thread = serve(net, answer)
        begun = time.monotonic()
        client = ask(net, take=take)
        thread.join(10)
        close(client)
    return net, known


@trouble(QUIET)
def refused(folder):
    """Nobody listens."""
    with network.Network("refused", folder, {}) as net:
        ask(net)
    return net, {}


# ---- Together --------------------------------------------------------------------------------

def record(made, truths):
    """Notes what a trouble came to."""
    net, known = made
    truths[net.name] = {**known, "captures": net.captures, "link": net.truth}


def make(folder, names=()):
    """Makes captures in a folder; name -> what is known. The quiet ones run beside the busy ones."""
    def wanted(functions):
        return [one for one in functions if not names or one.__name__ in names]
    truths = {}
    first.go(1)
    try:
        make_all(folder, wanted, truths)
    finally:
        first.no_more()
    return truths


def make_all(folder, wanted, truths):
    """Notes in `truths` what all came to of which `wanted` takes out of a list."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=len(QUIET)) as pool:
        quiet = [pool.submit(one, folder) for one in wanted(QUIET)]
        for one in wanted(BUSY):
            record(one(folder), truths)
        for one in quiet:
            record(one.result(), truths)


def main():
    if "--list" in sys.argv:
        for one in BUSY + QUIET:
            print(f"{one.__name__:18} {one.__doc__}")
        return 0
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    why = network.missing()
    if why:
        print(f"troubles.py: {why}", file=sys.stderr)
        return 1
    os.makedirs(sys.argv[1], exist_ok=True)
    with open(os.path.join(sys.argv[1], "truth.json"), "w", encoding="utf-8") as file:
        json.dump(make(sys.argv[1], sys.argv[2:]), file, indent=2)
    return 0


if __name__ == "__main__":
    sys.exit(main())
