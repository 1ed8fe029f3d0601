#!/usr/bin/env python3
"""The output elasticsearch against a small, strict receiver of the bulk API on loopback."""
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
import bulk_server  # noqa: E402
import tap  # noqa: E402

VANTAGE = os.environ["VANTAGE"]
CAPTURE = os.path.join(HERE, "..", "..", "src", "proto", "http", "data", "http_odd.pcap")
PATIENCE = 180  # seconds
NOBODY = "127.0.0.1:9"  # discard: nobody listens there


class Elasticsearch(unittest.TestCase):
    def setUp(self):
        self.server = bulk_server.BulkServer()
        self.addCleanup(self.server.close)
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def configure(self, output, more=""):
        path = os.path.join(self.folder.name, "packetbeat.yml")
        with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w",
                  encoding="utf-8") as file:
            if "shutdown_timeout" not in more:  # a busy machine may need longer than it has by itself
                more += "\npacketbeat.shutdown_timeout: %ds" % PATIENCE
            file.write("packetbeat.protocols:\n- type: http\n  ports: [80, 8081, 3128]\n%s\n"
                       "output.elasticsearch:\n  backoff: {init: 20ms, max: 100ms}\n%s" % (more, output))
        return path

    def run_packetbeat(self, output, more="", capture=CAPTURE, arguments=()):
        command = [VANTAGE, "packetbeat", "-e", "-t", "-I", capture, "-c",
                   self.configure(output, more), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)

    def hosts(self, *before):
        return "  hosts: %s\n" % json.dumps([*before, "127.0.0.1:%d" % self.server.port])

    def expected(self):
        """The events of the capture as the console shows them."""
        done = self.run_packetbeat(self.hosts(), arguments=("-E", "output.elasticsearch.enabled=false",
                                                            "-E", "output.console.enabled=true"))
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_documents_arrive_as_they_are(self):
        done = self.run_packetbeat(self.hosts() + "  username: u\n  password: p\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.server.faults, [])
        self.assertEqual({index for index, _ in self.server.documents}, {"packetbeat-8.17.0"})
        expected = self.expected()
        self.assertGreater(len(expected), 5)
        for event, (_, document) in zip(expected, self.server.documents, strict=True):
            event.pop("@metadata")
            for either in (event, document):
                either["agent"].pop("ephemeral_id")
            self.assertEqual(event, document)
        headers = self.server.requests[-1][2]
        self.assertEqual(headers["Content-Encoding"], "gzip")
        self.assertEqual(headers["Authorization"], "Basic dTpw")

    def test_the_cluster_is_set_up_once(self):
        self.run_packetbeat(self.hosts())
        template = self.server.puts["/_index_template/packetbeat-8.17.0"]
        self.assertEqual(template["index_patterns"], ["packetbeat-8.17.0*"])
        self.assertEqual(template["data_stream"], {})
        properties = template["template"]["mappings"]["properties"]
        self.assertEqual(properties["source"]["properties"]["ip"], {"type": "ip"})
        self.assertEqual(template["template"]["settings"]["index"]["lifecycle"]["name"], "packetbeat")
        self.assertIn("/_ilm/policy/packetbeat", self.server.puts)
        before = len([r for r in self.server.requests if r[0] == "PUT"])
        self.run_packetbeat(self.hosts())
        self.assertEqual(len([r for r in self.server.requests if r[0] == "PUT"]), before)

    def test_opensearch_has_no_such_policies(self):
        self.server.distribution = "opensearch"
        self.run_packetbeat(self.hosts())
        self.assertEqual(list(self.server.puts), ["/_index_template/packetbeat-8.17.0"])
        self.assertNotIn("lifecycle", json.dumps(self.server.puts))
        self.assertGreater(len(self.server.documents), 5)

    def test_versions_before_data_streams(self):
        for version, has_streams in (("7.0.1", False), ("7.8.0", False), ("7.9.0", True),
                                     ("7.17.28", True), ("9.2.1", True)):
            self.server.version = version
            self.server.puts.clear()
            self.server.documents.clear()
            done = self.run_packetbeat(self.hosts())
            self.assertEqual((done.returncode, done.stderr), (0, ""), version)
            self.assertEqual(len(self.server.documents), len(self.expected()), version)
            if has_streams:
                self.assertIn("data_stream", self.server.puts["/_index_template/packetbeat-8.17.0"])
                continue
            template = self.server.puts["/_template/packetbeat-8.17.0"]
            self.assertEqual(sorted(template), ["index_patterns", "mappings", "order", "settings"])
            self.assertIn("source", template["mappings"]["properties"])
            self.assertNotIn("lifecycle", template["settings"]["index"])
            self.assertEqual(len(self.server.puts), 1)

    def test_busy_clusters_are_asked_again(self):
        self.server.statuses = [429, 503, 200, 500]
        done = self.run_packetbeat(self.hosts() + "  bulk_max_size: 4\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(self.server.documents), len(self.expected()))
        self.assertEqual(self.server.faults, [])

    def test_another_host_has_its_turn(self):
        self.run_packetbeat(self.hosts(NOBODY))
        self.assertEqual(len(self.server.documents), len(self.expected()))

    def test_hosts_have_requests_in_turn(self):
        other = bulk_server.BulkServer()
        self.addCleanup(other.close)
        hosts = self.hosts("127.0.0.1:%d" % other.port, NOBODY) + "  bulk_max_size: 2\n"
        self.run_packetbeat(hosts)
        self.assertGreater(len(self.server.documents), 2)
        self.assertGreater(len(other.documents), 2)
        self.assertEqual(len(self.server.documents + other.documents), len(self.expected()))
        self.server.documents.clear()
        self.run_packetbeat(hosts + "  loadbalance: false\n")
        self.assertEqual(self.server.documents, [])

    def test_a_cloud_is_a_host_and_a_user(self):
        port = self.server.port
        word = "name:" + base64.b64encode(b"localhost:%d$abc$kibana" % port).decode()
        done = self.run_tool("test", "output", output="  hosts: [%s]\ncloud.id: %s\ncloud.auth: u:p\n"
                             % (NOBODY, word))
        self.assertEqual(done.returncode, 1)
        self.assertIn("https://abc.localhost:%d: " % port, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_a_policy_is_put_there_anew_or_not_at_all(self):
        path = "/_ilm/policy/packetbeat"
        self.run_packetbeat(self.hosts(), "setup.ilm.check_exists: false")
        self.assertNotIn(path, self.server.puts)
        self.assertIn('"packetbeat"', json.dumps(self.server.puts["/_index_template/packetbeat-8.17.0"]
                                                 ["template"]["settings"]))
        self.server.puts[path] = "older"
        self.run_packetbeat(self.hosts())
        self.assertEqual(self.server.puts[path], "older")
        self.run_packetbeat(self.hosts(), "setup.ilm.overwrite: true")
        self.assertNotEqual(self.server.puts[path], "older")

    def test_over_tls(self):
        folder = self.folder.name
        try:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                            "-keyout", folder + "/key.pem", "-out", folder + "/certificate.pem"],
                           check=True, capture_output=True)
        except FileNotFoundError:
            self.skipTest("openssl is not here, which makes a certificate")
        self.server.secure(folder + "/certificate.pem", folder + "/key.pem", ssl.TLSVersion.TLSv1_3)
        wanted = len(self.expected())
        usual = ("  hosts: ['https://localhost:%d']\n  max_retries: 0\n" % self.server.port)
        trusts = "  ssl.certificate_authorities: [%s/certificate.pem]\n" % folder
        short = "packetbeat.shutdown_timeout: 1s"
        for more, arrives in ((trusts, True), ("", False), ("  ssl.verification_mode: none\n", True),
                              (trusts + "  ssl.supported_protocols: [TLSv1.1, TLSv1.2]\n", False),
                              (trusts + "  ssl.supported_protocols: [TLSv1.2, TLSv1.3]\n", True)):
            self.server.documents.clear()
            done = self.run_packetbeat(usual + more, short.replace("1s", "60s") if arrives else short)
            self.assertEqual(len(self.server.documents), wanted if arrives else 0, (more, done.stderr))
            self.assertEqual("events are lost" in done.stderr, not arrives, done.stderr)

    def test_a_refused_document_does_not_take_others_along(self):
        refused = []

        def refuse(document):
            if document.get("method") == "HEAD":
                refused.append(document)
                return 400
            return None

        self.server.refuse = refuse
        done = self.run_packetbeat(self.hosts())
        self.assertEqual(done.returncode, 0)
        self.assertEqual(len(refused), 1)
        self.assertEqual(len(self.server.documents), len(self.expected()) - 1)

    def test_a_document_that_has_to_wait_is_sent_again_alone(self):
        seen = []

        def refuse(document):
            seen.append(document.get("query"))
            return 429 if seen.count("GET /1") == 1 and seen[-1] == "GET /1" else None

        self.server.refuse = refuse
        self.run_packetbeat(self.hosts())
        self.assertEqual(seen.count("GET /1"), 2)
        self.assertEqual(seen.count("GET /3"), 1)
        self.assertEqual(len(self.server.documents), len(self.expected()))

    def test_requests_that_are_too_large_are_halved(self):
        self.server.statuses = [413, 413]
        self.run_packetbeat(self.hosts())
        self.assertEqual(len(self.server.documents), len(self.expected()))
        self.assertEqual(self.server.faults, [])

    def test_a_cluster_that_is_away_does_not_hold_the_end_up(self):
        done = self.run_packetbeat("  hosts: [%s]\n" % NOBODY,
                                   more="packetbeat.shutdown_timeout: 1s")  # within our patience
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"output elasticsearch: %d events are lost: http://127.0.0.1:9"
                         % len(self.expected()))

    def test_index_names_have_fields_in_them(self):
        index = "  index: 'net-%{[type]}-%{+yyyy.MM.dd}'\n  api_key: 'id:secret'\n"
        self.run_packetbeat(self.hosts() + index)
        self.assertEqual({i for i, _ in self.server.documents}, {"net-http-2026.11.21"})
        self.assertEqual(self.server.requests[-1][2]["Authorization"], "ApiKey aWQ6c2VjcmV0")

    def run_tool(self, *words, output=None):
        return subprocess.run([VANTAGE, "packetbeat", *words, "-c",
                               self.configure(output or self.hosts())],
                              capture_output=True, text=True, timeout=180)

    def test_tools_for_clusters(self):
        done = self.run_tool("test", "output", output=self.hosts(NOBODY))
        self.assertEqual(done.returncode, 1)
        self.assertIn("talks, version 8.17.0", done.stdout)
        self.assertIn("127.0.0.1:9", done.stderr)
        self.assertEqual(self.run_tool("test", "output").returncode, 0)
        self.assertEqual(self.server.puts, {})
        self.assertEqual(self.run_tool("setup").returncode, 0)
        exported = json.loads(self.run_tool("export", "template").stdout)
        self.assertEqual(exported, self.server.puts["/_index_template/packetbeat-8.17.0"])
        policy = json.loads(self.run_tool("export", "ilm-policy").stdout)
        self.assertEqual(policy, self.server.puts["/_ilm/policy/packetbeat"])
        done = self.run_tool("setup", "--pipelines")
        self.assertEqual((done.returncode, done.stderr.count("not applicable")), (0, 1))

    def test_the_own_dialect_has_it_too(self):
        path = os.path.join(self.folder.name, "vantage.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("outputs:\n  - {kind: elasticsearch, hosts: ['http://127.0.0.1:%d'], index: net}\n"
                       % self.server.port)
        done = subprocess.run([VANTAGE, "read", "-c", path, "-o", "summary", "--transactions", CAPTURE],
                              capture_output=True, text=True, timeout=180)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual({i for i, _ in self.server.documents}, {"net"})
        self.assertIn("/_index_template/net", self.server.puts)
        self.assertEqual(self.server.faults, [])


if __name__ == "__main__":
    tap.main()
