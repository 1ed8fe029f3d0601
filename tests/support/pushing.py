"""A `vantage run` that replays the sample traffic and pushes its metrics."""
import json
import os
import re
import subprocess
import tempfile
import time
import urllib.request

import tap

SAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "samples")
PATIENCE = 180  # seconds


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {PATIENCE} s: {what}")


class Pusher:
    def __init__(self, outputs, command=None, taps=f"[{{kind: replay, files: [{SAMPLES}]}}]"):
        """`outputs`: lines of YAML, an item of the list each; or a command line. `taps` may go on with more of
        the configuration."""
        self.folder = tempfile.TemporaryDirectory()
        path = os.path.join(self.folder.name, "vantage.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"taps: {taps}\n"
                       "api: {listen: '127.0.0.1:0'}\noutputs:\n" +
                       "".join(f"- {{{output}}}\n" for output in outputs))
        self.errors = open(os.path.join(self.folder.name, "errors"), "w+", encoding="utf-8")
        self.process = subprocess.Popen([tap.vantage(), *(command or ["run", "-c", path])], stderr=self.errors,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.url = wait_for("a URL", self.told_url)

    def told_url(self):
        with open(self.errors.name, encoding="utf-8") as file:
            found = re.search(r"http://[\w.\[\]:]+", file.read())
        return found and found[0]

    def metric(self, name):
        """The value of a sample of /metrics, whatever its labels."""
        with urllib.request.urlopen(self.url + "/metrics", timeout=PATIENCE) as answer:
            found = re.search(rf"^{name}(?:{{.*}})? (\S+)$", answer.read().decode(), re.M)
        return float(found[1])

    def name_of(self, kind):
        """The first family of /metrics of that type; None without."""
        with urllib.request.urlopen(self.url + "/metrics", timeout=PATIENCE) as answer:
            found = re.search(rf"^# TYPE (\S+) {kind}$", answer.read().decode(), re.M)
        return found and found[1]

    def total(self, path, keys):
        """A value of a document, by its keys; None where it is not there."""
        with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as answer:
            value = json.load(answer)
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(2)
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self.errors.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        self.folder.cleanup()
