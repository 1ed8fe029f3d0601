#!/usr/bin/env python3
"""What libnfs asks a real NFS-Ganesha is what the events say, one to one with the log of the server, which
names each call by its number; when each was is within what the client's own clock says."""
import collections
import ctypes
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
import apart  # noqa: E402
import clocks  # noqa: E402
import databases  # noqa: E402
import libnfs  # noqa: E402
import sniffer  # noqa: E402
import sockets  # noqa: E402

FILES = 12
PROCEDURES = ("NULL GETATTR SETATTR LOOKUP ACCESS READLINK READ WRITE CREATE MKDIR SYM_LINK MKNODE REMOVE RMDIR "
              "RENAME LINK READDIR READDIRPLUS FSSTAT FSINFO PATHINFO COMMIT").split()  # RFC 1813 §3.3, as Packetbeat spells them
PREPARING = {"GETATTR", "GETFH", "PUTFH", "PUTROOTFH", "RESTOREFH", "SAVEFH"}
CONFIG = """
NFS_CORE_PARAM {{
    Protocols = 3, 4; NFS_Port = {port}; MNT_Port = {mount_port};
    Enable_NLM = false; Enable_RQUOTA = false; Enable_UDP = false;
}}
NFSv4 {{ Graceless = true; RecoveryBackend = fs; RecoveryRoot = {folder}/kept; }}
EXPORT {{
    Export_Id = 7; Path = /shared; Pseudo = /shared; Access_Type = RW; Squash = None;
    Protocols = 3, 4; Transports = TCP; SecType = sys; FSAL {{ Name = MEM; }}
}}
LOG {{ Default_Log_Level = EVENT; Components {{ DISPATCH = DEBUG; NFS_V4 = FULL_DEBUG; }} }}
"""


class Ganesha(databases.Server):
    """A server of files in memory; it registers at rpcbind, which is started for it."""

    ends_by_interrupt = False

    def __init__(self):
        super().__init__("root")
        self.mount_port = sockets.free_port()
        self.log = os.path.join(self.folder, "log")
        self.binder = None

    def prepare(self):
        os.mkdir(os.path.join(self.folder, "kept"))
        self.binder = subprocess.Popen(["rpcbind", "-f"], **self.as_user())
        apart.wait_until(lambda: os.path.exists("/run/rpcbind.sock"), "rpcbind")
        config = os.path.join(self.folder, "config")
        with open(config, "w", encoding="ascii") as file:
            file.write(CONFIG.format(port=self.port, mount_port=self.mount_port, folder=self.folder))
        self.start("ganesha.nfsd", "-F", "-f", config, "-L", self.log, "-p",
                   os.path.join(self.folder, "pid"))
        apart.wait_until(lambda: "NFS SERVER INITIALIZED" in self.logged(), "the server is ready")

    def __exit__(self, *_):
        if self.binder is not None:
            self.binder.terminate()
            self.binder.wait(databases.PATIENCE)
        super().__exit__()

    def logged(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def calls(self):
        """The calls it was asked: number → (version, operation). A thread's lines are in order."""
        found, latest = {}, {}
        for line in self.logged().splitlines():
            thread = re.search(r"\[(\w+)\]", line)
            asked = re.search(r"Program 100003, Version (\d), Function (\d+) has xid=(\d+)", line)
            within = re.search(r"nfs4 operations {([\w, ]*)}", line)
            if asked:
                version, function, number = map(int, asked.groups())
                latest[thread[1]] = f"{number:08x}"
                found[latest[thread[1]]] = (version, PROCEDURES[function])
            elif within:
                found[latest[thread[1]]] = (4, chosen(within[1].split(", ")))
        return found


def chosen(operations):
    """The one of a compound that the event shows."""
    return next((name for name in operations if name not in PREPARING), operations[-1])


class Nfs(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="vantage-nfs-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def record(self, version):
        """The events of one client that does the same with some files; with its log, and the server's."""
        with Ganesha() as server:
            with sniffer.Sniffer(server.port, os.path.join(self.folder, "said.pcap")) as wire:
                with libnfs.Client(server.port, server.mount_port, version) as client:
                    for number in range(FILES):
                        self.work(client, b"/d%d" % number)
            return wire.events("nfs"), client.log, server.calls()

    def work(self, client, path):
        self.assertEqual(client.do("mkdir", path), 0)
        client.write(path + b"/f", b"text " * 200)
        client.read(path + b"/f", 1000)
        client.do("symlink", b"f", path + b"/l")
        client.do("readlink", path + b"/l", ctypes.create_string_buffer(64), 64)
        self.assertEqual(client.stat(path + b"/nothing"), -2)
        self.assertEqual(client.do("unlink", path + b"/nothing"), -2)
        self.assertEqual(client.do("rmdir", path), -39)  # is not empty
        self.assertEqual(client.do("unlink", path + b"/f"), 0)
        self.assertEqual(client.do("unlink", path + b"/l"), 0)
        self.assertEqual(client.do("rmdir", path), 0)

    def check(self, version, ended):
        events, calls, wanted = self.record(version)
        told = {event["rpc"]["xid"]: (event["nfs"]["version"], event["nfs"]["opcode"]) for event in events}
        self.assertEqual(len(told), len(events), "a call is told twice")
        self.assertEqual(told, wanted)
        self.assertGreater(len(told), 10 * FILES)
        self.assertEqual({(event["status"], event["rpc"]["status"]) for event in events},
                         {("OK", "success")})
        ends = collections.Counter((event["nfs"]["opcode"], event["nfs"].get("status")) for event in events)
        for operation, status, times in ended:
            self.assertEqual(ends[operation, status], FILES * times, (operation, status))
        self.assertEqual(clocks.strays(events, calls), [])
        who = [event for event in events if event["rpc"]["auth_flavor"] == "unix"]
        self.assertEqual({event["rpc"]["cred"]["uid"] for event in who}, {os.getuid()})

    def test_version_3(self):
        """version 3: each call is an event, by its number, with how it ended and when"""
        self.check(3, (("MKDIR", "NFS_OK", 1), ("CREATE", "NFS_OK", 1), ("WRITE", "NFS_OK", 1),
                       ("READ", "NFS_OK", 1), ("SYM_LINK", "NFS_OK", 1), ("READLINK", "NFS_OK", 1),
                       ("LOOKUP", "NFSERR_NOENT", 1), ("REMOVE", "NFSERR_NOENT", 1),
                       ("REMOVE", "NFS_OK", 2), ("RMDIR", "NFSERR_NOTEMPTY", 1), ("RMDIR", "NFS_OK", 1)))

    def test_version_4(self):
        """version 4: each compound; what goes to a folder by its name is told as LOOKUP"""
        self.check(4, (("CREATE", "NFS_OK", 1), ("WRITE", "NFS_OK", 1), ("READ", "NFS_OK", 1),
                       ("COMMIT", "NFS_OK", 1), ("CLOSE", "NFS_OK", 1), ("LOOKUP", "NFSERR_NOENT", 2),
                       ("REMOVE", "NFSERR_NOTEMPTY", 1), ("REMOVE", "NFS_OK", 1)))


if __name__ == "__main__":
    apart.main("rpcbind", "ganesha.nfsd", libnfs)
