"""Close or cancel a session, or cancel one of its jobs, and find out the result.

The service acknowledges such a request and says no more. Its effect is read from the snapshots
before and after it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import nullcontext

from ..client.end_outcome import end_session
from ..client.job_outcome import cancel_job
from ..client.rest import Answer, ServiceClient
from ..client.unknown_outcome import Change, keep_asking, look_on, settle
from ..errors import OutcomeUnknown, UserError
from ..explanations import as_user_error
from ..model import EndReason, EndResult, SessionSnapshot
from . import end_reason
from .poller import SessionPoller

logger = logging.getLogger(__name__)

TIMEOUT = 5.0
"""Seconds to wait for the poll after an acknowledged request."""


def run(
    poller: SessionPoller,
    action: str,
    job_id: str | None = None,
    *,
    by: EndReason = "elsewhere",
    spent: float | None = None,
) -> EndResult:
    """Make the request and one poll after it.

    Both go through a client of their own: a poll that hangs does not delay the request.

    Parameters
    ----------
    poller : SessionPoller
        The session's poller.
    action : {"close", "cancel", "cancel_job"}
        The request.
    job_id : str, optional
        The job, for ``cancel_job``.
    by : str
        What ends it, one of `qsession_widgets.model.EndReason`; kept for those who ask why.
    spent : float, optional
        The usage by which a policy ends it.

    Returns
    -------
    EndResult
        ``accepted`` when no poll after the request was answered within `TIMEOUT`.

    Raises
    ------
    OutcomeUnknown
        The answer was lost, and the service does not say what became of it. It is asked on a
        thread, and asked for again, until it has taken effect.
    UserError
        The service refused or cannot be reached, or there is no such action.
    """
    before = poller.snapshot
    if action != "cancel_job":
        if before.mode == "job":
            raise UserError(code="no_session_in_job_mode")
        if before.state == "closed":
            return EndResult("already_closed", action)
    client = poller.client.clone()
    ends = action != "cancel_job"
    ending = end_reason.recorded(poller, action, by, spent) if ends else nullcontext()
    try:
        with ending:
            _send(client, action, job_id, poller)
        acknowledged = 0.0 if action == "cancel_job" else poller.acknowledge_end()
    finally:
        name = f"qsession-look-{poller.session_id[:8]}"
        look = threading.Thread(target=_poll, args=(poller, client), name=name, daemon=True)
        look.start()
        look.join(TIMEOUT)
    if action == "cancel_job":
        return EndResult("job_cancelled", action, job_id=job_id)
    if poller.answered < acknowledged:
        poller.stop_accepting()
        return EndResult("accepted", action)
    return _result(action, before, poller.snapshot)


def _send(client: ServiceClient, action: str, job_id: str | None, poller: SessionPoller) -> None:
    change = _change(client, action, poller.session_id, job_id)
    with as_user_error(change.doing, poller.info.where):
        try:
            settle(change)
        except OutcomeUnknown as error:
            known = _unknown(poller, action)
            error.asking = keep_asking(change, lambda _: known(), insist=True, gone=known)
            raise
        except KeyboardInterrupt:
            known = _unknown(poller, action)

            def told(found: Answer | None) -> None:
                known()
                if found is None and action != "cancel_job":
                    end_reason.take_back(poller)

            look_on(change, told)
            raise


def _unknown(poller: SessionPoller, action: str) -> Callable[[], object]:
    """Show that an end may have taken effect; returns what ends that."""
    if action == "close":
        return poller.add_unknown("close")
    return poller.add_unknown("cancel") if action == "cancel" else lambda: None


def _change(
    client: ServiceClient, action: str, session_id: str, job_id: str | None
) -> Change[Answer]:
    if action in ("close", "cancel"):
        return end_session(client, action, session_id)
    if action == "cancel_job" and job_id:
        return cancel_job(client, job_id)
    raise UserError(f"There is no action {action!r}: close, cancel, cancel_job.")


def _poll(poller: SessionPoller, client: ServiceClient) -> None:
    """Poll with a client that is closed afterwards."""
    try:
        poller.poll(client, jobs_first=True)
    except Exception:
        logger.exception("A poll of session %s failed", poller.session_id)
    finally:
        client.close()


def _result(action: str, before: SessionSnapshot, after: SessionSnapshot) -> EndResult:
    """The effect of a close or a cancel on the jobs that it met.

    Jobs may have run between the two snapshots.
    """
    if action == "close":
        pending = len(after.pending())
        return EndResult("closing" if pending else "closed", action, finishing=pending)
    now = {job.id: job.status for job in after.jobs if not job.stray}
    queued = [job.id for job in before.pending() if job.status == "queued"]
    cancelled = sum(now.get(job) in ("queued", "cancelled") for job in queued)
    running = sum(status == "running" for status in now.values())
    return EndResult("cancelled", action, cancelled, running)
