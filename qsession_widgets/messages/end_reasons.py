"""Clauses about the reason why a session takes no more jobs."""

from __future__ import annotations

from pathlib import PurePath

from ..formatting import dollars_of, format_duration, format_money
from ..model import SessionSnapshot, Usage, usage

_REASONS = {
    "budget": "budget of {limit} spent ({then})",
    "budget_ahead": "another job would have exceeded its budget of {limit} ({then} spent)",
    "budget_overrun": "budget of {limit} spent; {jobs} running took it to {spent}",
    "budget_ahead_overrun": (
        "another job would have exceeded its budget of {limit} ({then} spent); {jobs} running took "
        "it to {spent}"
    ),
    "budget_closing": "its budget of {limit} allows no more jobs ({spent} so far)",
    "idle_close": "nothing was pending for {idle} (--idle-close)",
    "max_jobs": "as many jobs as it may have were sent (--max-jobs {most})",
    "panel": "by its panel",
    "notebook": "from its notebook",
    "notebook_script": "from its script",
    "notebook_process": "from its own process",
    "once": "its cell was over (--once)",
    "on_error": "its cell failed (--on-error)",
    "exit": "its kernel ended",
    "exit_script": "its script ended",
    "exit_process": "its process ended",
    "crash": "its process had died (--on-crash)",
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
    # the figure by which it was ended, not what the usage has come to
    then = spent.total if snapshot.end_usage is None else snapshot.end_usage
    then_cost = dollars_of(then, snapshot.service.price_per_second, snapshot.end_usage is None)
    return _REASONS[code].format(
        limit=format_money(dollars or 0.0)
        if in_dollars
        else format_duration(snapshot.budget_seconds or 0.0),
        spent=f"≈ {format_money(spent.cost or 0.0)}"
        if in_dollars
        else format_duration(spent.total),
        then=f"≈ {format_money(then_cost or 0.0)}" if in_dollars else format_duration(then),
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
    if not name:
        return "by another notebook or process"
    return f"from {name}" if name.endswith(".ipynb") else f"by another process ({name})"


def _reason(snapshot: SessionSnapshot, spent: Usage) -> str | None:
    """The key of `_REASONS`; None where only the service's own word is known."""
    reason = snapshot.end_reason
    if reason in ("notebook", "exit") and (program := snapshot.ended_by):
        return f"{reason}_{'script' if program.endswith('.py') else 'process'}"
    if reason not in ("budget", "budget_ahead"):
        return reason
    if snapshot.state != "closed":
        return "budget_closing"
    grew = snapshot.end_usage is None or spent.total > snapshot.end_usage
    return f"{reason}_overrun" if snapshot.end_running and grew else reason
