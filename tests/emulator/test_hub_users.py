"""Users of a JupyterHub: whose token is whose key, by what the Hub says."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from qsession_widgets.emulator.http import hub as hub_module
from qsession_widgets.emulator.http.auth import OWNER, Identity
from qsession_widgets.emulator.http.hub import Hub, HubUsers
from qsession_widgets.emulator.rules.refusals import Refusal


@pytest.fixture
def hub_knows() -> Iterator[tuple[Hub, dict[str, dict[str, Any]]]]:
    """A stand-in for a JupyterHub's API, and what it says of each token."""
    known: dict[str, dict[str, Any]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = known.get((self.headers["Authorization"] or "").removeprefix("token "))
            self.send_response(200 if found and self.path == "/hub/api/user" else 403)
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        def log_message(self, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield Hub(f"http://127.0.0.1:{server.server_port}/hub/api", "emulator"), known
        server.shutdown()


def test_the_users_of_a_hub_come_by_themselves(
    hub_knows: tuple[Hub, dict[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, known = hub_knows
    identity = Identity.of({"default": "premium"})
    users = HubUsers(hub, identity)
    may = ["access:services!service=emulator"]
    known["t1"] = {"kind": "user", "name": "ana", "scopes": may}
    known["t2"] = {"kind": "user", "name": "ben", "scopes": ["access:services!service=other"]}
    known["t3"] = {"kind": "service", "name": "ana", "scopes": ["access:services"]}
    known["t4"] = {"kind": "user", "name": "owner", "scopes": may}

    def who(key: str) -> str | None:
        asyncio.run(users.admit(key))
        return identity.user_of_key(key)

    assert [who(key) for key in ("t1", "t2", "t3", "not\r\na token")] == ["ana", None, None, None]
    with pytest.raises(Refusal, match="named 'owner'"):
        who("t4")
    assert who(identity.key) == OWNER
    token = identity.token("t1")[0]
    assert identity.user(f"Bearer {token}") == "ana"
    # an answer counts for some seconds, then the Hub is asked again
    del known["t1"]
    assert who("t1") == "ana"
    monkeypatch.setattr(hub_module, "FRESH", 0.0)
    assert who("t1") is None
    known["t5"] = {"kind": "user", "name": "ana", "scopes": ["access:services"]}
    assert who("t5") == "ana"
    identity.revoke("ana")
    assert who("t5") is None
    with pytest.raises(Refusal, match="revoked"):
        identity.user(f"Bearer {token}")
    silent = HubUsers(Hub("http://127.0.0.1:9/hub/api", "emulator"), identity)
    with pytest.raises(Refusal, match="The Hub does not answer") as refused:
        asyncio.run(silent.admit("t1"))
    assert refused.value.status == 503
