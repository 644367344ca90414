"""What one watch asks of its service, and when it leaves it alone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from qsession_widgets.server import watch as module
from qsession_widgets.server.sources import find_sources
from qsession_widgets.server.watch import Watch

from .conftest import Service
from .running import PATIENCE


@pytest.fixture
def watch(service: Service) -> Iterator[Watch]:
    """A watch on the emulator, in this process."""
    (source,) = find_sources().sources
    watch = Watch(source, lambda: None, patience=30)
    yield watch
    watch.shut()


def turn_until(watch: Watch, holds: Callable[[], object]) -> None:
    """Let a watch take turns until something holds."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, watch.health.problem
        watch.turn()


def test_an_emulator_with_nothing_open_is_left_alone(
    watch: Watch, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends when nobody has asked it for a while, and a page that is open shall not keep it."""
    monkeypatch.setattr(module, "LEAVE_ALONE", 0.0)
    while watch.turn() < 60:
        pass
    before = service.requests
    watch.turn()
    assert service.requests == before + 1, "only this test asks"
    session = service.open()
    watch.hurry([session])
    while watch.snapshot(session) is None:
        watch.turn()
    assert watch.anything_open
    assert watch.turn() < 60


def test_all_jobs_of_what_has_ended_are_counted_and_told_exactly_when_asked_for(
    watch: Watch, service: Service
) -> None:
    session = service.open("batch")
    for _ in range(2):
        service.submit(session)
    service("PATCH", f"/sessions/{session}", json={"accepting_jobs": False})
    while (known := watch.snapshot(session)) is None or known.state != "closed":
        watch.turn()
    assert not any(job.exact for job in known.jobs)
    watch.detail(session)
    while not all(job.exact for job in watch.detail(session).jobs):
        watch.turn()


def test_more_than_a_page_that_was_closed_today_is_found(watch: Watch, service: Service) -> None:
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
    watch = Watch(source, lambda: None, patience=30)
    session = alice.open()
    turn_until(watch, lambda: watch.snapshot(session))
    service.fault("/tokens")
    alice("PATCH", f"/sessions/{session}", json={"accepting_jobs": False})
    turn_until(watch, lambda: not watch.anything_open)
    assert not watch.health.refused
    watch.shut()
    alice.http.close()
