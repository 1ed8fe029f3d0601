#!/usr/bin/env python3
"""`vantage packetbeat`: its command line, its configuration, what it says of what it cannot mean."""
import base64
import ctypes
import ctypes.util
import datetime
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
sys.dont_write_bytecode = True
import tap  # noqa: E402

VANTAGE = os.environ["VANTAGE"]
DATA = os.path.join(HERE, "..", "..", "src", "proto", "http", "data")
CAPTURE = os.path.join(DATA, "http_odd.pcap")
HTTP = "packetbeat.protocols:\n- type: http\n  ports: [80]\n"
CONSOLE = HTTP + "output.console.enabled: true\n"


class Dialect(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, text, name="packetbeat.yml", mode=0o600):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def run_it(self, *arguments, text=CONSOLE, environment=None):
        command = [VANTAGE, "packetbeat", *arguments, "-c", self.write(text)]
        return subprocess.run(command, capture_output=True, text=True, timeout=180,
                              env=dict(os.environ, **(environment or {})))

    def events(self, text=CONSOLE, *arguments, environment=None):
        done = self.run_it("-e", "-t", "-I", CAPTURE, *arguments, text=text, environment=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def without_run(self, event):
        event["agent"].pop("ephemeral_id")
        return event

    def refused(self, text, why):
        done = self.run_it("test", "config", text=text)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(why, done.stderr)

    def test_the_envelope(self):
        event = self.events(CONSOLE + "name: n\ntags: [a]\nfields: {x.y: 1}\n")[0]
        self.assertEqual(event["@metadata"], {"beat": "packetbeat", "type": "_doc", "version": "8.17.0"})
        self.assertEqual((event["agent"]["name"], event["agent"]["type"]), ("n", "packetbeat"))
        self.assertEqual(event["tags"], ["a"])
        self.assertEqual(event["fields"], {"x": {"y": 1}})
        self.assertRegex(event["@timestamp"], r"\.\d{3}Z$")
        for extra in "first_byte", "round_trip", "transfer":
            self.assertNotIn(extra, event["event"])

    def test_only_what_is_listed_on_its_ports(self):
        self.assertEqual(self.events("output.console: {}\n"), [])
        self.assertEqual(self.events(CONSOLE.replace("80", "81")), [])
        self.assertTrue(all(e["server"]["port"] == 80 for e in self.events()))
        old = "packetbeat.protocols.http: {ports: [80]}\noutput: {console: {enabled: yes}}\n"
        self.assertEqual(len(self.events(old)), len(self.events()))

    def test_what_begins_otherwise_at_a_port_is_told_once(self):
        text = CONSOLE.replace("http", "mongodb")
        done = self.run_it("-e", "-t", "-I", CAPTURE, text=text)
        codes = re.findall(r"Unknown operation code: (\d+)", done.stderr)
        self.assertIn(str(int.from_bytes(b"/1.1", "little")), codes)  # of some HTTP/1.1
        self.assertEqual(len(codes), len(set(codes)))

    def test_settings_of_the_command_line_and_variables(self):
        text = CONSOLE + "tags: ${TAGS:none}\nname: ${agent}-x\nagent: A\n"
        event = self.events(text)[0]
        self.assertEqual((event["tags"], event["agent"]["name"]), (["none"], "A-x"))
        event = self.events(text, environment={"TAGS": "[a, b]"})[0]
        self.assertEqual(event["tags"], ["a", "b"])
        event = self.events(text, "-E", "tags=c,d", "-E", "name=z")[0]
        self.assertEqual((event["tags"], event["agent"]["name"]), (["c", "d"], "z"))
        self.refused(CONSOLE + "name: ${NOT_THERE_AT_ALL}\n", "NOT_THERE_AT_ALL")

    def test_all_names_are_told_however_many(self):
        names = ["monitoring.elasticsearch.setting_%d" % i for i in range(100)]
        text = CONSOLE + "".join("%s: 1\n" % name for name in names)
        said = self.run_it("test", "config", text=text).stderr
        lines = [line for line in said.splitlines() if "monitoring" in line]
        self.assertEqual(len(lines), 1)
        self.assertEqual([name for name in names if name + "," not in lines[0] + ","
                          and name + " (" not in lines[0]], [])

    def test_fingerprints(self):
        text = CONSOLE + """
processors:
- add_fields: {target: "", fields: {field1: foo, field2: bar}}
- fingerprint: {fields: [field1]}
- fingerprint: {fields: [field2, field1], method: sha1, encoding: base64, target_field: two}
- fingerprint: {fields: [gone], target_field: never}
- fingerprint: {fields: [gone, field1], target_field: one, ignore_missing: true}
"""
        event = self.events(text)[0]
        self.assertEqual(event["fingerprint"], hashlib.sha256(b"|field1|foo|").hexdigest())
        self.assertEqual(event["two"], base64.b64encode(
            hashlib.sha1(b"|field1|foo|field2|bar|").digest()).decode())
        self.assertNotIn("never", event)
        self.assertEqual(event["one"], event["fingerprint"])
        self.refused(CONSOLE + "processors: [{fingerprint: {fields: [a], method: crc}}]", "sha256")

    def test_one_protocol_has_its_own(self):
        text = CONSOLE.replace("ports: [80]", "ports: [80]\n  tags: [web]\n  index: other\n"
                               "  fields_under_root: true\n  fields: {team: t}\n"
                               "  processors:\n  - drop_event.when.equals.method: HEAD\n")
        events = self.events(text)
        self.assertEqual(events[0]["@metadata"]["raw_index"], "other")
        self.assertEqual((events[0]["tags"], events[0]["team"]), (["web"], "t"))
        self.assertNotIn("HEAD", {e.get("method") for e in events})

    def test_processors(self):
        text = CONSOLE + """
processors:
- if.equals.method: GET
  then:
  - add_fields: {target: a, fields: {b: 1}}
  else:
  - add_tags: {tags: [other]}
- rename: {fields: [{from: http.response.status_code, to: code}], ignore_missing: true}
- drop_fields: {fields: [http]}
- add_host_metadata: ~
- add_docker_metadata: ~
- dns: {type: reverse}
- if.equals.code: 200
  then: {add_tags: {tags: number}}
- if.equals.code: "200"
  then: {add_tags: {tags: text}}
- drop_fields: {fields: ['/^url\\.(path|full)$/']}
"""
        done = self.run_it("-e", "-t", "-I", CAPTURE, text=text)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(events[0]["a"], {"b": 1})
        self.assertEqual(events[0]["code"], 200)
        self.assertNotIn("http", events[0])
        self.assertIn("os", events[0]["host"])
        self.assertEqual(events[1]["tags"], ["other", "number"])
        self.assertIn("processor add_docker_metadata is not available", done.stderr)
        self.assertIn("processor dns (events do not wait for name servers) is not available",
                      done.stderr)
        self.assertEqual(events[0]["tags"], ["number"])
        self.assertEqual(set(events[0]["url"]) & {"path", "full", "scheme"}, {"scheme"})
        self.refused(CONSOLE + "processors:\n- script: {lang: javascript}\n",
                     "6:3: the processor script is not available: there is no interpreter")
        self.refused(CONSOLE + "processors:\n- drop_evnt: ~\n",
                     "6:3: there is no processor 'drop_evnt' (did you mean drop_event?)")
        self.refused(CONSOLE + "processors:\n- drop_event.when.equal.a: 1\n", "'equal' is no condition")

    def test_outputs(self):
        text = HTTP + "output.file: {path: %s, filename: out}\n" % self.folder.name
        self.assertEqual(self.events(text), [])
        self.assertEqual(self.events(text), [])  # rotated at each start
        files = sorted(f for f in os.listdir(self.folder.name) if f.startswith("out-"))
        self.assertEqual(len(files), 2)
        self.assertRegex(files[0], r"^out-\d{8}-1\.ndjson$")
        self.assertRegex(files[1], r"^out-\d{8}\.ndjson$")
        path = os.path.join(self.folder.name, files[1])
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(len(file.readlines()), len(self.events()))
        done = self.run_it("-t", "-I", CAPTURE, text=HTTP + "output.console.codec.format.string: "
                           "'%{[method]} %{[url.path]:-}'\n")
        self.assertEqual(done.stdout.splitlines()[0], "GET /1")
        done = self.run_it("-t", "-I", CAPTURE, text=HTTP + "output.console.pretty: true\n")
        self.assertTrue(done.stdout.startswith('{\n  "@timestamp": "'))
        self.assertEqual(self.run_it("-N", "-t", "-I", CAPTURE).stdout, "")
        self.refused(HTTP, "no output is defined")
        self.refused(CONSOLE + "output.file.path: /tmp\n", "more than one output")

    def test_nothing_is_passed_over_in_silence(self):
        text = CONSOLE + ("logging.to_files: true\nmonitoring.enabled: true\nqueue.disk.path: /x\n"
                          "packetbeat.interfaces.metrics_interval: 5s\nnonsense.at.all: 1\n")
        done = self.run_it("test", "config", text=text)
        self.assertEqual((done.returncode, done.stdout), (0, "Config OK\n"))
        for name in ("logging.to_files", "monitoring.enabled", "queue.disk.path",
                     "packetbeat.interfaces.metrics_interval", "nonsense.at.all"):
            self.assertEqual(done.stderr.count(name), 1, done.stderr)

    def test_bad_settings_name_their_place(self):
        self.refused(CONSOLE + "packetbeat.interfaces.bpf_filter: no filter at all\n", "bpf_filter")
        self.refused(CONSOLE + "packetbeat.flows.period: 1ms\n", "packetbeat.yml:5:1: period")
        self.refused(CONSOLE + "timestamp.precision: day\n", "5:1: timestamp.precision 'day'")
        self.refused(CONSOLE.replace("[80]", "[x]"), "http: ports: 'x'")
        self.refused("a: [\n", "packetbeat.yml:2:1")

    def test_slips_of_the_pen_are_told_with_what_was_meant(self):
        text = ("packetbeat.flows:\n  timout: 10s\npacketbeat.protocols:\n- type: http\n  ports: [80]\n"
                "  send_heades: [a]\noutput.console:\n  prety: true\nlogging.levl: debug\n"
                "output.consle.enabled: false\n")
        done = self.run_it("test", "config", text=text)
        self.assertEqual((done.returncode, done.stdout), (0, "Config OK\n"))
        lines = [line.rsplit("packetbeat.yml:", 1)[1] for line in done.stderr.splitlines()]
        self.assertEqual(lines, [
            "2:3: unknown setting packetbeat.flows.timout: did you mean 'timeout'?",
            "6:3: unknown setting packetbeat.protocols.send_heades: did you mean 'send_headers'?",
            "8:3: unknown setting output.console.prety: did you mean 'pretty'?",
            "9:1: unknown setting logging.levl: did you mean 'level'?"])

    def test_values_of_a_wrong_kind(self):
        for line, why in (
                ("packetbeat.flows: on", "packetbeat.flows is a mapping"),
                ("packetbeat.interfaces: [any]", "packetbeat.interfaces is a mapping"),
                ("packetbeat.interfaces.snaplen: -7", "5:1: snaplen -7 is not in 1 to"),
                ("packetbeat.interfaces.buffer_size_mb: 0", "buffer_size_mb 0 is not in 1 to"),
                ("max_procs: -7", "max_procs -7 is not in 0 to"),
                ("http.port: 70000", "http.port 70000 is not in 1 to 65535"),
                ("tags: {a: b}", "tags is a list"),
                ("fields: [a]", "fields is a mapping"),
                ("output: console", "output is a mapping")):
            self.refused(CONSOLE + line + "\n", why)
        for line, why in (("preset: fast", "preset 'fast' is none of balanced, throughput"),
                          ("protocol: ftp", "protocol 'ftp' is none of"),
                          ("headers: [a]", "headers is a mapping"),
                          ("hosts: {a: b}", "hosts is a list"),
                          ("ssl.supported_protocols: [SSLv3]", "'SSLv3' is none of TLSv1.0")):
            self.refused(HTTP + "output.elasticsearch:\n  %s\n" % line, "5:3: ")
            self.refused(HTTP + "output.elasticsearch:\n  %s\n" % line, why)
        self.refused(HTTP + "output.elasticsearch.hosts: [a]\nsetup.ilm.enabled: perhaps\n", "5:1: ")
        self.refused(HTTP + "output.kafka.hosts: [a]\n", "output.kafka is not available: use output.")
        self.refused(HTTP + "output.elasticsearch: {}\ncloud.id: what\n", "5:1: cloud.id cannot be read")

    def test_errors_name_the_file_that_they_are_in(self):
        second = self.write("packetbeat.flows.period: 1ms\n", "second.yml")
        third = self.write("name: ${NOT_THERE_AT_ALL}\n", "third.yml")
        for more, place in (("-c" + second, "second.yml:1:1: period"),
                            ("-c" + third, "third.yml:1:1: ${NOT_THERE_AT_ALL}"),
                            ("-Epacketbeat.flows.period=1ms", "-E: period")):
            command = [VANTAGE, "packetbeat", "test", "config", "-c", self.write(CONSOLE), more]
            done = subprocess.run(command, capture_output=True, text=True, timeout=180)
            self.assertEqual(done.returncode, 1)
            self.assertIn(place, done.stderr)

    def test_flags_with_an_equals_sign(self):
        done = subprocess.run([VANTAGE, "packetbeat", "-c=" + self.write(CONSOLE), "-t=true", "-e=false",
                               "-I=" + CAPTURE, "-E=name=n"], capture_output=True, text=True, timeout=180)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout.splitlines()[0])["agent"]["name"], "n")
        self.assertEqual(self.run_it("-t=perhaps").returncode, 2)
        self.assertIn("Usage: vantage packetbeat", self.run_it("help", "run").stdout)

    def test_permissions(self):
        path = self.write(CONSOLE, mode=0o622)
        command = [VANTAGE, "packetbeat", "-c", path, "test", "config"]
        done = subprocess.run(command, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("chmod go-w", done.stderr)
        for flag in ("--strict.perms=false", "-strict.perms=false"):
            self.assertEqual(subprocess.run(command + [flag], capture_output=True).returncode, 0)

    def test_other_commands(self):
        self.assertIn("8.17.0", self.run_it("version").stdout)
        self.assertRegex(self.run_it("devices").stdout, r"(?m)^\d+: lo \(loopback\)")
        self.assertEqual(self.run_it("-devices").stdout, self.run_it("devices").stdout)
        exported = self.run_it("export", "config", text=CONSOLE + "output.console.password: s3cret\n")
        self.assertIn("  console:\n", exported.stdout)
        self.assertNotIn("s3cret", exported.stdout)
        self.assertEqual(self.run_it("nonsense").returncode, 2)
        for words in (["completion", "bash"],):
            done = self.run_it(*words)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
            self.assertIn("not available: " + " ".join(words) + " (", done.stderr)
        self.assertEqual(self.run_it("export", "template", "--dir", self.folder.name).returncode, 0)
        path = os.path.join(self.folder.name, "template", "packetbeat-8.17.0.json")
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), self.run_it("export", "template").stdout)
        self.assertEqual(self.events(CONSOLE, "--hostname", "h1")[0]["host"]["name"], "h1")

    def test_a_capture_in_real_time_has_times_of_now(self):
        before = time.time()
        done = self.run_it("-e", "-I", CAPTURE)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertGreaterEqual(len(events), len(self.events()))  # those without an answer, too
        for event in events:
            at = datetime.datetime.fromisoformat(event["@timestamp"]).timestamp()
            self.assertGreater(at, before - 1)
            self.assertLess(at, time.time() + 1)

    def test_a_capture_step_by_step(self):
        vantage = subprocess.Popen(
            [VANTAGE, "packetbeat", "-e", "-O", "-t", "-I", CAPTURE, "-c", self.write(CONSOLE)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        vantage.stdin.write("\n" * 3)  # no whole exchange yet
        vantage.stdin.flush()
        with self.assertRaises(subprocess.TimeoutExpired):
            vantage.wait(0.2)  # it waits for more
        said, _ = vantage.communicate(timeout=180)  # input ends: so does waiting
        self.assertEqual([json.loads(line)["@timestamp"] for line in said.splitlines()],
                         [event["@timestamp"] for event in self.events()])

    def test_the_template_has_every_type_once(self):
        def strict(pairs):
            self.assertEqual(len(pairs), len(dict(pairs)))
            return dict(pairs)

        def field(path):
            at = {"properties": template["template"]["mappings"]["properties"]}
            for name in path.split("."):
                at = at["properties"][name]
            return at["type"]

        text = self.run_it("export", "template").stdout
        template = json.loads(text, object_pairs_hook=strict)
        for path, wanted in (("kafka.api_version", "long"), ("grpc.status", "keyword"),
                             ("dhcpv6.leases.ip", "ip"), ("quic.version", "keyword"),
                             ("tls.server.x509.not_after", "date"), ("mysql.num_rows", "keyword"),
                             ("event.duration", "long"), ("http.request.headers", "object")):
            self.assertEqual(field(path), wanted, path)

    def test_the_template_has_all_that_events_have(self):
        """Each field of the goldens is in the template, or in an object whose names nobody knows, and
        Elasticsearch would take its value."""
        template = json.loads(self.run_it("export", "template").stdout)["template"]["mappings"]
        takes = {"long": (int, str), "double": (int, float), "boolean": (bool,), "ip": (str,),
                 "date": (str,), "object": ()}

        def look(value, mapping, path):
            if isinstance(value, list):
                for item in value:
                    look(item, mapping, path)
            elif isinstance(value, dict):
                for name, inner in value.items():
                    below = mapping.get("properties", {}).get(name)
                    if below is not None:
                        look(inner, below, path + [name])
                    elif mapping.get("type") != "object":
                        missing.add(".".join(path + [name]))
            elif not isinstance(value, takes.get(mapping.get("type"), (str, int, float))):
                wrong.add((".".join(path), mapping.get("type"), repr(value)))

        missing, wrong = set(), set()
        source = os.path.join(HERE, "..", "..", "src", "proto")
        files = [os.path.join(folder, name) for folder, _, names in os.walk(source)
                 for name in names if name.endswith(".ndjson")]
        self.assertGreater(len(files), 50)
        for path in files:
            with open(path, encoding="utf-8") as lines:
                for line in lines:
                    look(json.loads(line), template, [])
        self.assertEqual((missing, wrong), (set(), set()))

    def crypto(self):
        name = ctypes.util.find_library("crypto")
        if name is None:
            self.skipTest("no libcrypto to look into a keystore with")
        crypto = ctypes.CDLL(name)
        crypto.EVP_CIPHER_CTX_new.restype = crypto.EVP_aes_256_gcm.restype = ctypes.c_void_p
        return crypto

    def seal(self, path, secrets):
        """Makes a keystore, by another hand, as Packetbeat does: a line of JSON, its members sorted."""
        crypto = self.crypto()
        body = json.dumps({name: {"value": base64.b64encode(secret).decode()} for name, secret in
                           sorted(secrets.items())}, separators=(",", ":")).encode() + b"\n"
        salt, nonce = os.urandom(64), os.urandom(12)
        key = hashlib.pbkdf2_hmac("sha512", b"", salt, 10000, 32)
        context = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
        sealed, size = ctypes.create_string_buffer(len(body) + 16), ctypes.c_int()
        seal = ctypes.create_string_buffer(16)
        crypto.EVP_EncryptInit_ex(context, ctypes.c_void_p(crypto.EVP_aes_256_gcm()), None, key, nonce)
        crypto.EVP_EncryptUpdate(context, sealed, ctypes.byref(size), body, len(body))
        crypto.EVP_EncryptFinal_ex(context, seal, ctypes.byref(size))
        crypto.EVP_CIPHER_CTX_ctrl(context, 0x10, 16, seal)
        with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(b"v1" + base64.b64encode(salt + nonce + sealed.raw[:len(body)] + seal.raw))

    def opened(self, path):
        """What is in a keystore, by another hand; a skip where there is no libcrypto."""
        crypto = self.crypto()
        with open(path, "rb") as file:
            text = file.read()
        self.assertEqual(text[:2], b"v1")
        sealed = base64.b64decode(text[2:])
        salt, nonce, body, seal = sealed[:64], sealed[64:76], sealed[76:-16], sealed[-16:]
        key = hashlib.pbkdf2_hmac("sha512", b"", salt, 10000, 32)
        context = ctypes.c_void_p(crypto.EVP_CIPHER_CTX_new())
        plain, size = ctypes.create_string_buffer(len(body) + 16), ctypes.c_int()
        crypto.EVP_DecryptInit_ex(context, ctypes.c_void_p(crypto.EVP_aes_256_gcm()), None, key, nonce)
        crypto.EVP_DecryptUpdate(context, plain, ctypes.byref(size), body, len(body))
        crypto.EVP_CIPHER_CTX_ctrl(context, 0x11, 16, seal)
        self.assertEqual(crypto.EVP_DecryptFinal_ex(context, plain, ctypes.byref(size)), 1)
        return json.loads(plain.raw[:len(body)])

    def test_secrets_are_in_the_keystore(self):
        text = CONSOLE + "tags: ['${SECRET}']\n"
        data = os.path.join(self.folder.name, "data")
        path = os.path.join(data, "packetbeat.keystore")

        def keystore(*words, secret=""):
            return subprocess.run([VANTAGE, "packetbeat", "keystore", *words, "-c", self.write(text),
                                   "--path.data", data], input=secret, capture_output=True, text=True,
                                  timeout=180)

        self.assertEqual(keystore("list").stdout, "")
        self.assertEqual(keystore("create").returncode, 0)
        self.assertIn("is there already", keystore("create").stderr)
        self.assertEqual(keystore("add", "SECRET", "--stdin", secret="s\n").returncode, 0)
        self.assertIn("--force", keystore("add", "SECRET", "--stdin", secret="t").stderr)
        self.assertEqual(keystore("add", "OTHER", "--stdin", secret="o").returncode, 0)
        self.assertEqual(keystore("list").stdout.split(), ["SECRET", "OTHER"])
        events = self.events(text, "--path.data", data, environment={"SECRET": "of the environment"})
        self.assertEqual(events[0]["tags"], ["s"])
        self.assertEqual(keystore("remove", "OTHER").returncode, 0)
        self.assertIn("is not in the keystore", keystore("remove", "OTHER").stderr)
        os.chmod(path, 0o644)
        self.assertIn("chmod 600", keystore("list").stderr)
        os.chmod(path, 0o600)
        self.assertEqual(self.opened(path), {"SECRET": {"value": base64.b64encode(b"s").decode()}})

    def test_a_keystore_of_packetbeat(self):
        """Secrets that Packetbeat has sealed are what ${KEY} stands for"""
        secrets = {"ES_PWD": "p<w>\"\\ é: {x}".encode(), "B.KEY-2": b"x" * 3000, "TAG": b"t"}
        self.seal(os.path.join(self.folder.name, "packetbeat.keystore"), secrets)
        text = CONSOLE + "tags: ['${TAG}', '${ES_PWD}', 'a${B.KEY-2}b', '${NOT_THERE:otherwise}']\n"
        events = self.events(text, "--path.data", self.folder.name)
        self.assertEqual(events[0]["tags"], ["t", secrets["ES_PWD"].decode(), "a" + "x" * 3000 + "b", "otherwise"])

    def test_rounds_dump_and_debug(self):
        once = len(self.events())
        self.assertEqual(len(self.events(CONSOLE, "-l", "2")), 2 * once)
        prefix = os.path.join(self.folder.name, "dump")
        self.events(CONSOLE, "-dump", prefix)
        dumped = [f for f in os.listdir(self.folder.name) if f.startswith("dump-")]
        self.assertEqual(len(dumped), 1)
        for more in (), ("-N",):  # what is not published is shown as well
            done = self.run_it("-e", "-t", "-d", "publish", "-I", CAPTURE, *more)
            shown = done.stderr.split("debug: [publish] Publish event: ")[1:]
            self.assertEqual([self.without_run(json.loads(text)) for text in shown],
                             [self.without_run(event) for event in self.events()])
            self.assertEqual(len(done.stdout.splitlines()), 0 if more else once)


if __name__ == "__main__":
    tap.main()
