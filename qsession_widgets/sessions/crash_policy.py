"""Policy for sessions whose process dies without closing them: ``--on-crash``."""

from __future__ import annotations

from typing import Literal

from ..deferred_output import NOTICES
from ..model import SessionSnapshot
from ..options.open_options import OpenOptions
from ..registry.kernel_status import has_jupyter_server
from ..watchdog.owner import WATCHDOG
from .live import LiveSession


def on_crash(options: OpenOptions) -> Literal["close", "leave"]:
    """The policy of a session, by what was asked for and by where this process runs.

    Without ``--on-crash``: left open with ``--on-exit leave``, and in a kernel of a Jupyter server,
    whose pages tell that its kernel is gone; closed anywhere else, where nobody would be told.
    """
    if options.on_crash:
        return "close" if options.on_crash == "close" else "leave"
    return "leave" if options.on_exit == "leave" or has_jupyter_server() else "close"


def apply_on_crash(live: LiveSession) -> None:
    """Have a session closed when this process dies, or no more, as its options say now."""
    session_id = live.monitor.session_id
    if live.inherited:
        return
    if not live.usable or on_crash(live.options) == "leave":
        WATCHDOG.drop(session_id)
        return

    def follow(snapshot: SessionSnapshot) -> None:
        if not snapshot.accepting_jobs or snapshot.state == "closed":
            WATCHDOG.drop(session_id)

    try:
        if WATCHDOG.watch(session_id, live.target.client, live.service_kind):
            live.monitor.subscribe(follow)
    except OSError as error:
        NOTICES.emit(
            f"No process can be started that would close this {live.word} if this one is killed "
            f"({error}): then %session list shows it until it is closed."
        )
