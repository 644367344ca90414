"""What travels to a page: only what changed, in bytes that do not grow with the session."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qsession_widgets.model import READ_SERIES, JobRecord, JobStatus, SeriesPoint, SessionSnapshot
from qsession_widgets.views.protocol import MAX_OTHERS, PanelProtocol, bounded_others
from qsession_widgets.views.rows import FLAGS, pack_job

from . import states


def size(message: dict[str, Any] | None) -> int:
    """Bytes of a message's content as Jupyter writes it."""
    return len(json.dumps(message, separators=(",", ":")).encode())


class Reader:
    """The other side, as `js/src/panel/state/store.ts` reads it."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.facts = json.loads(json.dumps(facts))
        self.rows: list[list[Any]] = []
        self.points: list[list[Any]] = []
        self.series: list[str] = []
        self.revision = 0

    def take(self, message: dict[str, Any] | None) -> None:
        if message is None:
            return
        message = json.loads(json.dumps(message))
        if message["type"] == "jobs":
            assert (
                message.get("reset")
                or message.get("since", message["revision"] - 1) <= self.revision
            )
            if message.get("reset"):
                self.rows = []
            self.revision = message["revision"]
            touched = [self._take_row(row) for row in message["jobs"]]
            for name, column in (("last_job_started", 8), ("last_job_completed", 9)):
                times = [
                    self.facts["epoch"] + row[column] / 1000
                    for row in touched
                    if row[8] is not None and row[column] is not None and not row[FLAGS] & 2
                ]
                self.facts[name] = max((t for t in (self.facts[name], *times) if t), default=None)
        self.facts.update(message.get("facts", {}))
        for name, (start, tail) in message.get("lists", {}).items():
            self.facts[name] = self.facts[name][:start] + tail
        if "points" in message:
            first, series, *rows = message["points"]
            self.series = series or self.series
            assert first <= len(self.points)
            self.points[first:] = rows

    def _take_row(self, row: list[Any]) -> list[Any]:
        if isinstance(row[0], int):
            for column, value in zip(row[1::2], row[2::2], strict=True):
                self.rows[row[0]][column] = value
            return self.rows[row[0]]
        full = row + [None] * (19 - len(row))
        full[FLAGS] = full[FLAGS] or 0
        known = [i for i, old in enumerate(self.rows) if old[0] == row[0]]
        if known:
            self.rows[known[0]] = full
        else:
            self.rows.append(full)
        return full


def agrees(reader: Reader, wire: PanelProtocol, snapshot: SessionSnapshot) -> None:
    epoch = wire.facts["epoch"]
    expected = {job.id: pack_job(job, epoch) for job in snapshot.jobs}
    assert {row[0]: row for row in reader.rows} == expected
    values = [(reader.series[row[0]], row[1], reader.rows[row[3]][0]) for row in reader.points]
    assert values == [
        (point.series, pytest.approx(point.value, rel=1e-8), point.job_id)
        for point in snapshot.points
    ]
    volatile = {"answered_at", "clock_offset", "counts", "sent_at_service", "usage_seconds"}
    for name, value in json.loads(json.dumps(wire.facts)).items():
        if name not in volatile:
            found = reader.facts[name]
            if name.startswith("last_job"):
                found = pytest.approx(found, abs=0.002) if found is not None else None
            assert value == found, name


def lives(snapshot: SessionSnapshot) -> list[SessionSnapshot]:
    """One more job, from its submission to its exact times, as the monitor would tell of it."""
    t = states.NOW
    asked = {"pubs": 1, "precision": 1 / 64, "cell": 12, "line": 104}
    queued = JobRecord("d3kabcdefghijklmn9q0", "estimator", "queued", t + 0.123, **asked)
    running = replace(queued, status="running", started=t + 1.456)
    done = replace(running, status="done", finished=t + 4.789, qpu_seconds=2.345)
    exact = replace(done, started=t + 1.401, finished=t + 4.702, exact=True)
    before = snapshot.jobs
    return [
        replace(snapshot, jobs=(*before, queued), poll_interval=0.2),
        replace(snapshot, jobs=(*before, running), poll_interval=0.2, last_job_started=t + 1.456),
        replace(
            snapshot,
            jobs=(*before, done),
            last_job_started=t + 1.456,
            last_job_completed=t + 4.789,
            poll_interval=3.0,
        ),
        replace(
            snapshot,
            jobs=(*before, exact),
            last_job_started=t + 1.456,
            last_job_completed=t + 4.789,
            poll_interval=3.0,
        ),
    ]


@pytest.mark.parametrize(("jobs", "label"), [(10, ""), (1000, "R=0.75"), (10_000, "")])
def test_one_more_job_costs_at_most_400_bytes(jobs: int, label: str) -> None:
    snapshot = states.many(jobs)
    wire = PanelProtocol(snapshot)
    wire.everything(states.NOW)
    steps = [
        replace(each, jobs=(*each.jobs[:-1], replace(each.jobs[-1], label=label)))
        for each in lives(snapshot)
    ]
    cost = [size(wire.update(each, states.NOW + i)) for i, each in enumerate(steps)]
    assert sum(cost) <= 400, cost


@pytest.mark.parametrize("jobs", [10, 1000, 10_000])
def test_one_more_value_costs_at_most_100_bytes(jobs: int) -> None:
    snapshot = states.many(jobs)
    wire = PanelProtocol(snapshot)
    wire.everything(states.NOW)
    wire.update(replace(snapshot, queue_length=1), states.NOW)
    value = SeriesPoint(
        READ_SERIES, -1.137216796875, states.NOW, 0.012161234567, job_id=snapshot.jobs[-2].id
    )
    message = wire.update(
        replace(snapshot, queue_length=1, points=(*snapshot.points, value)), states.NOW + 1
    )
    assert message is not None
    assert message.keys() == {"type", "points"}
    assert size(message) <= 100, message


def test_the_outcomes_of_a_wide_sampler_cost_at_most_80_bytes() -> None:
    snapshot = states.many(100)
    wire = PanelProtocol(snapshot)
    wire.everything(states.NOW)
    top = tuple((f"{n:0100b}", 4096 - n) for n in range(3))
    *before, last = snapshot.jobs
    message = wire.update(replace(snapshot, jobs=(*before, replace(last, top_counts=top))), 1.0)
    assert message is not None
    assert message["jobs"][0][2].startswith("000000..0000 4096,")
    assert size(message["jobs"]) <= 80, message


HOW = "Simulated by stabilizer simulation, gate noise twirled to Pauli channels."


@pytest.mark.parametrize(
    ("how", "method", "words"),
    [({"method": "exact"}, None, None), ({"method": "stabilizer"}, "stabilizer", HOW)],
    ids=["exact", "approximated"],
)
def test_the_method_is_sent_where_it_is_not_exact(
    how: dict[str, Any], method: str | None, words: str | None
) -> None:
    snapshot = states.many(10)
    wire = PanelProtocol(snapshot)
    wire.everything(states.NOW)
    steps = lives(snapshot)
    for at in (2, 3):
        job = replace(steps[at].jobs[-1], approximation=words, **how)
        steps[at] = replace(steps[at], jobs=(*snapshot.jobs, job))
    cost = [size(wire.update(each, states.NOW + i)) for i, each in enumerate(steps)]
    row = wire.since(0, states.NOW)["jobs"][-1]
    assert row[FLAGS] == (5 if method is None else 1)
    assert row[16:] == ([] if method is None else [method, words])
    assert sum(cost) <= (400 if method is None else 520), cost


def test_cost_of_a_job_does_not_depend_on_how_many_there_are() -> None:
    totals = []
    for jobs in (1000, 9000):
        snapshot = states.many(jobs)
        wire = PanelProtocol(snapshot)
        wire.everything(states.NOW)
        totals.append([size(wire.update(each, states.NOW)) for each in lives(snapshot)])
    # the same digits, but for the epoch that the times count from
    assert all(abs(a - b) <= 12 for a, b in zip(*totals, strict=True)), totals


def test_rows_are_short() -> None:
    snapshot = states.many(2000)
    message = PanelProtocol(snapshot).everything(states.NOW)
    assert max(size(row) for row in message["jobs"]) <= 130
    assert size(message["points"]) <= 50 * len(snapshot.jobs)
    assert size(message["jobs"]) <= 90 * len(snapshot.jobs)


def test_nothing_is_sent_while_nothing_changes() -> None:
    snapshot = states.active()
    wire = PanelProtocol(snapshot)
    wire.everything(states.NOW)
    assert wire.update(snapshot, states.NOW + 100) is None
    later = replace(snapshot, answered_at=states.NOW + 100, clock_offset=0.2, usage_seconds=12.0)
    assert wire.update(later, states.NOW + 100) is None


def test_a_page_that_reloads_reads_the_newest_facts() -> None:
    snapshot = states.active()
    wire = PanelProtocol(snapshot)
    wire.update(replace(snapshot, answered_at=states.NOW + 7, clock_offset=3.0), states.NOW + 7)
    assert wire.facts["answered_at"] == states.NOW + 7
    assert wire.facts["clock_offset"] == 3.0


def test_problem_comes_with_the_time_of_the_last_answer() -> None:
    snapshot = states.idle()
    wire = PanelProtocol(snapshot)
    wire.everything(states.NOW)
    message = wire.update(
        replace(snapshot, problem="No answer.", problem_since=states.NOW), states.NOW
    )
    assert message is not None
    assert message["facts"]["answered_at"] == snapshot.answered_at
    assert message["at"] == states.NOW


def test_final_usage_is_sent_with_its_figure() -> None:
    snapshot = states.closed()
    wire = PanelProtocol(replace(snapshot, usage_final=False, usage_seconds=3.0))
    message = wire.update(snapshot, states.NOW)
    assert message is not None
    assert message["facts"]["usage_final"] is True
    assert message["facts"]["usage_seconds"] == pytest.approx(snapshot.usage_seconds, abs=1e-3)


def test_the_time_is_told_again_now_and_then() -> None:
    snapshot = states.idle()
    wire = PanelProtocol(snapshot)
    wire.everything(states.NOW)
    soon = wire.update(replace(snapshot, queue_length=1), states.NOW + 1)
    late = wire.update(replace(snapshot, queue_length=2), states.NOW + 60)
    assert soon is not None
    assert late is not None
    assert "at" not in soon
    assert late["at"] == states.NOW + 60


def test_a_growing_list_sends_its_new_end() -> None:
    snapshot = states.active()
    wire = PanelProtocol(snapshot)
    wire.everything(states.NOW)
    grown = replace(snapshot, others=(*snapshot.others, (states.NOW, None, None)))
    message = wire.update(grown, states.NOW + 1)
    assert message is not None
    assert message["lists"] == {"others": [4, [[states.NOW, None, None]]]}
    assert "facts" not in message


@given(st.integers(min_value=0, max_value=2000))
def test_other_users_are_bounded_and_keep_their_place(count: int) -> None:
    others = [[float(i), None, None] for i in range(count)]
    kept = bounded_others(others)
    assert len(kept) <= MAX_OTHERS
    assert kept == others[len(others) - len(kept) :]
    assert len(kept) >= min(count, MAX_OTHERS - MAX_OTHERS // 3)


def test_a_page_that_missed_something_gets_just_that() -> None:
    snapshot = states.many(500)
    wire = PanelProtocol(snapshot)
    reader = Reader(wire.facts)
    reader.take(wire.everything(states.NOW))
    steps = lives(snapshot)
    reader.take(wire.update(steps[0], states.NOW))
    for missed in steps[1:]:
        wire.update(missed, states.NOW)
    message = wire.since(reader.revision, states.NOW, len(reader.points))
    assert len(message["jobs"]) == 1
    assert message["points"][2:] == []
    reader.take(message)
    agrees(reader, wire, steps[-1])


def test_a_page_that_knows_too_much_gets_everything() -> None:
    wire = PanelProtocol(states.active())
    for revision in (-1, wire.revision + 1):
        assert wire.since(revision, states.NOW)["reset"] is True
    assert wire.since(wire.revision, states.NOW)["type"] == "facts"


STATUSES: tuple[JobStatus, ...] = ("queued", "running", "done", "cancelled", "failed")


@settings(max_examples=60, deadline=None)
@given(st.integers(min_value=0, max_value=10**6), st.integers(min_value=1, max_value=30))
def test_any_history_arrives(seed: int, steps: int) -> None:
    """Whatever happens, and whatever is missed on the way, the page ends up with the same."""
    rng = random.Random(seed)
    snapshot = states.session([])
    wire = PanelProtocol(snapshot)
    reader = Reader(wire.facts)
    reader.take(wire.everything(states.NOW))
    lost = False
    for step in range(steps):
        jobs = list(snapshot.jobs)
        if jobs and rng.random() < 0.6:
            at = rng.randrange(len(jobs))
            started = states.NOW + rng.random()
            jobs[at] = replace(
                jobs[at],
                status=rng.choice(STATUSES),
                started=started,
                finished=rng.choice((None, started + 1)),
                exact=rng.random() < 0.5,
                qpu_seconds=rng.choice((None, 1.5)),
                error=rng.choice((None, "It failed.")),
            )
        else:
            created = states.NOW - rng.random() * 100
            jobs.append(JobRecord(f"job-{step}", "sampler", "queued", created, stray=step % 5 == 0))
        periods = snapshot.active_periods
        if rng.random() < 0.3:
            periods = (*periods, (states.NOW + step, rng.choice((None, states.NOW + step + 1))))
        points = snapshot.points
        if rng.random() < 0.4:
            name = rng.choice(("energy", "gradient"))
            points += (SeriesPoint(name, float(step), states.NOW, job_id=rng.choice(jobs).id),)
        snapshot = replace(
            snapshot,
            jobs=tuple(jobs),
            points=points,
            active_periods=periods,
            state=rng.choice(("open", "active", "inactive")),
            last_job_started=rng.choice((None, *(job.started for job in jobs))),
            last_job_completed=rng.choice((None, states.NOW, *(job.finished for job in jobs))),
        )
        message = wire.update(snapshot, states.NOW + step)
        if rng.random() < 0.2:
            lost = True
        elif lost and message is not None:
            reader.take(wire.since(reader.revision, states.NOW))
            lost = False
        else:
            reader.take(message)
    reader.take(wire.since(reader.revision, states.NOW))
    agrees(reader, wire, snapshot)
