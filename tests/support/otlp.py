"""What a request of OTLP metrics is made of (opentelemetry-proto 1, metrics/v1), as schemas for
wire_format.py, and a receiver that decodes what is posted to it."""
import gzip
import http.server
import threading

import wire_format

ANY = {1: ("string", "text")}
KEY_VALUE = {1: ("key", "text"), 2: ("value", "message", ANY)}
NUMBER = {7: ("attributes", "message[]", KEY_VALUE), 2: ("start", "f64"), 3: ("time", "f64"),
          4: ("double", "double"), 6: ("int", "f64")}
HISTOGRAM = {9: ("attributes", "message[]", KEY_VALUE), 2: ("start", "f64"), 3: ("time", "f64"),
             4: ("count", "f64"), 5: ("sum", "double"), 6: ("counts", "f64[]"),
             7: ("bounds", "double[]"), 11: ("min", "double"), 12: ("max", "double")}
BUCKETS = {1: ("offset", "s64"), 2: ("counts", "u64[]")}
EXPONENTIAL = {1: ("attributes", "message[]", KEY_VALUE), 2: ("start", "f64"), 3: ("time", "f64"),
               4: ("count", "f64"), 5: ("sum", "double"), 6: ("scale", "s64"), 7: ("zero", "f64"),
               8: ("positive", "message", BUCKETS), 9: ("negative", "message", BUCKETS),
               12: ("min", "double"), 13: ("max", "double")}
RANK = {1: ("quantile", "double"), 2: ("value", "double")}
SUMMARY = {7: ("attributes", "message[]", KEY_VALUE), 2: ("start", "f64"), 3: ("time", "f64"),
           4: ("count", "f64"), 5: ("sum", "double"), 6: ("quantiles", "message[]", RANK)}


def data_of(point, *more):
    schema = {1: ("points", "message[]", point), 2: ("temporality", "u64")}
    schema.update(more)
    return schema


METRIC = {1: ("name", "text"), 2: ("description", "text"), 3: ("unit", "text"),
          5: ("gauge", "message", {1: ("points", "message[]", NUMBER)}),
          7: ("sum", "message", data_of(NUMBER, (3, ("monotonic", "u64")))),
          9: ("histogram", "message", data_of(HISTOGRAM)),
          10: ("exponential", "message", data_of(EXPONENTIAL)),
          11: ("summary", "message", {1: ("points", "message[]", SUMMARY)})}
SCOPE = {1: ("name", "text"), 2: ("version", "text"), 3: ("attributes", "message[]", KEY_VALUE)}
SCOPE_METRICS = {1: ("scope", "message", SCOPE), 2: ("metrics", "message[]", METRIC)}
RESOURCE_METRICS = {1: ("resource", "message", {1: ("attributes", "message[]", KEY_VALUE)}),
                    2: ("scopes", "message[]", SCOPE_METRICS)}
REQUEST = {1: ("resources", "message[]", RESOURCE_METRICS)}


def attributes(of):
    return {a["key"]: a["value"]["string"] for a in of["attributes"]}


class Receiver:
    """Takes requests on a free port of loopback, or on `port`; `answers` are (status, headers) of the
    first ones, after which all are fine."""

    def __init__(self, answers=(), port=0, body=b""):
        self.statuses, self.came, self.read, self.faults = [], [], [], []
        self.lock = threading.Lock()
        answers = list(answers)
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                data = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers = answers.pop(0) if answers else (200, {})
                receiver.statuses.append(status)
                if status == 200:
                    receiver.came.append((self.headers, data))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def decode(self):
        """All that has come, when somebody asks for it: who sends is not to wait for it."""
        with self.lock:
            while self.came:
                self.take(*self.came.pop(0))

    @property
    def requests(self):
        """Those that were well."""
        self.decode()
        return self.read

    @property
    def wrong(self):
        """What is wrong with the others."""
        self.decode()
        return self.faults

    def take(self, headers, data):
        try:
            assert headers["Content-Type"] == "application/x-protobuf", headers["Content-Type"]
            if headers["Content-Encoding"] == "gzip":
                data = gzip.decompress(data)
            self.read.append(wire_format.decode(REQUEST, data))
        except Exception as problem:  # told by the test, not by the thread of a request
            self.faults.append(repr(problem))

    def metrics(self, request=-1):
        """Name → metric of a request, and of which scope it is."""
        found = {}
        for resource in self.requests[request]["resources"]:
            for scope in resource["scopes"]:
                for metric in scope["metrics"]:
                    found[metric["name"]] = dict(metric, scope=scope["scope"])
        return found

    def close(self):
        self.server.shutdown()
        self.server.server_close()
