"""Causes of usage, worked out by hand: gaps with their cells, dollars by cause, the queue."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from qsession_widgets.errors import UserError
from qsession_widgets.messages.causes import gap_words, queue_words
from qsession_widgets.model import JobRecord, ServiceInfo, SessionSnapshot, usage
from qsession_widgets.model.causes import QueueAhead, gaps, queue_ahead
from qsession_widgets.views.comparison import compare
from qsession_widgets.views.forecast import forecast_of
from qsession_widgets.views.receipt import to_json, to_text
from qsession_widgets.views.timeline import to_dataframe

IBM = ServiceInfo("ibm", "IBM Quantum", "payg", 1.6, price_source="list")


def job(name: str, created: float, started: float, finished: float, cell: int) -> JobRecord:
    return JobRecord(
        name, "sampler", "done", created, started, finished, exact=True, qpu_seconds=1.0, cell=cell
    )


# gaps of 2, 10 and 2 s, and one of 80 s of which 60 were billed until the interactive timeout
JOBS = (
    job("a", 90, 100, 104, cell=1),
    job("b", 106, 106, 108, cell=2),
    job("c", 118, 118, 120, cell=7),
    job("d", 119, 120, 122, cell=7),
    job("e", 124, 124, 125.0004, cell=8),
    job("f", 205.0004, 210, 212, cell=9),
)
PERIODS = ((100.0, 185.0004), (210.0, 212.0))
SESSION = SessionSnapshot(
    session_id="s",
    mode="dedicated",
    backend="ibm_fez",
    service=IBM,
    state="closed",
    answered_at=300.0,
    accepting_jobs=False,
    opened_at=90.0,
    started_at=100.0,
    closed_at=212.0,
    interactive_ttl=60.0,
    max_ttl=7200.0,
    active_periods=PERIODS,
    usage_seconds=87.0004,
    usage_final=True,
    jobs=JOBS,
)


def test_the_costliest_gap_is_named_with_its_cell_beside_the_median() -> None:
    found = gaps(SESSION, 300.0)
    assert found is not None
    assert (found.count, found.median) == (4, pytest.approx(6.0))
    assert (found.worst.cell, found.worst.job_id) == (9, "f")
    assert (found.worst.seconds, found.worst.billed) == pytest.approx((80.0, 60.0))
    words = gap_words(found, SESSION)
    assert words.endswith(
        "the costliest, before a job of cell [9], was billed for 1 m 0 s (≈ $96.00)"
    )
    assert f"Gaps     {words}" in to_text(SESSION)
    assert gaps(replace(SESSION, mode="batch"), 300.0) is None


def test_the_time_after_the_last_job_is_a_gap_with_its_cell() -> None:
    """Of 60 s until the timeout, or as many as have passed; none while a job waits."""
    idle = replace(SESSION, jobs=JOBS[:5], closed_at=300.0, active_periods=((100.0, 185.0004),))
    found = gaps(idle, 300.0)
    assert found is not None
    assert (found.count, found.median) == (4, pytest.approx(6.0))
    assert (found.worst.last, found.worst.job_id, found.worst.cell) == (True, "e", 8)
    assert (found.worst.seconds, found.worst.billed) == pytest.approx((60.0, 60.0))
    assert gap_words(found, idle) == (
        "4, median 6.0 s; the costliest, after the last job, of cell [8], was billed for "
        "1 m 0 s (≈ $96.00)"
    )
    assert to_json(idle)["gaps"]["worst"]["last"] is True
    goes_on = replace(
        idle, state="active", closed_at=None, active_periods=((100.0, None),), answered_at=165.0
    )
    still = gaps(goes_on, 165.0004)
    assert still is not None
    assert (still.worst.seconds, still.worst.last) == (pytest.approx(40.0), True)
    sent = replace(JOBS[5], started=None, finished=None, status="queued", created=160.0)
    queued = gaps(replace(goes_on, jobs=(*JOBS[:5], sent)), 165.0004)
    assert queued is not None
    assert (queued.worst.seconds, queued.worst.job_id) == (pytest.approx(35.0, abs=0.1), "f")
    waiting = gaps(replace(goes_on, jobs=(*JOBS[:5], replace(sent, created=110.0))), 165.0004)
    assert waiting is not None
    assert waiting.count == 3
    alone = replace(idle, jobs=(replace(JOBS[0], cell=None),), active_periods=((100.0, 164.0),))
    only = gaps(alone, 300.0)
    assert only is not None
    assert gap_words(only, alone) == "one after the last job, billed for 1 m 0 s (≈ $96.00)"


def test_qpu_time_that_was_never_told_is_no_nothing() -> None:
    """Neither in words nor in JSON, and no forecast is made of it."""
    untold = replace(SESSION, jobs=tuple(replace(job, qpu_seconds=None) for job in JOBS))
    assert "QPU not told, with classical 13 s · idle 1 m 14 s" in to_text(untold)
    written = to_json(untold)
    causes = {name: written["usage"][name] for name in ("total", "qpu", "classical", "idle")}
    assert causes == {"total": 87.0, "qpu": None, "classical": None, "idle": 74.0}
    assert (written["cost"], written["cost_by_cause"], written["forecast"]) == (139.2, None, None)
    batch = replace(untold, mode="batch", usage_seconds=None, usage_final=False)
    text = to_text(batch)
    assert "Usage    not told (QPU time only" in text
    assert "Cost     not told" in text
    written = to_json(batch)
    assert (written["usage"]["total"], written["cost"], written["forecast"]) == (None, None, None)
    with pytest.raises(UserError, match="has not told the QPU time"):
        forecast_of(batch, 300.0)
    numbers = compare(batch, untold).each
    assert [(one.usage, one.qpu, one.cost) for one in numbers] == [
        (None, None, None),
        (pytest.approx(87.0, abs=0.01), None, pytest.approx(139.2, abs=0.01)),
    ]
    assert compare(batch, untold).figure is not None
    known = replace(batch, jobs=tuple(replace(job, executions=4096) for job in untold.jobs))
    assert to_json(known)["forecast"]["estimated"] is True


def test_dollars_by_cause_stand_in_the_receipt_and_its_json() -> None:
    """13.0004 s with a job running, 6 of them QPU; 74 s without."""
    assert "QPU $9.60 · classical $11.20 · idle $118" in to_text(SESSION)
    found = to_json(SESSION)
    assert found["cost_by_cause"] == {"qpu": 9.6, "classical": 11.2, "idle": 118.4}
    assert found["gaps"]["worst"]["cell"] == 9
    assert found["gaps"]["worst"]["seconds"] == 80.0
    assert found["opened_at"] == "1970-01-01T00:01:30.000+00:00"
    assert found["active_periods"][0][1] == "1970-01-01T00:03:05.000+00:00"
    last = found["jobs"][-1]
    assert (last["queued"], last["ran"], last["cost"]) == (5.0, 2.0, 1.6)
    assert last["created"] == "1970-01-01T00:03:25.000+00:00"


def at(now: float) -> SessionSnapshot:
    """The session as it was at a moment, with what the service had said by then."""
    jobs = tuple(
        each
        if each.finished is not None and each.finished <= now
        else replace(each, status="running", finished=None, qpu_seconds=None)
        for each in JOBS
        if each.started is not None and each.started <= now
    )
    periods = [(begin, end if end <= now else None) for begin, end in PERIODS if begin <= now]
    return replace(
        SESSION,
        state="active" if periods[-1][1] is None else "inactive",
        answered_at=now,
        accepting_jobs=True,
        closed_at=None,
        last_job_started=jobs[-1].started,
        last_job_completed=max((each.finished or 0.0 for each in jobs), default=0.0) or None,
        active_periods=tuple(periods),
        usage_final=False,
        jobs=jobs,
    )


@pytest.mark.parametrize("emulated", [False, True])
@pytest.mark.parametrize("price", [1.6, 0.65])
def test_dollars_of_a_cause_never_fall_while_it_grows(price: float, emulated: bool) -> None:
    """They are of the seconds that are shown, and add up to the cost at every moment."""
    before = (0, 0, 0)
    for step in range(20, 1140, 3):
        snapshot = at(100 + step / 10)
        service = replace(IBM, price_per_second=price)
        over = [each for each in snapshot.jobs if each.finished is not None]
        ran = sum((each.finished or 0.0) - (each.started or 0.0) for each in over)
        device = (2.35 * len(over), ran) if emulated else None
        snapshot = replace(snapshot, service=service, device_time=device)
        spent = usage(snapshot, snapshot.answered_at)
        causes = spent.cost_by_cause()
        assert causes is not None
        assert spent.cost is not None
        shown = tuple(round(100 * causes[name]) for name in ("qpu", "classical", "idle"))
        assert sum(shown) == math.floor(100 * spent.cost + 0.5 + 1e-6)
        # classical time becomes QPU time as a job ends
        assert shown[0] >= before[0], step
        assert shown[2] >= before[2], step
        before = shown


def test_a_table_of_jobs_has_times_with_a_zone_and_the_figures() -> None:
    pytest.importorskip("pandas")
    table = to_dataframe(SESSION)
    assert [str(at) for at in table["created"][-1:]] == ["1970-01-01 00:03:25+00:00"]
    assert list(table["queued"]) == pytest.approx([10, 0, 0, 1, 0, 5])
    assert list(table["ran"]) == pytest.approx([4, 2, 2, 2, 1, 2], abs=1e-3)
    assert table["cost"].sum() == pytest.approx(9.6)
    assert table.attrs["cost_by_cause"]["idle"] == 118.4
    assert table.attrs["price"]["per_second"] == 1.6
    spent = replace(SESSION, jobs=(), end_reason="budget_ahead", end_usage=59.0)
    assert len(ended := to_dataframe(spent)) == 0
    assert (ended.attrs["end_reason"], ended.attrs["end_usage"]) == ("budget_ahead", 59.0)


def test_the_queue_ahead_is_counted_and_timed_by_the_jobs_that_are_over() -> None:
    """Others took 20 s each: one has run for 15 s, two more wait: 5 + 20 + 20 s."""
    waiting = replace(
        SESSION,
        state="open",
        accepting_jobs=True,
        started_at=None,
        closed_at=None,
        active_periods=(),
        usage_final=False,
        jobs=(JobRecord("a", "sampler", "queued", 95.0),),
        others=(
            (10.0, 20.0, 40.0),
            (11.0, 40.0, 60.0),
            (12.0, 60.0, 80.0),
            (80.0, 85.0, None),
            (82.0, None, None),
            (94.0, None, None),
            (96.0, None, None),
        ),
    )
    found = queue_ahead(waiting, 100.0)
    assert found == QueueAhead(3, 45.0)
    assert queue_words(found) == "3 jobs ahead, about 45 s; waiting is free"
    assert "3 jobs ahead, about 45 s" in to_text(waiting, 100.0)
    # IBM tells how many wait on the device, this one among them
    assert queue_ahead(replace(waiting, others=(), queue_length=4), 100.0) == QueueAhead(3, None)
    # and how long jobs had to wait lately: this one has waited for 5 s of the usual 45
    told = replace(waiting, others=(), queue_length=4, queue_wait=45.0)
    assert queue_ahead(told, 100.0) == QueueAhead(3, 40.0)
    assert queue_words(QueueAhead(3, 40.0)) == "3 jobs ahead, about 40 s; waiting is free"
    assert queue_ahead(told, 150.0) == QueueAhead(3, None)
    assert queue_ahead(replace(waiting, others=()), 100.0) is None
    assert queue_ahead(SESSION, 100.0) is None
