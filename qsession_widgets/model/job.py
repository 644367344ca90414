"""One job of a session at one moment, and the values that were read from jobs.

All times are seconds since the epoch on the *service's* clock; all durations are seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

READ_SERIES = "expectation value"
"""Name of the series of values that were read from estimator results."""

JobStatus = Literal["queued", "running", "done", "cancelled", "failed"]
FINAL_STATUSES: frozenset[str] = frozenset({"done", "cancelled", "failed"})


@dataclass(frozen=True)
class JobRecord:
    """One job of a session.

    Attributes
    ----------
    id : str
        The service's id of the job.
    program : str
        The primitive or program it runs: ``sampler``, ``estimator``, ``executor``.
    status : str
        ``queued``, ``running``, ``done``, ``cancelled`` or ``failed``.
    created, started, finished : float or None
        When it was accepted, began to run and ended (service clock, seconds since the epoch); None
        while unknown.
    exact : bool
        True when ``started`` and ``finished`` are the service's own figures, False while they are
        what polling saw.
    qpu_seconds : float or None
        QPU time charged for it, None until the service says.
    device_seconds : float or None
        On the emulator, how long it would take on the device: an estimate. None on a device, and
        until it is over.
    pubs : int or None
        How many PUBs it holds; None when it was not submitted from this kernel, which has not read
        its result either.
    shots : int or None
        Shots of each of its PUBs; None when unknown, when they differ, and for an estimator that
        has a precision instead.
    precision : float or None
        Standard error that an estimator is asked for; None when unknown, when its PUBs differ, and
        for other primitives.
    executions : int or None
        Shots times circuits that it asks for, by which IBM estimates its time; None when it was not
        submitted from this kernel, or by a program that does not say.
    error : str or None
        Why it failed, in words.
    error_code : int or None
        The service's code for that.
    stray : bool
        True when it went to the session's backend but outside the session.
    reused : bool
        True when an earlier run had paid for it, and a call that asked for the same got it.
    cell : int or None
        Number of the notebook's cell that has sent it, None when unknown.
    line : int or None
        The line of that cell, counted from 1; None when unknown.
    label : str
        The user's label for it, by which jobs are grouped; empty without one.
    top_counts : tuple of (str, int)
        Of a sampler's result that the user's code has read: the most frequent outcomes of its first
        PUB, and their counts.
    method : str or None
        How the emulator simulated it: ``exact``, or the method behind a result that is not; None
        when unknown, as always on IBM.
    approximation : str or None
        What of its result is not exact, in the emulator's words.
    no_effect : tuple of str
        Names of its options that have no effect in the emulator.
    """

    id: str
    program: str
    status: JobStatus
    created: float
    started: float | None = None
    finished: float | None = None
    exact: bool = False
    qpu_seconds: float | None = None
    device_seconds: float | None = None
    pubs: int | None = None
    shots: int | None = None
    precision: float | None = None
    executions: int | None = None
    error: str | None = None
    error_code: int | None = None
    stray: bool = False
    reused: bool = False
    cell: int | None = None
    line: int | None = None
    label: str = ""
    top_counts: tuple[tuple[str, int], ...] = ()
    method: str | None = None
    approximation: str | None = None
    no_effect: tuple[str, ...] = ()

    @property
    def final(self) -> bool:
        """True if nothing more happens to this job."""
        return self.status in FINAL_STATUSES

    @property
    def charged_seconds(self) -> float | None:
        """QPU time as IBM charges it: what the service said, on the emulator the estimate."""
        return self.qpu_seconds if self.device_seconds is None else self.device_seconds


@dataclass(frozen=True)
class SeriesPoint:
    """One value of a series, such as the energy that an algorithm minimises.

    Attributes
    ----------
    series : str
        Name of the series.
    value : float
        The value, in the user's own unit.
    time : float
        When it was read or logged (service clock, seconds since the epoch).
    error : float or None
        Standard error of the value; None when unknown.
    step : float or None
        The user's number for the step; None without one.
    job_id : str or None
        The job it was read from, or the latest job when it was logged; None before the first.
    """

    series: str
    value: float
    time: float
    error: float | None = None
    step: float | None = None
    job_id: str | None = None


def read_job(job: Mapping[str, Any]) -> JobRecord:
    """A job from its JSON form, of which nothing else is read."""
    known = {name: job[name] for name in JobRecord.__dataclass_fields__ if name in job}
    known["top_counts"] = tuple((bits, count) for bits, count in job.get("top_counts", ()))
    known["no_effect"] = tuple(job.get("no_effect", ()))
    return JobRecord(**known)


def count_jobs(jobs: Iterable[JobRecord]) -> dict[str, int]:
    """The number of jobs by status; statuses without a job have 0."""
    counts = dict.fromkeys(("queued", "running", "done", "cancelled", "failed"), 0)
    for job in jobs:
        counts[job.status] += 1
    return counts
