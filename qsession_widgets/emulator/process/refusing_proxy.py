"""A proxy for the programs of ``qsession run``: it refuses IBM's hosts and hands on all others.

A program that the run cannot lead to its emulator, as one under ``python -I`` or a client in
another language, still honours the proxy of its environment. What it sends to IBM ends here, so
that no key leaves this machine and nothing is charged. A proxy that the user has is used for the
rest.
"""

from __future__ import annotations

import base64
import contextlib
import select
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

REFUSED = ("ibm.com", "bluemix.net", "appdomain.cloud")
"""Domains of IBM's services; all that is below them, too."""

_LARGEST_HEAD = 64 * 1024
_TIMEOUT = 30.0
_CHUNK = 64 * 1024


def refuses(host: str) -> bool:
    """True for a host of IBM's."""
    name = host.rstrip(".").lower()
    return any(name == domain or name.endswith("." + domain) for domain in REFUSED)


@contextmanager
def serve(environment: Mapping[str, str], refused: Callable[[str], None]) -> Iterator[str]:
    """Run the proxy in the block, and give its address.

    Parameters
    ----------
    environment : mapping
        With the variables that name the user's own proxy, if there is one.
    refused : callable
        Told each host that was refused, the first time.
    """
    server = _Server(("127.0.0.1", 0), _Connection)
    server.upstream = {scheme: _upstream(environment, scheme) for scheme in ("http", "https")}
    server.refused = refused
    thread = threading.Thread(target=server.serve_forever, name="proxy", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _upstream(environment: Mapping[str, str], scheme: str) -> str | None:
    """The user's own proxy for a scheme; one that does not speak HTTP cannot be handed on to."""
    names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY", "all_proxy", "ALL_PROXY")
    found = next((environment[name] for name in names if environment.get(name)), None)
    return None if found is None or found.startswith("socks") else found


def direct(environment: Mapping[str, str], host: str) -> str:
    """The hosts that are asked without a proxy: the user's, without IBM's, and the emulator's."""
    listed = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    hosts = [entry.strip() for entry in listed.split(",")]
    kept = [
        entry
        for entry in hosts
        if entry and entry != "*" and not refuses(entry.lstrip("*.")) and not _within(entry)
    ]
    return ",".join(dict.fromkeys([*kept, "localhost", "127.0.0.1", "::1", host]))


def _within(entry: str) -> bool:
    """True for an entry above one of IBM's domains, such as ``com``."""
    name = entry.lstrip("*.").lower()
    return any(domain.endswith("." + name) for domain in REFUSED)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    upstream: Mapping[str, str | None]
    refused: Callable[[str], None]
    _told: frozenset[str] = frozenset()

    def tell(self, host: str) -> None:
        """Say that a host was refused, once."""
        if host not in self._told:
            self._told |= {host}
            self.refused(host)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: whoever hung up knows."""


class _Connection(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        """Answer one connection: refuse it, or hand it on until either side ends it."""
        self.request.settimeout(_TIMEOUT)
        head, rest = self._head()
        lines = head.decode("latin-1").split("\r\n")
        try:
            method, target, version = lines[0].split(" ", 2)
            tunnel = method.upper() == "CONNECT"
            parts = urlsplit(f"//{target}" if tunnel else target)
            host, port = parts.hostname, parts.port or (443 if tunnel else 80)
        except ValueError:
            host = None
        if host is None:
            self._answer("400 Bad Request", "This is a proxy: ask it for an http or https address.")
            return
        if refuses(host):
            self.server.tell(host)
            self._answer(
                "403 Refused by qsession run",
                f"Nothing goes to {host}: this program runs against the emulator.",
            )
            return
        try:
            self._forward(tunnel, host, port, method, target, version, lines[1:], rest)
        except OSError as error:
            self._answer("502 Bad Gateway", f"{host} cannot be reached: {error}.")

    def _head(self) -> tuple[bytes, bytes]:
        data = b""
        while b"\r\n\r\n" not in data and len(data) < _LARGEST_HEAD:
            part = self.request.recv(_CHUNK)
            if not part:
                break
            data += part
        head, _, rest = data.partition(b"\r\n\r\n")
        return head, rest

    def _answer(self, status: str, sentence: str) -> None:
        body = f"{sentence}\n"
        with contextlib.suppress(OSError):
            self.request.sendall(
                f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nConnection: close\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
            )

    def _forward(
        self,
        tunnel: bool,
        host: str,
        port: int,
        method: str,
        target: str,
        version: str,
        headers: list[str],
        rest: bytes,
    ) -> None:
        upstream = self.server.upstream["https" if tunnel else "http"]
        # from one hop to the next, and one exchange a connection: the next may be for another host
        kept = [
            line
            for line in headers
            if line.partition(":")[0].strip().lower()
            not in ("proxy-connection", "connection", "proxy-authorization")
        ]
        if upstream is None:
            place, credentials = (host, port), None
        else:
            parts = urlsplit(upstream if "//" in upstream else f"//{upstream}")
            place = (parts.hostname or "", parts.port or 80)
            credentials = _credentials(parts.username, parts.password)
        with socket.create_connection(place, timeout=_TIMEOUT) as other:
            if tunnel and upstream is None:
                self.request.sendall(f"{version} 200 Connection established\r\n\r\n".encode())
                other.sendall(rest)
            else:
                if upstream is None:
                    parts = urlsplit(target)
                    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
                elif credentials is not None:
                    kept.append(f"Proxy-Authorization: Basic {credentials}")
                if not tunnel:
                    kept.append("Connection: close")
                head = "\r\n".join([f"{method} {target} {version}", *kept])
                other.sendall(f"{head}\r\n\r\n".encode("latin-1") + rest)
            _relay(self.request, other)


def _credentials(user: str | None, password: str | None) -> str | None:
    if user is None:
        return None
    return base64.b64encode(f"{unquote(user)}:{unquote(password or '')}".encode()).decode()


def _relay(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until both sides have sent their last."""
    to = {one: other, other: one}
    for side in to:
        side.settimeout(None)
    while to:
        ready, _, _ = select.select(list(to), [], [])
        for side in ready:
            data = side.recv(_CHUNK)
            if data:
                to[side].sendall(data)
            else:
                with contextlib.suppress(OSError):
                    to[side].shutdown(socket.SHUT_WR)
                del to[side]
