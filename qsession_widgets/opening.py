"""Open a session on the service, or take up one that is open there, and begin to watch it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .client import ServiceClient
from .errors import NO_SESSIONS_ON_PLAN, UserError, answer_code, explain
from .events import ENDS
from .live import Batch, LiveSession, Session
from .monitor import Monitor
from .options import OpenOptions
from .places import Found
from .service import Chosen

if TYPE_CHECKING:
    from qiskit_ibm_runtime import IBMBackend


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


def attach_live(found: Found, options: OpenOptions) -> LiveSession:
    """Take up a session that was opened elsewhere: by a kernel that is gone, or another notebook.

    Parameters
    ----------
    found : Found
        The session or batch, and where it is.
    options : OpenOptions
        Name and guards for it.

    Raises
    ------
    UserError
        It takes no more jobs, or the service does not answer.
    """
    raw, session_id, word = found.raw, found.session_id, found.word
    if raw.get("state") == "closed" or not raw.get("accepting_jobs", True):
        how = ENDS.get(str(raw.get("state_reason")), "it ended")
        raise UserError(
            f"The {word} {session_id} takes no more jobs: {how}. %session list shows the "
            f"open ones; qsession receipt {session_id} in a terminal shows what it did."
        )
    chosen = found.place.chosen
    kind = Batch if word == "batch" else Session
    try:
        session = kind.from_id(session_id, chosen.service)
        backend = chosen.service.backend(str(raw["backend_name"]))
    except Exception as error:
        doing = f"attach {word} {session_id}"
        raise UserError(explain(error, doing=doing, service=chosen.info.kind)) from error
    kept = replace(options, mode="batch" if kind is Batch else "dedicated", backend=backend.name)
    return _watch(session, backend, chosen, kept, opened_here=False)


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
