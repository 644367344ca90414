"""A monitor's thread, and what it owes to the threads beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from qsession_widgets.client.rest import Answer
from qsession_widgets.model import ServiceInfo, SessionSnapshot
from qsession_widgets.monitoring import poll_thread as module
from qsession_widgets.monitoring.intervals import PollIntervals
from qsession_widgets.monitoring.monitor import Monitor
from qsession_widgets.monitoring.poller import SessionPoller

from ..support.waiting import wait_for

IBM = ServiceInfo("ibm", "IBM Quantum", "premium", 1.6)
STOPPED = ServiceInfo("local", "local emulator", "", 1.6, charged=False, speed=0.0)
QUICK = PollIntervals(0.01, 0.01, 0.02, 0.01)
IDLE = {
    "id": "s",
    "state": "active",
    "accepting_jobs": True,
    "last_job_completed": datetime.now(timezone.utc).isoformat(),
    # it runs for as long as these tests may
    "interactive_ttl": 3600,
}
DEADLINE = 60.0
A_MOMENT = 0.2
"""Seconds for which a test holds up a thread that others may have to wait for."""


class Service:
    """A session that is active and idle; calls what a test hangs in before it answers."""

    def __init__(self) -> None:
        self.before: Callable[[], object] = lambda: None
        self.rows: list[dict[str, Any]] = []
        self.polls = 0

    def session(self, session_id: str) -> Answer:
        self.polls += 1
        self.before()
        return Answer(dict(IDLE), None, 0.0, 0.0)

    def jobs(self, session_id: str, **_: int) -> Answer:
        return Answer({"jobs": list(self.rows), "count": len(self.rows)}, None, 0.0, 0.0)


class Endless(SessionPoller):
    """A poller whose end a test decides."""

    over: Callable[[], bool] | None = None

    def finished(self, snapshot: SessionSnapshot | None = None) -> bool:
        return super().finished(snapshot) if self.over is None else self.over()


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def watch(service: Service) -> Iterator[Callable[..., Monitor]]:
    made: list[Monitor] = []

    def make(info: ServiceInfo = IBM) -> Monitor:
        poller = Endless(service, "s", info, intervals=QUICK, beside=False)  # type: ignore[arg-type]
        made.append(Monitor(poller))
        return made[-1]

    yield make
    for monitor in made:
        monitor.stop()
    wait_for(lambda: not threads())


def threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "qsession-monitor-s"]


def goes_on(service: Service) -> bool:
    """Whether it is asked again, and again."""
    before = service.polls
    wait_for(lambda: service.polls >= before + 2)
    return True


def test_a_view_is_told_in_the_order_in_which_things_were_known(
    service: Service, watch: Callable[..., Monitor]
) -> None:
    monitor = watch()
    monitor.start = lambda: None  # type: ignore[method-assign]
    submitting = threading.current_thread()
    busy, overtaken = threading.Event(), threading.Event()
    heard: list[list[str]] = []

    def takes_a_moment(_snapshot: SessionSnapshot) -> None:
        if threading.current_thread() is submitting:
            busy.set()
            overtaken.wait(A_MOMENT)

    def view(snapshot: SessionSnapshot) -> None:
        heard.append([job.status for job in snapshot.jobs])
        if threading.current_thread() is not submitting:
            overtaken.set()

    def poll() -> None:
        assert busy.wait(DEADLINE)
        service.rows = [{"id": "j", "status": "Running", "created": "2026-03-02T14:00:00Z"}]
        monitor.poll()

    monitor.subscribe(takes_a_moment)
    monitor.subscribe(view)
    polling = threading.Thread(target=poll)
    polling.start()
    monitor.submitted("j", "sampler", pubs=1)
    polling.join(DEADLINE)
    assert heard == [["queued"], ["running"]]
    assert [job.status for job in monitor.snapshot.jobs] == ["running"]


def test_rules_that_are_told_during_a_poll_stay(
    service: Service, watch: Callable[..., Monitor]
) -> None:
    monitor = watch()
    heard: list[bool] = []
    monitor.subscribe(lambda snapshot: heard.append(snapshot.strict))
    service.before = lambda: monitor.set_policies(strict=True)
    monitor.poll()
    assert set(heard) == {True}
    assert monitor.snapshot.strict


def test_a_thread_that_is_about_to_end_is_not_relied_on(
    service: Service, watch: Callable[..., Monitor]
) -> None:
    monitor = watch()
    deciding, started = threading.Event(), threading.Event()

    def over() -> bool:
        if deciding.is_set():
            return False
        deciding.set()
        started.wait(A_MOMENT)
        return True

    assert isinstance(monitor.poller, Endless)
    monitor.poller.over = over
    monitor.start()
    assert deciding.wait(DEADLINE)
    monitor.start()
    started.set()
    assert goes_on(service)


def test_a_thread_that_was_told_to_stop_is_not_relied_on(
    service: Service, watch: Callable[..., Monitor]
) -> None:
    monitor = watch()
    asked, answered = threading.Event(), threading.Event()

    def hang() -> None:
        asked.set()
        answered.wait(DEADLINE)

    service.before = hang
    monitor.start()
    assert asked.wait(DEADLINE)
    monitor.stop()
    monitor.start()
    answered.set()
    assert goes_on(service)
    wait_for(lambda: len(threads()) == 1)


def test_a_clock_that_stands_still_ends_no_thread(
    service: Service, watch: Callable[..., Monitor]
) -> None:
    watch(STOPPED).start()
    assert goes_on(service)
    assert len(threads()) == 1


@pytest.mark.parametrize("where", ["service", "delay"])
def test_no_mistake_ends_the_thread(
    service: Service,
    watch: Callable[..., Monitor],
    where: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "AFTER_FAILURE", 0.01)
    monitor = watch()
    mistakes: list[int] = []

    def mistake() -> float:
        mistakes.append(1)
        if len(mistakes) < 4:
            raise RuntimeError("a mistake of ours")
        return 0.01

    if where == "service":
        service.before = mistake
    else:
        monkeypatch.setattr(monitor.poller, "delay", mistake)
    monitor.start()
    assert goes_on(service)
    wait_for(lambda: len(mistakes) >= 4)
    assert goes_on(service)
    assert len(threads()) == 1
    (said,) = (record for record in caplog.records if record.name == module.__name__)
    assert said.exc_info is not None, "once, with where it came from"
