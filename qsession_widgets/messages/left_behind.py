"""Sentences about what an earlier kernel of a notebook has left at the service."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath


def left_session(backend: str, session_id: str, word: str = "session") -> str:
    """A sentence about a session that an earlier kernel left open."""
    return (
        f"An earlier kernel of this notebook left a {word} open on {backend}: "
        f"%session attach {session_id} goes on in it, "
        f"%session close {session_id} ends it."
    )


def left_in_the_way(backend: str, session_id: str, word: str) -> str:
    """A sentence about a session of an earlier kernel, where another maximum time is asked for."""
    return (
        f"{left_session(backend, session_id, word)} Its maximum time is another one. Leave "
        "--max-time out to go on in it; --another opens a second one, whose jobs wait for it."
    )


def left_in_doubt(backend: str, session_id: str) -> str:
    """A sentence about an earlier kernel's session, if the service does not say how it is."""
    return (
        f"An earlier kernel of this notebook opened {session_id} on {backend}, and the service "
        "does not say whether it is still open: a second one would wait for it. Run this again; "
        "--another opens a second one all the same."
    )


def left_opening(backend: str, session_ids: Sequence[str]) -> str:
    """A sentence about sessions one of which an earlier kernel may have opened as it died."""
    first, several = session_ids[0], len(session_ids) > 1
    which = f"one of {', '.join(session_ids)}" if several else first
    return (
        f"An earlier kernel of this notebook ended while it opened a session on {backend}: {which} "
        f"may be that one. It has no job yet: %session attach {first} goes on in it, "
        f"%session close {first} ends it."
    )


def maybe_opened_by(notebook: str) -> str:
    """The opener of such a session, for a table."""
    return f"{PurePath(notebook).name or 'a process'} perhaps, which ended as it opened one"


def left_submit(primitive: str, session_id: str, job_id: str) -> str:
    """A sentence about a job that was accepted while the kernel that sent it died."""
    where = f" in {session_id}" if session_id else ""
    return (
        f"An earlier kernel of this notebook ended while it sent a {primitive} job{where}, which "
        f"was accepted: service.job('{job_id}') takes it up, so that it need not be paid again."
    )


def left_untagged(primitive: str, session_id: str, job_ids: Sequence[str]) -> str:
    """A sentence about jobs one of which a kernel may have sent as it died."""
    where = f" in {session_id}" if session_id else ""
    which = ", ".join(job_ids)
    one = f"job {which}" if len(job_ids) == 1 else f"one of the jobs {which}"
    return (
        f"An earlier kernel of this notebook ended while it sent a {primitive} job{where} with "
        f"eight tags of yours: {one} may be that one, for it came then with the same tags. "
        f"service.job('{job_ids[0]}') takes it up; look at it before the same is paid again."
    )


def closed_after_crash(backend: str, session_id: str) -> str:
    """A sentence about a session that was closed because its kernel had died."""
    return (
        f"An earlier kernel of this notebook died with a session open on {backend}, which was "
        f"closed therefore: qsession receipt {session_id} in a terminal shows what it did."
    )
