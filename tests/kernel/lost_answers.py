"""Faults that lose the answer to a request, and what there is at the service then."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest

from qsession_widgets.registry import openings
from qsession_widgets.sessions.binding import BINDING

from .cells import wait_for

Ask = Callable[..., Any]

LOST: dict[str, dict[str, Any]] = {
    "dropped": {"drop": True, "after": True},
    "half a body": {"half": True},
    "status 500": {"status": 500, "after": True},
    "status 503, HTML": {"status": 503, "after": True, "body": "html"},
    "status 408": {"status": 408, "after": True},
    "status 409": {"status": 409, "after": True},
    "malformed": {"body": "malformed"},
    "null": {"body": "null"},
    "empty": {"body": "empty"},
    "HTML": {"body": "html"},
    "object": {"body": "object"},
    "deep": {"body": "deep"},
}
"""Faults after which the request has taken effect, and nothing that came back says so."""

UNSENT: dict[str, dict[str, Any]] = {
    "dropped before": {"drop": True},
    "status 500 before": {"status": 500},
    "object before": {"status": 200, "body": "object"},
}
"""Faults that keep the request from taking effect."""

FAULTS = {**LOST, **UNSENT}
each_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
RUN = "job = SamplerV2().run([(measured,)])"


def forget_openings() -> None:
    """Let no request of an earlier test be under way, for the emulator knows it no more."""
    for one in openings.pending():
        openings.settle(one.key)


def spoil(ask: Ask, method: str, path: str, **fault: Any) -> None:
    ask("POST", "/emulator/v1/faults", json={"method": method, "path": path, **fault})


def unknown() -> tuple[str, ...]:
    """The requests about the bound session whose outcome is not known."""
    assert BINDING.bound is not None
    return BINDING.bound.monitor.snapshot.unknown


def jobs(ask: Ask) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ask("GET", "/jobs")["jobs"]
    return found


def meanwhile(ask: Ask, *sessions: dict[str, Any]) -> Callable[[], list[str]]:
    """Open sessions as another program while a fault holds up a request; gives their ids."""
    found: list[str] = []

    def work() -> None:
        wait_for(lambda: not ask("GET", "/emulator/v1/faults")["faults"], "the request")
        found.extend(ask("POST", "/sessions", json=fields)["id"] for fields in sessions)

    thread = Thread(target=work)
    thread.start()

    def ids() -> list[str]:
        thread.join()
        return found

    return ids
