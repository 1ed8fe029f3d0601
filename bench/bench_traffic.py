"""The captures of the benchmark: made once, kept in a folder between runs.

Where the house's shared generators are there (../shared/bench beside the project), they make http, db,
mix, dns and small; elsewhere traffic_gen.c makes http, mix and small of its own, and db and dns are left
out. idle, flight, asked… and scan are always traffic_gen's.
"""
import os
import random
import shutil
import struct
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED = os.path.join(HERE, "..", "..", "shared", "bench", "all.sh")

# name: packets (idle: flows) that traffic_gen makes, in full and quick; bytes on disk in full
OWN = {
    "http": (1_000_000, 20_000, 700 << 20),
    "mix": (1_300_000, 20_000, 900 << 20),
    "small": (10_000_000, 50_000, 800 << 20),
    "idle": (1_000_000, 10_000, 190 << 20),
    "idle0": (1_000, 100, 1 << 20),
    "flight": (20_000, 1_000, 8 << 20),
    "asked": (1_000_000, 10_000, 400 << 20),
    "asked-http": (1_000_000, 10_000, 520 << 20),
    "asked-mysql": (1_000_000, 10_000, 850 << 20),
    "asked-pgsql": (1_000_000, 10_000, 700 << 20),
    "scan": (10_000_000, 50_000, 760 << 20),
}
SHARED_NAMES = {"http": 660 << 20, "db": 450 << 20, "mix": 510 << 20, "dns": 320 << 20, "small": 810 << 20}


def default_folder():
    """Where captures are kept unless told otherwise."""
    base = os.environ.get("TMPDIR", "/tmp")
    return os.environ.get("VANTAGE_BENCH_DIR", os.path.join(base, "vantage-bench"))


class Traffic:
    """Makes and finds captures in one folder; `tools` names the folder of the built generator."""

    def __init__(self, folder, tools, quick):
        self.folder = folder
        self.tools = tools
        self.quick = quick
        self.own = set()  # names that our own generator stood in for

    def capture(self, name):
        """The path of the named capture, made if need be; None where it cannot be made here."""
        if name in SHARED_NAMES and not self.quick and os.path.exists(SHARED):
            path = os.path.join(self.folder, f"{name}.pcap")
            if os.path.exists(path) or self._make_shared(name, path):
                return path
        if name not in OWN:
            return None
        if name in SHARED_NAMES:
            self.own.add(name)
        suffix = "-quick" if self.quick else ""
        path = os.path.join(self.folder, f"own-{name}{suffix}.pcap")
        if not os.path.exists(path):
            self._make_own(name, path)
        return path

    def _room(self, size):
        free = shutil.disk_usage(self.folder).free
        if free < size + (256 << 20):
            sys.exit(f"bench: {self.folder} has {free >> 20} MiB free, {size >> 20} are needed; "
                     "name a roomier folder in VANTAGE_BENCH_DIR")

    def _make_shared(self, name, path):
        """Some of the shared scripts end with a status of their clean-up, so the file decides."""
        self._room(SHARED_NAMES[name])
        print(f"bench: making {name}.pcap", file=sys.stderr)
        work = os.path.join(self.folder, f"making-{name}")
        os.makedirs(work, exist_ok=True)
        subprocess.run(["bash", SHARED, work, name], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False)
        made = os.path.join(work, f"{name}.pcap")
        done = os.path.exists(made) and os.path.getsize(made) > SHARED_NAMES[name] // 2
        if done:
            os.rename(made, path)
        else:
            print(f"bench: the shared generator did not make {name}.pcap", file=sys.stderr)
        shutil.rmtree(work)
        return done

    def _make_own(self, name, path):
        full, quick, size = OWN[name]
        if not self.quick:
            self._room(size)
        print(f"bench: making {os.path.basename(path)}", file=sys.stderr)
        kind = "idle" if name == "idle0" else name
        count = quick if self.quick else full
        subprocess.run([os.path.join(self.tools, "traffic_gen"), kind, path + ".part", str(count)],
                       check=True)
        os.rename(path + ".part", path)


def thin(source, target):
    """Copies an Ethernet capture of TCP over IPv4 without one packet in a hundred, always the same ones;
    returns how many of these carried data."""
    chance = random.Random(7)
    hit = 0
    with open(source, "rb") as file, open(target, "wb") as out:
        out.write(file.read(24))
        while len(head := file.read(16)) == 16:
            packet = file.read(struct.unpack_from("<I", head, 8)[0])
            if chance.random() >= 0.01:
                out.write(head + packet)
                continue
            header = 14 + (packet[14] & 15) * 4
            data = struct.unpack_from(">H", packet, 16)[0] + 14 - header - (packet[header + 12] >> 4) * 4
            hit += data > 0
    return hit
