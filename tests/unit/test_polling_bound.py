"""Requests about idle sessions, of kernel and servers together, on a clock that a test moves."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from qsession_widgets.client.rest import Answer
from qsession_widgets.model import ServiceInfo
from qsession_widgets.monitoring.poller import SessionPoller
from qsession_widgets.server.service_watcher import ServiceWatcher

IBM = ServiceInfo("ibm", "IBM Quantum", "premium", 1.6)


@dataclass
class Clock:
    """Seconds since the epoch, which pass only when a test says so."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


class Service:
    """Counts the requests about idle sessions that it answers."""

    def __init__(self, clock: Clock, sessions: list[str]):
        self.clock, self.sessions = clock, sessions
        self.asked: list[float] = []
        self.on_response: Any = None
        self.opened = clock.now - 60

    def _answer(self, data: Any) -> Answer:
        self.asked.append(self.clock.now)
        return Answer(data, self.clock.now, self.clock.now, self.clock.now)

    def session(self, session_id: str) -> Answer:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.opened))
        fields = {"id": session_id, "backend_name": "ibm_fez", "state": "inactive"}
        times = [{"status": "open", "timestamp": at}, {"status": "inactive", "timestamp": at}]
        return self._answer({**fields, "accepting_jobs": True, "timestamps": times})

    def jobs(self, _session_id: str, **_: Any) -> Answer:
        return self._answer({"jobs": [], "count": 0})

    def workloads(self, **query: Any) -> Answer:
        there = self.sessions if "completed" not in (query.get("status") or ()) else []
        rows = [{"id": one, "status": "in_progress"} for one in there]
        return self._answer({"workloads": rows, "count": len(rows)})

    def clone(self) -> Service:
        return self

    def close(self) -> None:
        pass

    def instance_usage(self) -> Answer:
        return self._answer({"usage_consumed_seconds": 10, "usage_limit_seconds": 1000})


@pytest.mark.parametrize("labs", [0, 1, 5])
@pytest.mark.parametrize("sessions", [1, 20])
def test_an_idle_session_is_asked_about_twice_in_five_seconds_at_the_most(
    monkeypatch: pytest.MonkeyPatch, sessions: int, labs: int
) -> None:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    monkeypatch.setattr(time, "time", clock)
    ids = [f"s{number}" for number in range(sessions)]
    service: Any = Service(clock, ids)
    kernels = [SessionPoller(service, one, IBM) for one in ids]
    endpoint = SimpleNamespace(info=IBM, key=("", ""), owner_key="me", connect=lambda: service)
    source: Any = SimpleNamespace(
        info=IBM, place=("", ""), owner_key="me", noted=None, reach=lambda: endpoint
    )
    watchers = [ServiceWatcher(source, lambda: None, 8.0) for _ in range(labs)]
    for watcher in watchers:
        watcher.sharers = labs
    due = {one: clock.now + one.delay() for one in kernels}
    due |= dict.fromkeys(watchers, clock.now)
    begun = clock.now
    while clock.now < begun + 200:
        one: Any = min(due, key=lambda one: due[one])
        clock.now = max(clock.now, due[one])
        if isinstance(one, SessionPoller):
            one.poll()
            due[one] = clock.now + one.delay()
        else:
            due[one] = clock.now + one.step()
    # what was opened is looked at once by everybody first
    steady = [at for at in service.asked if at > begun + 20]
    rate = len(steady) / 180
    assert rate * 5 <= 2 * sessions
    for watcher in watchers:
        watcher.close()
