"""Open a session on the service, or take up one that is open there, and begin to watch it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .client import ServiceClient
from .errors import ServiceError, UserError, answer_code, explain
from .live import ENDS, Batch, LiveSession, Session
from .monitor import Monitor
from .options import OpenOptions
from .service import Chosen

if TYPE_CHECKING:
    from qiskit_ibm_runtime import IBMBackend

NO_SESSIONS_ON_PLAN = 1352


class NoSessionsOnPlan(UserError):
    """The plan has job mode and batches only."""


def open_live(
    chosen: Chosen, backend: IBMBackend, options: OpenOptions, *, notebook: str = ""
) -> LiveSession:
    """Open a session or batch on the service, and begin to watch it.

    Parameters
    ----------
    chosen : Chosen
        The service.
    backend : IBMBackend
        The backend.
    options : OpenOptions
        Mode, maximum time, name and guards.
    notebook : str
        The notebook that opens it.

    Returns
    -------
    LiveSession
        Open and watched.

    Raises
    ------
    NoSessionsOnPlan
        The plan has no sessions; a batch would be accepted.
    UserError
        The service refused; the sentence says why and what to do.
    """
    kind = Batch if options.mode == "batch" else Session
    word = "batch" if options.mode == "batch" else "session"
    try:
        session = kind(backend, max_time=options.max_time)
    except Exception as error:
        doing = f"open a {word} on {backend.name}"
        text = explain(error, doing=doing, service=chosen.info.kind)
        refused = answer_code(error) == NO_SESSIONS_ON_PLAN and options.mode != "batch"
        raise (NoSessionsOnPlan if refused else UserError)(text) from error
    return _watch(session, backend, chosen, options, notebook=notebook)


def attach_live(chosen: Chosen, wanted: str, options: OpenOptions) -> LiveSession:
    """Take up a session that was opened elsewhere: by a kernel that is gone, or another notebook.

    Parameters
    ----------
    chosen : Chosen
        The service.
    wanted : str
        Id of a session or batch, or of a job in one.
    options : OpenOptions
        Name and guards for it.

    Raises
    ------
    UserError
        There is no such session or job, or the job is in none, or it takes no more jobs.
    """
    line = ServiceClient(chosen.service)
    try:
        raw = _find(line, wanted, chosen)
    finally:
        line.shut()
    kind = Batch if raw.get("mode") == "batch" else Session
    session_id, word = str(raw["id"]), "batch" if kind is Batch else "session"
    if raw.get("state") == "closed" or not raw.get("accepting_jobs", True):
        how = ENDS.get(str(raw.get("state_reason")), "it ended")
        raise UserError(
            f"The {word} {session_id} takes no more jobs: {how}. %session list shows the "
            f"open ones; qsession receipt {session_id} in a terminal shows what it did."
        )
    try:
        session = kind.from_id(session_id, chosen.service)
        backend = chosen.service.backend(str(raw["backend_name"]))
    except Exception as error:
        doing = f"attach {word} {session_id}"
        raise UserError(explain(error, doing=doing, service=chosen.info.kind)) from error
    kept = replace(options, mode="batch" if kind is Batch else "dedicated", backend=backend.name)
    return _watch(session, backend, chosen, kept, opened_here=False)


def _find(line: ServiceClient, wanted: str, chosen: Chosen) -> dict[str, Any]:
    """The raw fields of a session, by its own id or by that of one of its jobs."""
    try:
        return dict(line.session(wanted).data)
    except ServiceError as error:
        if error.status not in (400, 404):
            doing = f"find session {wanted}"
            raise UserError(explain(error, doing=doing, service=chosen.info.kind)) from error
    try:
        job = dict(line.job(wanted).data)
        session_id = job.get("session_id")
        if session_id and session_id != wanted:
            return dict(line.session(str(session_id)).data)
    except ServiceError as error:
        if error.status in (400, 404):
            raise UserError(
                f"There is no session, batch or job {wanted!r} on {chosen.info.label}: "
                "%session list shows the open ones, --instance and --account choose where to look."
            ) from None
        doing = f"find job {wanted}"
        raise UserError(explain(error, doing=doing, service=chosen.info.kind)) from error
    raise UserError(f"The job {wanted} runs in no session: there is nothing to attach.")


def _watch(
    session: Session | Batch,
    backend: IBMBackend,
    chosen: Chosen,
    options: OpenOptions,
    *,
    notebook: str = "",
    opened_here: bool = True,
) -> LiveSession:
    session_id = session.session_id
    if session_id is None:
        raise UserError(
            f"The backend {backend.name} is a simulator of the service's: it has no queue, so "
            "sessions do not exist there. Choose a device."
        )
    try:
        client = ServiceClient(chosen.service, session._instance)
        monitor = Monitor(
            client,
            session_id,
            chosen.info,
            name=options.name,
            notebook=notebook,
            expected_jobs=options.expect,
        )
    except Exception as error:
        if opened_here:
            # it is open and costs money, and nobody would know of it
            session.close()
        doing = f"watch the session {session_id}"
        raise UserError(explain(error, doing=doing, service=chosen.info.kind)) from error
    live = LiveSession(session, backend, chosen, monitor, options, opened_here=opened_here)
    monitor.start()
    return live
