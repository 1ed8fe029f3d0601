"""Ports of servers on loopback, and waiting for those without talking to them."""
import errno
import random
import socket
import time

PATIENCE = 180  # seconds

# Below the ports that kernels give to clients, so that none of them takes it before the server does.
PORTS = (10240, 32768)
# At these vantage listens itself, or expects a protocol: servers of tests stand where nothing is expected.
KNOWN = {10853, 11211, 26379, 27017}
taken = []  # what this process holds, as long as it runs


def take(port):
    """Whether the port is now this process's among those that ask here: a server may begin to listen long
    after the port was looked for. The names are of a network namespace, as ports are."""
    mark = socket.socket(socket.AF_UNIX)
    try:
        mark.bind(f"\0vantage-test-port-{port}")
    except OSError as error:
        mark.close()
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    taken.append(mark)
    return True


def free_port():
    """A port of 127.0.0.1 that is free for TCP and for UDP, and that no other test is given."""
    while True:
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            address = ("127.0.0.1", random.randrange(*PORTS))
            try:
                tcp.bind(address)
                udp.bind(address)
            except OSError:
                continue
            if address[1] not in KNOWN and take(address[1]):
                return address[1]


def rows(transport):
    """The kernel's table of sockets: local and remote address and state are 1, 2 and 3 of each row."""
    with open(f"/proc/net/{transport}", encoding="ascii") as table:
        return [line.split() for line in table]


def wait_for_socket(server, transport, port):
    """Until that process has its port ("tcp" or "udp"), as the kernel's table of sockets tells."""
    end = time.monotonic() + PATIENCE
    state = {"tcp": "0A", "udp": "07"}[transport]  # TCP_LISTEN; of UDP: not connected
    while not any(row[1].endswith(f":{port:04X}") and row[3] == state for row in rows(transport)):
        if time.monotonic() > end or server.poll() is not None:
            raise AssertionError("the server does not listen")
        time.sleep(0.05)


def wait_until_read(port):
    """Until whoever has that port of UDP has taken all that came to it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        queues = [row[4] for row in rows("udp") if row[1].endswith(f":{port:04X}")]
        if all(queue.endswith(":00000000") for queue in queues):
            return
        time.sleep(0.05)
    raise AssertionError("datagrams stay unread")
