"""Sentences about the outcome of a request: opened, reused, attached, ended; and about quota."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from ..formatting import format_duration, format_money
from ..model import EndResult, SessionSnapshot, Usage, usage

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


def left_open(backend: str, session_id: str, word: str = "session") -> str:
    """A sentence about a session that an earlier kernel left open."""
    return (
        f"An earlier kernel of this notebook left a {word} open on {backend}: "
        f"%session attach {session_id} goes on in it, "
        f"%session close {session_id} ends it."
    )


def left_to_parent(noun: str, session_id: str, action: str) -> str:
    """A sentence about a session that a forked child was told to end."""
    return (
        f"This {noun} belongs to the process that this one was forked from, and was left as it is: "
        f"{noun.capitalize()}.from_id({session_id!r}, service).{action}() ends it from here."
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


def left_submit(primitive: str, session_id: str, job_id: str) -> str:
    """A sentence about a job that was accepted while the kernel that sent it died."""
    where = f" in {session_id}" if session_id else ""
    return (
        f"An earlier kernel of this notebook ended while it sent a {primitive} job{where}, which "
        f"was accepted: service.job('{job_id}') takes it up, so that it need not be paid again."
    )


def closed_after_crash(backend: str, session_id: str) -> str:
    """A sentence about a session that was closed because its kernel had died."""
    return (
        f"An earlier kernel of this notebook died with a session open on {backend}, which was "
        f"closed therefore: qsession receipt {session_id} in a terminal shows what it did."
    )


def left_in_the_way(backend: str, session_id: str, word: str) -> str:
    """A sentence about a session of an earlier kernel, where another maximum time is asked for."""
    return (
        f"{left_open(backend, session_id, word)} Its maximum time is another one. Leave --max-time "
        "out to go on in it; --another opens a second one, whose jobs wait for it."
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


_REASONS = {
    "budget": "budget of {limit} spent ({spent})",
    "budget_ahead": "another job would have exceeded its budget of {limit} ({spent} spent)",
    "budget_overrun": "budget of {limit} spent; {jobs} running took it to {spent}",
    "budget_closing": "its budget of {limit} allows no more jobs ({spent} so far)",
    "idle_close": "nothing was pending for {idle} (--idle-close)",
    "max_jobs": "as many jobs as it may have were sent (--max-jobs {most})",
    "panel": "by its panel",
    "notebook": "from its notebook",
    "once": "its cell was over (--once)",
    "on_error": "its cell failed (--on-error)",
    "exit": "its kernel ended",
    "crash": "its kernel had died (--on-crash)",
    "terminal": "from a terminal",
    "lab": "from JupyterLab",
    "elsewhere": "{elsewhere}",
    "max_time": "the maximum time of {maximum} was reached",
    "never_used": "no job ran for 30 minutes",
    "request": "on request",
}
"""A clause for each reason why a session takes no more jobs."""


def end_reason(snapshot: SessionSnapshot, now: float) -> str:
    """The reason why a session takes no more jobs, as a clause without a subject.

    ``budget of $4.00 spent; the job that was running took it to ≈ $7.52``. Empty
    while it takes jobs.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session.
    now : float
        Service clock.
    """
    if snapshot.accepting_jobs and snapshot.state != "closed":
        return ""
    spent = usage(snapshot, now)
    code = _reason(snapshot, spent)
    if code is None:
        return (snapshot.state_reason or "ended").removeprefix("session_").replace("_", " ")
    running = snapshot.end_running
    dollars = snapshot.budget_dollars
    in_dollars = dollars is not None and spent.cost is not None
    return _REASONS[code].format(
        limit=format_money(dollars or 0.0)
        if in_dollars
        else format_duration(snapshot.budget_seconds or 0.0),
        spent=f"≈ {format_money(spent.cost or 0.0)}"
        if in_dollars
        else format_duration(spent.total),
        jobs="the job that was" if running == 1 else f"the {running} jobs that were",
        idle=format_duration(snapshot.idle_close or 0.0),
        most=snapshot.max_jobs,
        maximum=format_duration(snapshot.max_ttl or 0.0),
        elsewhere=_elsewhere(snapshot),
    )


def ended_from(snapshot: SessionSnapshot) -> str:
    """The place outside of its own kernel that ended a session, as in "closed from a terminal"."""
    code = snapshot.end_reason
    if code == "elsewhere":
        return _elsewhere(snapshot)
    return _REASONS[code] if code in ("terminal", "lab") else ""


def _elsewhere(snapshot: SessionSnapshot) -> str:
    name = PurePath(snapshot.ended_by).name
    return f"from {name}" if name else "by another notebook or process"


def _reason(snapshot: SessionSnapshot, spent: Usage) -> str | None:
    """The key of `_REASONS`; None where only the service's own word is known."""
    reason = snapshot.end_reason
    if reason != "budget":
        return reason
    if snapshot.state != "closed":
        return "budget_closing"
    if spent.total < (snapshot.budget_seconds or 0.0):
        return "budget_ahead"
    return "budget_overrun" if snapshot.end_running else "budget"


def joined_service(name: str, url: str, user: str) -> str:
    """A service was joined: the name to use it by."""
    who = f" as {user}" if user else ""
    return (
        f"Joined {url}{who}: --service {name} uses it, open_session(service={name!r}) as well. "
        f"qsession leave {name} forgets it."
    )


def left_service(name: str, url: str) -> str:
    """A service was left, and its key forgotten here."""
    return f"Left {name} ({url}): your key is not kept here any more."
