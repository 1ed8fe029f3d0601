#!/usr/bin/env python3
"""`vantage top` in a real terminal (a pty) against a real agent that replays the sample traffic."""
import csv
import fcntl
import io
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import agent  # noqa: E402
import sockets  # noqa: E402
import tap  # noqa: E402

PATIENCE = 180  # seconds
LEAVE = b"\x1b[?1049l"


def environment(**more):
    kept = {k: v for k, v in os.environ.items()
            if k not in ("NO_COLOR", "COLUMNS", "LC_CTYPE", "LANG", "VANTAGE_TOKEN")}
    return {**kept, "TERM": "xterm", "LC_ALL": "C.UTF-8", **more}


class Screen:
    """The program in a terminal, and what that terminal shows."""

    def __init__(self, *arguments, width=100, height=30, controls=False, **more):
        self.master, slave = pty.openpty()
        self.resize(width, height)
        self.process = subprocess.Popen([tap.vantage(), "top", *arguments], stdin=slave,
                                        stdout=slave, stderr=slave, env=environment(**more),
                                        start_new_session=True,
                                        preexec_fn=(lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) if controls else None)
        self.settings = termios.tcgetattr(slave)
        self.slave = slave

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.slave)
        os.close(self.master)

    def resize(self, width, height):
        self.width, self.height = width, height
        self.raw, self.drawn, self.at = b"", 0, (0, 0)
        self.cells = [[" "] * width for _ in range(height)]
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def read(self, seconds):
        """All that is there, or comes first within that time."""
        while select.select([self.master], [], [], seconds)[0]:
            self.raw += os.read(self.master, 65536)
            seconds = 0

    def rows(self):
        """The cells that the bytes so far put there; all sequences that are used are known here.
        Each byte is read once, for a slow machine must not fall behind the program."""
        new = re.match(rb"(?:\x1b\[[?\d;]*[A-Za-z]|[\x00-\x1a\x1c-\x7f]|[\xc0-\xff][\x80-\xbf]+"
                       rb"(?![\x80-\xbf]|\Z))*", self.raw[self.drawn:])[0]
        self.drawn += len(new)
        row, column = self.at
        for m in re.finditer(r"\x1b\[([?\d;]*)([A-Za-z])|([^\x1b])", new.decode(errors="ignore")):
            if m[3]:
                if row < self.height and column < self.width:
                    self.cells[row][column] = m[3]
                column += 1
            elif m[2] == "H":
                row, column = (int(x) - 1 for x in m[1].split(";"))
            elif m[2] == "J":
                self.cells = [[" "] * self.width for _ in range(self.height)]
            elif m[2] not in "mhl":
                raise AssertionError(f"what is {m[0]!r}?")
        self.at = (row, column)
        return ["".join(x).rstrip() for x in self.cells]

    def wait_for(self, what):
        """Reads until the screen shows it; the screen."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            self.read(0.2)
            shown = "\n".join(self.rows())
            if re.search(what, shown):
                return shown
        raise AssertionError(f"no {what!r} within {PATIENCE} s:\n" + "\n".join(self.rows()))

    def press(self, keys):
        os.write(self.master, keys.encode())

    def end(self):
        status = self.process.wait(PATIENCE)
        self.read(0.2)
        return status


def once(*arguments, **more):
    done = subprocess.run([tap.vantage(), "top", *arguments], capture_output=True, text=True,
                          timeout=180, env=environment(**more))
    return done.returncode, done.stdout, done.stderr


class Top(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.agent = agent.Agent()
        cls.addClassCleanup(cls.agent.stop)
        cls.agent.wait_for("/api/v1/summary", lambda x: x["totals"]["frames"] > 500)

    def test_pages_and_keys(self):
        """Every page comes at its key; help, filter, fields and back"""
        with Screen(self.agent.url) as screen:
            screen.wait_for(r"live \d\d:\d\d:\d\d[\s\S]*192\.0\.2\.80")
            screen.press("2")
            screen.wait_for(r"matched \d+[\s\S]*source +destination +proto")
            screen.press("/port:443\r")
            # the rows that it was asked for before are gone, too
            screen.wait_for(r"/port:443\n\n matched.*\n source.*\n(?: \S+ +\S+:443 +tcp.*\n)+\n")
            screen.press("\r")
            screen.wait_for(r"event\.dataset +flow")
            screen.press("\x1b")
            screen.wait_for("source +destination")
            screen.press("gc")
            screen.wait_for("connections[\\s\\S]*client +server")
            screen.press("\x1b[C")
            screen.wait_for(r"normal round trip 300 ms")
            screen.press("5mmm")
            screen.wait_for("requests.get")
            screen.press("6")
            screen.wait_for("No policy here counts DNS")
            screen.press("?")
            screen.wait_for("any key goes back")
            screen.press("xq")
            self.assertEqual(screen.end(), 0)
            self.assertIn(LEAVE, screen.raw)
            self.assertEqual(termios.tcgetattr(screen.slave), screen.settings)

    def test_time(self):
        """One can hold, walk back, and return"""
        with Screen(self.agent.url) as screen:
            screen.wait_for("live")
            end = time.monotonic() + PATIENCE
            while not any(re.search(r"held, \d+ s ago", row) for row in screen.rows()):
                self.assertLess(time.monotonic(), end, screen.rows())
                screen.press("[")  # for nothing, before there is a past
                screen.read(1)
            screen.press("\x1b")
            screen.wait_for("live")

    def test_sizes(self):
        """The screen follows the terminal's size; too small says so"""
        with Screen(self.agent.url) as screen:
            screen.wait_for("live")
            screen.resize(60, 10)
            screen.wait_for("Too small: 60x10, needs 80x24")
            screen.resize(80, 24)
            screen.wait_for("live[\\s\\S]*q quit  \\? help")

    def test_plain(self):
        """NO_COLOR has no colour, a locale without UTF-8 has ASCII only"""
        with Screen(self.agent.url, NO_COLOR="1", LC_ALL="C") as screen:
            screen.wait_for("live")
            self.assertNotRegex(screen.raw, rb"\x1b\[[349]\d?m")
            self.assertTrue(screen.raw.isascii())

    def test_signals(self):
        """The terminal is given back after SIGTERM, SIGINT and a crash"""
        for number, status in ((signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGABRT, -signal.SIGABRT)):
            with self.subTest(number), Screen(self.agent.url) as screen:
                screen.wait_for("live")
                screen.process.send_signal(number)
                self.assertEqual(screen.end(), status)
                self.assertIn(LEAVE, screen.raw)
                self.assertEqual(termios.tcgetattr(screen.slave), screen.settings)

    def test_terminal_gone(self):
        """A terminal that goes away ends it, be it its own or only one to draw on"""
        for controls in (False, True):
            with self.subTest(controls), Screen(self.agent.url, controls=controls) as screen:
                screen.wait_for("live")
                os.close(screen.slave)
                os.close(screen.master)
                screen.slave, screen.master = (os.open(os.devnull, os.O_RDWR) for _ in range(2))
                screen.process.wait(PATIENCE)

    def test_agent_gone(self):
        """An agent that goes away is waited for, and found again"""
        listen = f"127.0.0.1:{sockets.free_port()}"
        first = agent.Agent(listen=listen)
        try:
            with Screen(first.url) as screen:
                screen.wait_for("live")
                first.stop()
                screen.wait_for("connect to server; trying again")
                screen.press("2")
                screen.wait_for("gone")
                screen.press("1")
                with agent.Agent(listen=listen):
                    screen.wait_for("live")
        finally:
            first.stop()

    def test_token(self):
        """A token is taken from the environment; without one the remedy is told"""
        with agent.Agent("--token", "s3cret") as locked:
            status, _, errors = once("--once", locked.url)
            self.assertEqual(status, 1)
            self.assertIn("VANTAGE_TOKEN", errors)
            self.assertEqual(once("--once", locked.url, VANTAGE_TOKEN="s3cret")[0], 0)

    def test_once(self):
        """--once as text, --json and --csv; what is no terminal gets the text"""
        status, text, _ = once(self.agent.url)
        self.assertEqual(status, 0)
        self.assertRegex(text, r"Talkers[\s\S]*192\.0\.2\.80")
        self.assertNotIn("\x1b", text)
        status, text, _ = once("--json", "--page", "overview", self.agent.url)
        page = json.loads(text)
        self.assertEqual((status, page["page"]), (0, "overview"))
        self.assertGreater(page["tables"]["Talkers"][0]["bytes"], 0)
        status, text, _ = once("--csv", "-p", "flows", "-f", "proto:tcp", self.agent.url)
        rows = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual(status, 0)
        self.assertEqual({x["proto"] for x in rows}, {"tcp"})
        self.assertGreater(int(rows[0]["bytes"]), 0)

    def test_refusals(self):
        """No agent, no URL, two formats: one line each"""
        self.assertRegex(once("--once", "127.0.0.1:1")[2], r"^vantage top: 127\.0\.0\.1:1: .*running\?\n$")
        status, _, errors = once("--once", "ftp://x/")
        self.assertEqual((status, errors.count("\n")), (2, 1))
        self.assertEqual(once("--json", "--csv")[0], 2)


if __name__ == "__main__":
    tap.main()
