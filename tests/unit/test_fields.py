import pytest

from qsession_widgets.snapshot import JobRecord
from qsession_widgets.snapshot.fields import read_active_periods, read_job, read_time

CREATED = "2026-11-20T10:00:00.5Z"
SESSION = {"last_job_started": "2026-11-20T10:00:02Z", "last_job_completed": "2026-11-20T10:00:05Z"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-20T10:00:00Z", 1795168800.0),
        ("2026-11-20T10:00:00.5Z", 1795168800.5),
        ("2026-11-20T10:00:00.123456789Z", 1795168800.123456),
        ("2026-11-20T11:00:00.25+01:00", 1795168800.25),
        ("2026-11-20T10:00:00", None),
    ],
)
def test_times_are_read_as_the_service_writes_them(text: str, seconds: float | None) -> None:
    if seconds is not None:
        assert read_time(text) == pytest.approx(seconds, abs=1e-6)
    else:
        assert isinstance(read_time(text), float)


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
