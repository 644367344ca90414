"""What a button or magic asks the service to do with a session, and what came of it.

The service acknowledges a command and says no more. What it met is read from the snapshots before
and after it.
"""

from __future__ import annotations

from ..errors import UserError, explained
from ..service.client import ServiceClient
from ..snapshot import SessionSnapshot

PATIENCE = 5.0
"""Seconds that who gave a command waits, at most, to be told what it came to."""


def send(
    client: ServiceClient, action: str, session_id: str, job_id: str | None, service: str
) -> None:
    """Ask the service for it.

    Parameters
    ----------
    client : ServiceClient
        The line to ask on.
    action : {"close", "cancel", "cancel_job"}
        What to do.
    session_id : str
        With which session.
    job_id : str or None
        With which job, for ``cancel_job``.
    service : {"ibm", "local"}
        Which service it is, for the sentence that says what went wrong.

    Raises
    ------
    UserError
        The service refused or did not answer, or there is no such action.
    """
    what = f"cancel job {job_id}" if job_id else f"{action} the session"
    with explained(what, service):
        if action == "close":
            client.close(session_id)
        elif action == "cancel":
            client.cancel(session_id)
        elif action == "cancel_job" and job_id:
            client.cancel_job(job_id)
        else:
            raise UserError(f"There is no action {action!r}: close, cancel, cancel_job.")


def outcome(action: str, before: SessionSnapshot, after: SessionSnapshot) -> str:
    """Say what a close or a cancel came to, in one sentence.

    Parameters
    ----------
    action : {"close", "cancel"}
        What was asked.
    before, after : SessionSnapshot
        The last one before it, and the first one after it: jobs may have run in between, and what
        counts is what the command met.
    """
    if action == "close":
        pending = len(after.pending())
        if not pending:
            return "Session closed."
        return f"Session closing: no more jobs are accepted{_finish(pending)}."
    now = {job.id: job.status for job in after.jobs if not job.stray}
    queued = [job.id for job in before.pending() if job.status == "queued"]
    cancelled = sum(now.get(job) in ("queued", "cancelled") for job in queued)
    running = sum(status == "running" for status in now.values())
    if not cancelled:
        return f"Session cancelled{_finish(running)}."
    return f"Session cancelled: {_jobs(cancelled)} cancelled{_finish(running)}."


def accepted(action: str) -> str:
    """Say that a close or a cancel was acknowledged, while it is not known what it met.

    Parameters
    ----------
    action : {"close", "cancel"}
        What was asked.
    """
    said, what = {
        "close": ("closing", "finish first"),
        "cancel": ("cancelled", "are cancelled"),
    }[action]
    return f"Session {said}: the service accepted that, but has not said yet which jobs {what}."


def _jobs(count: int) -> str:
    return f"{count} queued job{'' if count == 1 else 's'}"


def _finish(count: int) -> str:
    if count == 0:
        return ""
    return f"; {count} job{' finishes' if count == 1 else 's finish'} first"
