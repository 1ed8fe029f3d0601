"""What policies cost: one, ten that differ in their filters, and their metrics asked for while packets come."""
import json
import os
import subprocess
import time

from bench_live import Pair, finish, sh

HANDLERS = "{net: {type: net}, dns: {type: dns}, dhcp: {type: dhcp}}"
POLICIES = 5  # whose metrics are asked for
ADDRESS = "http://127.0.0.1:10853"
ASKED_SECONDS = 4


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
