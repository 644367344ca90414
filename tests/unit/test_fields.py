import math
import time
from dataclasses import replace
from typing import Any

import pytest

from qsession_widgets.client.decode import (
    FINAL_GRACE,
    latest,
    read_active_periods,
    read_job,
    read_session,
    read_time,
)
from qsession_widgets.model import JobRecord, ServiceInfo, usage
from qsession_widgets.monitoring.current_snapshot import is_settled

CREATED = "2026-11-20T10:00:00.5Z"
SESSION = {"last_job_started": "2026-11-20T10:00:02Z", "last_job_completed": "2026-11-20T10:00:05Z"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-20T10:00:00Z", 1795168800.0),
        ("2026-11-20T10:00:00.5Z", 1795168800.5),
        ("2026-11-20T10:00:00.123456789Z", 1795168800.123456),
        ("2026-11-20T11:00:00.25+01:00", 1795168800.25),
        ("2026-11-20T10:00:00", 1795168800.0),
    ],
)
def test_times_are_read_as_the_service_writes_them(
    text: str, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert read_time(text) == pytest.approx(seconds, abs=1e-6)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("odd", [None, -5, math.nan, math.inf])
def test_seconds_that_make_no_sense_are_as_if_none_were_given(odd: object) -> None:
    usage_of_job = {"qpu_charge_time_seconds": odd, "quantum_seconds": 3}
    assert read_job(row("Completed") | {"usage": usage_of_job}, None, SESSION, 0.0).qpu_seconds == 3
    silent = row("Completed") | {"usage": {"quantum_seconds": odd}}
    job = read_job(silent, None, SESSION, 0.0)
    assert job.qpu_seconds is None
    ibm = ServiceInfo("ibm", "IBM Quantum", "premium", 1.6)
    closed = {
        "state": "closed",
        "closed_at": "2026-11-20T10:00:10Z",
        "elapsed_time": odd,
        "interactive_ttl": odd,
        "accepting_jobs": None,
        "timestamps": [None, {"status": "open", "timestamp": CREATED}],
    }
    now = read_time(CREATED) or 0.0
    for mode in ("batch", "dedicated"):
        known = read_session(closed | {"mode": mode}, "s1", ibm, (job,), now + 100)
        assert (known.usage_seconds, known.interactive_ttl) == (None, None)
        assert not known.usage_final, "nobody has told it"
        assert known.opened_at == now
        assert not known.accepting_jobs
        assert not is_settled(known)
        assert is_settled(replace(known, answered_at=now + 1000)), "it is not asked for ever"
    told = read_session(closed | {"elapsed_time": 12}, "s1", ibm, (job,), now + 100)
    assert (told.usage_final, told.usage_seconds) == (True, 12)
    batch = closed | {"mode": "batch"}
    counted = read_session(batch, "s1", ibm, (replace(job, qpu_seconds=3.0),), now + 100)
    assert counted.usage_final
    open_still = read_session({"state": "active", "accepting_jobs": None}, "s1", ibm, (), now)
    assert open_still.accepting_jobs


@pytest.mark.parametrize("text", [None, "", "soon"])
def test_what_is_no_time_is_none(text: str | None) -> None:
    assert read_time(text) is None


def row(status: str, **state: object) -> dict[str, object]:
    return {
        "id": "j1",
        "program": {"id": "sampler"},
        "created": CREATED,
        "status": status,
        "state": {"status": status, **state},
    }


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("Queued", "queued"),
        ("Running", "running"),
        ("Completed", "done"),
        ("Failed", "failed"),
        ("Cancelled", "cancelled"),
        ("Cancelled - Ran too long", "failed"),
    ],
)
def test_every_status_has_our_word(theirs: str, ours: str) -> None:
    assert read_job(row(theirs), None, SESSION, 0.0).status == ours


def test_a_failed_job_says_why() -> None:
    job = read_job(row("Failed", reason="Not ISA.", reason_code=1517), None, SESSION, 0.0)
    assert job.error == "Not ISA."
    assert job.error_code == 1517


def test_run_times_are_bounded_by_the_sessions_until_exact_ones_are_known() -> None:
    job = read_job(row("Completed"), None, SESSION, 0.0)
    assert job.started == read_time(SESSION["last_job_started"])
    assert job.finished == read_time(SESSION["last_job_completed"])
    assert not job.exact


def seconds(at: str) -> float:
    time = read_time(f"2026-11-20T10:00:{at}Z")
    assert time is not None
    return time


def test_an_earlier_jobs_end_is_not_the_end_of_the_next() -> None:
    earlier = {"last_job_started": "2026-11-20T09:59:50Z", "last_job_completed": CREATED}
    running = read_job(row("Running"), None, earlier, seconds("01"))
    assert running.started == seconds("01"), "it began since the session was asked"
    done = read_job(row("Completed"), running, earlier, seconds("04"))
    assert (done.started, done.finished) == (seconds("01"), seconds("04"))


def test_no_estimate_is_shorter_than_the_qpu_time() -> None:
    stale = {"last_job_started": "2026-11-20T09:59:50Z", "last_job_completed": CREATED}
    charged = {**row("Completed"), "usage": {"quantum_seconds": 3.0}}
    late = JobRecord("j1", "sampler", "running", seconds("00.5"), started=seconds("03"))
    job = read_job(charged, late, stale, seconds("05"))
    assert (job.started, job.finished) == (seconds("02"), seconds("05")), "seen late to begin"
    unseen = read_job(charged, None, stale, seconds("02"))
    assert (unseen.started, unseen.finished) == (seconds("00.5"), seconds("03.5"))
    charged_later = read_job(charged, read_job(row("Completed"), None, stale, seconds("02")), {}, 0)
    assert charged_later.finished is not None
    assert charged_later.started is not None
    assert charged_later.finished - charged_later.started == 3.0


def test_exact_times_stay() -> None:
    known = JobRecord("j1", "sampler", "done", 1.0, started=2.0, finished=3.0, exact=True, pubs=4)
    job = read_job(row("Completed"), known, SESSION, 0.0)
    assert (job.started, job.finished, job.exact, job.pubs) == (2.0, 3.0, True, 4)


def test_active_periods_come_from_the_list_of_states() -> None:
    states = [
        ("open", "10:00:00"),
        ("active", "10:00:02"),
        ("inactive", "10:01:05"),
        ("active", "10:03:00"),
    ]
    data = {
        "timestamps": [
            {"status": status, "timestamp": f"2026-11-20T{at}Z"} for status, at in states
        ]
    }
    (first, second) = read_active_periods(data)
    assert first[1] is not None
    assert first[1] - first[0] == pytest.approx(63.0)
    assert second[1] is None


def test_without_that_list_the_activation_counts() -> None:
    data = {"activated_at": "2026-11-20T10:00:00Z", "closed_at": "2026-11-20T10:00:30Z"}
    assert read_active_periods(data) == ((1795168800.0, 1795168830.0),)
    assert read_active_periods({}) == ()


def test_a_job_that_ended_after_its_session_was_asked_for_counts_in_its_usage() -> None:
    began = "2026-11-20T10:00:00Z"
    asked = {
        "mode": "dedicated",
        "state": "active",
        "last_job_started": "2026-11-20T10:00:02Z",
        "last_job_completed": None,
        "emulator": {"device_seconds": 0, "busy_seconds": 0},
        "timestamps": [{"status": "active", "timestamp": began}],
    }
    listed = row("Completed") | {"emulator": {"device_seconds": 37.5}}
    now = read_time("2026-11-20T10:00:04Z") or 0.0
    info = ServiceInfo("local", "Local emulator", "emulator", 1.60)
    job = read_job(listed, None, asked, now)
    snapshot = read_session(asked, "s1", info, (job,), now)
    # the device's time, and two seconds of idling before it; not the two that it ran here
    assert usage(snapshot, now).total == pytest.approx(37.5 + 2.0)
    # its session says so too a moment later
    caught_up = asked | {
        "last_job_completed": "2026-11-20T10:00:04Z",
        "emulator": {"device_seconds": 37.5, "busy_seconds": 2.0},
    }
    later = read_session(caught_up, "s1", info, (job,), now)
    assert usage(later, now) == usage(snapshot, now)


def test_rounded_durations_of_jobs_do_not_replace_the_sessions_sum() -> None:
    told = {
        "mode": "dedicated",
        "last_job_started": "2026-11-20T10:00:02Z",
        "last_job_completed": "2026-11-20T10:00:04Z",
        # 3.4336 s each
        "emulator": {"device_seconds": 6.867, "busy_seconds": 2.0},
    }
    info = ServiceInfo("local", "Local emulator", "emulator", 1.60)
    rows = [row("Completed") | {"id": name, "emulator": {"device_seconds": 3.434}} for name in "ab"]
    jobs = tuple(read_job(each, None, told, 0.0) for each in rows)
    assert read_session(told, "s1", info, jobs, 0.0).device_time == (6.867, 2.0)


def test_without_jobs_none_of_them_was_the_latest() -> None:
    assert latest((), "finished") is None


@pytest.mark.parametrize(
    ("kind", "since", "status", "final"),
    [
        ("ibm", FINAL_GRACE + 0.5, "Completed", True),
        ("ibm", FINAL_GRACE, "Completed", False),
        ("ibm", FINAL_GRACE + 0.5, "Running", False),
        ("local", 0.0, "Completed", True),
        ("local", 0.0, "Running", False),
    ],
)
def test_a_closed_sessions_usage_is_final_once_its_service_has_settled_it(
    kind: Any, since: float, status: str, final: bool
) -> None:
    told = {"state": "closed", "closed_at": "2026-11-20T10:00:00Z", "elapsed_time": 4}
    now = (read_time(told["closed_at"]) or 0.0) + since
    info = ServiceInfo(kind, "IBM Quantum", "premium", 1.60)
    job = read_job(row(status), None, told, now)
    assert read_session(told, "s1", info, (job,), now).usage_final is final
    # one that is open, or that does not say when it closed, is not final on IBM
    del told["closed_at"]
    assert read_session(told, "s1", info, (job,), now).usage_final is (final and kind == "local")
    assert not read_session({**told, "state": "open"}, "s1", info, (job,), now).usage_final


def test_every_field_of_a_session_is_read() -> None:
    moments = {
        name: f"2026-11-20T10:00:0{n}Z"
        for n, name in enumerate(
            (
                *("started_at", "activated_at", "closed_at"),
                *("last_job_started", "last_job_completed"),
            )
        )
    }
    told = {
        **moments,
        "mode": "batch",
        "backend_name": "ibm_fez",
        "state": "active",
        "state_reason": "why",
        "accepting_jobs": False,
        "interactive_ttl": 60,
        "max_ttl": 3600,
        "elapsed_time": 7,
    }
    info = ServiceInfo("ibm", "IBM Quantum", "premium", 1.60)
    found = read_session(told, "s1", info, (), 9.0)
    read = {name: getattr(found, name) for name in moments}
    assert read == {name: read_time(text) for name, text in moments.items()}
    assert (found.session_id, found.mode, found.backend) == ("s1", "batch", "ibm_fez")
    assert (found.state, found.state_reason, found.accepting_jobs) == ("active", "why", False)
    assert (found.interactive_ttl, found.max_ttl, found.usage_seconds) == (60.0, 3600.0, 7.0)
    assert (found.service, found.jobs, found.answered_at) == (info, (), 9.0)
    bare = read_session({}, "s1", info, (), 9.0)
    assert (bare.mode, bare.backend, bare.state) == ("dedicated", "", "open")
    assert (bare.accepting_jobs, bare.opened_at) == (True, None)
    assert read_session({"state": "closed"}, "s1", info, (), 9.0).accepting_jobs is False
