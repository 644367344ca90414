"""Connections of a shared emulator that show no key."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from emulator.classroom import ask, ended
from support.certificates import Authority

from qsession_widgets.emulator.process.connection_file import Connection, read


@contextmanager
def strangers(settings: str, *words: str) -> Iterator[tuple[Connection, dict[str, Any]]]:
    """An emulator with other limits of its connections, and what it says of itself."""
    code = (
        "import sys\n"
        "from qsession_widgets.emulator.process import connections, server\n"
        f"{settings}\n"
        "sys.exit(server.main())"
    )
    command = [sys.executable, "-c", code, "--name", "strangers", "--json", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            said = json.loads(child.stdout.readline())
            owner = read("strangers")
            assert owner is not None
            yield owner, said
        finally:
            child.terminate()


def test_connections_that_show_no_key_are_closed(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.sign()
    context = ssl.create_default_context(cafile=str(authority.file))
    settings = "connections.SILENT_SECONDS = connections.UNKNOWN_SECONDS = 1.0"
    with strangers(settings, "--tls-cert", certificate, "--tls-key", key) as (owner, said):
        port = urlsplit(said["public_url"]).port

        def public() -> HTTPConnection:
            return HTTPSConnection("127.0.0.1", port, context=context, timeout=30)

        for connect in (public, lambda: HTTPConnection(owner.url[len("http://") :], timeout=30)):
            known, silent, stranger = lines = [connect() for _ in range(3)]
            for line in lines:
                line.connect()
            assert ask(stranger, "/class") == 200
            status = "/emulator/v1/status"
            assert ask(known, status, Authorization=f"apikey {owner.key}") == 200
            sock = known.sock
            assert ended(silent.sock)
            assert ended(stranger.sock)
            assert ask(known, status, Authorization=f"apikey {owner.key}") == 200
            assert known.sock is sock
            for line in lines:
                line.close()


def test_connections_that_show_no_key_are_only_so_many() -> None:
    with strangers("connections.MOST_UNKNOWN = 5") as (owner, _):
        place = owner.url[len("http://") :]
        known = HTTPConnection(place, timeout=30)
        status = "/emulator/v1/status"
        assert ask(known, status, Authorization=f"apikey {owner.key}") == 200
        sock = known.sock
        silent = [HTTPConnection(place, timeout=30) for _ in range(7)]
        for line in silent:
            line.connect()
        assert all(ended(line.sock) for line in silent[:2])
        assert ask(silent[-1], status, Authorization=f"apikey {owner.key}") == 200
        assert ask(known, status, Authorization=f"apikey {owner.key}") == 200
        assert known.sock is sock
        for line in (known, *silent):
            line.close()
