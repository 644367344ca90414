from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise

import pytest
from panel.states import session

from qsession_widgets.errors import UserError
from qsession_widgets.messages.events import line, sentence
from qsession_widgets.model import JobRecord, ServiceInfo, SessionSnapshot
from qsession_widgets.model.events import FIELDS, KINDS, PHYSICS, SessionEvent, changes, first
from qsession_widgets.monitoring.event_log import events_file

LOCAL = ServiceInfo("local", "local emulator", "premium", 1.60, charged=False)
OPEN = session(
    [], service=LOCAL, backend="aer", state="open", answered_at=1000.0, opened_at=1000.0, name="vqe"
)
ACTIVE = replace(OPEN, state="active", started_at=1001.0, active_periods=((1001.0, None),))
QUEUED = JobRecord("j", "sampler", "queued", 1000.5, pubs=2)
DONE = replace(QUEUED, status="done", started=1001.0, finished=1003.5)


def _kinds(*steps: SessionSnapshot) -> list[str]:
    return [event.kind for old, new in pairwise(steps) for event in changes(old, new, 1010.0)]


def test_a_job_goes_its_way() -> None:
    running = replace(QUEUED, status="running", started=1001.0)
    steps = (
        OPEN,
        replace(OPEN, jobs=(QUEUED,)),
        replace(ACTIVE, jobs=(running,)),
        replace(ACTIVE, jobs=(DONE,)),
    )
    assert _kinds(*steps) == ["job_submitted", "activated", "job_running", "job_done"]
    (early,) = changes(steps[2], steps[3], 1010.0)
    assert sentence(early) == "job j (sampler, 2 PUBs) is done", "its times are only the polls'"
    assert early.to_json()["seconds"] is None
    (done,) = changes(steps[2], replace(ACTIVE, jobs=(replace(DONE, exact=True),)), 1010.0)
    assert sentence(done) == "job j (sampler, 2 PUBs) is done, it ran 2.5 s"
    assert done.job is not None
    emulated = replace(done, job=replace(done.job, device_seconds=3.4))
    assert sentence(emulated) == "job j (sampler, 2 PUBs) is done, simulated in 2.5 s"
    assert done.time == 1003.5
    assert done.to_json()["seconds"] == 2.5
    assert done.to_json()["queued"] == 0.5


def test_a_change_of_the_method_is_told_and_an_option_without_effect_once() -> None:
    how = "Simulated by stabilizer simulation, gate noise twirled to Pauli channels."
    exact = replace(DONE, method="exact", no_effect=("a",))
    wide = replace(DONE, id="k", finished=1005.0, method="stabilizer", approximation=how)
    steps: list[SessionSnapshot] = [ACTIVE]
    for job in (
        exact,
        replace(wide, no_effect=("a", "b")),
        replace(wide, id="l", finished=1006.0, no_effect=("b",)),
        replace(exact, id="m", finished=1007.0),
        replace(wide, id="n", finished=1008.0, stray=True),
    ):
        steps.append(replace(ACTIVE, jobs=(*steps[-1].jobs, job)))
    told = [
        sentence(event)
        for old, new in pairwise(steps)
        for event in changes(old, new, 1010.0)
        if event.kind in PHYSICS
    ]
    each = [
        "options of job j without effect in the emulator: a",
        f"job k is not exact. {how[:-1]}",
        "options of job k without effect in the emulator: b",
        "job m is simulated exactly again",
    ]
    assert told == each
    # the same when one poll saw all of it
    events = [event for event in changes(ACTIVE, steps[-1], 1010.0) if event.kind in PHYSICS]
    assert [sentence(event) for event in events] == each
    assert set(events[1].to_json()) <= set(FIELDS)


def test_what_no_poll_saw_is_not_made_up() -> None:
    assert _kinds(OPEN, replace(ACTIVE, jobs=(DONE,))) == ["job_submitted", "activated", "job_done"]
    # of two jobs between two polls, in the order in which it happened
    later = replace(DONE, id="k", created=1002.0, started=1002.5, finished=1003.0)
    told = [
        (one.kind, one.data["job"])
        for one in changes(ACTIVE, replace(ACTIVE, jobs=(DONE, later)), 1010.0)
    ]
    assert told == [
        ("job_submitted", "j"),
        ("job_submitted", "k"),
        ("job_done", "k"),
        ("job_done", "j"),
    ]
    assert _kinds(ACTIVE, replace(ACTIVE, answered_at=1009.0)) == []


def test_a_quick_job_that_was_not_seen_running_is_told_with_its_own_time() -> None:
    over = replace(ACTIVE, last_job_started=1001.0, last_job_completed=1003.5)
    events = changes(replace(OPEN, jobs=(QUEUED,)), replace(over, jobs=(DONE,)), 1010.0)
    assert [event.kind for event in events] == ["activated", "job_running", "job_done"]
    assert [event.time for event in events] == [1001.0, 1001.0, 1003.5]
    assert "seconds" not in events[1].data
    # of two, the service tells the start of the later one only
    other = replace(DONE, id="k", started=1001.0)
    assert _kinds(OPEN, replace(over, jobs=(DONE, other))).count("job_running") == 0
    # nor does it where one that ran may have been the later one, or none began anew
    earlier = replace(QUEUED, id="k", status="running", started=1000.9)
    ended = replace(earlier, status="done", finished=1000.95)
    assert "job_running" not in _kinds(
        replace(ACTIVE, jobs=(QUEUED, earlier)), replace(over, jobs=(DONE, ended))
    )
    assert "job_running" not in _kinds(over, replace(over, jobs=(DONE,)))
    # it was told already
    running = replace(QUEUED, status="running", started=1001.0)
    assert _kinds(replace(over, jobs=(running,)), replace(over, jobs=(DONE,))) == ["job_done"]


def test_a_failed_job_says_why() -> None:
    failed = replace(DONE, status="failed", error="The session is closed.")
    (_, event) = changes(ACTIVE, replace(ACTIVE, jobs=(failed,)), 1010.0)
    assert sentence(event) == "job j (sampler, 2 PUBs) failed: The session is closed."
    assert event.to_json()["error"] == "The session is closed."


def test_the_ways_a_session_goes() -> None:
    asleep = replace(ACTIVE, state="inactive", active_periods=((1001.0, 1061.0),))
    (event,) = changes(ACTIVE, asleep, 1070.0)
    assert event.kind == "deactivated"
    assert "the next job goes through the normal queue; usage 1 m 0 s ≈ $96.00" in sentence(event)
    causes = {"qpu": 0, "classical": 0, "idle": 60.0}
    spent = {"usage_seconds": 60.0, "cost": 96.0, "price": 1.6, "causes": causes}
    assert event.data == {**spent, "charged": False}
    closing = replace(ACTIVE, accepting_jobs=False, jobs=(QUEUED,))
    (event,) = changes(replace(ACTIVE, jobs=(QUEUED,)), closing, 1010.0)
    assert (event.kind, sentence(event)) == ("closing", "takes no more jobs; 1 still to finish")
    reason = "session_max_ttl_reached"
    over = replace(asleep, state="closed", accepting_jobs=False, state_reason=reason)
    (event,) = changes(asleep, over, 1070.0)
    assert sentence(event).startswith("closed because its maximum time is over; usage 1 m 0 s")
    spent = replace(over, end_reason="budget", end_usage=60.1, budget_seconds=60.0)
    (event,) = changes(asleep, spent, 1070.0)
    kept = {name: event.to_json()[name] for name in ("end_reason", "end_usage", "budget_seconds")}
    assert kept == {"end_reason": "budget", "end_usage": 60.1, "budget_seconds": 60.0}
    lost = replace(ACTIVE, problem="The service cannot be reached.")
    assert _kinds(ACTIVE, lost, ACTIVE) == ["unreachable", "reachable"]


def test_a_stray_is_told_of_by_whoever_saw_it_sent() -> None:
    stray = replace(QUEUED, stray=True)
    assert _kinds(ACTIVE, replace(ACTIVE, jobs=(stray,))) == []
    (event,) = changes(
        replace(ACTIVE, jobs=(stray,)), replace(ACTIVE, jobs=(replace(DONE, stray=True),)), 1010.0
    )
    assert "outside of it" in sentence(event)


def test_every_field_and_kind_is_described() -> None:
    failed = replace(DONE, id="k", status="failed", error="x")
    closed = replace(ACTIVE, state="closed", accepting_jobs=False, jobs=(DONE, failed))
    events = [first(OPEN, 1000.0, opened_here=True), *changes(OPEN, closed, 1010.0)]
    events.append(SessionEvent("stray", 1.0, OPEN, {"job": "j", "where": "Cell [1], line 1"}))
    seen = set()
    for event in events:
        assert event.kind in KINDS
        seen |= set(event.to_json())
        assert json.loads(json.dumps(event.to_json())) == event.to_json()
        written = line(event, "" if event.kind != "stray" else "a job runs elsewhere")
        assert re.match(r"\[\d\d:\d\d:\d\d UTC\S*\] \S.*$", written), written
    # the text is made where an event is written
    assert {*seen, "text"} <= set(FIELDS)


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: object) -> None:
    with pytest.raises(UserError, match=r"--events .* cannot be written"):
        events_file(f"{tmp_path}/nowhere/events.jsonl")
