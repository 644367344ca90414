"""What one watch asks of its service, and when it leaves it alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from qsession_widgets.client.rest import Answer, ServiceClient
from qsession_widgets.discovery.endpoints import EndpointSource
from qsession_widgets.discovery.listing import list_open
from qsession_widgets.errors import ServiceError, UserError
from qsession_widgets.model.causes import QueueAhead, queue_ahead
from qsession_widgets.server import service_watcher as module
from qsession_widgets.server.handlers import sentence
from qsession_widgets.server.service_list import find_sources
from qsession_widgets.server.service_watcher import ServiceWatcher

from .conftest import Service
from .running import TIMEOUT


@pytest.fixture
def watch(service: Service) -> Iterator[ServiceWatcher]:
    """A watch on the emulator, in this process."""
    (source,) = find_sources().sources
    watch = ServiceWatcher(source, lambda: None, slow_after=30)
    yield watch
    watch.close()


def turn_until(watch: ServiceWatcher, holds: Callable[[], object]) -> None:
    """Let a watch take turns until something holds."""
    deadline = time.monotonic() + TIMEOUT
    while not holds():
        assert time.monotonic() < deadline, watch.health.problem
        watch.step()


def test_an_emulator_with_nothing_open_is_left_alone(
    watch: ServiceWatcher, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends when nobody has asked it for a while, and a page that is open shall not keep it."""
    monkeypatch.setattr(module, "LEAVE_ALONE", 0.0)
    while watch.step() < 60:
        pass
    before = service.requests
    watch.step()
    assert service.requests == before + 1, "only this test asks"
    session = service.open()
    watch.hurry([session])
    while watch.snapshot(session) is None:
        watch.step()
    assert watch.anything_open
    assert watch.step() < 60


def test_the_jobs_of_others_that_are_before_a_session_in_the_emulators_queue_are_told(
    watch: ServiceWatcher, service: Service
) -> None:
    """As its kernel and a terminal tell them, not by the length of the whole queue."""
    alice = Service(service.connection, "alice")
    service.fault("/queue", paused=True)
    alice.submit(alice.open())
    session = service.open()
    for _ in range(2):
        service.submit(session)
    watch.hurry([session])
    turn_until(watch, lambda: (found := watch.snapshot(session)) is not None and found.others)
    found = watch.snapshot(session)
    assert found is not None
    assert queue_ahead(found, watch.clock.now()) == QueueAhead(1, None)
    alice.http.close()


def test_all_jobs_of_what_has_ended_are_counted_and_told_exactly_when_asked_for(
    watch: ServiceWatcher, service: Service
) -> None:
    session = service.open("batch")
    for _ in range(2):
        service.submit(session)
    service("PATCH", f"/sessions/{session}", json={"accepting_jobs": False})
    while (known := watch.snapshot(session)) is None or known.state != "closed":
        watch.step()
    assert not any(job.exact for job in known.jobs)
    watch.detail(session)
    while not all(job.exact for job in watch.detail(session).jobs):
        watch.step()


def test_more_than_a_page_that_was_closed_today_is_found(
    watch: ServiceWatcher, service: Service
) -> None:
    closed = {service.open("batch") for _ in range(53)}
    for session in closed:
        service("PATCH", f"/sessions/{session}", json={"accepting_jobs": False})
    turn_until(watch, lambda: {one.session_id for one in watch.snapshots()} == closed)
    assert not watch.anything_open


def test_a_token_that_is_no_longer_good_is_replaced_for_all_that_is_watched(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = Service(service.connection, "alice")
    for name, value in service.connection.environment("alice").items():
        monkeypatch.setenv(name, value)
    (source,) = (source for source in find_sources().sources if source.key == "ibm")
    watch = ServiceWatcher(source, lambda: None, slow_after=30)
    session = alice.open()
    turn_until(watch, lambda: watch.snapshot(session))
    service.fault("/tokens")
    alice("PATCH", f"/sessions/{session}", json={"accepting_jobs": False})
    turn_until(watch, lambda: not watch.anything_open)
    assert not watch.health.refused
    watch.close()
    alice.http.close()


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Ids of sessions of which the service says something that nobody can read."""
    spoiled: set[str] = set()
    honest = ServiceClient.session

    def session(self: ServiceClient, session_id: str) -> Answer:
        answer = honest(self, session_id)
        if session_id in spoiled:
            answer.data["elapsed_time"] = "unknown"
        return answer

    monkeypatch.setattr(ServiceClient, "session", session)
    return spoiled


def test_what_cannot_be_read_of_one_session_keeps_none_of_the_others(
    watch: ServiceWatcher, service: Service, spoil: set[str]
) -> None:
    sessions = [service.open() for _ in range(3)]
    turn_until(watch, lambda: len(watch.snapshots()) == 3)
    spoil.add(sessions[0])
    turn_until(watch, lambda: "cannot be read" in (problem_of(watch, sessions[0]) or ""))
    for session in sessions[1:]:
        service("PATCH", f"/sessions/{session}", json={"accepting_jobs": False})
    turn_until(watch, lambda: [one.state for one in watch.snapshots()].count("closed") == 2)
    assert watch.health.problem is None
    spoil.clear()
    turn_until(watch, lambda: problem_of(watch, sessions[0]) is None)


def test_an_id_that_would_be_code_in_a_cell_is_not_read(
    watch: ServiceWatcher, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    listed, session = ServiceClient.workloads, ServiceClient.session
    code = "x\n__import__('os').abort()"

    def workloads(self: ServiceClient, **query: object) -> Answer:
        answer = listed(self, **query)
        answer.data["workloads"].insert(0, {"id": code, "created": "2026-01-01T00:00:00Z"})
        return answer

    def ask(self: ServiceClient, session_id: str) -> Answer:
        asked.append(session_id)
        return session(self, session_id)

    monkeypatch.setattr(ServiceClient, "workloads", workloads)
    monkeypatch.setattr(ServiceClient, "session", ask)
    there = service.open()
    turn_until(watch, lambda: watch.snapshot(there) and code in watch.unread)
    assert code not in asked
    with pytest.raises(UserError, match="cannot be read"):
        list_open([EndpointSource("it", lambda: [watch.source.reach()])])
    assert code not in asked


def test_one_that_could_never_be_read_is_named_beside_the_others(
    watch: ServiceWatcher, service: Service, spoil: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "NOT_AT_ONCE", 0.2)
    # the service lists the newest first, or the oldest: one of them comes before the other two
    sessions = [service.open() for _ in range(3)]
    spoil.update((sessions[0], sessions[2]))
    turn_until(watch, lambda: watch.snapshot(sessions[1]))
    assert watch.unread == sorted(spoil)
    assert watch.health.problem is None
    spoil.clear()
    turn_until(watch, lambda: len(watch.snapshots()) == 3)
    assert watch.unread == []


def problem_of(watch: ServiceWatcher, session_id: str) -> str | None:
    known = watch.snapshot(session_id)
    assert known is not None
    return known.problem


def test_what_goes_wrong_is_said_of_the_service_it_goes_wrong_with() -> None:
    silent = ServiceError("The service cannot be reached.")
    assert sentence(silent, "ibm") == (
        "Could not do that: the service cannot be reached. Check the network and try again."
    )
    assert sentence(silent, "local").startswith("Could not do that: the local emulator does not")
