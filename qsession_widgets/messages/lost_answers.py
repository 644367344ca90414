"""Sentences about requests whose answer was lost, and about what they have done all the same."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

UNREADABLE = "The service's answer cannot be read."


def cannot_be_read(wrong: str, times: int) -> str:
    """A sentence about an answer in which something makes no sense, however often it is asked for.

    Parameters
    ----------
    wrong : str
        The thing that makes no sense, such as "state.status is null, where a text belongs".
    times : int
        How often it was asked for.
    """
    asked = f"It was asked {times} times" if times > 1 else "It was asked"
    return f"{UNREADABLE[:-1]}: {wrong}. {asked}, and nothing was changed: try again in a minute."


def result_cannot_be_read(job_id: str, what: str) -> str:
    """A sentence about a result that came, and that the client library cannot decode."""
    return (
        f"The result of job {job_id} cannot be read ({what}). The job is over, and costs nothing "
        "more: ask for its result again, and report it to the service if it stays so."
    )


def interrupted_just_now(doing: str, left: float) -> str:
    """A sentence about a request that is made again while an interrupted one may take effect.

    Parameters
    ----------
    doing : str
        What the request does, as in "open the session".
    left : float
        Seconds for which it is looked for first.
    """
    return (
        f"The same request to {doing} was interrupted just now, and may still be accepted: it is "
        f"looked for, {left:.0f} s at the most, before it is sent again."
    )


def interrupted_end(doing: str) -> str:
    """A sentence about a request to end something that the user has interrupted."""
    return (
        f"Interrupted during the request to {doing}, which may take effect all the same: "
        "%session list, or qsession list in a terminal, shows what is still open."
    )


def took_effect(doing: str, took: bool) -> str:
    """A sentence about the effect of a request whose answer was lost, once that is known."""
    return f"The request to {doing} {'took effect' if took else 'had no effect'}."


def no_longer_known(doing: str, what: str) -> str:
    """A sentence about a request whose effect cannot be asked for any more."""
    return (
        f"What became of the request to {doing} stays unknown: the service does not know this "
        f"{what} any more, so that nothing of it is left to end. It is not asked again."
    )


def twin_job(job_id: str, kept: str, *, cancelled: bool) -> str:
    """A sentence about a second job of one submit, which was sent again before it took effect.

    Parameters
    ----------
    job_id : str
        The second one.
    kept : str
        The one that goes on; empty when that has another tag.
    cancelled : bool
        Whether it was still pending.
    """
    what = f"job {job_id}, the twin of {kept}," if kept else f"the first one, job {job_id},"
    end = (
        "was cancelled; what it may have run until then counts."
        if cancelled
        else "had finished before that was known, and counts."
    )
    return (
        "A job was accepted twice, for its first request took effect only after it had been sent "
        f"again: {what} {end}"
    )


def taken_by_contents(doing: str, job_id: str) -> str:
    """A sentence about a job without a random tag that is taken for that of a lost answer."""
    return (
        f"The answer to the request to {doing} was lost. Job {job_id} is taken for it, the only "
        "new one with its tags and contents. A job with fewer tags gets one more, by which it is "
        "surely found."
    )


def perhaps_twin_job(job_id: str) -> str:
    """A sentence about a job that may be the second one of a submit without a random tag."""
    return (
        f"Job {job_id} with the same tags was accepted as well. It may be the twin of one that was "
        f"sent again, and was not cancelled, for it may be another kernel's: "
        f"service.job('{job_id}').cancel() does so."
    )


def twin_session(word: str, session_id: str, kept: str) -> str:
    """A sentence about a second session that one request has probably opened."""
    beside = f" beside {kept}" if kept else ""
    return (
        f"A second {word} was opened{beside}, probably by a request whose answer was lost and that "
        f"took effect only after it had been sent again: {session_id}. Nobody here uses it, and it "
        f"was not closed: %session close {session_id} ends it."
    )


def taken_elsewhere(session_id: str, notebook: str) -> str:
    """A sentence about a session that another kernel took for its own before the answer came."""
    other = PurePath(notebook).name or "another process"
    return (
        f"Session {session_id} was taken up by {other} meanwhile, whose own request for one was "
        "not answered: it is open in both."
    )


def cell_interrupted(doing: str, more: str) -> str:
    """A sentence about a request that a person has interrupted; ``more`` says how to find out."""
    return (
        f"The cell was interrupted during the request to {doing}, which may have been accepted: "
        f"the service is asked. {more}".rstrip()
    )


def how_to_find_job(tag: str) -> str:
    """A sentence about how to find a job whose answer was lost by its tag."""
    return (
        f"service.jobs(job_tags=['{tag}']) finds it; running the same again looks for it first, "
        "and sends nothing that was accepted before."
    )


def how_to_find_session(word: str) -> str:
    """A sentence about how to find a session or batch whose answer was lost."""
    return f"%session list shows the {word} if it is open; an open one is billed while active."


def job_found(primitive: str, found: Mapping[str, Any] | None) -> str:
    """A sentence about the job of a lost answer; without one it was not accepted."""
    if found is None:
        return f"The {primitive} job whose answer was lost was not accepted: send it again."
    return (
        f"The {primitive} job whose answer was lost had been accepted, as job {found['id']}: "
        f"service.job('{found['id']}') takes it up, and so does running the same again; it is not "
        "sent twice."
    )


def session_found(word: str, found: Mapping[str, Any] | None) -> str:
    """A sentence about the session or batch of a lost answer; without one it was not opened."""
    if found is None:
        return f"The {word} whose answer was lost was not opened."
    return (
        f"The {word} whose answer was lost had been opened: %session attach {found['id']} goes on "
        f"in it, %session close {found['id']} ends it."
    )
