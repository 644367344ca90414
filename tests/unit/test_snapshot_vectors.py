"""The hand-worked cases of ``tests/vectors``, which the browser's half is tested with too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from qsession_widgets.formatting import format_money, format_parts
from qsession_widgets.messages.labels import HEADLINES, headline
from qsession_widgets.messages.resume import reused_words
from qsession_widgets.model import Countdown, SessionSnapshot, countdowns, metrics
from qsession_widgets.model.causes import queue_ahead
from qsession_widgets.views.figures import job_figures

FILE = Path(__file__).parents[1] / "vectors" / "countdowns.json"
VECTORS = json.loads(FILE.read_text(encoding="utf-8"))
CASES = VECTORS["cases"]


def read(case: dict[str, Any]) -> SessionSnapshot:
    """The snapshot of a case: the defaults with what the case says laid over them."""
    jobs = [{**VECTORS["default_job"], **job} for job in case["jobs"]]
    return SessionSnapshot.from_json(
        {**VECTORS["default_snapshot"], **case["snapshot"], "jobs": jobs}
    )


def as_list(countdown: Countdown | None) -> list[Any] | None:
    """A countdown as the file writes it."""
    if countdown is None:
        return None
    return [countdown.remaining, countdown.running, countdown.ends_at]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_numbers_are_those_worked_out_by_hand(case: dict[str, Any]) -> None:
    """Each number a case names comes out as it says."""
    snapshot, now = read(case), case["now"]
    used = metrics.usage(snapshot, now)
    taken, ahead = metrics.reused(snapshot), queue_ahead(snapshot, now)
    found = {
        "interactive": as_list(countdowns.interactive_timeout(snapshot, now)),
        "maximum": as_list(countdowns.maximum_time(snapshot, now)),
        "empty": as_list(countdowns.empty_timeout(snapshot, now)),
        "idle_close": as_list(countdowns.idle_timeout(snapshot, now)),
        "usage": [used.total, used.qpu, used.classical, used.idle, used.cost, used.final],
        "causes": [
            format_parts(used.shown, used.total),
            [format_money(dollars) for dollars in (used.cost_by_cause() or {}).values()],
        ],
        "at_most": used.at_most,
        "told": used.told,
        "queue": ahead and [ahead.jobs, ahead.seconds],
        "quota_left": metrics.quota_left(snapshot, now),
        "headline": headline(snapshot),
        "job_costs": [job_figures(job, snapshot)["cost"] for job in snapshot.jobs],
        "pending": len(snapshot.pending()),
        "reused": taken and reused_words(taken.jobs, taken.of, taken.dollars, charged=True),
    }
    for name, expected in case["expect"].items():
        if isinstance(expected, list) and name != "causes":
            assert found[name] == pytest.approx(expected), name
        else:
            assert found[name] == expected, name


@pytest.mark.parametrize("case", [c for c in CASES if "phase" in c], ids=lambda c: c["name"])
def test_a_snapshot_has_the_phase_that_its_case_names(case: dict[str, Any]) -> None:
    assert metrics.phase(read(case)) == case["phase"]


def test_every_phase_has_a_case_and_a_label() -> None:
    codes = set(get_args(metrics.Phase))
    assert {case["phase"] for case in CASES if "phase" in case} == codes
    assert set(HEADLINES) == codes


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_usage_is_the_sum_of_its_parts(case: dict[str, Any]) -> None:
    """Nothing billed is left unexplained, in any case."""
    used = metrics.usage(read(case), case["now"])
    assert used.qpu + used.classical + used.idle == pytest.approx(used.total)
    assert min(used.qpu, used.classical, used.idle) >= 0


def test_names_are_unique() -> None:
    """A case that fails can be found by its name."""
    names = [case["name"] for case in CASES]
    assert len(set(names)) == len(names)


def test_snapshot_survives_json() -> None:
    """What is written is what is read, with strays left out of the counts."""
    for case in CASES:
        snapshot = read(case)
        text = json.dumps(snapshot.to_json())
        assert SessionSnapshot.from_json(json.loads(text)) == snapshot
        own = sum(not job.stray for job in snapshot.jobs)
        assert sum(snapshot.facts()["counts"].values()) == own


def test_idle_time_begins_with_what_the_session_itself_did_last() -> None:
    fields = {**VECTORS["default_snapshot"], "opened_at": None, "answered_at": 1234.0}
    snapshot = SessionSnapshot.from_json({**fields, "jobs": []})
    assert countdowns.idle_since(snapshot) == 1234.0
    jobs = [
        {**VECTORS["default_job"], "finished": 1100.0},
        {**VECTORS["default_job"], "finished": 1200.0, "stray": True},
    ]
    assert countdowns.idle_since(SessionSnapshot.from_json({**fields, "jobs": jobs})) == 1100.0


@pytest.mark.parametrize(
    ("fields", "noun"),
    [
        ({"mode": "dedicated"}, "session"),
        ({"mode": "batch"}, "batch"),
        ({"mode": "job"}, "job mode"),
        ({"mode": "job", "state_reason": "deferred"}, "session"),
        ({"mode": "job", "state_reason": "deferred_batch"}, "batch"),
    ],
)
def test_each_mode_has_its_noun(fields: dict[str, Any], noun: str) -> None:
    given = {**VECTORS["default_snapshot"], **fields, "session_id": "", "jobs": []}
    assert metrics.noun(SessionSnapshot.from_json(given)) == noun


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"started": 1.0, "finished": 4.0, "qpu_seconds": 2.0}, 3.0),
        ({"started": 1.0, "finished": 4.0, "qpu_seconds": 5.0}, 5.0),
        ({"started": 1.0, "finished": 1.5, "qpu_seconds": None}, 0.5),
        ({"started": 1.0, "finished": 4.0, "qpu_seconds": 2.0, "exact": False}, 2.0),
        ({"started": 1.0, "finished": None, "qpu_seconds": 2.0}, 2.0),
        ({"started": None, "finished": 4.0, "qpu_seconds": None}, 0.0),
        ({"started": 1.0, "finished": 4.0, "device_seconds": 0.25}, 0.25),
    ],
)
def test_a_job_ran_as_long_as_is_known_of_it(fields: dict[str, Any], seconds: float) -> None:
    jobs = [{**VECTORS["default_job"], **fields}]
    snapshot = SessionSnapshot.from_json({**VECTORS["default_snapshot"], "jobs": jobs})
    assert metrics._ran(snapshot.jobs[0]) == seconds
