"""Troubles that are seldom, and what looks like trouble but is none: see troubles.py."""
import socket
import threading
import time

import network
from hosts import (BUSY, PORT, QUIET, REQUEST, ask, close, download, receive, sends, serve, trouble,
                   wait_until_acknowledged)
from network import CLIENT, SERVER_ADDRESS
from strange_clock import CLOCKS

FAST = {"rate": 20e6, "queue": 500_000}
TCP_REPAIR, TCP_FASTOPEN, MSG_FASTOPEN = 19, 23, 0x20000000


def upload(net, size):
    """A connection on which the client sends, and the server says one byte when it has all."""
    def answer(sock):
        receive(sock, size)
        sends(1)(sock)

    def send_and_wait(sock):
        sock.sendall(b"x" * size)
        receive(sock)
    thread = serve(net, answer)
    client = ask(net, take=send_and_wait)
    thread.join(20)
    close(client)


# ---- The path --------------------------------------------------------------------------------

@trouble(BUSY)
def upload_loss(folder):
    """Every 40th data packet of an upload of 800 kB is lost."""
    with network.Network("upload_loss", folder, {"up": {**FAST, "drop_every": 40}}) as net:
        upload(net, 800_000)
    return net, {"rtt_ms": 20, "uploaded": 800_000 + len(REQUEST)}


@trouble(BUSY)
def ack_loss(folder):
    """Every third pure acknowledgment of a download of 500 kB is lost, and no data."""
    with network.Network("ack_loss", folder, {"down": FAST, "up": {"drop_acks_every": 3}}) as net:
        download(net, 500_000)
    return net, {"rtt_ms": 20, "bytes": 500_000}


@trouble(BUSY)
def jitter(folder):
    """Each packet takes up to 15 ms more, in either direction; the order is kept."""
    with network.Network("jitter", folder, {"down": {**FAST, "jitter": 0.015},
                                            "up": {"jitter": 0.015}}) as net:
        download(net, 500_000)
    return net, {"rtt_ms": 20, "bytes": 500_000}


@trouble(BUSY)
def reorder_unstamped(folder):
    """As `reorder`, but without time stamps."""
    with network.Network("reorder_unstamped", folder, {"down": {**FAST, "late_every": 30, "late": 0.004}},
                         {"tcp_timestamps": 0}) as net:
        download(net, 800_000)
    return net, {"rtt_ms": 20, "bytes": 800_000}


@trouble(BUSY)
def loss_unstamped(folder):
    """As `loss`, but without time stamps."""
    with network.Network("loss_unstamped", folder, {"down": {**FAST, "drop_every": 50}},
                         {"tcp_timestamps": 0}) as net:
        download(net, 800_000)
    return net, {"rtt_ms": 20, "bytes": 800_000}


@trouble(QUIET)
def healed_hole(folder):
    """After 100 kB nothing passes in either direction for 2.5 s, then all does again."""
    with network.Network("healed_hole", folder, {"down": {"hole_after": 100_000, "hole_seconds": 2.5},
                                                 "up": {"hole_with": "other"}}) as net:
        download(net, 300_000)
    return net, {"rtt_ms": 20, "bytes": 300_000}


@trouble(QUIET)
def forged_reset(folder):
    """A stranger sends the client a RST whose sequence number is none: it is ignored (RFC 5961)."""
    with network.Network("forged_reset", folder, {"down": {"forge_after": 100_000}}) as net:
        download(net, 300_000)
    return net, {"rtt_ms": 20, "bytes": 300_000}


def strange(name):
    """A download from a server with a strange clock."""
    def made(folder):
        with network.Network(f"clock_{name}", folder, {"down": {**FAST, "clock": name}}) as net:
            download(net, 400_000)
        return net, {"rtt_ms": 20, "bytes": 400_000}
    made.__name__, made.__doc__ = f"clock_{name}", f"The server's time stamps: {CLOCKS[name].__doc__}"
    return made


for one in CLOCKS:
    trouble(BUSY)(strange(one))


# ---- The ends --------------------------------------------------------------------------------

@trouble(QUIET)
def small_window(folder):
    """The client reads all at once, but has room for a few segments only."""
    with network.Network("small_window", folder, {}) as net:
        download(net, 200_000, receive=8_000)
    return net, {"rtt_ms": 20, "bytes": 200_000}


@trouble(QUIET)
def zero_window(folder):
    """The client reads 50 kB, nothing for 2.5 s, then the rest."""
    def read_and_rest(sock):
        receive(sock, 50_000)
        time.sleep(2.5)
        receive(sock)
    with network.Network("zero_window", folder, {}) as net:
        download(net, 300_000, take=read_and_rest, receive=16_384)
    return net, {"rtt_ms": 20, "bytes": 300_000}


@trouble(QUIET)
def half_open(folder):
    """The server forgets an open connection, and answers what comes with a RST."""
    forgotten = threading.Event()

    def forget(sock):
        sock.sendall(b"x" * 5_000)
        wait_until_acknowledged(sock)
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        sock.close()  # in repair it goes without a word
        forgotten.set()

    def go_on(sock):
        receive(sock, 5_000)
        forgotten.wait(20)
        sock.sendall(REQUEST)
        receive(sock)
    with network.Network("half_open", folder, {}) as net:
        serve(net, forget)
        ask(net, take=go_on)
    return net, {"rtt_ms": 20}


@trouble(QUIET)
def fast_open(folder):
    """The request is in the SYN (RFC 7413)."""
    def accept_and_send(listener):
        accepted, _ = listener.accept()
        net.sockets.append(accepted)
        receive(accepted, len(REQUEST))
        sends(20_000)(accepted)
    with network.Network("fast_open", folder, {}, {"tcp_fastopen": 0x207}) as net:
        listener = net.listen(PORT)
        listener.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 8)
        thread = threading.Thread(target=accept_and_send, args=(listener,), daemon=True)
        thread.start()
        client = net.socket(CLIENT)
        client.sendto(REQUEST, MSG_FASTOPEN, (SERVER_ADDRESS, PORT))
        receive(client)
        thread.join(20)
        close(client)
    return net, {"rtt_ms": 20, "bytes": 20_000, "uploaded": len(REQUEST)}
