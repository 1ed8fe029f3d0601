#!/usr/bin/env python3
"""What Metricbeat's module `beat` reads of a Packetbeat: who it is, its counters, its state; live."""
import http.client
import http.server
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
sys.dont_write_bytecode = True
import sockets  # noqa: E402
import tap  # noqa: E402

VANTAGE = os.environ["VANTAGE"]
PATIENCE = 180
BEAT = """
packetbeat.interfaces.device: lo
packetbeat.protocols: [{type: http, ports: [%d]}]
name: here
output.file: {path: "%s", filename: events}
http: {enabled: true, port: %d}
monitoring.cluster_uuid: a-cluster
"""

# What the module reads, by the place of each and the kind of value: a text, a whole number, a flag, a map.
READ_OF_ALL = {"": {"uuid": str, "beat": str, "name": str, "hostname": str, "version": str}}
READ_OF_STATS = {
    "beat": {"cpu": dict, "info": dict},
    "beat.info.uptime": {"ms": int},
    "beat.runtime": {"goroutines": int},
    "beat.handles": {"open": int},
    "beat.handles.limit": {"hard": int, "soft": int},
    "beat.memstats": dict.fromkeys(["gc_next", "memory_alloc", "memory_total", "rss"], int),
    "libbeat.output": {"type": str},
    "libbeat.output.events": dict.fromkeys(["acked", "active", "batches", "dropped", "duplicates", "failed",
                                            "toomany", "total"], int),
    "libbeat.output.read": {"bytes": int, "errors": int},
    "libbeat.output.write": {"bytes": int, "errors": int},
    "libbeat.pipeline": {"clients": int},
    "libbeat.pipeline.queue": {"acked": int},
    "libbeat.pipeline.events": dict.fromkeys(["active", "dropped", "failed", "filtered", "published", "retry",
                                              "total"], int),
    "libbeat.config.module": {"running": int, "starts": int, "stops": int},
    "system.cpu": {"cores": int},
}
READ_OF_STATE = {
    "management": {"enabled": bool},
    "service": {"id": str, "name": str, "version": str},
    "module": {"count": int},
    "output": {"name": str},
    "queue": {"name": str},
    "host": {"architecture": str, "containerized": bool, "hostname": str, "id": str},
    "host.os": dict.fromkeys(["family", "kernel", "name", "platform", "version"], str),
}


class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


@unittest.skipUnless(os.geteuid() == 0, "capturing needs root")
class Stats(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.shop = server.server_address[1]
        self.port = sockets.free_port()
        path = os.path.join(self.folder.name, "packetbeat.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(BEAT % (self.shop, self.folder.name, self.port))
        os.chmod(path, 0o600)
        self.process = subprocess.Popen([VANTAGE, "packetbeat", "-c", path],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.end)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)

    def get(self, path, accept="*/*"):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}",
                                         headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:
            return reply.read().decode()

    def wait_for(self, look):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                found = look()
                if found:
                    return found
            except (OSError, http.client.HTTPException):  # not there yet
                self.assertIsNone(self.process.poll())
            time.sleep(0.1)
        return self.fail("nothing within %d s" % PATIENCE)

    def test_who_how_much_and_what(self):
        who = json.loads(self.wait_for(lambda: self.get("/")))
        self.assertEqual((who["beat"], who["name"], who["version"]), ("packetbeat", "here", "8.17.0"))
        self.assertIn("ready", self.wait_for(lambda: self.get("/readyz")))

        def asked_enough():
            urllib.request.urlopen(f"http://127.0.0.1:{self.shop}/", timeout=PATIENCE).read()
            stats = json.loads(self.get("/stats"))
            events = stats["libbeat"]["output"]["events"]
            is_enough = (events["acked"] >= 2 and events["acked"] == events["total"]  # none is on its way
                         and stats["libbeat"]["pipeline"]["queue"]["acked"] == events["acked"]
                         and stats["vantage"]["capture"]["packets"] > 4)  # told in rounds of their own
            return is_enough and stats

        stats = self.wait_for(asked_enough)
        output, pipeline = stats["libbeat"]["output"], stats["libbeat"]["pipeline"]
        self.assertEqual(output["type"], "file")
        self.assertEqual(output["events"]["total"], output["events"]["acked"])
        self.assertGreater(output["write"]["bytes"], 500)
        self.assertEqual((pipeline["events"]["dropped"], pipeline["queue"]["acked"]),
                         (0, output["events"]["acked"]))
        beat = stats["beat"]
        self.assertEqual(beat["info"]["ephemeral_id"], who["ephemeral_id"])
        self.assertGreater(beat["info"]["uptime"]["ms"], 0)
        self.assertGreater(beat["memstats"]["rss"], 1 << 20)
        self.assertGreater(beat["cpu"]["total"]["value"], 0)
        self.assertGreater(beat["handles"]["open"], 3)
        self.assertEqual(stats["system"]["cpu"]["cores"], os.cpu_count())
        self.assertGreater(stats["vantage"]["capture"]["bytes"], 4 * 40)
        self.assertIn("unmatched_requests", stats["vantage"]["http"])
        state = json.loads(self.get("/state"))
        self.assertEqual((state["service"]["id"], state["output"]["name"], state["queue"]["name"]),
                         (who["uuid"], "file", "mem"))

    def test_all_that_metricbeat_reads(self):
        self.wait_for(lambda: self.get("/"))
        for path, wanted in (("/", READ_OF_ALL), ("/stats", READ_OF_STATS), ("/state", READ_OF_STATE)):
            said = json.loads(self.get(path))
            for place, kinds in wanted.items():
                inner = said
                for name in filter(None, place.split(".")):
                    inner = inner[name]
                self.assertEqual({name: type(inner.get(name)) for name in kinds}, kinds, (path, place))
        self.assertEqual(said["monitoring"], {"cluster_uuid": "a-cluster"})
        host = said["host"]
        self.assertEqual((host["architecture"], host["os"]["kernel"]), (os.uname().machine, os.uname().release))
        with open("/etc/os-release", encoding="utf-8") as file:
            self.assertIn(f"ID={host['os']['platform']}\n", file.read().replace('"', ""))

    def test_others_get_what_they_ask_for(self):
        self.wait_for(lambda: self.get("/"))
        self.assertIn("vantage_packets_total", self.get("/metrics"))
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stats", b"x", timeout=PATIENCE)
        self.assertEqual(refused.exception.code, 405)
        try:
            self.assertIn("<html", self.get("/", "text/html,*/*").lower())
        except urllib.error.HTTPError as error:  # built without its page
            self.assertEqual(error.code, 404)


if __name__ == "__main__":
    tap.main()
