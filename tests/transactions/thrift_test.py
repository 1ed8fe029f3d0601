#!/usr/bin/env python3
"""What a client calls of a real Thrift service (Debian's python3-thrift, code made by thrift-compiler) is
what the events say, one to one: binary and compact, with frames and without, with names and without."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
import sniffer  # noqa: E402
import sockets  # noqa: E402
import tap  # noqa: E402

SYSTEM_PYTHON = "/usr/bin/python3"  # the one that Debian's packages are for
ROUNDS = 200
IDL = """
exception Refused { 1: string why; 2: i32 code }
struct Item { 1: i32 number; 2: string name; 3: list<i64> sizes }
service Shop {
  i32 add(1: i32 left, 2: i32 right)
  Item find(1: string name) throws (1: Refused refused)
  void nothing()
  oneway void note(1: string line)
}
"""
# A server and its client in one process, on a port of their own.
PROGRAM = """
import sys, threading
folder, how, framed, port, rounds = sys.argv[1:6]
sys.path.insert(0, folder)
from shop import Shop
from shop.ttypes import Item, Refused
from thrift.protocol import TBinaryProtocol, TCompactProtocol
from thrift.server import TServer
from thrift.transport import TSocket, TTransport

class Handler:
    def add(self, left, right):
        return left + right
    def find(self, name):
        if name == "none":
            raise Refused("no such thing", 404)
        return Item(7, name, [1, 1 << 40])
    def nothing(self):
        pass
    def note(self, line):
        pass

frames = TTransport.TFramedTransportFactory() if framed == "framed" else TTransport.TBufferedTransportFactory()
protocols = (TCompactProtocol.TCompactProtocolFactory() if how == "compact"
             else TBinaryProtocol.TBinaryProtocolFactory())
listener = TSocket.TServerSocket("127.0.0.1", int(port))
server = TServer.TThreadedServer(Shop.Processor(Handler()), listener, frames, protocols, daemon=True)
threading.Thread(target=server.serve, daemon=True).start()
end = 100
while True:
    try:
        transport = frames.getTransport(TSocket.TSocket("127.0.0.1", int(port)))
        transport.open()
        break
    except Exception:
        import time
        end -= 1
        if end == 0:
            raise
        time.sleep(0.05)
client = Shop.Client(protocols.getProtocol(transport))
for i in range(int(rounds)):
    assert client.add(i, -2 * i) == -i
    client.note("line %d" % i)
    assert client.find("x" * (i * 11 % 190)).number == 7
    try:
        client.find("none")
    except Refused:
        pass
    client.nothing()
for size in sys.argv[6:]:
    client.find("y" * int(size))
transport.close()
"""


def missing():
    why = sniffer.missing("thrift")
    if why is None and subprocess.run([SYSTEM_PYTHON, "-c", "import thrift"], check=False,
                                      stderr=subprocess.DEVNULL).returncode != 0:
        why = "needs python3-thrift"
    return why


def wanted(names):
    """What the program above does, as the events should tell it."""
    left, right, name, line = ("left", "right", "name", "line") if names else (1, 2, 1, 1)
    item = ("number", "name", "sizes") if names else (1, 2, 3)
    thrown = ("refused", "why", "code") if names else (1, 1, 2)
    for i in range(ROUNDS):
        text = "x" * (i * 11 % 190)
        yield f"add({left}: {i}, {right}: {-2 * i})", str(-i), None, "OK"
        yield f'note({line}: "line {i}")', None, None, "OK"
        yield (f'find({name}: "{text}")',
               f'({item[0]}: 7, {item[1]}: "{text}", {item[2]}: [1, 1099511627776])', None, "OK")
        yield (f'find({name}: "none")', "",
               f'({thrown[0]}: ({thrown[1]}: "no such thing", {thrown[2]}: 404))', "Error")
        yield "nothing()", "", None, "OK"


def told(event):
    say = event["thrift"]
    return event["query"], say.get("return_value"), say.get("exceptions"), event["status"]


@unittest.skipIf(missing(), missing())
class Thrift(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        for name, text in (("shop.thrift", IDL), ("program.py", PROGRAM),
                           ("names.yml", "protocols:\n  thrift:\n    idl_files: [shop.thrift]\n")):
            with open(os.path.join(cls.folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        subprocess.run(["thrift", "--gen", "py", "-out", cls.folder, "shop.thrift"], cwd=cls.folder,
                       check=True, timeout=180)

    def play(self, how, frames, names=False):
        port = sockets.free_port()
        path = os.path.join(self.folder, f"{how}-{frames}.pcap")
        with sniffer.Sniffer(port, path) as wire:
            subprocess.run([SYSTEM_PYTHON, "program.py", ".", how, frames, str(port), str(ROUNDS)],
                           cwd=self.folder, check=True, timeout=180)
        before = os.getcwd()
        os.chdir(self.folder)  # where the definitions are
        self.addCleanup(os.chdir, before)
        events = wire.events("thrift", *(["-c", "names.yml"] if names else []))
        events.sort(key=lambda event: event["@timestamp"])
        self.assertEqual([told(event) for event in events], list(wanted(names)))
        self.assertEqual({event.get("path") for event in events}, {"Shop"} if names else {None})

    def test_binary_framed(self):
        """binary, with frames"""
        self.play("binary", "framed")

    def test_binary_plain(self):
        """binary, without frames"""
        self.play("binary", "plain")

    def test_compact_framed(self):
        """compact, with frames"""
        self.play("compact", "framed")

    def test_compact_plain(self):
        """compact, without frames, with the names of a definition"""
        self.play("compact", "plain", names=True)

    def test_long(self):
        """Texts of megabytes are whole where string_max_size lets them, up to max_message_size"""
        port = sockets.free_port()
        config = os.path.join(self.folder, "long.yml")
        with open(config, "w", encoding="ascii") as file:
            file.write("protocols: {thrift: {string_max_size: 100000000, max_message_size: 2M}}\n")
        for how, frames in (("binary", "plain"), ("compact", "framed")):
            with sniffer.Sniffer(port, os.path.join(self.folder, f"long-{frames}.pcap")) as wire:
                subprocess.run([SYSTEM_PYTHON, "program.py", ".", how, frames, str(port), "0", "1200000",
                                "3000000"], cwd=self.folder, check=True, timeout=180)
            whole, cut = wire.events("thrift", "-c", config)
            text = "y" * 1200000
            self.assertEqual(told(whole), (f'find(1: "{text}")', f'(1: 7, 2: "{text}", 3: [1, 1099511627776])',
                                           None, "OK"))
            self.assertNotIn("error", whole)
            self.assertGreater(len(cut["query"]), (2 << 20) - 100)
            self.assertEqual(cut["error"]["message"], ["Request cut at max_message_size",
                                                       "Response cut at max_message_size"])


if __name__ == "__main__":
    tap.main()
