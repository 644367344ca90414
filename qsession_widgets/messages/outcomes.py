"""Sentences about the outcome of a request: opened, reused, attached, ended; and about quota."""

from __future__ import annotations

from collections.abc import Sequence

from ..formatting import format_duration
from ..model import EndResult

NO_SESSIONS = "{reason}\nThis plan has no sessions (the service said 1352): "

OPENED = {
    "opened": "{reason}{capped}",
    "deferred": "{reason}",
    "reused": "This {noun} is open already and goes on.{changed}",
    "resumed": (
        "An earlier kernel of this notebook left this {noun} open on {backend}: the cell goes on "
        "in it. --another (another=True) opens a second one, which waits for it."
    ),
    "attached": (
        "Attached to the {noun} on {backend}: primitives built without a mode belong to it. It is "
        "{at_exit} when this kernel ends."
    ),
    "batch_instead": NO_SESSIONS + "a batch was opened in its place.{capped}",
    "job_mode": NO_SESSIONS
    + (
        "primitives built without a mode run on {backend} in job mode, each job through the queue "
        "by itself; --fallback batch or %%batch opens a batch.{dropped}"
    ),
}
"""A template for each outcome of an opening."""


def opened(
    outcome: str,
    *,
    noun: str,
    backend: str,
    reason: str = "",
    asked: float | None = None,
    granted: float | None = None,
    changed: Sequence[str] = (),
    dropped: Sequence[str] = (),
    leave: bool = False,
) -> str:
    """A sentence or two about a session that was opened, reused or attached.

    Parameters
    ----------
    outcome : str
        One of `OPENED`.
    noun, backend : str
        A session or a batch, and where it runs.
    reason : str
        Which service is used, and why, as a sentence.
    asked, granted : float or None
        Maximum time in seconds that was requested, and that the service granted.
    changed, dropped : sequence of str
        Options that hold from now on, and options that job mode has no use for, as typed.
    leave : bool
        Whether it is left open when the kernel ends.
    """
    return OPENED[outcome].format(
        noun=noun,
        backend=backend,
        reason=reason,
        capped=capped(asked, granted),
        changed=f" From now on with {', '.join(changed)} as given here." if changed else "",
        dropped=f" Without a session nothing comes of {', '.join(dropped)}." if dropped else "",
        at_exit="left open" if leave else "closed",
    )


def capped(asked: float | None, granted: float | None) -> str:
    """A sentence, with a space before it, where another maximum time was granted than asked for."""
    if asked is None or granted is None or abs(granted - asked) < 1:
        return ""
    return f" The service granted {format_duration(granted)} instead of {format_duration(asked)}."


def left_to_parent(noun: str, session_id: str, action: str) -> str:
    """A sentence about a session that a forked child was told to end."""
    return (
        f"This {noun} belongs to the process that this one was forked from, and was left as it is: "
        f"{noun.capitalize()}.from_id({session_id!r}, service).{action}() ends it from here."
    )


def left_to_opener(session_id: str, backend: str) -> str:
    """A sentence about an attached session that ``%session close --all`` does not end."""
    return (
        f"{session_id} on {backend}: left open, for the kernel that opened it has it still: "
        f"%session close {session_id} ends it."
    )


def quota_warning(left: float | None, max_time: int | None, word: str, longest: float) -> str:
    """A warning before a session is opened, when the quota would not last.

    Parameters
    ----------
    left : float or None
        Seconds of usage that are left; None for no limit.
    max_time : int or None
        The maximum time that is requested; None for the plan's longest.
    word : str
        What is opened: a session or a batch.
    longest : float
        Seconds that it may last without a maximum time.

    Returns
    -------
    str
        A sentence or two; empty when it lasts.
    """
    if left is None or left >= (longest if max_time is None else max_time):
        return ""
    if left <= 0:
        return (
            "This instance has used up its quota: jobs do not run until some of it is free again. "
            "Use another --instance, or rehearse with --service local."
        )
    asked = (
        f"this {word} asks for up to {format_duration(max_time)}"
        if max_time is not None
        else f"a {word} without --max-time may use more"
    )
    within = max(1, int(left))
    return (
        f"This instance has {format_duration(left)} left of its quota, and {asked}: jobs stop "
        f"running when it is used up. --max-time {within} or --budget {within} keeps it within "
        "that."
    )


_ENDED = {
    "closed": "{Word} closed.",
    "closing": "{Word} closing: no more jobs are accepted{finishing}.",
    "cancelled": "{Word} cancelled{cancelled}{finishing}.",
    "already_closed": "{It} is closed already.",
    "job_cancelled": "Job {job_id} is cancelled.",
}

_ACCEPTED = {
    "close": "closing: the service accepted that, but has not said yet which jobs finish first.",
    "cancel": (
        "cancelled: the service accepted that, but has not said yet which jobs are cancelled."
    ),
}


def ended(result: EndResult, word: str = "session", session_id: str = "") -> str:
    """One sentence about the end of a session or of a job.

    Parameters
    ----------
    result : EndResult
        The result.
    word : str
        What to call it: session or batch.
    session_id : str
        Its id, where the reader may not know which one is meant.
    """
    if result.code == "accepted":
        return f"{word.capitalize()} {_ACCEPTED[result.action]}"
    cancelled = result.cancelled
    queued = f": {cancelled} queued job{'' if cancelled == 1 else 's'} cancelled"
    finishing = result.finishing
    finish = f"; {finishing} job{' finishes' if finishing == 1 else 's finish'} first"
    return _ENDED[result.code].format(
        Word=word.capitalize(),
        It=f"The {word} {session_id}" if session_id else "It",
        job_id=result.job_id,
        cancelled=queued if cancelled else "",
        finishing=finish if finishing else "",
    )


def settling(jobs: int, within: float) -> str:
    """A line about the exact times that a table or a receipt waits for, and how long at most."""
    what = "1 job" if jobs == 1 else f"{jobs} jobs"
    return f"Asking for the exact times of {what}, for {format_duration(within)} at most …"
