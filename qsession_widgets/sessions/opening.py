"""Opens a session on a service, or attaches to one that is open there, and starts its monitor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ..client.connected_service import with_calibration
from ..client.private_api import backend_instance
from ..client.rest import ServiceClient
from ..client.selection import Target
from ..deferred_output import NOTICES
from ..discovery.search import FoundSession
from ..errors import NO_SESSIONS_ON_PLAN, UserError
from ..explanations import answer_code, explain
from ..monitoring.deferred_poller import DeferredPoller
from ..monitoring.job_poller import JobPoller
from ..monitoring.monitor import Monitor
from ..monitoring.poller import SessionPoller
from ..monitoring.waits import OtherInstances
from ..options.open_options import OpenOptions
from ..registry import journal
from .binding import BINDING
from .deferral import Deferral
from .job_mode import JobMode
from .live import LiveSession
from .policies import Policies
from .session import Batch, Session

if TYPE_CHECKING:
    from ..resume.records import RunRecord

NOT_FOUND_TIMEOUT = 10.0
"""Seconds to retry a 404 right after opening; the service replicates ids asynchronously."""

Outcome = Literal[
    "opened", "deferred", "reused", "resumed", "attached", "ended", "batch_instead", "job_mode"
]


class NoSessionsOnPlan(UserError):
    """The plan has job mode and batches only."""


@dataclass(frozen=True)
class OpenResult:
    """The outcome of a request for a session.

    Attributes
    ----------
    outcome : str
        ``opened``, ``reused`` and ``attached``; ``deferred``: it opens with its first new job;
        ``resumed``: an earlier kernel of the notebook had left it open. ``ended``: it takes no more
        jobs, and is not bound. ``batch_instead`` and ``job_mode``: the plan has no sessions.
    bound : LiveSession or JobMode
        What primitives without a mode belong to, unless it has ended.
    target : Target
        Its service and backend.
    changed : tuple of str
        Fields of `OpenOptions` that differ from now on, of a session that was open already.
    granted : float or None
        Maximum time in seconds that the service granted; None in job mode, or when unknown.
    run : RunRecord or None
        The run whose jobs are taken up; None without one.
    """

    outcome: Outcome
    bound: LiveSession | JobMode
    target: Target
    changed: tuple[str, ...] = ()
    granted: float | None = None
    run: RunRecord | None = None


def open_on_service(
    target: Target, options: OpenOptions, *, notebook: str = "", fall_back: bool = False
) -> OpenResult:
    """Open a session or batch on the service, and start its monitor.

    Parameters
    ----------
    target : Target
        The service, the backend and the client.
    options : OpenOptions
        Mode, maximum time, name and policies.
    notebook : str
        Path of the notebook that opens it.
    fall_back : bool
        Whether, on a plan without sessions, ``options.fallback`` is opened in its place.

    Raises
    ------
    NoSessionsOnPlan
        The plan has no sessions, and there is no fallback.
    UserError
        The policies cannot be enforced at the service, or the service refused.
    """
    Policies.of(options, target.info)
    outcome: Outcome = "opened"
    asked = options
    try:
        session = _create(target, options)
    except NoSessionsOnPlan:
        if not fall_back:
            raise
        if options.fallback != "batch":
            return OpenResult("job_mode", _job_mode(target, options, notebook), target)
        outcome, asked = "batch_instead", replace(options, mode="batch")
        session = _create(target, asked)
    live = _monitored(session, target, asked, notebook=notebook)
    live.request = options.request
    return OpenResult(outcome, live, target, granted=live.monitor.snapshot.max_ttl)


def defer(
    target: Target,
    options: OpenOptions,
    opens: Callable[[LiveSession], object],
    *,
    notebook: str = "",
) -> OpenResult:
    """Prepare a session that opens with its first new job, or the first use of its id.

    Parameters
    ----------
    target, options, notebook
        As of `open_on_service`.
    opens : callable
        Opens it, by `open_deferred`.

    Raises
    ------
    UserError
        The policies cannot be enforced at the service.
    """
    Policies.of(options, target.info)
    kind, batch = (Batch, True) if options.mode == "batch" else (Session, False)
    session = kind(target.backend, max_time=options.max_time, create_new=False)
    poller = DeferredPoller(
        target.client,
        target.info,
        target.backend.name,
        batch=batch,
        name=options.name,
        notebook=notebook,
        expected_jobs=options.expect,
    )
    live = LiveSession(session, target, Monitor(poller), options, deferral=Deferral(poller, opens))
    return OpenResult("deferred", live, target)


def open_deferred(live: LiveSession) -> None:
    """Open the session that `defer` has prepared, as `open_on_service` would have.

    Raises
    ------
    UserError
        The service refused.
    """
    assert live.deferral is not None
    session = _create(live.target, live.options)
    session_id = str(session.session_id)
    with closed_if_unwatched(session, live.target, live.word):
        live.deferral.poller.open(session_id, NOT_FOUND_TIMEOUT)
        live.opened(session_id)


def attach_on_service(
    found: FoundSession, options: OpenOptions, *, notebook: str = ""
) -> LiveSession:
    """Follow a session that was opened elsewhere: by a kernel that is gone, or another notebook.

    It may have ended.

    Parameters
    ----------
    found : FoundSession
        The session or batch, and the service that has it.
    options : OpenOptions
        Name and policies for it.
    notebook : str
        Path of the notebook that takes it up.

    Raises
    ------
    UserError
        The policies cannot be enforced, or the service does not answer.
    """
    Policies.of(options, found.endpoint.info)
    raw, session_id, word = found.raw, found.session_id, found.word
    if raw.get("state") == "closed":
        # there is nothing left to happen that could be told
        options = replace(options, say="never", events="")
    connected = found.endpoint.chosen
    kind = Batch if word == "batch" else Session
    try:
        session = kind.from_id(session_id, connected.service)
        backend = connected.service.backend(str(raw["backend_name"]))
        # the same backend may be in another instance of the account as well
        client = ServiceClient(connected.service, session._instance)
        target = Target(with_calibration(connected, backend), backend, client)
    except Exception as error:
        doing = f"attach {word} {session_id}"
        raise UserError(explain(error, doing=doing, service=connected.info.where)) from None
    kept = replace(options, mode="batch" if kind is Batch else "dedicated", backend=backend.name)
    return _monitored(session, target, kept, notebook=notebook, opened_here=False)


def _create(target: Target, options: OpenOptions) -> Session | Batch:
    """Send the request that opens a session, once; say whether it opened one when that is unclear.

    Raises
    ------
    NoSessionsOnPlan
        The plan has no sessions; a batch would be accepted.
    UserError
        The service refused; the sentence says why and what to do.
    """
    kind = Batch if options.mode == "batch" else Session
    backend, word = target.backend, options.word
    BINDING.watch_outcomes()
    try:
        session = kind(backend, max_time=options.max_time)
    except UserError:
        raise
    except Exception as error:
        doing = f"open a {word} on {backend.name}"
        text = explain(error, doing=doing, service=target.info.where, opening=True)
        refused = answer_code(error) == NO_SESSIONS_ON_PLAN and options.mode != "batch"
        raise (NoSessionsOnPlan if refused else UserError)(text) from None
    if session.session_id is None:
        raise UserError(
            f"The backend {backend.name} is a simulator of the service's: it has no queue, so "
            "sessions do not exist there. Choose a device."
        )
    return session


def _job_mode(target: Target, options: OpenOptions, notebook: str) -> JobMode:
    elsewhere = OtherInstances(
        target.connected.service, backend_instance(target.backend), target.backend.name
    )
    poller = JobPoller(
        target.client,
        target.info,
        target.backend.name,
        reason="no_sessions_on_plan",
        name=options.name,
        notebook=notebook,
        expected_jobs=options.expect,
        elsewhere=elsewhere,
    )
    return JobMode(target, options, Monitor(poller), elsewhere)


def _monitored(
    session: Session | Batch,
    target: Target,
    options: OpenOptions,
    *,
    notebook: str = "",
    opened_here: bool = True,
) -> LiveSession:
    session_id = str(session.session_id)
    with closed_if_unwatched(session, target, options.word, closes=opened_here):
        monitor = Monitor(
            SessionPoller(
                target.client,
                session_id,
                target.info,
                name=options.name,
                notebook=notebook,
                expected_jobs=options.expect,
                retry_404=NOT_FOUND_TIMEOUT if opened_here else 0.0,
                remembered=None if opened_here else journal.read(session_id),
            )
        )
        live = LiveSession(session, target, monitor, options, opened_here=opened_here)
        monitor.start()
    return live


@contextmanager
def closed_if_unwatched(
    session: Session | Batch, target: Target, word: str, *, closes: bool = True
) -> Iterator[None]:
    """Close a session that was just opened, and cannot be watched or have its rules.

    Raises
    ------
    UserError
        In place of any error; says whether it was closed.
    """
    session_id = session.session_id
    try:
        yield
    except UserError as error:
        raise UserError(str(error) + (_close_unknown(session) if closes else "")) from None
    except Exception as error:
        text = explain(error, doing=f"watch {session_id}", service=target.info.where)
        raise UserError(text + (_close_unknown(session) if closes else "")) from None
    except KeyboardInterrupt:
        if closes:
            NOTICES.emit(
                f"The cell was interrupted while a {word} on {target.backend.name} was being "
                f"opened.{_close_unknown(session)}"
            )
        raise


def _close_unknown(session: Session | Batch) -> str:
    """Close a session that has no monitor, and would cost money unnoticed; as a sentence."""
    try:
        session.close()
    except Exception:
        return f" It may still be open: %session close {session.session_id} ends it."
    return " It was closed again."
