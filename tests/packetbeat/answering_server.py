"""What the servers of these tests share: an HTTP server on a port of its own on loopback, which notes what
is asked and lets whoever inherits from it say the answer."""
import gzip
import http.server
import json
import ssl
import threading


class AnsweringServer:
    """`requests` are (method, path, headers). Inherit `answer`; one request is answered at a time."""

    def __init__(self):
        self.requests = []
        self.faults = []  # what a client did wrong
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *arguments):
                pass

            def body(self):
                data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                return gzip.decompress(data) if self.headers.get("Content-Encoding") == "gzip" else data

            def handle_any(self):
                data = self.body()
                with outer.lock:
                    outer.requests.append((self.command, self.path, dict(self.headers)))
                    status, value = outer.answer(self.command, self.path, self.headers, data)
                body = value if isinstance(value, bytes) else json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_PUT = do_POST = do_HEAD = handle_any

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def start(self):
        """Listens from now on: last in what inherits, when it can answer."""
        self.thread.start()

    def secure(self, certificate, key, least=ssl.TLSVersion.TLSv1_2):
        """Speaks TLS from now on, of that version at least."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        context.minimum_version = least
        self.server.handle_error = lambda *arguments: None  # of clients that do not trust it
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                 do_handshake_on_connect=False)

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, method, path, headers, data):
        """Status and value of a request: bytes as they are, or what becomes JSON."""
        raise NotImplementedError
