"""The proxy of `qsession run`: it refuses what is IBM's, and hands on the rest."""

from __future__ import annotations

import http.server
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from qsession_widgets.emulator.process import refusing_proxy


class _Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = f"{self.path} {self.headers.get('Connection')}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[str]:
    """A web site that is not IBM's."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def _through(proxy: str, address: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": proxy}))
    with opener.open(address, timeout=20) as answer:
        return str(answer.read().decode())


def test_proxy_hands_on_what_is_not_ibms(site: str) -> None:
    refused: list[str] = []
    with refusing_proxy.serve({}, refused.append) as proxy:
        assert _through(proxy, f"http://{site}/a?b=1") == "/a?b=1 close"
        for _ in range(2):
            with pytest.raises(urllib.error.HTTPError) as caught:
                _through(proxy, "http://quantum.cloud.ibm.com/api")
            assert caught.value.code == 403
            caught.value.close()
    assert refused == ["quantum.cloud.ibm.com"]


def test_proxy_tunnels(site: str) -> None:
    import http.client

    with refusing_proxy.serve({}, print) as proxy:
        connection = http.client.HTTPConnection(proxy.removeprefix("http://"), timeout=20)
        connection.set_tunnel(site)
        connection.request("GET", "/tunnelled")
        with connection.getresponse() as answer:
            assert answer.read().startswith(b"/tunnelled")
        connection.close()
        blocked = http.client.HTTPConnection(proxy.removeprefix("http://"), timeout=20)
        blocked.set_tunnel("iam.cloud.ibm.com:443")
        with pytest.raises(OSError, match="403 Refused by qsession run"):
            blocked.request("GET", "/")
        blocked.close()


def test_proxy_uses_the_users_own(site: str) -> None:
    with (
        refusing_proxy.serve({}, print) as upstream,
        refusing_proxy.serve({"http_proxy": upstream}, print) as proxy,
    ):
        assert _through(proxy, f"http://{site}/far").startswith("/far")


def test_hosts_without_a_proxy_are_never_ibms() -> None:
    listed = "intern.example, .ibm.com, cloud.ibm.com, com, *, 10.0.0.1"
    assert refusing_proxy.direct({"no_proxy": listed}, "127.0.0.1").split(",") == [
        "intern.example",
        "10.0.0.1",
        "localhost",
        "127.0.0.1",
        "::1",
    ]
