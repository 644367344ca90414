"""Open a session on the service, or take up one that is open there, and begin to watch it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import NO_SESSIONS_ON_PLAN, ServiceError, UserError, answer_code, explain, unanswered
from ..finding.places import Found
from ..notices import NOTICES
from ..options.table import OpenOptions
from ..service.choosing import Chosen
from ..service.client import ServiceClient
from ..snapshot.events import ENDS
from ..snapshot.fields import read_time
from ..watching.monitor import Monitor
from .binding import BINDING
from .live import LiveSession
from .session import Batch, Session

if TYPE_CHECKING:
    from qiskit_ibm_runtime import IBMBackend


CLOCKS_APART = 5.0
"""Seconds by which the service's clock may differ from this machine's."""


GETS_ABOUT = 10.0
"""Seconds that the id of a session may take to get about within the service that has opened it."""


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
    word = options.word
    asked_at = time.time()
    try:
        session = kind(backend, max_time=options.max_time)
    except Exception as error:
        doing = f"open a {word} on {backend.name}"
        text = explain(error, doing=doing, service=chosen.info.kind, opening=True)
        refused = answer_code(error) == NO_SESSIONS_ON_PLAN and options.mode != "batch"
        if unanswered(error):
            text += _opened_all_the_same(chosen, backend.name, word, asked_at)
        raise (NoSessionsOnPlan if refused else UserError)(text) from None
    except KeyboardInterrupt:
        # the request had left: nobody would know of what it has opened
        found = _opened_all_the_same(chosen, backend.name, word, asked_at)
        NOTICES.say(
            f"The cell was interrupted while a {word} on {backend.name} was being opened."
            + (found or f" If it is opened all the same, %session list shows the {word}.")
        )
        raise
    return _watch(session, backend, chosen, options, notebook=notebook)


def _opened_all_the_same(chosen: Chosen, backend: str, word: str, asked_at: float) -> str:
    """What to say when the answer was lost of a service that had opened what was asked for."""
    from ..finding.listing import workloads

    line = ServiceClient(chosen.service)
    sent = time.time()
    try:
        newest = workloads(line, ["pending", "in_progress"], limit=1)[0]
        age = sent - (read_time(newest.get("created")) or 0.0)
    except (ServiceError, IndexError):
        return f" If it was opened all the same, %session list shows the {word}."
    finally:
        line.shut()
    mine = BINDING.with_id(str(newest["id"])) is not None
    speed = chosen.info.speed or 1.0
    if mine or newest.get("backend") != backend or age > (sent - asked_at + CLOCKS_APART) * speed:
        return ""
    return (
        f" It was opened all the same: %session attach {newest['id']} goes on in it, "
        f"%session close {newest['id']} ends it."
    )


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
        raise UserError(explain(error, doing=doing, service=chosen.info.kind)) from None
    kept = replace(options, mode="batch" if kind is Batch else "dedicated", backend=backend.name)
    return _watch(session, backend, chosen, kept, opened_here=False)


def _close_again(session: Session | Batch) -> str:
    """Close what would be open, and cost money, without anybody knowing of it; say so."""
    try:
        session.close()
    except Exception:
        return f" It may still be open: %session close {session.session_id} ends it."
    return " It was closed again."


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
            patience=GETS_ABOUT if opened_here else 0.0,
        )
    except Exception as error:
        text = explain(error, doing=f"watch {session_id}", service=chosen.info.kind)
        if opened_here:
            text += _close_again(session)
        raise UserError(text) from None
    except KeyboardInterrupt:
        if opened_here:
            NOTICES.say(
                f"The cell was interrupted while a {options.word} on {backend.name} was being "
                f"opened.{_close_again(session)}"
            )
        raise
    live = LiveSession(session, backend, chosen, monitor, options, opened_here=opened_here)
    monitor.start()
    return live
