"""A company's network: nothing is reached but through its proxy, under its own certificates."""

from __future__ import annotations

import datetime
import http.client
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .proxy import relay_both_ways

HOST = "quantum.test"
"""The service's name, which only the proxy knows."""


@contextmanager
def company_network(port: int, folder: Path) -> Iterator[tuple[dict[str, str], list[str]]]:
    """A proxy that reaches a service on a port of this machine as ``https://quantum.test``.

    Yields
    ------
    tuple of dict and list
        The environment variables of a process in that network; and the lines of the requests that
        the proxy has had.
    """
    certificate = folder / "company.pem"
    key = folder / "key.pem"
    _make_certificate(certificate, key)
    requests: list[str] = []
    with _service(port, certificate, key) as https, _proxy(https, requests) as proxy:
        address = f"http://127.0.0.1:{proxy}"
        variables = {"HTTPS_PROXY": address, "https_proxy": address, "NO_PROXY": "", "no_proxy": ""}
        yield {**variables, "REQUESTS_CA_BUNDLE": str(certificate)}, requests


def _make_certificate(certificate: Path, key: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@contextmanager
def _service(port: int, certificate: Path, key: Path) -> Iterator[int]:
    class Forward(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name: value for name, value in self.headers.items() if name != "Host"}
            service = http.client.HTTPConnection("127.0.0.1", port)
            service.request(self.command, self.path, self.rfile.read(length), headers)
            answer = service.getresponse()
            body = answer.read()
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            if answer.status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            service.close()

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Forward)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with _serving(server) as found:
        yield found


@contextmanager
def _proxy(https: int, requests: list[str]) -> Iterator[int]:
    class Connect(StreamRequestHandler):
        def handle(self) -> None:
            line = self.rfile.readline().decode().strip()
            while self.rfile.readline().strip():
                pass
            requests.append(line)
            if not line.startswith(f"CONNECT {HOST}:443"):
                self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            relay_both_ways(self.connection, https)

    with _serving(ThreadingTCPServer(("127.0.0.1", 0), Connect)) as found:
        yield found


@contextmanager
def _serving(server: Any) -> Iterator[int]:
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
