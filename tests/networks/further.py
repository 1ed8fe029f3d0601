"""Limits of senders, marks of congestion, TLS, and what routers say: see troubles.py. What a kernel or a
program knows of its own connection is in what is known."""
import os
import socket
import ssl
import struct
import subprocess
import time

import network
from hosts import (BUSY, PORT, QUIET, REQUEST, ask, close, download, receive, serve, trouble,
                   wait_until_acknowledged)
from network import CLIENT, SERVER, SERVER_ADDRESS

FAR_ADDRESS = "203.0.113.1"  # beyond the server's host, which is a router then
THINKS_MS = 300


def kernel_of(sock):
    """What Linux says of its half of a connection: microseconds, and how many were marked (tcp(7), TCP_INFO)."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    busy, receiver, sender = struct.unpack_from("QQQ", info, 168)
    return {"busy_ms": busy / 1000, "rwnd_limited_ms": receiver / 1000, "sndbuf_limited_ms": sender / 1000,
            "marked": struct.unpack_from("I", info, 196)[0] if len(info) >= 200 else None}


def told(known, size, send=0):
    """An answer of so many bytes, after which the kernel is asked. `send`: the socket's buffer."""
    def answer(sock):
        if send:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send)
        sock.sendall(b"x" * size)
        wait_until_acknowledged(sock)
        known["kernel"] = kernel_of(sock)
        sock.shutdown(socket.SHUT_WR)
    return answer


# ---- Ends ------------------------------------------------------------------------------------

@trouble(QUIET)
def small_send_buffer(folder):
    """The server has room for 20 kB that are not acknowledged, on a path of 80 ms."""
    known = {"rtt_ms": 80, "bytes": 800_000}
    with network.Network("small_send_buffer", folder, {"down": {"delay": 0.04}, "up": {"delay": 0.04}}) as net:
        # One buffer of the kernel's may be as large as the device takes, whatever the socket's room is.
        network.sh("ip", "-n", net.spaces[SERVER], "link", "set", "wire", "gso_max_segs", "2")
        thread = serve(net, told(known, 800_000, 20_000))
        client = ask(net)
        thread.join(60)
        close(client)
    return net, known


@trouble(BUSY)
def marked(folder):
    """Both ends speak ECN, and every 25th data packet is marked instead of lost."""
    known = {"rtt_ms": 20, "bytes": 600_000}
    with network.Network("marked", folder, {"down": {"rate": 20e6, "queue": 500_000, "mark_every": 25}},
                         {"tcp_ecn": 1}) as net:
        thread = serve(net, told(known, 600_000))
        client = ask(net)
        thread.join(20)
        close(client)
    return net, known


@trouble(BUSY)
def unmarked(folder):
    """The same path, but the hosts do not speak ECN: nothing can be marked."""
    with network.Network("unmarked", folder, {"down": {"rate": 20e6, "queue": 500_000, "mark_every": 25}},
                         {"tcp_ecn": 0}) as net:
        download(net, 200_000)
    return net, {"rtt_ms": 20, "bytes": 200_000}


# ---- TLS -------------------------------------------------------------------------------------

def certificate(folder):
    """Files of a key and a certificate of our own."""
    made = [os.path.join(folder, name) for name in ("tls.key", "tls.pem")]
    if not os.path.exists(made[1]):
        network.sh("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                   "-days", "2", "-subj", "/CN=example", "-keyout", made[0], "-out", made[1])
    return made


def over_tls(name, folder, version):
    """A handshake, a request, and an answer that the server thinks about."""
    known = {"rtt_ms": 20, "think_ms": THINKS_MS}
    own = os.path.join(folder, name)
    os.makedirs(own, exist_ok=True)
    key, chain = certificate(own)
    here, there = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    here.load_cert_chain(chain, key)
    there.check_hostname, there.verify_mode = False, ssl.CERT_NONE
    for context in (here, there):
        context.minimum_version = context.maximum_version = version

    def answer(sock):
        with here.wrap_socket(sock, server_side=True) as secret:
            done.append(time.monotonic())
            receive(secret, len(REQUEST))
            time.sleep(THINKS_MS / 1000)
            secret.sendall(b"x" * 20_000)
            secret.recv(1)  # until the client closes

    def take(sock):
        begun = time.monotonic()
        with there.wrap_socket(sock, do_handshake_on_connect=False) as secret:
            secret.do_handshake()
            done.append(time.monotonic())
            began.append(begun)
            begun = time.monotonic()
            secret.sendall(REQUEST)
            secret.recv(1)
            known["first_byte_ms"] = 1000 * (time.monotonic() - begun)
            receive(secret, 19_999)
    began, done = [], []  # when the client began, when either end had done its part
    with network.Network(name, folder, {}) as net:
        thread = serve(net, answer, port=443, request=0)
        client = ask(net, take=take, port=443, request=b"")
        thread.join(20)
        close(client)
    known["handshake_ms"] = 1000 * (max(done) - began[0])
    return net, known


@trouble(QUIET)
def tls12(folder):
    """TLS 1.2, and an answer that takes 300 ms."""
    return over_tls("tls12", folder, ssl.TLSVersion.TLSv1_2)


@trouble(QUIET)
def tls13(folder):
    """TLS 1.3, and an answer that takes 300 ms."""
    return over_tls("tls13", folder, ssl.TLSVersion.TLSv1_3)


# ---- Routers ---------------------------------------------------------------------------------

def routed(name, folder, kind, link=None):
    """A client that connects to an address for which the server's host, a router, has a route of that kind;
    what its connect() says is known."""
    known = {}
    with network.Network(name, folder, link or {}, {"ip_forward": 1}) as net:
        network.sh("ip", "-n", net.spaces[SERVER], "route", "add", kind, FAR_ADDRESS)
        network.sh("ip", "-n", net.spaces[CLIENT], "route", "add", FAR_ADDRESS, "via", SERVER_ADDRESS)
        client = net.socket(CLIENT, timeout=7.5)
        try:
            client.connect((FAR_ADDRESS, PORT))
        except OSError as error:
            known["error"] = error.strerror or str(error)
        close(client)
    return net, known


@trouble(QUIET)
def host_unreachable(folder):
    """The router says that the host cannot be reached."""
    return routed("host_unreachable", folder, "unreachable")


@trouble(QUIET)
def admin_prohibited(folder):
    """The router says that it may not pass this on."""
    return routed("admin_prohibited", folder, "prohibit")


@trouble(QUIET)
def silent_router(folder):
    """The router passes nothing on, and says nothing."""
    return routed("silent_router", folder, "blackhole")


@trouble(QUIET)
def port_unreachable(folder):
    """A firewall on the server says that the port cannot be reached."""
    known = {}
    with network.Network("port_unreachable", folder, {}) as net:
        try:
            network.sh("ip", "netns", "exec", net.spaces[SERVER], "nft", "-f", "-",
                       text="table ip t { chain c { type filter hook input priority 0; "
                            "tcp dport 8080 reject with icmp type port-unreachable; }; }")
        except RuntimeError as error:  # no nft, or none in this kernel
            known["missing"] = str(error)
        client = net.socket(CLIENT, timeout=7.5)
        try:
            client.connect((SERVER_ADDRESS, PORT))
        except OSError as error:
            known["error"] = error.strerror or str(error)
        close(client)
    return net, known


def through_narrow(name, folder, link):
    """An upload of 200 kB to a host behind a line of 1280 bytes, of which the router tells."""
    far = f"vantage-{name}-f-{os.getpid()}"
    known = {}
    with network.Network(name, folder, link, {"ip_forward": 1}) as net:
        network.sh("ip", "netns", "add", far)
        try:
            network.sh("ip", "-batch", "-", text=(
                f"link add narrow netns {net.spaces[SERVER]} mtu 1280 type veth peer name wire netns {far}\n"))
            network.sh("ip", "-n", net.spaces[SERVER], "-batch", "-", text=(
                "address add 203.0.113.2/24 dev narrow\nlink set narrow up\n"))
            network.sh("ip", "-n", far, "-batch", "-", text=(
                f"address add {FAR_ADDRESS}/24 dev wire\nlink set wire up\n"
                "route add default via 203.0.113.2\n"))
            network.sh("ip", "-n", net.spaces[CLIENT], "route", "add", "203.0.113.0/24", "via", SERVER_ADDRESS)
            upload(net, far, known)
        finally:
            subprocess.run(["ip", "netns", "del", far], capture_output=True, check=False)
    return net, known


def upload(net, far, known):
    """200 kB to a listener in the namespace `far`."""
    listener = network.inside(far, lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    net.sockets.append(listener)
    listener.bind((FAR_ADDRESS, PORT))
    listener.listen(1)
    listener.settimeout(20)
    client = net.socket(CLIENT, timeout=7.5)
    try:
        client.connect((FAR_ADDRESS, PORT))
        accepted, _ = listener.accept()
        net.sockets.append(accepted)
        accepted.settimeout(8)
        client.sendall(REQUEST)
        receive(accepted, len(REQUEST))
        wait_until_acknowledged(client)
        client.setblocking(False)
        sent = client.send(b"x" * 100_000)  # as much as the kernel takes
        known["arrived"] = receive(accepted, sent)
        known["sent"] = sent
    except OSError as error:
        known["error"] = error.strerror or str(error)
    close(client)


@trouble(QUIET)
def narrow(folder):
    """Behind the server's host packets may have 1280 bytes only, and it says so."""
    return through_narrow("narrow", folder, {})


@trouble(QUIET)
def narrow_and_mute(folder):
    """The same, but what the router says does not come back."""
    return through_narrow("narrow_and_mute", folder, {"down": {"drop_icmp": 1}})
