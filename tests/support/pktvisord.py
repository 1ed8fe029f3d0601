"""A running `vantage pktvisord`, asked over REST: what tests of policies have in common."""
import http.client
import json
import os
import re
import socket
import struct
import subprocess
import time

PATIENCE = 180  # seconds that a condition may take to come true

WHERE = r"https?://127\.0\.0\.1:(\d+)/"

POLICY = """visor: {policies: {%s: {kind: collection, input: {tap: %s, input_type: %s%s},
  handlers: {window_config: {num_periods: %d}, modules: {m: {type: %s%s}}}}}}
"""


def tap_document(name, kind, config):
    return json.dumps({"version": "1.0", "visor": {"taps": {name: {"input_type": kind, "config": config}}}})


def policy_document(name, tap, kind, handler, more="", config=None, periods=5):
    return POLICY % (name, tap, kind, ", config: " + json.dumps(config) if config else "", periods, handler, more)


class Running:
    """A running pktvisord that says where it serves in the text that `log` gives."""

    def __init__(self, process, log):
        self.process = process
        end = time.monotonic() + PATIENCE
        while not (found := re.search(WHERE, log())):
            if time.monotonic() > end:
                raise AssertionError("pktvisord does not say where it serves: " + log())
            time.sleep(0.05)
        self.port = int(found[1])

    def request(self, method, path, body=None, kind="application/x-yaml", context=None):
        """Status, content type and text of an answer; `path` is whole."""
        if context:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE, context=context)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = {"Content-Type": kind} if body is not None and kind else {}
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        text = reply.read().decode()
        connection.close()
        return reply.status, reply.getheader("Content-Type") or "", text

    def ask(self, method, path, body=None):
        """Status and document of an answer of the REST interface; `path` is behind /api/v1/."""
        status, kind, text = self.request(method, "/api/v1/" + path, body)
        return status, json.loads(text) if kind.endswith("/json") else text

    def metrics(self, policy, tap, period="bucket/0"):
        """What the module m of a policy has counted."""
        document = self.ask("GET", f"policies/{policy}/metrics/{period}")[1]
        return document.get(policy, {}).get(f"{policy}-{tap}-m", {}) if isinstance(document, dict) else {}

    def wait(self, probe):
        """What `probe` gives once it gives something true, or at the end of the patience."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                got = probe()
            except (KeyError, IndexError):
                got = None
            if got or time.monotonic() > end:
                return got
            time.sleep(0.1)


class Agent(Running):
    """pktvisord on a port of its own; ends with the test case, or with the class of tests that `case` may be.
    `said` are its lines up to where it serves."""

    def __init__(self, case, *arguments, admin=True, **how):
        command = [os.environ.get("VANTAGE", "build/src/vantage"), "pktvisord", *(["--admin-api"] if admin else []),
                   "-l", "127.0.0.1", "-p", "0", *arguments]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **how)
        at_the_end = case.addClassCleanup if isinstance(case, type) else case.addCleanup
        at_the_end(process.stderr.close)
        at_the_end(process.wait)
        at_the_end(process.terminate)
        self.said = []
        for line in process.stderr:
            self.said.append(line)
            if re.search(WHERE, line):
                break
        else:
            raise AssertionError("pktvisord ended: " + "".join(self.said))
        super().__init__(process, lambda: self.said[-1])


# ---- dnstap --------------------------------------------------------------------------------------

def number(value):
    """A number as a varint of protocol buffers."""
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def blob(field, data):
    return number(field << 3 | 2) + number(len(data)) + data


def dnstap_query(name, second):
    """A frame of Frame Streams: a client asked for the address of a name in that second."""
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split("."))
    dns = struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)
    message = b"".join(number(f << 3) + number(v) for f, v in
                       ((1, 5), (2, 1), (3, 1), (6, 40000), (7, 53), (8, second)))
    message += blob(4, socket.inet_aton("192.0.2.1")) + blob(5, socket.inet_aton("192.0.2.53")) + blob(10, dns)
    frame = blob(14, message) + number(15 << 3) + number(1)
    return struct.pack(">I", len(frame)) + frame


def dnstap_control(kind):
    """A control frame of Frame Streams that names the content type."""
    name = b"protobuf:dnstap.Dnstap"
    body = struct.pack(">III", kind, 1, len(name)) + name
    return struct.pack(">II", 0, len(body)) + body


# ---- NetFlow -------------------------------------------------------------------------------------

def netflow_5(source, destination, source_port, destination_port, size, second=1700000000):
    """A datagram with one record of UDP that came in at interface 1 and left at 2."""
    record = struct.pack(">4s4s4sHHIIIIHHBBBBHHBBH", socket.inet_aton(source), socket.inet_aton(destination),
                         bytes(4), 1, 2, 7, size, 0, 0, source_port, destination_port, 0, 0, 17, 0, 0, 0, 0, 0, 0)
    return struct.pack(">HHIIIIBBH", 5, 1, 0, second, 0, 0, 0, 0, 0) + record


# ---- Captures ------------------------------------------------------------------------------------

def udp_frame(source, destination, ports, payload):
    """A datagram in IPv4 in Ethernet."""
    udp = struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0,
                       socket.inet_aton(source), socket.inet_aton(destination))
    return bytes(12) + b"\x08\x00" + head + udp


def write_capture(path, frames):
    """A capture of (second, frame)."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for second, frame in frames:
            out.write(struct.pack("<IIII", second, 0, len(frame), len(frame)) + frame)
