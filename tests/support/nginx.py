"""An nginx of a test's own, on a free port of loopback, which speaks HTTP/1.1 and 2 within TLS 1.2 and 1.3.

    server = Nginx()
    ...
    server.stop()
"""
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

import sockets

PATIENCE = 180  # seconds

FRAME = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder};
    proxy_temp_path {folder};
    fastcgi_temp_path {folder};
    uwsgi_temp_path {folder};
    scgi_temp_path {folder};
"""

SERVER = """
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {folder}/chain.pem;
        ssl_certificate_key {folder}/server.key;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache shared:all:1m;
        ssl_verify_client optional_no_ca;
        location / {{ return 200 "hello"; }}
    }}
"""


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False,
                          **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stderr}")
    return done.stdout


def certify(folder, name=None, *kind):
    """Puts a key and a certificate for it into a folder: server.key, chain.pem; NAME.key, NAME.pem."""
    run("openssl", "req", "-x509", "-newkey", *(kind or ("rsa:2048",)), "-nodes", "-days", "30",
        "-keyout", os.path.join(folder, f"{name or 'server'}.key"),
        "-out", os.path.join(folder, f"{name or 'chain'}.pem"),
        "-set_serial", "4660", "-subj", "/C=XX/O=Example Works/CN=www.example.test",
        "-addext", "subjectAltName=DNS:www.example.test,IP:127.0.0.1")


class Nginx:
    """A server of its own, on a free port of loopback, with a certificate of its own."""

    def __init__(self, servers=SERVER, **names):
        """`servers`, what is in `http`, may name {folder}, {port} and what else it is given by name."""
        self.folder = tempfile.mkdtemp(prefix="vantage-nginx-")
        self.port = sockets.free_port()
        at = os.path.join
        certify(self.folder)
        certify(self.folder, "elliptic", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        with open(at(self.folder, "ticket.key"), "wb") as file:
            file.write(os.urandom(80))
        with open(at(self.folder, "chain.pem"), encoding="ascii") as file:
            self.certificate = ssl.PEM_cert_to_DER_cert(file.read())
        with open(at(self.folder, "nginx.conf"), "w", encoding="utf-8") as file:
            file.write((FRAME + servers + "}}").format(folder=self.folder, port=self.port, **names))
        self.process = subprocess.Popen(["nginx", "-p", self.folder, "-c", at(self.folder, "nginx.conf")],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        try:
            self.wait()
        except BaseException:
            self.stop()
            raise

    def wait(self):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise AssertionError("nginx does not listen") from None
                time.sleep(0.05)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)
