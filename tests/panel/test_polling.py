"""What watching costs the service: at most two requests a poll, whatever the number of jobs."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from qsession_widgets import compare
from qsession_widgets.client.decode import FINAL_GRACE
from qsession_widgets.client.rest import Answer
from qsession_widgets.errors import ServiceError
from qsession_widgets.model import ServiceInfo, provisional
from qsession_widgets.model.causes import QueueAhead, queue_ahead
from qsession_widgets.model.forecast import work_of
from qsession_widgets.monitoring.monitor import Monitor
from qsession_widgets.monitoring.poller import SessionPoller
from qsession_widgets.views.receipt import to_json, to_text

from ..support.waiting import wait_for

IBM = ServiceInfo("ibm", "IBM Quantum", "premium", 1.6)
START = datetime(2026, 3, 2, 14, 0, tzinfo=timezone.utc).timestamp()


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(START + seconds, tz=timezone.utc).isoformat()


class Service:
    """A session of many jobs, as the REST API tells of it; counts what it is asked."""

    def __init__(self, jobs: int) -> None:
        self.now = 20_000.0
        self.fields: dict[str, Any] = {
            "id": "s",
            "mode": "dedicated",
            "backend_name": "ibm_fez",
            "state": "active",
            "accepting_jobs": True,
            "started_at": iso(10),
            "timestamps": [
                {"status": "open", "timestamp": iso(0)},
                {"status": "active", "timestamp": iso(10)},
            ],
            "last_job_completed": iso(1.5 * jobs),
            "interactive_ttl": 60,
            "max_ttl": 28800,
        }
        self.rows = [
            {
                "id": f"job-{i:05d}",
                "created": iso(1.5 * i),
                "status": "Completed",
                "program": {"id": "sampler"},
            }
            for i in range(jobs)
        ]
        self.requests: list[str] = []
        self.refuse: ServiceError | None = None
        self.queue = 7

    def answer(self, what: str, data: Any) -> Answer:
        self.requests.append(what)
        if self.refuse is not None:
            raise self.refuse
        here = time.time()
        return Answer(data, START + self.now, here, here)

    def session(self, session_id: str) -> Answer:
        return self.answer("session", self.fields)

    def jobs(self, session_id: str, *, limit: int, offset: int) -> Answer:
        newest = self.rows[::-1][offset : offset + limit]
        return self.answer("jobs", {"jobs": newest, "count": len(self.rows)})

    def backends(self, include_mocks: bool, waits: bool) -> Answer:
        assert waits
        waited = {"average": 60, "p50": 45, "p95": 300}
        device = {"name": "ibm_fez", "queue_length": self.queue, "wait_time_seconds": waited}
        return self.answer("queue", {"devices": [{"name": "ibm_kingston"}, device]})

    def emulator(self, _path: str) -> Answer:
        at = START + self.now
        over = [at - 40, at - 30, at - 26]
        return self.answer(
            "others", {"others": [over, [at - 20, at - 1, None], [at - 19] + 2 * [None]]}
        )

    def metrics(self, job_id: str) -> Answer:
        created = 1.5 * int(job_id.removeprefix("job-"))
        times = {"running": iso(created + 0.2), "finished": iso(created + 1.2)}
        return self.answer("metrics", {"timestamps": times, "usage": {}})


def watch(service: Service) -> Monitor:
    return Monitor(SessionPoller(service, "s", IBM))  # type: ignore[arg-type]


@pytest.mark.parametrize("jobs", [3, 10_000])
def test_at_most_two_requests_a_poll(jobs: int) -> None:
    service = Service(jobs)
    monitor = watch(service)
    most = len(service.requests)
    for _ in range(60):
        before = len(service.requests)
        monitor.poll()
        most = max(most, len(service.requests) - before)
    assert most == 2
    assert len(monitor.snapshot.jobs) == jobs
    # one that is pending is seen to end as quickly as among three
    service.rows.append({"id": f"job-{jobs:05d}", "created": iso(15_001), "status": "Queued"})
    monitor.submitted(f"job-{jobs:05d}", "sampler", pubs=1)
    monitor.stop()
    service.rows[-1]["status"] = "Completed"
    for _ in range(2):
        monitor.poll()
    assert monitor.snapshot.jobs[-1].status == "done"
    assert monitor.snapshot.pending() == ()


def test_quick_while_something_is_pending_slow_while_nothing_is() -> None:
    service = Service(0)
    service.fields.update(state="open", timestamps=[], last_job_completed=None, started_at=None)
    monitor = watch(service)
    fresh = monitor.poller.delay()
    for _ in range(80):
        monitor.poll()
    slow = monitor.poller.delay()
    assert slow > 2 * fresh
    assert slow <= monitor.snapshot.poll_interval, "the panel says no shorter time than it is"
    service.rows.append({"id": "job-00000", "created": iso(1), "status": "Queued"})
    # it was sent from elsewhere, of which the session says nothing before it starts
    for _ in range(5):
        monitor.poll()
    assert monitor.snapshot.pending()
    assert monitor.poller.delay() < fresh


def test_the_length_of_the_queue_is_known_while_a_job_waits_in_it() -> None:
    service = Service(0)
    service.fields.update(state="open", timestamps=[], last_job_completed=None, started_at=None)
    monitor = watch(service)
    service.rows.append({"id": "job-00000", "created": iso(1), "status": "Queued"})
    for _ in range(8):
        monitor.poll()
    assert monitor.snapshot.queue_length == 7
    assert monitor.snapshot.queue_wait == 45.0
    assert service.requests.count("queue") == 1, "now and then is enough"
    service.fields.update(state="active", timestamps=[{"status": "active", "timestamp": iso(9)}])
    monitor.poll()
    assert monitor.snapshot.queue_length is None


def test_a_terminal_that_asks_once_is_told_the_place_in_the_queue_too() -> None:
    service = Service(0)
    service.fields.update(state="open", timestamps=[], last_job_completed=None, started_at=None)
    service.rows.append({"id": "job-00000", "created": iso(1), "status": "Queued"})
    once = watch(service).poller
    once.complete()
    assert once.snapshot.queue_length == 7
    assert "Queue" in to_text(once.snapshot, once.now())


def test_a_terminal_that_asks_once_reads_the_queue_from_what_a_kernel_does() -> None:
    service = Service(0)
    service.fields.update(state="open", timestamps=[], last_job_completed=None, started_at=None)
    service.rows.append({"id": "job-00000", "created": iso(19_990), "status": "Queued"})
    local = replace(IBM, kind="local")
    once, kernel = (SessionPoller(service, "s", local) for _ in range(2))  # type: ignore[arg-type]
    once.complete()
    wait_for(lambda: kernel.poll() or kernel.snapshot.others, "the others")
    told = [queue_ahead(one.snapshot, START + service.now) for one in (once, kernel)]
    assert told[0] == told[1] == QueueAhead(2, 3.0 + 4.0)


def test_a_terminal_that_asks_once_knows_when_each_job_ran_while_others_are_pending() -> None:
    service = Service(4)
    for row in service.rows:
        row["usage"] = {"quantum_seconds": 1}
    service.rows[-1]["status"] = "Queued"
    once = watch(service).poller
    once.complete()
    *over, last = once.snapshot.jobs
    assert [job.exact for job in over] == [True] * 3
    assert [step.waits for step in work_of(once.snapshot)] == [False, True, True]
    assert not last.final


def test_asks_no_sooner_than_it_is_told_to() -> None:
    service = Service(1)
    monitor = watch(service)
    service.refuse = ServiceError("Slow down.", status=429, retry_after=40.0)
    monitor.poll()
    assert 39 < monitor.poller.delay() <= 40
    assert monitor.snapshot.problem is not None
    service.refuse = None
    monitor.poll()
    assert monitor.snapshot.problem is None
    assert monitor.poller.delay() < 16


def test_a_submit_wakes_it_at_once_and_a_final_session_lets_it_sleep_for_good() -> None:
    service = Service(1)
    monitor = watch(service)
    for _ in range(40):
        monitor.poll()
    service.rows.append({"id": "job-00001", "created": iso(5), "status": "Queued"})
    before = len(service.requests)
    monitor.submitted("job-00001", "sampler", pubs=1)
    deadline = time.monotonic() + 20
    while len(service.requests) == before and time.monotonic() < deadline:
        time.sleep(0.005)
    assert len(service.requests) > before
    monitor.stop()
    service.rows[-1]["status"] = "Completed"
    service.fields.update(state="closed", accepting_jobs=False, closed_at=iso(19_000))
    service.fields["elapsed_time"] = 9
    service.now += FINAL_GRACE
    for _ in range(6):
        monitor.poll()
    assert monitor.finished()
    assert monitor.snapshot.poll_interval == 0
    assert monitor.snapshot.usage_final


def test_usage_is_not_final_for_half_a_minute_after_the_close() -> None:
    service = Service(1)
    service.fields.update(state="closed", accepting_jobs=False, closed_at=iso(20_000))
    service.fields["elapsed_time"] = 9
    monitor = watch(service)
    service.now += FINAL_GRACE - 2
    monitor.poll()
    assert not monitor.snapshot.usage_final, "the service may still correct it"
    service.now += 4
    monitor.poll()
    assert monitor.snapshot.usage_final
    assert FINAL_GRACE == 30.0


def test_every_page_of_the_list_is_read_and_exact_times_are_there_before_a_table() -> None:
    service = Service(450)
    monitor = watch(service)
    monitor.settle()
    jobs = monitor.snapshot.jobs
    assert [job.id for job in jobs] == [row["id"] for row in service.rows]
    assert all(job.exact for job in jobs)
    assert {round(job.finished - job.started, 3) for job in jobs} == {1.0}  # type: ignore[operator]
    assert provisional(monitor.snapshot) == 0
    assert service.requests.count("metrics") == 450


def test_what_is_not_exact_when_the_wait_is_over_is_marked() -> None:
    service = Service(3)
    monitor = watch(service)
    monitor.settle(within=0)
    left = provisional(monitor.snapshot)
    assert left > 0
    assert f"times of {left} not exact yet" in to_text(monitor.snapshot)
    assert to_json(monitor.snapshot)["provisional_jobs"] == left
    assert f"{left} not exact" in repr(compare(monitor.snapshot, monitor.snapshot))
    # and where the service does not answer nobody waits for it
    service.refuse = ServiceError("No answer.", status=503)
    monitor.settle()
    assert provisional(monitor.snapshot) == left


def test_a_table_does_not_wait_for_jobs_that_are_pending() -> None:
    service = Service(3)
    service.rows.append({"id": "job-00003", "created": iso(9), "status": "Queued"})
    monitor = watch(service)
    before = service.requests.count("metrics")
    monitor.settle()
    assert service.requests.count("metrics") == before
