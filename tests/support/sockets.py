"""Waits for servers on loopback without talking to them."""
import time

PATIENCE = 60  # seconds


def wait_for_socket(server, transport, port):
    """Until that process has its port ("tcp" or "udp"), as the kernel's table of sockets tells."""
    end = time.monotonic() + PATIENCE
    while f":{port:04X} " not in open(f"/proc/net/{transport}", encoding="ascii").read():
        if time.monotonic() > end or server.poll() is not None:
            raise AssertionError("the server does not listen")
        time.sleep(0.05)
