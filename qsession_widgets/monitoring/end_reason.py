"""The reason for a session's end: recorded before the request, found when it takes no more jobs.

The service says that a session was closed or cancelled, not what asked for it. So the process that
does writes it into the session's registry entry, where the session's kernel, the Jupyter server and
a later receipt find it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import PurePath
from typing import Any, Protocol, cast, get_args

from ..errors import OutcomeUnknown
from ..model import EMPTY_SESSION_TTL, EndReason, SessionSnapshot
from ..registry.entries import entry_of, record_end
from ..registry.kernel_status import kernel_id
from ..registry.schema import RegistryEntry

ON_REQUEST = ("session_closed_early", "session_cancelled")
"""The service's words for an end that somebody asked for."""

KERNELS = ("panel", "notebook", "once", "on_error", "exit", "elsewhere")
"""Reasons that a kernel records, which need not be the session's own."""

POLICIES = ("idle_close", "max_jobs", "budget_seconds", "budget_dollars")
"""Fields of a snapshot that only the session's own kernel knows."""


class Ends(Protocol):
    """A poller of the session that is to be ended."""

    session_id: str
    ending: Mapping[str, Any] | None

    @property
    def snapshot(self) -> SessionSnapshot:
        """The newest snapshot."""


@contextmanager
def recorded(
    poller: Ends, action: str, by: EndReason, spent: float | None = None
) -> Iterator[None]:
    """Record why a session is ended while the request is made; not where that is refused.

    The figure by which a policy ends it is recorded as well: what the usage comes to may say
    something else later.

    A second end is recorded only if it cancels what the first one let finish.
    """
    before, former = poller.snapshot, poller.ending
    cancels = action == "cancel" and before.state_reason != "session_cancelled"
    entry = entry_of(poller.session_id)
    known_already = before.end_reason or (entry is not None and entry.end_reason)
    if known_already and not cancels:
        yield
        return
    facts = {**_facts(before), "end_usage": spent}
    by_whom = {"ended_by": before.notebook or _this_program(), "ended_process": os.getpid()}
    poller.ending = {**facts, **_who(entry, by, by_whom)}
    record_end(poller.session_id, by, {**facts, **by_whom})
    try:
        yield
    except (OutcomeUnknown, KeyboardInterrupt):
        # it may take effect all the same
        raise
    except BaseException:
        poller.ending = former
        record_end(poller.session_id, "", {})
        raise


def take_back(poller: Ends) -> None:
    """Forget why a session was to be ended, where that had no effect."""
    poller.ending = None
    record_end(poller.session_id, "", {})


def _this_program() -> str:
    """The path of the notebook that runs here, or the name of the script; empty when unknown."""
    notebook = os.environ.get("JPY_SESSION_NAME", "")
    return notebook or ("" if kernel_id() else PurePath(sys.argv[0]).name or "python")


def _who(entry: RegistryEntry | None, by: EndReason, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The reason for an end that a process recorded, which need not be the session's own."""
    if by not in KERNELS:
        return {"end_reason": by}
    program, notebook = str(facts.get("ended_by") or ""), "" if entry is None else entry.notebook
    other = entry is not None and facts.get("ended_process") not in (None, entry.process)
    if program and notebook:
        # a notebook's later kernel is another process, and its own
        other = program != notebook
    if other:
        return {"end_reason": "elsewhere", "ended_by": program}
    return {"end_reason": by, "ended_by": "" if program == notebook else program}


def _facts(snapshot: SessionSnapshot) -> dict[str, Any]:
    found = {name: getattr(snapshot, name) for name in POLICIES}
    running = sum(job.status == "running" for job in snapshot.pending())
    return {name: value for name, value in found.items() if value is not None} | {
        "end_running": running
    }


def known(snapshot: SessionSnapshot, ending: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Fields for the snapshot of a session that takes no more jobs: why, and what is known of it.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session.
    ending : mapping or None
        These fields, where this process has ended it; the registry has those of others.
    """
    if ending is not None:
        return ending
    if snapshot.end_reason is not None:
        return {}
    entry = entry_of(snapshot.session_id)
    if entry is not None and entry.end_reason in get_args(EndReason):
        names = [
            name for name in (*POLICIES, "end_running", "end_usage") if name in entry.end_facts
        ]
        fields = {name: entry.end_facts[name] for name in names}
        return {**fields, **_who(entry, cast("EndReason", entry.end_reason), entry.end_facts)}
    if (by_time := _timed_out(snapshot)) is not None:
        return {"end_reason": by_time}
    if snapshot.state_reason in ON_REQUEST:
        mine = entry is not None and entry.process == os.getpid()
        return {"end_reason": "elsewhere" if mine else "request"}
    return {}


def _timed_out(snapshot: SessionSnapshot) -> EndReason | None:
    """The timeout at which the service closed the session, as its own times tell."""
    opened, started, closed = snapshot.opened_at, snapshot.started_at, snapshot.closed_at
    if closed is None:
        return None
    if started is not None:
        most = snapshot.max_ttl
        return "max_time" if most is not None and closed >= started + most - 1 else None
    unused = opened is not None and closed >= opened + EMPTY_SESSION_TTL - 1
    return "never_used" if unused else None
