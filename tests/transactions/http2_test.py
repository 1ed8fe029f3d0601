#!/usr/bin/env python3
"""What h2load, curl and a client of gRPC did with real servers is what the events say, one to one."""
import collections
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
import sniffer  # noqa: E402
import sockets  # noqa: E402
import tap  # noqa: E402

PATIENCE = 180  # seconds
REQUESTS, CLIENTS, STREAMS = 2000, 4, 20

# Runs in Debian's Python, whose packages another one may not have. Prints what was called, and how it
# ended, a line of JSON each.
CALLS = r'''
import itertools, json, sys, threading
from concurrent import futures
import grpc
begun = threading.Semaphore(0)
class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        name = details.method.rsplit("/")[-1]
        if name == "Say":
            return grpc.unary_unary_rpc_method_handler(lambda said, context: said)
        if name == "Count":
            return grpc.unary_stream_rpc_method_handler(
                lambda said, context: (b"%d" % i for i in range(int(said))))
        if name == "Sum":
            return grpc.stream_unary_rpc_method_handler(
                lambda said, context: b"%d" % sum(1 for _ in said))
        if name == "Fail":
            def fail(said, context):
                context.abort(grpc.StatusCode.NOT_FOUND, "no such thing: 100%")
            return grpc.unary_unary_rpc_method_handler(fail)
        if name == "Echo":
            return grpc.stream_stream_rpc_method_handler(lambda said, context: said)
        if name == "Endless":
            return grpc.unary_stream_rpc_method_handler(
                lambda said, context: itertools.repeat(b"more"))
        if name in ("Wait", "Late"):
            def wait(said, context):
                over = threading.Event()
                context.add_callback(over.set)
                begun.release()
                over.wait(60)
                return b"too late"
            return grpc.unary_unary_rpc_method_handler(wait)
        return None
def told(name, status, requests, responses):
    print(json.dumps([name, status, requests, responses]))
server = grpc.server(futures.ThreadPoolExecutor(4))
server.add_generic_rpc_handlers((Handler(),))
server.add_insecure_port("127.0.0.1:" + sys.argv[1])
server.start()
with grpc.insecure_channel("127.0.0.1:" + sys.argv[1]) as channel:
    for size in (0, 1, 100, 40000, 200000):
        channel.unary_unary("/test.Lab/Say")(b"x" * size)
        told("Say", "OK", 1, 1)
    for count in (0, 1, 7, 300):
        assert len(list(channel.unary_stream("/test.Lab/Count")(b"%d" % count))) == count
        told("Count", "OK", 1, count)
    for count in (1, 5, 50):
        channel.stream_unary("/test.Lab/Sum")(iter([b"y" * 100] * count))
        told("Sum", "OK", count, 1)
    for name in ("Fail", "Nothing"):
        try:
            channel.unary_unary("/test.Lab/" + name)(b"z")
        except grpc.RpcError as error:
            told(name, error.code().name, 1, 0)
    assert len(list(channel.stream_stream("/test.Lab/Echo")(iter([b"e"] * 9)))) == 9
    told("Echo", "OK", 9, 9)
    call = channel.unary_unary("/test.Lab/Wait").future(b"w")
    begun.acquire()
    call.cancel()
    told("Wait", "cancelled", 1, 0)
    try:
        channel.unary_unary("/test.Lab/Late")(b"w", timeout=5)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    told("Late", "deadline", 1, 0)
    stream = channel.unary_stream("/test.Lab/Endless")(b"s")
    for _ in range(5):
        next(stream)
    stream.cancel()
    told("Endless", "cancelled", 1, 5)
    channel.unary_unary("/test.Lab/Say")(b"behind")  # so that what was cancelled has been sent
    told("Say", "OK", 1, 1)
server.stop(0)
'''


def events_of(sniffed):
    return [event for event in sniffed.events("http") if event["http"]["version"] == "2"]


class Requests(unittest.TestCase):
    def setUp(self):
        reason = sniffer.missing("nghttpd", "h2load", "curl")
        if reason:
            self.skipTest(reason)
        self.folder = tempfile.mkdtemp(prefix="vantage-http2-")
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.port = sockets.free_port()
        for name, size in (("small", 10), ("large", 100000)):
            with open(os.path.join(self.folder, name), "wb") as file:
                file.write(b"a" * size)
        server = subprocess.Popen(["nghttpd", "--no-tls", "-d", self.folder, str(self.port)],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.addCleanup(server.wait, PATIENCE)
        self.addCleanup(server.send_signal, signal.SIGTERM)
        end = time.monotonic() + PATIENCE
        while self.curl("small") != "200" and time.monotonic() < end:
            time.sleep(0.1)

    def curl(self, name, *options):
        return subprocess.run(
            ["curl", "-s", "--http2-prior-knowledge", "-o", os.devnull, "-w", "%{http_code}", *options,
             f"http://127.0.0.1:{self.port}/{name}"], capture_output=True, text=True, check=False,
            timeout=PATIENCE).stdout

    def sniff(self):
        return sniffer.Sniffer(self.port, os.path.join(self.folder, "said.pcap"))

    def test_curl(self):
        """each of curl's requests is an event"""
        with self.sniff() as sniffed:
            answers = [self.curl("small"), self.curl("none"), self.curl("large"),
                       self.curl("small", "-d", "a=b"), self.curl("small", "-I")]
        said = [(event["http"]["request"]["method"], str(event["http"]["response"]["status_code"]),
                 event["http"]["response"].get("body", {}).get("bytes", 0))
                for event in events_of(sniffed)]
        self.assertEqual([status for _, status, _ in said], answers)
        self.assertEqual([method for method, _, _ in said], ["GET", "GET", "GET", "POST", "HEAD"])
        self.assertEqual([said[i][2] for i in (0, 2, 4)], [10, 100000, 0])

    def test_h2load(self):
        """as many transactions as h2load counts, none of them odd"""
        with self.sniff() as sniffed:
            load = subprocess.run(
                ["h2load", "-n", str(REQUESTS), "-c", str(CLIENTS), "-m", str(STREAMS),
                 f"http://127.0.0.1:{self.port}/small"], capture_output=True, text=True, check=True,
                timeout=PATIENCE).stdout
        self.assertIn(f"{REQUESTS} succeeded", load)
        events = events_of(sniffed)
        self.assertEqual(len(events), REQUESTS)
        self.assertEqual({event["status"] for event in events}, {"OK"})
        self.assertEqual({event["url"]["path"] for event in events}, {"/small"})
        self.assertEqual({event["http"]["response"]["body"]["bytes"] for event in events}, {10})
        streams = {(event["source"]["port"], event["http2"]["stream_id"]) for event in events}
        self.assertEqual(len(streams), REQUESTS)
        self.assertFalse([event for event in events if "headers_incomplete" in event["http2"]])


def grpc_python():
    """A Python that has grpc; None where there is none."""
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import grpc"], capture_output=True, check=False).returncode == 0:
            return python
    return None


class Calls(unittest.TestCase):
    @staticmethod
    def end_of(event):
        """How a call ended: by a status that the server sent, or by one side that gave the stream up. Which of
        the two first does so when a deadline is over nobody knows."""
        status = event["grpc"].get("status")
        end = "cancelled" if event["http2"].get("error") == "CANCEL" else status
        is_late = event["grpc"]["method"] == "Late" and end in ("cancelled", "DEADLINE_EXCEEDED")
        return "deadline" if is_late else end

    @staticmethod
    def messages_of(event):
        """Of an endless answer more may have come than were read."""
        count = event["grpc"].get("response", {}).get("messages", 0)
        return min(count, 5) if event["grpc"]["method"] == "Endless" else count

    def test_grpc(self):
        """each call is an event, with its status and the count of its messages"""
        python = grpc_python()
        reason = sniffer.missing() or (None if python else "needs python3-grpcio")
        if reason:
            self.skipTest(reason)
        port = sockets.free_port()
        with tempfile.TemporaryDirectory(prefix="vantage-grpc-") as folder:
            with sniffer.Sniffer(port, os.path.join(folder, "said.pcap")) as sniffed:
                called = subprocess.run([python, "-c", CALLS, str(port)], capture_output=True, text=True,
                                        check=True, timeout=PATIENCE).stdout
            events = events_of(sniffed)
        wanted = [tuple(json.loads(line)) for line in called.splitlines()]
        said = [(event["grpc"]["method"], self.end_of(event), event["grpc"]["request"]["messages"],
                 self.messages_of(event)) for event in events]
        self.assertEqual(collections.Counter(said), collections.Counter(wanted))
        for event in events:
            self.assertEqual(event["grpc"]["service"], "test.Lab")
            self.assertEqual(event["status"], "OK" if self.end_of(event) == "OK" else "Error")
            self.assertTrue(event["user_agent"]["original"].startswith("grpc-python"))
        failed = [event["grpc"]["message"] for event in events if event["grpc"]["method"] == "Fail"]
        self.assertEqual(failed, ["no such thing: 100%"])


if __name__ == "__main__":
    tap.main()
