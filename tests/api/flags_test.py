#!/usr/bin/env python3
"""Flags of `vantage pktvisord` and `vantage pktvisor-reader`: each does what it says, or is named or refused in a
line."""
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import pktvisord  # noqa: E402
import sockets  # noqa: E402
import tap  # noqa: E402

VANTAGE = os.environ.get("VANTAGE", "build/src/vantage")


def run(*arguments, command="pktvisord", folder=None):
    """Exit status and what a program said that is to end by itself."""
    done = subprocess.run([VANTAGE, command, *arguments], capture_output=True, text=True, cwd=folder, check=False,
                          timeout=pktvisord.PATIENCE)
    return done.returncode, done.stdout, done.stderr


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(dir="/tmp")
        self.addCleanup(self.folder.cleanup)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as out:
            out.write(text)
        return self.path(name)

    def dnstap_policy(self, agent, more=""):
        """A tap and a policy of the handler net 2.0 to which sent messages come."""
        port = sockets.free_port()
        agent.ask("POST", "taps", pktvisord.tap_document("t", "dnstap", {"tcp": f"127.0.0.1:{port}"}))
        got = agent.request("POST", "/api/v1/policies", "visor: {policies: {p: {kind: collection, input: {tap: t, "
                            "input_type: dnstap}, handlers: {modules: {m: {type: net" + more + "}}}}}}")
        self.assertEqual(got[0], 201, got)
        return port


class Flags(Case):
    def test_refused(self):
        """what cannot be is refused in one line"""
        lone = self.write("lone.yaml", "visor: {taps: {t: {input_type: pcap, config: {iface: nosuch0}}}, policies: {p: "
                          "{kind: collection, input: {tap: t, input_type: pcap}, handlers: {modules: {m: {type: net}}}}}}")
        for arguments, code, said in (
                ([], 1, "Nothing to do: specify --admin-api or IFACE.\n"),
                (["--admin-api", "--tls"], 2, "--tls needs both --tls-cert FILE and --tls-key FILE"),
                (["--admin-api", "--tls", "--tls-cert", "/none.pem", "--tls-key", "/none.key"], 1, "/none.pem"),
                (["--admin-api", "--periods", "11"], 2, "--periods"),
                (["--admin-api", "--max-deep-sample", "0"], 2, "--max-deep-sample"),
                (["--admin-api", "--geo-cache-size", "-1"], 2, "--geo-cache-size"),
                (["--admin-api", "--geo-city", "/none.mmdb"], 1, "/none.mmdb"),
                (["--admin-api", "--geo-asn", lone], 1, lone),
                (["--admin-api", "--iana-service-port-registry", "/none.csv"], 1, "/none.csv"),
                (["--admin-api", "--config", "/none.yaml"], 2, "/none.yaml"),
                (["--admin-api", "--config", lone], 2, "nosuch0"),
                (["--admin-api", "--log-file", "/none/x.log"], 1, "/none/x.log"),
                (["--admin-api", "-l", "192.0.2.1"], 2, "token"),
                (["--admin-api", "--otel", "--otel-interval", "soon"], 2, "--otel-interval"),
                (["nosuch0"], 2, "nosuch0"),
                (["-b", "port port", "lo"], 2, "Cannot set BPF filter to interface"),
                (["-H", "10.0.0.0/99", "lo"], 2, "10.0.0.0/99"),
                (["--no-such-flag"], 2, "--no-such-flag")):
            with self.subTest(" ".join(arguments)):
                got = run(*arguments)
                self.assertEqual(got[0], code, got)
                self.assertIn(said, got[2])
                self.assertLessEqual(len(got[2].splitlines()), 3, got[2])

    def test_told(self):
        """flags without effect are named in one line; those that ask for what is so are silent"""
        agent = pktvisord.Agent(self, "--no-track", "--prometheus", "--cp-disable", "--module-dir", "/tmp", "--cp-token",
                                "t", "--cp-url", "u", "--cp-custom", "c", "--cp-path", "p")
        self.assertEqual(len(agent.said), 2, agent.said)
        self.assertEqual(agent.said[0], "vantage pktvisord: warning: without effect: --cp-token, --cp-url, --cp-custom, "
                         "--cp-path (docs/pktvisor.md says what takes their place)\n")

    def test_lists(self):
        """--module-list, --version and --help end by themselves"""
        code, out, _ = run("--module-list")
        self.assertEqual(code, 0)
        self.assertIn("handler dns 2.0\n", out)
        for flag in ("--help", "--version"):
            for command in ("pktvisord", "pktvisor-reader"):
                self.assertEqual(run(flag, command=command)[0], 0, (command, flag))

    def test_instance(self):
        """--prom-instance is a label of all samples, --max-deep-sample and --periods are the policies'"""
        agent = pktvisord.Agent(self, "--prom-instance", "i7", "--max-deep-sample", "50", "--periods", "3")
        port = self.dnstap_policy(agent)
        with socket.create_connection(("127.0.0.1", port), pktvisord.PATIENCE) as stream:
            stream.sendall(pktvisord.dnstap_query("a.example.com", 1))
        module = agent.ask("GET", "policies/p")[1]["p"]["modules"]["p-t-m"]["metrics"]
        self.assertEqual((module["deep_sample_rate"], module["periods_configured"]), (50, 3))
        text = agent.wait(lambda: agent.request("GET", "/api/v1/policies/p/metrics/prometheus")[2])
        for line in text.splitlines():
            self.assertTrue(line.startswith("#") or '{instance="i7"' in line, line)

    def test_admin(self):
        """without --admin-api nothing can be changed"""
        path = self.write("v.yaml", "visor: {taps: {t: {input_type: dnstap, config: {tcp: \"127.0.0.1:%d\"}}}}" %
                          sockets.free_port())
        agent = pktvisord.Agent(self, "--config", path, admin=False)
        self.assertEqual(list(agent.ask("GET", "taps")[1]), ["t"])
        self.assertEqual(agent.ask("POST", "taps", pktvisord.tap_document("u", "mock", {}))[0], 404)
        self.assertEqual(agent.ask("DELETE", "taps/t")[0], 404)
        self.assertEqual(agent.ask("DELETE", "server")[0], 404)

    def test_server(self):
        """DELETE of the server ends it"""
        agent = pktvisord.Agent(self)
        self.assertEqual(agent.ask("DELETE", "server")[0], 200)
        self.assertEqual(agent.process.wait(pktvisord.PATIENCE), 0)

    def test_configured(self):
        """visor.config says what flags say"""
        log = self.path("v.log")
        path = self.write("v.yaml", json.dumps({"version": "1.0", "visor": {"config": {
            "prom_instance": "file", "periods": 2, "admin_api": True, "host": "127.0.0.1", "port": 0, "no_track": True,
            "geo_cache_size": 5, "log_file": log, "verbose": True}}}))
        process = subprocess.Popen([VANTAGE, "pktvisord", "--config", path], stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        agent = pktvisord.Running(process, lambda: open(log, encoding="utf-8").read() if os.path.exists(log) else "")
        self.assertEqual(agent.ask("GET", "taps"), (200, None))
        self.dnstap_policy(agent)
        self.assertEqual(agent.ask("GET", "policies/p")[1]["p"]["modules"]["p-t-m"]["metrics"]["periods_configured"], 2)

    def test_syslog(self):
        """--syslog sends the log to the system's, of which this is one in a mount namespace of its own"""
        if shutil.which("unshare") is None:
            self.skipTest("no unshare")
        inside = ("mount -t tmpfs none /mnt && mknod /mnt/null c 1 3 && mknod /mnt/urandom c 1 9 && "
                  "mknod /mnt/random c 1 8 && ln -s \"$0/log\" /mnt/log && mount --move /mnt /dev && exec \"$@\"")
        with_log = ["unshare", "--mount", "--propagation", "private", "sh", "-c", inside, self.folder.name]
        if subprocess.run([*with_log, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("no right to mount in a namespace")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.bind(self.path("log"))
            log.settimeout(pktvisord.PATIENCE)
            port = sockets.free_port()
            agent = subprocess.Popen([*with_log, os.path.abspath(VANTAGE), "pktvisord", "--admin-api", "-l",
                                      "127.0.0.1", "-p", str(port), "--syslog"], stderr=subprocess.PIPE, text=True)
            self.addCleanup(agent.stderr.close)
            self.addCleanup(agent.wait)
            self.addCleanup(agent.terminate)
            said = log.recv(4096).decode()
            self.assertRegex(said, r"^<30>.*pktvisord\[%d\]: .*127\.0\.0\.1:%d/" % (agent.pid, port))
            agent.terminate()
            self.assertEqual(agent.stderr.read(), "")

    def test_daemon(self):
        """-d goes to the background, with its log in a file"""
        log, port = self.path("d.log"), sockets.free_port()
        code, _, said = run("-d", "--admin-api", "-l", "127.0.0.1", "-p", str(port), "--log-file", log)
        self.assertEqual((code, said), (0, ""))
        agent = pktvisord.Running(None, lambda: open(log, encoding="utf-8").read() if os.path.exists(log) else "")
        self.addCleanup(agent.ask, "DELETE", "server")
        self.assertEqual(agent.port, port)
        self.assertEqual(agent.ask("GET", "taps"), (200, None))


@unittest.skipIf(shutil.which("openssl") is None, "no openssl")
class Safe(Case):
    def safe_agent(self):
        """An agent behind TLS, its certificate and its key."""
        certificate, key = self.path("c.pem"), self.path("k.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        return pktvisord.Agent(self, "--tls", "--tls-cert", certificate, "--tls-key", key), certificate, key

    def test_tls(self):
        """--tls serves all of it over TLS, and nothing without"""
        agent, certificate, key = self.safe_agent()
        self.assertIn("https://127.0.0.1:", agent.said[-1])
        trust = ssl.create_default_context(cafile=certificate)
        status, _, text = agent.request("POST", "/api/v1/taps", pktvisord.tap_document("t", "mock", {}), context=trust)
        self.assertEqual((status, "t" in json.loads(text)), (201, True))
        for path in ("/api/v1/taps", "/metrics", "/api/v1/summary", "/"):
            self.assertIn(agent.request("GET", path, context=trust)[0], (200, 404), path)
        with self.assertRaises((OSError, pktvisord.http.client.HTTPException)):
            agent.ask("GET", "taps")
        wrong = self.write("wrong.pem", "no certificate")
        code, _, said = run("--admin-api", "-p", "0", "--tls", "--tls-cert", wrong, "--tls-key", key)
        self.assertEqual(code, 1)
        self.assertIn(wrong, said)

    def test_top(self):
        """`vantage top` attaches to an agent behind TLS whose certificate it is told to trust, and to no other"""
        agent, certificate, key = self.safe_agent()
        where = f"https://127.0.0.1:{agent.port}"
        for more in (["--ca", certificate], ["--tls-noverify"]):
            code, out, said = run("--once", "--json", *more, where, command="top")
            self.assertEqual((code, said), (0, ""))
            self.assertEqual(json.loads(out)["page"], "overview")
            self.assertIn("packets 0", run("--once", *more, where, command="top")[1])
        for more, code, words in (([], 1, "--ca FILE"), (["--ca", "/none.pem"], 2, "/none.pem"),
                                  (["--ca", key], 1, where.removeprefix("https://"))):
            got = run("--once", "--json", *more, where, command="top")
            self.assertEqual(got[:2], (code, ""), got)
            self.assertIn(words, got[2])
        self.assertEqual(run("--once", f"127.0.0.1:{agent.port}", command="top")[0], 1)


class Reader(Case):
    def setUp(self):
        super().setUp()
        self.capture = self.path("f.pcap")
        pktvisord.write_capture(self.capture, [
            (1700000000 + i, pktvisord.udp_frame("192.0.2.1", "198.51.100.1", (4000, 9 + i % 2), b"x")) for i in range(100)])

    def read(self, *arguments):
        code, out, said = run(*arguments, self.capture, command="pktvisor-reader")
        self.assertEqual((code, out.count("\n")), (0, 1), said)
        return json.loads(out)

    def test_reader(self):
        """pktvisor-reader: periods, filter, hosts"""
        self.assertEqual(self.read()["5m"]["packets"]["total"], 100)
        self.assertEqual(self.read("--periods", "1", "-v")["1m"]["packets"]["total"], 100)
        self.assertEqual(self.read("-b", "udp port 10")["5m"]["packets"]["total"], 50)
        self.assertEqual(self.read("-H", "192.0.2.0/24")["5m"]["packets"]["out"], 100)
        self.assertEqual(self.read("-i", "pcap", "--max-deep-sample", "100")["5m"]["packets"]["deep_samples"], 100)

    def test_refused(self):
        """pktvisor-reader: what cannot be is refused in one line"""
        for arguments, code, said in (
                (["-i", "sflow", self.capture], 2, "sflow"),
                (["-i", "none", self.capture], 2, "none"),
                (["/none.pcap"], 1, "/none.pcap"),
                (["-b", "port port", self.capture], 2, "Cannot set BPF filter to pcap file"),
                (["-H", "here", self.capture], 2, "here"),
                ([], 2, "name the capture"),
                (["--geo-city", "/none.mmdb", self.capture], 2, "/none.mmdb"),
                (["--periods", "0", self.capture], 2, "--periods")):
            with self.subTest(" ".join(arguments)):
                got = run(*arguments, command="pktvisor-reader")
                self.assertEqual(got[0], code, got)
                self.assertIn(said, got[2])
                self.assertLessEqual(len(got[2].splitlines()), 3, got[2])


if __name__ == "__main__":
    tap.main()
