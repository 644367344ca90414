"""Events of a session: differences between two snapshots, as codes and facts.

`KINDS` and `FIELDS` describe the JSON form of events; `SCHEMA` counts up when it changes. The words
for people are made in `qsession_widgets.messages.events`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .forecast import assumed_of, forecast
from .job import JobRecord
from .metrics import usage
from .snapshot import SessionSnapshot
from .timestamps import timestamp

SCHEMA = 1
"""Version of the JSON form."""

KINDS: dict[str, str] = {
    "opened": "it was opened from here",
    "attached": "it was opened elsewhere and is followed from here on",
    "job_submitted": "a job was accepted; it is queued",
    "job_running": "a job began to run; of several quick ones at once that may not be known",
    "job_done": "a job has ended well",
    "job_failed": "a job has failed",
    "job_cancelled": "a job was cancelled",
    "stray": "a job went to its backend but outside of it",
    "method": "a job was simulated otherwise than the one before; the first, not exactly",
    "no_effect": "a job has options without effect in the emulator that none before it had",
    "routed": "of the emulator: a circuit acts on more qubits than it was made of; once at most",
    "activated": "it became active: of a session, time counts as usage from now on",
    "deactivated": "the interactive timeout deactivated it: the next job goes through the queue",
    "closing": "it takes no more jobs; those it has still run",
    "closed": "it is closed",
    "guard_warned": "a guard says what it is about to do",
    "guard_closed": "a guard ended it",
    "guard_failed": "a guard could not end it and will try again",
    "unreachable": "the service does not answer; what is known may be old",
    "reachable": "the service answers again",
}
"""Every kind of event, and what it means."""

JOB_BEGINS = ("job_submitted", "job_running")
JOB_ENDS = ("job_done", "job_failed", "job_cancelled")
PHYSICS = ("method", "no_effect", "routed")

FIELDS: dict[str, str] = {
    "schema": "version of this form",
    "time": "when it happened, by the service's clock, ISO 8601 in UTC",
    "event": "which kind",
    "session": "the session's id",
    "mode": "dedicated or batch",
    "name": "the user's name for it; empty for none",
    "backend": "name of the backend",
    "service": "ibm or local",
    "notebook": "the notebook that opened it; empty when unknown",
    "text": "the same as a sentence for people",
    "job": "of job events: the job's id",
    "program": "of job events: the program it runs",
    "seconds": "of job_done, job_failed, job_cancelled: how long it ran; null if it did not, or if "
    "the service has not told yet",
    "queued": "of the same: how many seconds it had waited before; null where seconds is",
    "error": "of job_failed: why, in the service's words; null when unknown",
    "method": "of method: exact, or the name of the method",
    "approximation": "of method: what of the result is not exact, in words; null when all is exact",
    "options": "of no_effect: names of the options",
    "qubits": "of routed: number of qubits that the circuit acts on",
    "needed": "of routed: number of qubits that it was made of",
    "where": "of stray: the cell and line that sent the job",
    "max_seconds": "of opened and attached: the maximum time",
    "reason": "of closing and closed: the service's word for why",
    "end_reason": "of the same: the policy or request that ended it, as in a snapshot; null when "
    "unknown",
    "end_usage": "of the same: the usage by which a budget ended it; null when it was none",
    "budget_seconds": "of the same: the budget in seconds of usage; null without one",
    "budget_dollars": "of the same: the budget in US dollars; null when it was not given in them",
    "usage_seconds": "of closed and deactivated: usage up to then",
    "cost": "of closed and deactivated: that usage in US dollars; null without a price",
    "charged": "of closed and deactivated: whether that is really charged; false on the emulator",
    "price": "of closed and deactivated: US dollars for a second of usage; null without a price",
    "causes": "of closed and deactivated: the usage by cause, qpu, classical and idle, in seconds",
    "forecast": "of closed: usage of the same work on IBM as a session, a batch and in job mode, "
    "in seconds, each a range of two, as if no session had run there yet; null when no job ended, "
    "and its session null on the Open Plan",
}
"""Every field of the JSON form, and what it holds."""


@dataclass(frozen=True)
class SessionEvent:
    """One event of a session.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    time : float
        When, in seconds since the epoch by the service's clock.
    snapshot : SessionSnapshot
        The session after it.
    data : mapping
        Further fields; see `FIELDS`.
    job : JobRecord or None
        The job, of an event of a job.
    """

    kind: str
    time: float
    snapshot: SessionSnapshot
    data: Mapping[str, Any] = field(default_factory=dict)
    job: JobRecord | None = None

    def to_json(self) -> dict[str, Any]:
        """The event as plain JSON types, without ``text``."""
        snapshot = self.snapshot
        return {
            "schema": SCHEMA,
            "time": timestamp(self.time),
            "event": self.kind,
            "session": snapshot.session_id,
            "mode": snapshot.mode,
            "name": snapshot.name,
            "backend": snapshot.backend,
            "service": snapshot.service.kind,
            "notebook": snapshot.notebook,
            **self.data,
        }


def first(snapshot: SessionSnapshot, now: float, *, opened_here: bool) -> SessionEvent:
    """The event that a session is followed from now on: ``opened`` or ``attached``."""
    data = {"max_seconds": snapshot.max_ttl}
    if not opened_here:
        return SessionEvent("attached", now, snapshot, data)
    at = snapshot.opened_at if snapshot.opened_at is not None else now
    return SessionEvent("opened", at, snapshot, data)


def changes(old: SessionSnapshot, new: SessionSnapshot, now: float) -> list[SessionEvent]:
    """The events between two snapshots of a session, in the order in which they happened.

    Parameters
    ----------
    old, new : SessionSnapshot
        Of one session.
    now : float
        The service's clock, for what has no time of its own.
    """
    known = {job.id: job for job in old.jobs}
    events: list[SessionEvent] = []
    unseen = _ran_unseen(old, new)
    jobs = [
        event
        for job in new.jobs
        for event in _of_job(known.get(job.id), job, new, now, unseen=job.id == unseen)
    ]
    if new.session_id and not old.session_id:
        events.append(first(new, now, opened_here=True))
    # jobs come before what they did to the session, except that it is active while they run
    if new.state == "active" and old.state in ("open", "inactive"):
        events.append(SessionEvent("activated", new.activated_at or new.started_at or now, new))
    events += jobs
    events += _of_simulation(old, new, now)
    if new.state == "inactive" and old.state != "inactive":
        events.append(SessionEvent("deactivated", now, new, _cost(new, now)))
    if not new.accepting_jobs and old.accepting_jobs and new.state != "closed":
        events.append(SessionEvent("closing", now, new, _end(new)))
    if new.state == "closed" and old.state != "closed" and new.session_id:
        data = {**_end(new), **_cost(new, now), "forecast": _forecast(new)}
        at = new.closed_at if new.closed_at is not None else now
        events.append(SessionEvent("closed", at, new, data))
    if (new.problem is None) != (old.problem is None):
        events.append(SessionEvent("reachable" if new.problem is None else "unreachable", now, new))
    # a job's whole life may lie between two polls, and another's in the middle of it
    return sorted(events, key=lambda event: event.time)


_STARTED = ("running", "done", "failed")
_ENDED = {"done": "job_done", "failed": "job_failed", "cancelled": "job_cancelled"}


def _ran_unseen(old: SessionSnapshot, new: SessionSnapshot) -> str | None:
    """The job that began and ended since, if it is known when it began.

    The service tells the latest start of a session's jobs, which is the job's own where no other
    began since.
    """
    waited = {job.id for job in old.jobs if job.status == "queued"}
    seen = {job.id for job in old.jobs} - waited
    began = [job for job in new.jobs if job.id not in seen and job.status in _STARTED]
    if len(began) != 1 or any(job.status == "running" for job in old.jobs):
        return None
    (job,) = began
    own = job.started is not None and job.started == new.last_job_started != old.last_job_started
    return job.id if own and job.status == "done" and not job.stray else None


def _of_job(
    old: JobRecord | None,
    new: JobRecord,
    snapshot: SessionSnapshot,
    now: float,
    *,
    unseen: bool = False,
) -> Iterator[SessionEvent]:
    # the patch of the client's submit function reports a stray, with its place in the code
    if old is not None and old.status == new.status:
        return
    data: dict[str, Any] = {"job": new.id, "program": new.program}
    if old is None and not new.stray:
        yield SessionEvent("job_submitted", new.created, snapshot, data, new)
    if new.status == "running" or unseen:
        yield SessionEvent("job_running", new.started or now, snapshot, data, new)
    if new.status in _ENDED:
        ran = queued = None
        # until the service has told when, the times are those of the polls in between
        if new.exact and new.started is not None and new.finished is not None:
            ran = round(max(0.0, new.finished - new.started), 3)
            queued = round(max(0.0, new.started - new.created), 3)
        data = {**data, "seconds": ran, "queued": queued}
        if new.status == "failed":
            data["error"] = new.error
        yield SessionEvent(_ENDED[new.status], new.finished or now, snapshot, data, new)


def _of_simulation(
    old: SessionSnapshot, new: SessionSnapshot, now: float
) -> Iterator[SessionEvent]:
    """Changes of the method, and options without effect that are new."""
    before = {job.id: job for job in old.jobs if job.final}
    ended = [job for job in new.jobs if job.final and not job.stray and job.id not in before]
    if not any(job.method or job.no_effect for job in ended):
        return
    last = max(
        (job for job in before.values() if job.method and not job.stray),
        key=lambda job: job.finished or 0.0,
        default=None,
    )
    method = last.method if last else "exact"
    named = {name for job in before.values() for name in job.no_effect}
    for job in sorted(ended, key=lambda job: job.finished or 0.0):
        at = job.finished or now
        if job.method and job.method != method:
            method = job.method
            data = {"job": job.id, "method": method, "approximation": job.approximation}
            yield SessionEvent("method", at, new, data)
        if fresh := [name for name in job.no_effect if name not in named]:
            named.update(fresh)
            yield SessionEvent("no_effect", at, new, {"job": job.id, "options": fresh})


def _forecast(snapshot: SessionSnapshot) -> Mapping[str, list[float] | None] | None:
    price = snapshot.service.price_per_second
    found = forecast(snapshot, assumed_of(snapshot, price=price))
    if found is None:
        return None
    ways = {"session": found.session, "batch": found.batch, "job": found.job}
    usages = {name: [round(bound, 3) for bound in one.usage] for name, one in ways.items()}
    return usages | ({"session": None} if snapshot.service.plan == "open" else {})


def _end(snapshot: SessionSnapshot) -> dict[str, Any]:
    kept = ("end_reason", "end_usage", "budget_seconds", "budget_dollars")
    return {"reason": snapshot.state_reason, **{name: getattr(snapshot, name) for name in kept}}


def _cost(snapshot: SessionSnapshot, now: float) -> dict[str, Any]:
    spent = usage(snapshot, now)
    return {
        "usage_seconds": round(spent.total, 3) if spent.known else None,
        "cost": None if spent.cost is None else round(spent.cost, 2),
        "charged": snapshot.service.charged,
        "price": snapshot.service.price_per_second,
        "causes": spent.by_cause(),
    }
