"""Database servers of their own for a test: private folders, free ports of loopback, users without
rights; they end with the test.

    with MariaDB() as server:
        server.port
"""
import contextlib
import glob
import os
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

import sockets

PATIENCE = 180  # seconds


def find(*patterns):
    """The first program that exists; None when there is none."""
    for pattern in patterns:
        for path in [shutil.which(pattern)] + sorted(glob.glob(pattern), reverse=True):
            if path:
                return path
    return None


class Server:
    """A process in a folder that belongs to `user`."""

    def __init__(self, user):
        self.user = pwd.getpwnam(user) if os.geteuid() == 0 else None
        self.folder = tempfile.mkdtemp(prefix="vantage-db-")
        os.chmod(self.folder, 0o755)
        self.port = sockets.free_port()
        self.process = None
        self.told = os.path.join(self.folder, "told")

    def own(self, path):
        if self.user:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    def as_user(self):
        """What subprocess is to be told so that a program runs as that user."""
        known = {"cwd": self.folder, "stdin": subprocess.DEVNULL}
        if self.user:
            known.update(user=self.user.pw_uid, group=self.user.pw_gid, extra_groups=[])
        return known

    def run(self, *command, **more):
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False,
                              **self.as_user(), **more)
        if done.returncode != 0:
            raise AssertionError(f"{command[0]}: {done.stdout[-1000:]} {done.stderr[-1000:]}")
        return done.stdout

    def start(self, *command, **more):
        with open(self.told, "w", encoding="utf-8") as told:
            self.process = subprocess.Popen(command, stdout=told, stderr=told, **self.as_user(),
                                            **more)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        with open(self.told, encoding="utf-8", errors="replace") as told:
            raise AssertionError(f"{command[0]} does not listen: {told.read()[-2000:]}")

    def __enter__(self):
        try:
            self.prepare()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT if self.ends_by_interrupt else signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class MariaDB(Server):
    ends_by_interrupt = False

    def __init__(self, *options):
        super().__init__("mysql")
        self.options = options
        self.data = os.path.join(self.folder, "data")

    @staticmethod
    def missing():
        return None if shutil.which("mariadbd") and find("mariadb-install-db") else "needs mariadb-server"

    def prepare(self):
        os.mkdir(self.data)
        self.own(self.data)
        self.run("mariadb-install-db", "--no-defaults", f"--datadir={self.data}", "--skip-test-db",
                 "--auth-root-authentication-method=normal", "--skip-name-resolve")
        self.start("mariadbd", "--no-defaults", f"--datadir={self.data}", f"--port={self.port}",
                   "--bind-address=127.0.0.1", f"--socket={self.data}/s", "--skip-name-resolve",
                   f"--pid-file={self.data}/pid", "--local-infile=1", "--innodb-buffer-pool-size=16M",
                   "--skip-log-bin", *self.options)


class Postgres(Server):
    ends_by_interrupt = True  # which does not wait for clients to leave
    authentication = "scram-sha-256"

    def __init__(self, *options):
        super().__init__("postgres")
        self.options = options
        self.data = os.path.join(self.folder, "data")

    @staticmethod
    def program(name):
        return find(f"/usr/lib/postgresql/*/bin/{name}", name)

    @staticmethod
    def missing():
        return None if Postgres.program("initdb") else "needs postgresql"

    def prepare(self):
        os.mkdir(self.data, 0o700)
        self.own(self.data)
        secret = os.path.join(self.folder, "secret")
        with open(secret, "w", encoding="utf-8") as file:
            file.write("open sesame\n")
        self.own(secret)
        self.run(self.program("initdb"), "-D", self.data, "-U", "postgres", "-A", self.authentication,
                 f"--pwfile={secret}", "-E", "UTF8", "--locale=C", "-N")
        self.start(self.program("postgres"), "-D", self.data, "-p", str(self.port), "-c",
                   "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={self.folder}/data",
                   "-c", "fsync=off", "-c", "shared_buffers=16MB", *self.options)
        self.wait_until_it_asks()

    def wait_until_it_asks(self):
        """It listens before it is ready, and refuses who comes then: until it asks who comes."""
        words = b"user\0postgres\0database\0postgres\0\0"
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            with contextlib.suppress(OSError):
                with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as probe:
                    probe.sendall(struct.pack("!II", 8 + len(words), 3 << 16) + words)
                    if probe.recv(1) == b"R":
                        return
            time.sleep(0.1)
        raise AssertionError("postgres does not get ready")


class Redis(Server):
    ends_by_interrupt = False
    options = ("--enable-debug-command", "yes")

    def __init__(self):
        super().__init__("redis")

    @staticmethod
    def missing():
        return None if shutil.which("redis-server") else "needs redis-server"

    def prepare(self):
        self.start("redis-server", *self.ports(), "--bind", "127.0.0.1", "--save", "",
                   *self.options, "--dir", self.folder)

    def ports(self):
        return ("--port", str(self.port))
