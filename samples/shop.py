#!/usr/bin/env python3
"""The shop behind nginx in the recorded sample: shop.py SLOW_FILE.

Answers /api/items, /api/item/N and POST /api/checkout on 127.0.0.1:8000. Item 66 is broken (bug 66,
status 500). While SLOW_FILE exists, a checkout takes one to two and a half seconds: the latency spike
that the demo lets its user find.
"""
import json
import os
import random
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ITEMS = 120
BROKEN_ITEM = 66


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "shop/1.0"
    slow_file = ""

    def log_message(self, *_arguments):
        """Keeps quiet: the capture is the log."""

    def answer(self, status, document):
        body = (json.dumps(document) + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        time.sleep(random.uniform(0.002, 0.025))
        path = self.path.split("?")[0]
        if path == "/api/items":
            self.answer(200, [{"id": i, "name": f"item {i}"} for i in range(1, 21)])
        elif path == f"/api/item/{BROKEN_ITEM}":
            self.answer(500, {"error": "bug 66: division by zero in price()"})
        elif path.startswith("/api/item/") and path[10:].isdigit() and int(path[10:]) <= ITEMS:
            self.answer(200, {"id": int(path[10:]), "price": int(path[10:]) * 1.5, "stock": 10})
        else:
            self.answer(404, {"error": "no such item"})

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if os.path.exists(self.slow_file):
            time.sleep(random.uniform(1.0, 2.5))
        else:
            time.sleep(random.uniform(0.02, 0.08))
        self.answer(201, {"order": random.randint(1000, 9999), "status": "accepted"})


if __name__ == "__main__":
    Shop.slow_file = sys.argv[1]
    ThreadingHTTPServer(("127.0.0.1", 8000), Shop).serve_forever()
