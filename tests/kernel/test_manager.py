"""One way to open, reuse and attach: the service is asked once, the registry is written once."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from qsession_widgets import UserError, attach_session, current_session, open_session
from qsession_widgets.client.transport import ServiceSession
from qsession_widgets.emulator.process.connection_file import Connection
from qsession_widgets.registry import entries
from qsession_widgets.registry.entries import folder, notes
from qsession_widgets.sessions import binding
from qsession_widgets.sessions.binding import BINDING
from qsession_widgets.sessions.manager import MANAGER

from .cells import Notebook, wait_for
from .conftest import end_kernel


class Traffic:
    """Requests to the REST API by the main thread, and registry entries that are written.

    Attributes
    ----------
    requests : list of (str, str)
        Method and path, in order.
    connections : dict of str to int
        By path: the client of this package's that sent the last request.
    written : list of str
        The files' names.
    """

    def __init__(self) -> None:
        self.counting = False
        self.requests: list[tuple[str, str]] = []
        self.connections: dict[str, int] = {}
        self.written: list[str] = []

    def __enter__(self) -> Traffic:
        self.requests.clear()
        self.connections.clear()
        self.written.clear()
        self.counting = True
        return self

    def __exit__(self, *_: object) -> None:
        self.counting = False

    def counted(self, path: str) -> int:
        return sum(path == asked for _, asked in self.requests)


TRAFFIC = Traffic()


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if TRAFFIC.counting and event == "os.rename":
        target = Path(str(arguments[1]))
        if target.parent == folder():
            TRAFFIC.written.append(target.stem)


@pytest.fixture(scope="module")
def _audited() -> None:
    # such a hook stays for good, and sees every way to replace a file
    sys.addaudithook(_audit)


@pytest.fixture
def traffic(monkeypatch: pytest.MonkeyPatch, _audited: None) -> Traffic:
    """The real requests are sent; those of the main thread are noted on their way."""
    send = requests.Session.send

    def noted(session: requests.Session, request: Any, **kwargs: Any) -> requests.Response:
        if TRAFFIC.counting and threading.current_thread() is threading.main_thread():
            _, api, path = urlsplit(request.url).path.partition("/api/v1")
            if api:
                TRAFFIC.requests.append((request.method, path))
            if api and isinstance(session, ServiceSession):
                TRAFFIC.connections[path] = id(session)
        return send(session, request, **kwargs)

    monkeypatch.setattr(requests.Session, "send", noted)
    return TRAFFIC


def changes(traffic: Traffic) -> list[tuple[str, str]]:
    return [asked for asked in traffic.requests if asked[0] != "GET"]


def test_opening_asks_the_service_once_and_writes_the_registry_once(
    notebook: Notebook, traffic: Traffic
) -> None:
    with traffic:
        notebook.good("%%session --service local --backend aer", "pass")
    session_id = notebook["session"].session_id
    assert changes(traffic) == [("POST", "/sessions")]
    assert traffic.counted("/instances/usage") == 1
    assert traffic.counted(f"/sessions/{session_id}") == 1
    asked = ("/instances/usage", f"/sessions/{session_id}", "/jobs")
    assert len({traffic.connections[path] for path in asked}) == 1
    assert traffic.written == [session_id]


def test_a_session_that_is_open_is_asked_once_and_written_once(
    notebook: Notebook, traffic: Traffic
) -> None:
    notebook.good("%%session --service local --backend aer --name one", "pass")
    first = notebook["session"].session_id
    notebook.good("%%session --service local --backend aer --name two", "pass")
    second = notebook["session"].session_id
    with traffic:
        ran = notebook.good("%%session --name one --budget 5m", "pass")
    assert "is open already and goes on. From now on with --budget as given here." in ran.out
    assert changes(traffic) == []
    assert traffic.counted(f"/sessions/{first}") == 1
    assert Counter(traffic.written) == {first: 1, second: 1}
    assert (notes()[first].bound, notes()[second].bound) == (True, False)


def test_attaching_takes_the_same_way(notebook: Notebook, traffic: Traffic) -> None:
    notebook.good("%%session --service local --backend aer --name far --on-exit leave", "pass")
    session_id = notebook["session"].session_id
    end_kernel(notebook)
    with traffic:
        attached = attach_session("far", service="local", expect=3)
    try:
        assert attached.session_id == session_id
        assert current_session() is attached
        assert BINDING.bound is not None
        assert (BINDING.bound.name, BINDING.bound.opened_here) == ("far", False)
        assert BINDING.bound.options.on_exit == "leave"
        assert attached.snapshot.expected_jobs == 3
        assert changes(traffic) == []
        assert traffic.written == [session_id]
        # the same again, by its id, is the one that is open
        assert attach_session(session_id) is attached
        with pytest.raises(UserError, match="takes an id or a name as text, not ''"):
            attach_session("")
        with pytest.raises(UserError, match="named 'far' is open on aer, and this asks"):
            attach_session("12345678-1234-1234-1234-123456789012", name="far")
    finally:
        MANAGER.end(BINDING.bound, "close")
    assert BINDING.bound is None
    assert session_id not in notes()


def test_a_session_without_a_fallback_is_an_error_in_python(
    notebook: Notebook, account: Callable[[str | None], None]
) -> None:
    account("bob")
    with pytest.raises(UserError, match="Could not open a session on aer"):
        open_session("aer")
    assert BINDING.bound is None
    batch = open_session("aer", mode="batch")
    assert current_session() is batch
    assert BINDING.bound is not None
    MANAGER.end(BINDING.bound, "close")


def test_a_session_that_an_earlier_kernel_has_left_is_taken_up_from_python(
    notebook: Notebook, ask: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/vqe.ipynb")
    asked = "taken = open_session('aer', service='local'{})"
    notebook.good("from qsession_widgets import open_session", asked.format(""))
    session_id = notebook["taken"].session_id

    def kill() -> None:
        end_kernel(notebook)
        notebook.good("%load_ext qsession_widgets", "%config SessionMagics.say = 'never'")
        entries.write(session_id, lambda note: replace(note, process=gone.pid, start=""))

    kill()
    count = len(ask("GET", "/workloads")["workloads"])
    fault = {"method": "GET", "path": f"/sessions/{session_id}", "status": 500}
    # where the service does not say whether it is open, none is opened beside it
    ask("POST", "/emulator/v1/faults", json={**fault, "times": 3})
    refused = notebook(asked.format("")).sentence()
    assert f"opened {session_id} on aer, and the service does not say whether it" in refused
    ask("POST", "/emulator/v1/faults", json={**fault, "times": 2})
    said = notebook.good(asked.format("")).out
    assert notebook["taken"].session_id == session_id
    assert len(ask("GET", "/workloads")["workloads"]) == count
    assert "An earlier kernel of this notebook left this session open on aer" in said
    kill()
    # a batch is another thing: the session is named
    said = notebook.good(asked.format(", mode='batch'")).out
    assert notebook["taken"].session_id != session_id
    assert f"%session attach {session_id} goes on in it" in said
    notebook.good("%session close", f"%session close {session_id}")


@pytest.mark.parametrize("fallback", ["job", "batch"])
def test_a_plan_without_sessions_is_asked_once(
    notebook: Notebook,
    account: Callable[[str | None], None],
    traffic: Traffic,
    fallback: str,
) -> None:
    account("bob")
    with traffic:
        ran = notebook.good(f"%%session --backend aer --fallback {fallback} --strict", "pass")
    assert traffic.counted("/instances/usage") == 1
    assert changes(traffic) == [("POST", "/sessions")] * (2 if fallback == "batch" else 1)
    assert "This plan has no sessions (the service said 1352)" in ran.out
    if fallback == "job":
        assert "Without a session nothing comes of --strict." in ran.out
        notebook.good("%session unbind")
    else:
        assert "a batch was opened in its place." in ran.out


def test_a_session_that_is_over_gives_its_connections_and_its_memory_back(
    notebook: Notebook, emulator: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sockets() -> int:
        found = psutil.Process().net_connections("tcp")
        port = urlsplit(emulator.url).port
        return sum(bool(one.raddr) and one.raddr.port == port for one in found)

    before = sockets()
    ended: list[weakref.ref[Any]] = []
    monkeypatch.setattr(binding, "MOST_ENDED", 1)
    for _ in range(4):
        notebook.good("%%session --service local --backend aer", "pass")
        live = notebook["session"]._live
        ended += [weakref.ref(live), weakref.ref(live.target.connected.service)]
        del live
        notebook.good("%session close")
    # two each while they are open; one may still be on its way
    wait_for(lambda: sockets() <= before + 1, "the end of the connections")

    def kept() -> int:
        gc.collect()
        return sum(one() is not None for one in ended)

    wait_for(lambda: kept() <= 4, "the end of all but the last two, which can be looked back at")
    notebook.good("session.service.backends()")
