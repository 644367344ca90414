"""Events of a session as sentences and lines of text."""

from __future__ import annotations

from ..formatting import format_duration, format_money
from ..local_time import local_time, zone_name
from ..model import JobRecord, SessionSnapshot, noun
from ..model.events import SessionEvent
from .end_reasons import ended_from
from .labels import program_word, ran_words

ENDS: dict[str, str] = {
    "session_closed_early": "it was closed",
    "session_cancelled": "it was cancelled",
    "session_max_ttl_reached": "its maximum time is over",
    "session_never_used": "no job came for 30 minutes after it was opened",
}
"""Clause that says how a session ended, by the service's ``state_reason``."""

_SESSION = {
    "opened": "opened, {id}{most}",
    "attached": "attached, {id}{most}",
    "deactivated": "deactivated by the interactive timeout: the next job goes through the normal "
    "queue{spent}",
    "closing": "takes no more jobs{by}{left}",
    "closed": "closed{by}{why}{spent}",
    "reachable": "the service answers again",
    "unreachable": "{problem}",
}

_JOB = {
    "job_submitted": "{job} is queued",
    "job_running": "{job} runs",
    "job_done": "{job} is done{ran}",
    "job_failed": "{job} failed{error}",
    "job_cancelled": "{job} was cancelled",
}


def ended_sentence(snapshot: SessionSnapshot, why: str = "") -> str:
    """The reason why a session takes no more jobs, and the remedy.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session.
    why : str
        Why this kernel has closed it, as a clause; empty where it has not.
    """
    how = ENDS.get(snapshot.state_reason or "", "it ended")
    how = f"{how} {ended_from(snapshot)}".rstrip()
    because = f" because {why}" if why else ""
    word = noun(snapshot)
    return f"This {word} takes no more jobs: {how}{because}. Open a new one with %%{word}."


def sentence(event: SessionEvent) -> str:
    """The event as a sentence, without the session's name.

    Parameters
    ----------
    event : SessionEvent
        One that `first` or `changes` of `qsession_widgets.model.events` made.
    """
    if event.job is not None:
        return _JOB[event.kind].format(
            job=_job(event.job), ran=_ran(event), error=_error(event.data.get("error"))
        )
    snapshot = event.snapshot
    if event.kind == "activated":
        batch = snapshot.mode == "batch"
        return f"active: {'its jobs run' if batch else 'time counts as usage from now on'}"
    if event.kind == "method":
        how = event.data["approximation"]
        how = "simulated exactly again" if how is None else f"not exact. {how.rstrip('.')}"
        return f"job {event.data['job']} is {how}"
    if event.kind == "no_effect":
        options = ", ".join(event.data["options"])
        return f"options of job {event.data['job']} without effect in the emulator: {options}"
    left = len(snapshot.pending())
    return _SESSION[event.kind].format(
        id=snapshot.session_id,
        most=_most(event.data.get("max_seconds")),
        left=f"; {left} still to finish" if left else "",
        by=f" ({by})" if (by := ended_from(snapshot)) else "",
        why=_why(snapshot.state_reason or ""),
        spent=_spent(event) if "usage_seconds" in event.data else "",
        problem=_lower_first(snapshot.problem or ""),
    )


def line(event: SessionEvent, text: str = "") -> str:
    """One line of text: time of day with its zone, session, and the sentence.

    Parameters
    ----------
    event : SessionEvent
        The event.
    text : str
        The sentence, where it is not made from the event.
    """
    at = f"{local_time(event.time):%H:%M:%S} {zone_name(event.time)}"
    snapshot = event.snapshot
    word = "batch" if snapshot.mode == "batch" else "session"
    name = f" {snapshot.name!r}" if snapshot.name else ""
    return f"[{at}] {word}{name} on {snapshot.backend}: {text or sentence(event)}"


def _job(job: JobRecord) -> str:
    pubs = "" if job.pubs is None else f", {job.pubs} PUB{'' if job.pubs == 1 else 's'}"
    how = ", reused" if job.reused else ", outside of it" if job.stray else ""
    return f"job {job.id} ({program_word(job.program)}{pubs}{how})"


def _ran(event: SessionEvent) -> str:
    seconds = event.data.get("seconds")
    if seconds is None or event.job is None:
        return ""
    words = ran_words(event.job, seconds)
    return f", it {words}" if words.startswith("ran") else f", {words}"


def _error(error: str | None) -> str:
    return f": {error}" if error else ""


def _most(seconds: float | None) -> str:
    return "" if seconds is None else f"; maximum time {format_duration(seconds)}"


def _why(reason: str) -> str:
    if reason in ("", "session_closed_early") or reason not in ENDS:
        return ""
    return f" because {ENDS[reason]}"


def _spent(event: SessionEvent) -> str:
    text = f"; usage {format_duration(event.data['usage_seconds'])}"
    cost = event.data["cost"]
    if cost is not None:
        text += f" ≈ {format_money(cost)}"
        text += "" if event.data["charged"] else " for the same work on IBM"
    return text


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def jobs_read_only(snapshot: SessionSnapshot) -> str:
    """A sentence about jobs of job mode that an earlier kernel has sent."""
    count = len(snapshot.jobs)
    jobs = (
        "1 job that an earlier kernel has sent is"
        if count == 1
        else (f"{count} jobs that an earlier kernel has sent are")
    )
    return (
        f"Job mode on {snapshot.backend}: {jobs} read-only here, and primitives do not belong to "
        "it."
    )


def read_only(snapshot: SessionSnapshot) -> str:
    """A sentence about a session that takes no more jobs, and was attached to be looked at."""
    how = f"{ENDS.get(snapshot.state_reason or '', 'it ended')} {ended_from(snapshot)}".rstrip()
    over = "has ended" if snapshot.state == "closed" else "takes no more jobs"
    return (
        f"The {noun(snapshot)} {snapshot.session_id} on {snapshot.backend} {over}: {how}. It is "
        "read-only here, and primitives do not belong to it."
    )
