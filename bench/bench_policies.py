"""What policies cost: one, ten that differ in their filters, and their metrics asked for while packets come;
what one keeps in memory."""
import json
import os
import random
import signal
import struct
import subprocess
import time
import urllib.error
import urllib.request

from bench_live import Pair, finish, sh

HANDLERS = "{net: {type: net}, dns: {type: dns}, dhcp: {type: dhcp}}"
POLICIES = 5  # whose metrics are asked for
ADDRESS = "http://127.0.0.1:10853"
ASKED_SECONDS = 4
# Memory: a capture is spread over so many seconds of packet time, more than all of the windows.
SPREAD_SECONDS = 400
SPREAD_PACKETS = 600_000
FLOOD_NAMES = 100_000
MEMORY_PORT = 18953
DEADLINE = 120


def document(count, bpf, interface="none"):
    """A configuration of policies over one tap; `bpf` makes a filter of each one's number."""
    policies = "".join(
        f'    p{i}: {{kind: collection, input: {{tap: t, input_type: pcap, config: '
        f'{{bpf: "{bpf(i)}"}}}}, handlers: {{modules: {HANDLERS}}}}}\n' for i in range(count))
    return ('version: "1.0"\nvisor:\n  taps:\n    t: {input_type: pcap, config: {iface: '
            f'{interface}, host_spec: "10.0.0.0/8"}}}}\n  policies:\n{policies}')


def write(folder, name, text):
    """A configuration as a file."""
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def cpu_of(meter, folder, capture, count, bpf):
    """CPU of a capture read by so many policies."""
    path = write(folder, f"policies-{count}.yml", document(count, bpf))
    return meter.summary(capture, "--workers", "1", "-c", path)[0].cpu


def ask(pair, path):
    """What the agent in the receiver's namespace answers, and how long that took in seconds."""
    out = sh("ip", "netns", "exec", pair.receiver, "curl", "-sS", "-w", "\n%{time_total}", ADDRESS + path)
    text, _, took = out.rpartition("\n")
    return text, float(took)


def totals(pair):
    """Frames seen and dropped since the start."""
    return json.loads(ask(pair, "/api/v1/summary")[0])["totals"]


def asked_while_packets_come(tools, folder, program, capture, rate):
    """(milliseconds of each answer, frames dropped, a second): metrics of POLICIES policies."""
    path = write(folder, "policies-live.yml",
                 document(POLICIES, lambda i: f"udp and not host 192.0.2.{i}", interface="in0"))
    with Pair() as pair:
        process = pair.start([program, "pktvisord", "--config", path], subprocess.DEVNULL)
        with subprocess.Popen(["ip", "netns", "exec", pair.sender, os.path.join(tools, "blast"), "out0",
                               capture, str(rate), str(ASKED_SECONDS)],
                              stdout=subprocess.PIPE, text=True) as blast:
            times = []
            while blast.poll() is None:
                time.sleep(0.2)
                times.append(1000 * ask(pair, "/api/v1/policies/__all/metrics/prometheus")[1])
            sent, took = blast.stdout.read().split()
        dropped = totals(pair)["dropped"]
        finish(process)
    return times, dropped, int(sent) * 1e6 / int(took)


def spread(source, target):
    """Writes the first packets of a capture to another one, over SPREAD_SECONDS."""
    with open(source, "rb") as file, open(target, "wb") as out:
        head = file.read(24)
        unit = 10 ** 9 if head[:4] == struct.pack("<I", 0xa1b23c4d) else 10 ** 6
        out.write(head)
        first = None
        for i in range(SPREAD_PACKETS):
            record = file.read(16)
            if len(record) < 16:
                break
            seconds, _, size, wire = struct.unpack("<IIII", record)
            first = seconds if first is None else first
            at = i * SPREAD_SECONDS * unit // SPREAD_PACKETS
            out.write(struct.pack("<IIII", first + at // unit, at % unit, size, wire) + file.read(size))


def flood(target):
    """Writes a capture of questions for names of 250 bytes that come once each, and their answers."""
    dice = random.Random(5)
    with open(target, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i in range(FLOOD_NAMES):
            text = f"{dice.getrandbits(992):0248x}".encode()
            name = b"".join(bytes([62]) + text[k:k + 62] for k in range(0, 248, 62)) + b"\0"
            client, port, number = dice.randbytes(4), dice.randrange(1024, 65536), dice.randrange(65536)
            at = i * SPREAD_SECONDS * 10 ** 6 // FLOOD_NAMES
            for is_answer in (0, 1):
                flags = 0x8180 | dice.choice((0, 2, 3, 5)) if is_answer else 0x0100
                dns = struct.pack(">HHHHHH", number, flags, 1, 0, 0, 0) + name + struct.pack(">HH", 1, 1)
                ends, ports = (client, b"\x0a\0\0\1"), (port, 53)
                ends, ports = (ends[::-1], ports[::-1]) if is_answer else (ends, ports)
                udp = struct.pack(">HHHH", *ports, 8 + len(dns), 0) + dns
                packet = (b"\2" + bytes(11) + b"\x08\0" +
                          struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + b"".join(ends) + udp)
                when = 1700000000 * 10 ** 6 + at + is_answer * dice.randrange(50000)
                out.write(struct.pack("<IIII", when // 10 ** 6, when % 10 ** 6, len(packet), len(packet)) + packet)


def answer(path):
    """What an agent that was started by peak_of() answers; None while it does not."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{MEMORY_PORT}{path}", timeout=10) as response:
            return response.read()
    except (urllib.error.URLError, OSError):
        return None


def wait_until_read(process, is_counted):
    """Waits until an agent has read its capture: it does nothing more, and what it counted stays."""
    before, same, end = None, 0, time.monotonic() + DEADLINE
    while same < 5 and time.monotonic() < end and process.poll() is None:
        time.sleep(0.3)
        with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        now = (int(fields[11]) + int(fields[12])) // 2, answer("/api/v1/policies/__all/metrics/bucket/0")
        same = same + 1 if now == before and now[1] is not None else 0
        before = now
    if same < 5 or (is_counted and answer("/api/v1/policies/__all/metrics/bucket/4") is None):
        raise RuntimeError("the agent did not read the capture, or not five minutes of it")


def peak_of(program, folder, capture, modules):
    """Peak of the resident memory in bytes of an agent with one policy of these handlers that read a capture, and
    was asked for its windows."""
    path = write(folder, "policy-memory.yml",
                 'version: "1.0"\nvisor:\n  taps:\n    t: {input_type: pcap, config: '
                 f'{{pcap_file: "{capture}", host_spec: "10.0.0.0/8"}}}}\n  policies:\n    p: {{kind: collection, '
                 f'input: {{tap: t, input_type: pcap}}, handlers: {{modules: {modules}}}}}\n')
    with subprocess.Popen([program, "pktvisord", "-p", str(MEMORY_PORT), "--config", path],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            wait_until_read(process, modules == HANDLERS)
            for what in ("window/5", "window/2", "bucket/1", "prometheus"):
                answer(f"/api/v1/policies/__all/metrics/{what}")
            with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
                return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM"))
        finally:
            process.send_signal(signal.SIGINT)


def memory(program, folder, capture):
    """What a policy adds to the peak of an agent's memory: one that counts against one that reads the same packets
    for nothing (a handler that only tells of drops), after more than five minutes of packet time."""
    path = os.path.join(folder, f"spread-{os.getpid()}.pcap")
    try:
        if capture is None:
            flood(path)
        else:
            spread(capture, path)
        return peak_of(program, folder, path, HANDLERS) - peak_of(program, folder, path, "{pcap: {type: pcap}}")
    finally:
        if os.path.exists(path):
            os.unlink(path)
