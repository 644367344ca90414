"""What a poller makes of a service that says what is not so, or makes no sense."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import Any

import pytest

from qsession_widgets.client import absence
from qsession_widgets.client.rest import Answer
from qsession_widgets.errors import ServiceError
from qsession_widgets.model import JobRecord, ServiceInfo, usage
from qsession_widgets.monitoring.job_poller import JobPoller
from qsession_widgets.monitoring.poller import SessionPoller

IBM = ServiceInfo("ibm", "IBM Quantum", "premium", 1.6)
LOCAL = ServiceInfo("local", "local emulator", "", 1.6, charged=False)
UNKNOWN = ServiceError("Session s not found.", status=404)
DELETED = ServiceError("Job j not found.", status=404)
START = datetime(2026, 3, 2, 14, 0, tzinfo=timezone.utc).timestamp()


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(START + seconds, tz=timezone.utc).isoformat()


class Service:
    """A session that is active and idle, whose answers a test spoils by the question's name."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {
            "id": "s",
            "backend_name": "ibm_fez",
            "state": "active",
            "accepting_jobs": True,
            "started_at": iso(10),
            "timestamps": [
                {"status": "open", "timestamp": iso(0)},
                {"status": "active", "timestamp": iso(10)},
            ],
            "last_job_completed": iso(20),
            "interactive_ttl": 60,
        }
        self.rows: list[dict[str, Any]] = []
        self.times: dict[str, Any] = {"timestamps": {"running": iso(12), "finished": iso(20)}}
        self.fails: dict[str, list[ServiceError | None]] = {}
        self.asked: list[str] = []

    def answer(self, question: str, data: Any) -> Answer:
        self.asked.append(question)
        failures = self.fails.get(question)
        failure = failures.pop(0) if failures else None
        if failure is not None:
            raise failure
        here = time.time()
        return Answer(data, START + 110, here, here)

    def session(self, session_id: str) -> Answer:
        return self.answer("session", self.fields)

    def jobs(self, session_id: str, **_: int) -> Answer:
        return self.answer("jobs", {"jobs": self.rows, "count": len(self.rows)})

    def job(self, job_id: str) -> Answer:
        return self.answer(job_id, {"id": job_id, "status": "Completed", "created": iso(11)})

    def metrics(self, job_id: str) -> Answer:
        return self.answer("metrics", self.times)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def poller(service: Service) -> SessionPoller:
    return SessionPoller(service, "s", IBM)  # type: ignore[arg-type]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not take time to be believed, only answers."""
    monkeypatch.setattr(absence, "GONE_SECONDS", 0.0)


def test_an_answer_that_there_is_no_such_session_is_not_believed_at_once(
    service: Service, poller: SessionPoller
) -> None:
    service.fails["session"] = [UNKNOWN] * 50
    for _ in range(50):
        poller.poll()
    known = poller.snapshot
    assert (known.state, known.accepting_jobs, known.usage_final) == ("active", True, False)
    assert known.problem == "Session s not found: it is asked again."
    assert not poller.finished()
    poller.poll()
    assert poller.snapshot.problem is None


@pytest.mark.usefixtures("hasty")
def test_only_answers_in_a_row_are_believed(service: Service, poller: SessionPoller) -> None:
    busy = ServiceError("Busy.", status=500)
    service.fails["session"] = [UNKNOWN, UNKNOWN, None, UNKNOWN, UNKNOWN, busy, UNKNOWN, UNKNOWN]
    for _ in range(8):
        poller.poll()
    assert poller.snapshot.state == "active"
    assert not poller.gone


@pytest.mark.usefixtures("hasty")
def test_a_session_that_is_gone_is_over_and_uses_nothing_more(
    service: Service, poller: SessionPoller
) -> None:
    service.fails["session"] = [UNKNOWN] * 3
    answered_at = poller.snapshot.answered_at
    for _ in range(3):
        poller.poll()
    known = poller.snapshot
    assert poller.gone
    assert poller.finished()
    assert (known.state, known.accepting_jobs, known.closed_at) == ("closed", False, answered_at)
    assert known.problem == "Session s not found."
    now = poller.now()
    assert usage(known, now + 600).total == usage(known, now).total == pytest.approx(100, abs=2)
    poller.poll()
    assert not poller.gone
    assert poller.snapshot.state == "active", "what the service says last counts"


def test_an_id_that_has_to_get_about_first_is_waited_for(service: Service) -> None:
    service.fails["session"] = [UNKNOWN, UNKNOWN]
    poller = SessionPoller(service, "s", LOCAL, beside=False, retry_404=60)  # type: ignore[arg-type]
    assert poller.snapshot.state == "active"
    assert poller.snapshot.problem is None
    service.fails["session"] = [UNKNOWN]
    with pytest.raises(ServiceError, match="not found"):
        SessionPoller(service, "s", LOCAL)  # type: ignore[arg-type]


@pytest.mark.parametrize("refusal", [500, 401])
def test_another_error_is_not_waited_out(service: Service, refusal: int) -> None:
    service.fails["session"] = [ServiceError("No.", status=refusal)]
    with pytest.raises(ServiceError, match="No"):
        SessionPoller(service, "s", LOCAL, retry_404=60)  # type: ignore[arg-type]
    assert service.asked == ["session"]


def job(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "j", "status": status, "created": iso(11), **more}


def test_a_job_that_has_to_get_about_first_did_not_fail(service: Service) -> None:
    poller = JobPoller(service, IBM, "ibm_fez")  # type: ignore[arg-type]
    service.fails["j"] = [DELETED] * 20
    poller.add_job(JobRecord("j", "sampler", "queued", created=poller.now(), pubs=1))
    for _ in range(20):
        poller.poll()
    assert [one.status for one in poller.snapshot.jobs] == ["queued"]
    poller.poll()
    assert [one.status for one in poller.snapshot.jobs] == ["done"]


@pytest.mark.usefixtures("hasty")
def test_a_job_that_was_deleted_has_failed(service: Service) -> None:
    poller = JobPoller(service, IBM, "ibm_fez")  # type: ignore[arg-type]
    service.fails["j"] = [DELETED] * 3
    poller.add_job(JobRecord("j", "sampler", "queued", created=poller.now(), pubs=1))
    for _ in range(3):
        poller.poll()
    (deleted,) = poller.snapshot.jobs
    assert (deleted.status, deleted.error) == ("failed", "The job was deleted.")


@pytest.mark.usefixtures("hasty")
def test_the_exact_times_of_a_deleted_job_are_given_up(service: Service) -> None:
    service.rows = [job("Completed")]
    service.fails["metrics"] = [DELETED] * 3
    service.fields.update(state="closed", closed_at=iso(30), elapsed_time=9)
    poller = SessionPoller(service, "s", IBM)  # type: ignore[arg-type]
    for _ in range(3):
        assert not poller.finished()
        poller.poll()
        assert poller.snapshot.problem is None
    assert poller.finished()
    assert service.asked.count("metrics") == 3


SPOILT = [
    {"elapsed_time": "unknown"},
    {"interactive_ttl": []},
    {"timestamps": "yesterday"},
]


@pytest.mark.parametrize("spoilt", SPOILT, ids=str)
def test_what_cannot_be_read_is_the_problem_and_nothing_else(
    service: Service,
    poller: SessionPoller,
    spoilt: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    good = dict(service.fields)
    service.fields.update(spoilt)
    for _ in range(3):
        poller.poll()
    known = poller.snapshot
    assert known.state == "active"
    assert known.problem is not None
    assert known.problem.startswith("The service's answer cannot be read (")
    assert known.problem.endswith("): it is asked again.")
    assert not caplog.records, "no traceback a poll"
    service.fields = good
    poller.poll()
    assert poller.snapshot.problem is None


def test_jobs_that_cannot_be_read_are_a_problem_too(
    service: Service, poller: SessionPoller
) -> None:
    service.rows = [{"status": "Queued"}]
    for _ in range(5):
        poller.poll()
    assert "KeyError: 'id'" in str(poller.snapshot.problem)


def test_a_first_answer_that_cannot_be_read_is_an_error_of_the_services(service: Service) -> None:
    service.fields["elapsed_time"] = "unknown"
    with pytest.raises(ServiceError, match="could not convert string to float"):
        SessionPoller(service, "s", IBM)  # type: ignore[arg-type]
    del service.fields["elapsed_time"]
    service.rows = [job("Completed")]
    poller = SessionPoller(service, "s", IBM)  # type: ignore[arg-type]
    service.times = {"timestamps": "yesterday"}
    with pytest.raises(ServiceError, match="cannot be read"):
        poller.complete()
