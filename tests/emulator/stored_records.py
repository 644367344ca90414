"""Records to store: small ones, and strategies that make any."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st

from qsession_widgets.emulator.rules.records import FINAL, EmulatedJob, EmulatedSession

# Also NUL, quotes and halves of surrogate pairs: ids and tags come from outside.
texts = st.text(st.characters(exclude_categories=()), max_size=20)
times = st.floats(allow_nan=False, allow_infinity=False)
some_time = st.none() | times
sessions = st.builds(
    EmulatedSession,
    id=texts,
    backend=texts,
    mode=st.sampled_from(["dedicated", "batch"]),
    instance=texts,
    interactive_ttl=times,
    max_ttl=times,
    created=times,
    state=st.sampled_from(["open", "active", "inactive", "closed"]),
    state_reason=texts,
    accepting_jobs=st.booleans(),
    started_at=some_time,
    activated_at=some_time,
    closed_at=some_time,
    last_job_started=some_time,
    last_job_completed=some_time,
    timestamps=st.lists(st.tuples(texts, times), max_size=4).map(tuple),
    elapsed=times,
    user=texts,
    tags=st.lists(texts, max_size=3).map(tuple),
    load=st.just(False),
)
jobs = st.builds(
    EmulatedJob,
    id=texts,
    program_id=texts,
    backend=texts,
    instance=texts,
    created=times,
    session_id=st.none() | texts,
    status=st.sampled_from(["Queued", "Running", *sorted(FINAL)]),
    reason=st.none() | texts,
    reason_code=st.none() | st.integers(),
    started=some_time,
    finished=some_time,
    max_execution_time=times,
    qpu_seconds=times,
    attempts=st.integers(0, 9),
    load=st.none(),
    user=texts,
    tags=st.lists(texts, max_size=3).map(tuple),
    private=st.booleans(),
    calibration_id=st.none() | texts,
    cost=st.none() | st.integers(),
)


def job(name: str, **fields) -> EmulatedJob:
    return replace(EmulatedJob(name, "sampler", "ibm_fez", "crn", 0.0), **fields)


def session(name: str, **fields) -> EmulatedSession:
    return replace(EmulatedSession(name, "ibm_fez", "dedicated", "crn", 60.0, 600.0, 0.0), **fields)


def done(name: str, at: float, **fields) -> EmulatedJob:
    return job(name, status="Completed", finished=at, **fields)
