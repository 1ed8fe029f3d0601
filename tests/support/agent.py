"""A running `vantage demo` on a free port.

    with Agent() as agent:
        agent.get("/api/v1/summary")
"""
import json
import re
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

import tap

PATIENCE = 180  # seconds


class Agent:
    def __init__(self, *arguments, listen="127.0.0.1:0", command=None):
        """`command`: of another agent than the demo."""
        self.errors = tempfile.NamedTemporaryFile("w+")
        command = command or ["demo", "--listen", listen]
        self.process = subprocess.Popen([tap.vantage(), *command, *arguments],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=self.errors)
        try:
            self.url = self.told_url()
            self.wait_for("/readyz", lambda _: True)
        except BaseException:
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def told(self):
        with open(self.errors.name, encoding="utf-8", errors="replace") as file:
            return file.read()

    def told_url(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            found = re.search(r"http://[\w.\[\]:]+", self.told())
            if found:
                return found[0]
            time.sleep(0.05)
        raise AssertionError(f"no URL within {PATIENCE} s, but: {self.told()!r}")

    def stop(self):
        """Ends it as Ctrl-C does; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(2)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self.process.wait()

    def ask(self, path, method="GET", **headers):
        """Status, headers and body."""
        request = urllib.request.Request(self.url + path, method=method, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.headers, answer.read()

    def get(self, path):
        status, _, body = self.ask(path)
        if status != 200:
            raise AssertionError(f"{path}: {status} {body!r}")
        return json.loads(body)

    def wait_for(self, path, is_enough):
        """Asks until the answer will do; the answer."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            status, _, body = self.ask(path)
            if status == 200 and is_enough(json.loads(body)):
                return json.loads(body)
            time.sleep(0.1)
        raise AssertionError(f"{path}: not within {PATIENCE} s; last {status} {body[:500]!r}")
