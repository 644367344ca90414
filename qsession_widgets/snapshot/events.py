"""What happens to a session, as events: one line of text each, or one JSON object a line.

An event is the difference of two snapshots, or something only this kernel knows, such as what a
guard did. `KINDS` and `FIELDS` describe the JSON form; `SCHEMA` counts up when it changes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ..durations import money, words
from .known import JobRecord, SessionSnapshot
from .numbers import usage

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
    "error": "of job_failed: why, in the service's words; null when unknown",
    "where": "of stray: the cell and line that sent the job",
    "max_seconds": "of opened and attached: the maximum time",
    "reason": "of closing and closed: the service's word for why",
    "usage_seconds": "of closed and deactivated: usage up to then",
    "cost": "of closed and deactivated: that usage in US dollars; null without a price",
    "charged": "of closed and deactivated: whether that is really charged; false on the emulator",
}
"""Every field of the JSON form, and what it holds."""


@dataclass(frozen=True)
class Event:
    """Something that happened to a session.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    time : float
        When, seconds since the epoch by the service's clock.
    text : str
        What happened, as a sentence for people.
    snapshot : SessionSnapshot
        The session.
    data : mapping
        Further fields; see `FIELDS`.
    """

    kind: str
    time: float
    text: str
    snapshot: SessionSnapshot
    data: Mapping[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """One line of text: time of day, which session, what happened."""
        at = datetime.fromtimestamp(self.time).strftime("%H:%M:%S")
        snapshot = self.snapshot
        word = "batch" if snapshot.mode == "batch" else "session"
        name = f" {snapshot.name!r}" if snapshot.name else ""
        return f"[{at}] {word}{name} on {snapshot.backend}: {self.text}"

    def to_json(self) -> dict[str, Any]:
        """The event as plain JSON types."""
        snapshot = self.snapshot
        at = datetime.fromtimestamp(self.time, timezone.utc)
        return {
            "schema": SCHEMA,
            "time": at.isoformat(timespec="milliseconds"),
            "event": self.kind,
            "session": snapshot.session_id,
            "mode": snapshot.mode,
            "name": snapshot.name,
            "backend": snapshot.backend,
            "service": snapshot.service.kind,
            "notebook": snapshot.notebook,
            "text": self.text,
            **self.data,
        }

    def json_line(self) -> str:
        """`to_json` as a line, with its end."""
        return json.dumps(self.to_json()) + "\n"


def first(snapshot: SessionSnapshot, now: float, *, opened_here: bool) -> Event:
    """That a session is followed from now on."""
    limit = snapshot.max_ttl
    most = "" if limit is None else f"; maximum time {words(limit)}"
    if opened_here:
        at = snapshot.opened_at if snapshot.opened_at is not None else now
        kind, text = "opened", f"opened, {snapshot.session_id}{most}"
    else:
        at, kind, text = now, "attached", f"attached, {snapshot.session_id}{most}"
    return Event(kind, at, text, snapshot, {"max_seconds": limit})


def changes(old: SessionSnapshot, new: SessionSnapshot, now: float) -> list[Event]:
    """What happened between two snapshots of a session, in the order in which it is told.

    Parameters
    ----------
    old, new : SessionSnapshot
        Of one session.
    now : float
        The service's clock, for what has no time of its own.
    """
    known = {job.id: job for job in old.jobs}
    events: list[Event] = []
    unseen = _ran_unseen(old, new)
    jobs = [
        event
        for job in new.jobs
        for event in _of_job(known.get(job.id), job, new, now, unseen=job.id == unseen)
    ]
    # what jobs did comes before what it did to the session, except that it is active while they run
    if new.state == "active" and old.state in ("open", "inactive"):
        at = new.activated_at or new.started_at or now
        counts = "its jobs run" if new.mode == "batch" else "time counts as usage from now on"
        events.append(Event("activated", at, f"active: {counts}", new))
    events += jobs
    if new.state == "inactive" and old.state != "inactive":
        text = "deactivated by the interactive timeout: the next job goes through the normal queue"
        events.append(Event("deactivated", now, f"{text}{_spent(new, now)}", new, _cost(new, now)))
    if not new.accepting_jobs and old.accepting_jobs and new.state != "closed":
        left = len(new.pending())
        text = "takes no more jobs" + (f"; {left} still to finish" if left else "")
        events.append(Event("closing", now, text, new, {"reason": new.state_reason}))
    if new.state == "closed" and old.state != "closed":
        data = {"reason": new.state_reason, **_cost(new, now)}
        at = new.closed_at if new.closed_at is not None else now
        events.append(Event("closed", at, f"closed{_why(new)}{_spent(new, now)}", new, data))
    if (new.problem is None) != (old.problem is None):
        if new.problem is None:
            events.append(Event("reachable", now, "the service answers again", new))
        else:
            events.append(Event("unreachable", now, _lower_first(new.problem), new))
    return events


ENDS: dict[str, str] = {
    "session_closed_early": "it was closed",
    "session_cancelled": "it was cancelled",
    "session_max_ttl_reached": "its maximum time is over",
    "session_never_used": "no job came for 30 minutes after it was opened",
}
"""How a session ended, by the service's ``state_reason``, as a clause."""


def _why(snapshot: SessionSnapshot) -> str:
    reason = snapshot.state_reason or ""
    if reason in ("", "session_closed_early") or reason not in ENDS:
        return ""
    return f" because {ENDS[reason]}"


_STARTED = ("running", "done", "failed")
_ENDED = {
    "done": ("job_done", "is done"),
    "failed": ("job_failed", "failed"),
    "cancelled": ("job_cancelled", "was cancelled"),
}


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
) -> Iterator[Event]:
    # that a stray was sent is told by whoever saw it being sent, with its place in the code
    if old is not None and old.status == new.status:
        return
    what = f"job {new.id} ({_program(new)})"
    data: dict[str, Any] = {"job": new.id, "program": new.program}
    if old is None and not new.stray:
        yield Event("job_submitted", new.created, f"{what} is queued", snapshot, data)
    if new.status == "running" or unseen:
        yield Event("job_running", new.started or now, f"{what} runs", snapshot, dict(data))
    if new.status in _ENDED:
        kind, words_for_it = _ENDED[new.status]
        ran = None
        # until the service has told when, the times are those of the polls in between
        if new.exact and new.started is not None and new.finished is not None:
            ran = max(0.0, new.finished - new.started)
        data["seconds"] = None if ran is None else round(ran, 3)
        text = f"{what} {words_for_it}"
        if new.status == "done" and ran is not None:
            text += f", it ran {words(ran)}"
        if new.status == "failed":
            data["error"] = new.error
            text += f": {new.error}" if new.error else ""
        yield Event(kind, new.finished or now, text, snapshot, data)


def _program(job: JobRecord) -> str:
    pubs = "" if job.pubs is None else f", {job.pubs} PUB{'' if job.pubs == 1 else 's'}"
    return f"{job.program}{pubs}{', outside of it' if job.stray else ''}"


def _cost(snapshot: SessionSnapshot, now: float) -> dict[str, Any]:
    spent = usage(snapshot, now)
    return {
        "usage_seconds": round(spent.total, 3),
        "cost": None if spent.cost is None else round(spent.cost, 2),
        "charged": snapshot.service.charged,
    }


def _spent(snapshot: SessionSnapshot, now: float) -> str:
    spent = usage(snapshot, now)
    text = f"; usage {words(spent.total)}"
    if spent.cost is not None:
        text += f" ≈ {money(spent.cost)}"
        text += "" if snapshot.service.charged else " for the same seconds on IBM"
    return text


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
