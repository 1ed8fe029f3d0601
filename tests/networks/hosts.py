"""What hosts of a network do in the troubles that are made on it, and the lists of these."""
import fcntl
import socket
import struct
import threading
import time

from network import CLIENT, SERVER_ADDRESS

PORT = 8080
REQUEST = b"GET /something HTTP/1.1\r\nHost: example\r\n\r\n"
QUIET = []  # troubles that hardly send: they may go at the same time
BUSY = []


def trouble(among):
    """Puts a function on a list."""
    def add(function):
        among.append(function)
        return function
    return add


# ---- What hosts do ---------------------------------------------------------------------------

def receive(sock, size=None):
    """Reads so many bytes, or all."""
    got = 0
    while size is None or got < size:
        data = sock.recv(65536 if size is None else min(65536, size - got))
        if not data:
            break
        got += len(data)
    return got


def wait_until_acknowledged(sock, seconds=10):
    """All that was sent has arrived at the other host (SIOCOUTQ)."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if struct.unpack("i", fcntl.ioctl(sock, 0x5411, b"\0" * 4))[0] == 0:
            return
        time.sleep(0.005)


def serve(net, answer, port=PORT, request=len(REQUEST)):
    """A server that reads a request of so many bytes and then does answer(socket); the thread that it runs
    in."""
    listener = net.listen(port)

    def run():
        try:
            accepted, _ = listener.accept()
            net.sockets.append(accepted)
            accepted.settimeout(20)
            receive(accepted, request)
            answer(accepted)
        except (OSError, ValueError):
            pass  # the network was taken away from under it

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def ask(net, take=receive, port=PORT, request=REQUEST, **options):
    """A client that sends the request and does take(socket)."""
    client = net.socket(CLIENT, **options)
    try:
        client.connect((SERVER_ADDRESS, port))
        client.sendall(request)
        take(client)
    except OSError:
        pass  # what the trouble is about
    return client


def close(*sockets):
    """Closes in order and lets the FINs go by."""
    for one in sockets:
        one.close()
    time.sleep(0.1)


def sends(size):
    """An answer: so many bytes, then the end."""
    def answer(sock):
        sock.sendall(b"x" * size)
        wait_until_acknowledged(sock)
        sock.shutdown(socket.SHUT_WR)
    return answer


def download(net, size, **options):
    """A whole connection."""
    thread = serve(net, sends(size))
    client = ask(net, **options)
    thread.join(20)
    close(client)
