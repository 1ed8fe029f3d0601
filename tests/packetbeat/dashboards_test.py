#!/usr/bin/env python3
"""Dashboards, brought to Kibana or OpenSearch Dashboards. Neither is in Debian: import_server.py stands in for
them. It is strict about the request and about what objects are made of, but it draws nothing."""
import base64
import json
import os
import ssl
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
sys.dont_write_bytecode = True
import import_server  # noqa: E402
import tap  # noqa: E402

VANTAGE = os.environ["VANTAGE"]
CAPTURE = os.path.join(HERE, "..", "..", "src", "proto", "http", "data", "http_odd.pcap")
NOBODY = "127.0.0.1:9"  # discard: nobody listens there
CONSOLE = "output.console.enabled: true\n"


def saved(kind, name, **attributes):
    return {"type": kind, "id": name, "attributes": {"title": name, **attributes}, "references": [
        {"name": "kibanaSavedObjectMeta.searchSourceJSON.index", "type": "index-pattern",
         "id": "packetbeat-*"}]}


class Dashboards(unittest.TestCase):
    def setUp(self):
        self.server = import_server.ImportServer()
        self.addCleanup(self.server.close)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w",
                  encoding="utf-8") as file:
            file.write(text)
        return path

    def run_tool(self, *words, more="", output=CONSOLE, host=None):
        kibana = "setup.kibana.host: '%s'\n" % (host or "127.0.0.1:%d" % self.server.port)
        path = self.write("packetbeat.yml", "packetbeat.protocols:\n- {type: http, ports: [8081]}\n"
                          + kibana + output + more)
        return subprocess.run([VANTAGE, "packetbeat", *words, "-c", path], capture_output=True, text=True,
                              timeout=180)

    def load(self, more="", **how):
        return self.run_tool("setup", "--dashboards", more=more, **how)

    def kinds(self):
        return sorted({kind for kind, _ in self.server.objects})

    def test_ours_are_taken_whole(self):
        done = self.load()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.server.faults, [])
        self.assertEqual(self.kinds(), ["dashboard", "index-pattern", "search", "visualization"])
        self.assertIn("took %d saved objects" % len(self.server.objects), done.stdout)
        self.assertEqual(len([1 for kind, _ in self.server.objects if kind == "dashboard"]), 8)
        pattern = self.server.objects[("index-pattern", "packetbeat-*")]["attributes"]
        self.assertEqual((pattern["title"], pattern["timeFieldName"]), ("packetbeat-*", "@timestamp"))
        exported = self.run_tool("export", "dashboard").stdout.splitlines()
        self.assertEqual([json.loads(line) for line in exported], list(self.server.objects.values()))
        again = self.load()
        self.assertEqual(again.stdout, done.stdout)

    def test_where_and_as_whom(self):
        self.load("setup.kibana: {path: /kibana/, space.id: team-1, username: u, password: p,\n"
                  "  headers: {X-Team: net}}\n")
        method, path, headers = self.server.requests[-1]
        self.assertEqual((method, path), ("POST", "/kibana/s/team-1/api/saved_objects/_import?overwrite=true"))
        self.assertEqual((headers["Authorization"], headers["X-Team"]), ("Basic dTpw", "net"))
        self.load("setup.kibana.api_key: 'id:secret'\n")
        self.assertEqual(self.server.requests[-1][2]["Authorization"], "ApiKey aWQ6c2VjcmV0")
        self.load(output="output.elasticsearch: {hosts: [%s], username: e, password: f}\n" % NOBODY)
        self.assertEqual(self.server.requests[-1][2]["Authorization"], "Basic ZTpm")
        word = "name:" + base64.b64encode(b"localhost:9$abc$kib:%d" % self.server.port).decode()
        done = self.load("cloud.id: %s\n" % word)
        self.assertIn("no Kibana at https://kib.localhost:%d: " % self.server.port, done.stderr)
        self.assertEqual(self.load(host="http://127.0.0.1:%d/deep" % self.server.port).returncode, 0)
        self.assertTrue(self.server.requests[-1][1].startswith("/deep/api/"))

    def test_another_index(self):
        for more, index in (("setup.dashboards.index: net-*\n", "net-*"),
                            ("setup.template.pattern: 'net-%{[agent.version]}'\n", "net-8.17.0*")):
            self.server.objects.clear()
            self.assertEqual(self.load(more).returncode, 0)
            self.assertIn(("index-pattern", index), self.server.objects)
            self.assertNotIn("packetbeat-*", json.dumps(list(self.server.objects.values())))
        self.assertEqual(self.server.faults, [])

    def test_over_tls(self):
        try:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                            "-keyout", self.folder + "/key.pem", "-out", self.folder + "/certificate.pem"],
                           check=True, capture_output=True)
        except FileNotFoundError:
            self.skipTest("openssl is not here, which makes a certificate")
        self.server.secure(self.folder + "/certificate.pem", self.folder + "/key.pem")
        host = "localhost:%d" % self.server.port
        trusts = "  ssl.certificate_authorities: [%s/certificate.pem]\n" % self.folder
        for more, status in ((trusts, 0), ("", 1), ("  ssl.verification_mode: none\n", 0)):
            done = self.load("setup.kibana:\n  protocol: https\n" + more, host=host)
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertEqual("https://" + host in done.stderr, status == 1, done.stderr)

    def test_the_users_own_in_place_of_ours(self):
        board = saved("dashboard", "theirs", panelsJSON=[])
        board["attributes"]["kibanaSavedObjectMeta"] = {"searchSourceJSON": {"filter": []}}
        self.write("kibana/7/dashboard/old.json", "no JSON, and not read")
        self.write("kibana/8/dashboard/theirs.json", json.dumps(board, indent=2))
        self.write("kibana/8/search/more.ndjson", json.dumps(saved("search", "a")) + "\r\n\n" +
                   json.dumps(saved("search", "b")) + "\n" + json.dumps({"exportedCount": 2}))
        self.write("kibana/8/lens/listed.json", json.dumps(
            {"version": "7.17.0", "objects": [saved("lens", "c"), saved("index-pattern", "packetbeat-*")]}))
        self.write("kibana/8/README.md", "not read")
        done = self.load("setup.dashboards: {directory: %s/kibana, index: net-*}\n" % self.folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(sorted(self.server.objects), [("dashboard", "theirs"), ("index-pattern", "net-*"),
                                                       ("lens", "c"), ("search", "a"), ("search", "b")])
        self.assertEqual(self.server.objects["dashboard", "theirs"]["attributes"]["panelsJSON"], "[]")
        self.assertEqual(self.server.objects["search", "a"]["references"][0]["id"], "net-*")
        self.server.objects.clear()
        done = self.load("setup.dashboards: {directory: %s/kibana}\n" % self.folder)
        self.assertEqual((done.returncode, done.stderr, len(self.server.objects)), (0, "", 5))
        self.assertEqual(self.server.objects["search", "a"]["references"][0]["id"], "packetbeat-*")
        self.server.objects.clear()
        done = self.load("setup.dashboards.file: %s/kibana/8/search/more.ndjson\n" % self.folder)
        self.assertEqual((done.returncode, len(self.server.objects)), (0, 3), done.stderr)

    def test_what_cannot_be_read(self):
        broken = self.write("own/broken.ndjson", json.dumps(saved("search", "a")) + "\n{\"type\": \n")
        folder = "setup.dashboards.directory: %s/own\n" % self.folder
        self.refused(folder, broken + ":2: no JSON: ")
        self.write("own/broken.ndjson", '{"type": "search"}')
        self.refused(folder, broken + ":1: no saved object, ")
        self.write("own/broken.ndjson", "PK\003\004")
        self.refused(folder, broken + " is an archive: unpack it")
        os.unlink(broken)
        self.refused(folder, self.folder + "/own: no saved object is there")
        self.refused("setup.dashboards.file: %s/none.ndjson\n" % self.folder,
                     self.folder + "/none.ndjson: No such file or directory")
        self.refused("setup.dashboards.url: 'http://a.example/b.zip'\n",
                     "packetbeat.yml:5:1: http://a.example/b.zip: setup.dashboards.url is not fetched: unpack")
        self.refused("setup.kibana.space.id: a/b\n", "packetbeat.yml:5:1: setup.kibana.space.id 'a/b' is no id")
        self.refused("setup.kibana: nowhere\n", "packetbeat.yml:5:1: setup.kibana is a mapping of settings", host=NOBODY)
        self.assertEqual(self.server.requests, [])

    def refused(self, more, sentence, **how):
        done = self.load(more, **how)
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertIn(sentence, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_what_kibana_says_is_told(self):
        for status, message, sentence in (
                (401, "Unauthorized", "status 401, Unauthorized (it does not know the user: set setup.kibana."),
                (403, "Unable to bulk_create", "status 403, Unable to bulk_create (the user may not write"),
                (400, "Unexpected token", "status 400, Unexpected token (look at Kibana's log)"),
                (404, "Not Found", "look at setup.kibana.path and space.id"),
                (503, "Kibana server is not ready yet", "set setup.dashboards.retry.enabled")):
            self.server.answers = [(status, {"statusCode": status, "message": message})]
            self.refused("", "http://127.0.0.1:%d: " % self.server.port)
            self.server.answers = [(status, {"statusCode": status, "message": message})]
            self.refused("", sentence)
        for value in ({"tagline": "You Know, for Search"}, b"<html>", b""):
            self.server.answers = [(200, value)]
            self.refused("", "what answers is no Kibana")
        self.refused("", "no Kibana at http://" + NOBODY, host=NOBODY)

    def test_objects_that_are_not_taken_are_named(self):
        self.server.refuse = lambda each: (each["id"] == "vantage-http-codes" and
                                           {"type": "unsupported_type", "message": "as told"}) or None
        done = self.load()
        self.assertEqual(done.returncode, 1)
        self.assertIn(": of %d saved objects 1 is not taken:\n" % (len(self.server.objects) + 1), done.stderr)
        self.assertIn("visualization vantage-http-codes: unsupported_type, as told\n", done.stderr)
        path = self.write("own.ndjson", json.dumps({**saved("search", "a"), "references": [
            {"name": "x", "type": "lens", "id": "away"}]}))
        self.assertIn("search a: missing_references, lens away\n",
                      self.load("setup.dashboards.file: %s\n" % path).stderr)

    def test_kibana_is_waited_for(self):
        retry = "setup.dashboards.retry: {enabled: true, interval: 10ms, maximum: 3}\n"
        self.server.answers = [(503, {"message": "not ready"})] * 2
        done = self.load(retry)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual((len(self.server.requests), done.stderr.count("asked again")), (3, 1))
        self.server.answers = [(503, {"message": "not ready"})] * 9
        self.assertEqual(self.load(retry).returncode, 1)
        self.assertEqual(len(self.server.requests), 3 + 4)
        self.server.answers = [(401, {"message": "no"})]
        self.assertEqual(self.load(retry).returncode, 1)
        self.assertEqual(len(self.server.requests), 3 + 4 + 1)

    def test_at_each_start(self):
        run = ("-e", "-t", "-I", CAPTURE)
        plain = self.run_tool(*run)
        self.assertEqual((plain.returncode, self.server.objects), (0, {}))
        done = self.run_tool(*run, more="setup.dashboards.enabled: true\n")
        self.assertEqual((done.returncode, len(done.stdout)), (0, len(plain.stdout)))
        self.assertIn("saved objects", done.stderr)
        self.assertEqual(len(self.kinds()), 4)
        done = self.run_tool(*run, more="setup.dashboards.enabled: true\n", host=NOBODY)
        self.assertEqual((done.returncode, done.stdout), (1, ""))

    def test_exports(self):
        one = [json.loads(line) for line in
               self.run_tool("export", "dashboard", "--id", "vantage-dns").stdout.splitlines()]
        self.assertEqual([o["id"] for o in one if o["type"] == "dashboard"], ["vantage-dns"])
        self.assertEqual(self.run_tool("export", "dashboard", "--id", "dns").stdout.count("\n"), len(one))
        done = self.run_tool("export", "dashboard", "--id", "none")
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no dashboard 'none': overview, http, ", done.stderr)
        out = os.path.join(self.folder, "out")
        self.assertEqual(self.run_tool("export", "dashboard", "--folder", out).returncode, 0)
        self.assertIn("vantage-http.ndjson", os.listdir(out + "/dashboard"))
        pattern = json.loads(self.run_tool("export", "index-pattern").stdout)
        self.assertEqual((pattern["type"], pattern["id"]), ("index-pattern", "packetbeat-*"))


if __name__ == "__main__":
    tap.main()
