"""Parts of the panel as widgets of their own, for layouts of the user's.

All parts of a session are drawn by one panel's model, whose code and data come to the page once; a
part is a few hundred bytes that name the session and the part.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import anywidget
import traitlets
from ipywidgets import widget_serialization

from ..messages.labels import headline
from ..model import SessionSnapshot, phase, usage
from .monitored import Monitored, MonitorLike
from .panel import SessionPanel, monitor_of, read_static

_PANELS: WeakKeyDictionary[MonitorLike, SessionPanel] = WeakKeyDictionary()
"""Panels of monitors that were given without their session."""


class SessionPart(anywidget.AnyWidget):
    """One part of a session's panel, and the session's state as traits to observe.

    The traits change with each new snapshot, on the thread that polls; between two of them, while
    a page counts on, they stay.

    Parameters
    ----------
    session : Session, Batch or Monitor
        A session that `open_session` or ``%%session`` opened, or the monitor of one.

    Attributes
    ----------
    phase : str
        ``open``, ``queued``, ``active``, ``idle``, ``deactivated``, ``closing``, ``closed`` or
        ``cancelled``.
    usage_seconds : float
        Usage as of the last poll, in seconds.
    cost : float or None
        What that costs in US dollars; None without a price.
    pending, done : int
        Numbers of jobs that are queued or running, and of those that ended well.

    Raises
    ------
    UserError
        The session has no monitor, or the front end was not built.
    """

    _part = ""
    _esm = traitlets.Unicode().tag(sync=True)
    part = traitlets.Unicode().tag(sync=True)
    session_id = traitlets.Unicode().tag(sync=True)
    panel = traitlets.Instance(SessionPanel).tag(sync=True, **widget_serialization)
    """Model of the panel that draws it; on the page even where only parts are shown."""

    phase = traitlets.Unicode(read_only=True)
    usage_seconds = traitlets.Float(read_only=True)
    cost = traitlets.Float(None, allow_none=True, read_only=True)
    pending = traitlets.Int(read_only=True)
    done = traitlets.Int(read_only=True)

    _unsubscribe: Callable[[], None] | None = None

    def __init__(self, session: Monitored | MonitorLike) -> None:
        self._monitor = monitor_of(session)
        snapshot = self._monitor.snapshot
        super().__init__(
            _esm=read_static("part.js"),
            part=self._part,
            session_id=snapshot.session_id,
            panel=_panel_of(session, self._monitor),
            # in a row they share its width; alone, as in a column, each has all of it
            layout={"width": "100%"},
        )
        self._unsubscribe = self._monitor.subscribe(self._changed)
        self._changed(self._monitor.snapshot)

    def _changed(self, snapshot: SessionSnapshot) -> None:
        snapshot = self._monitor.shown(snapshot)
        spent = usage(snapshot, self._monitor.now())
        pending = snapshot.pending()
        now = {
            "phase": phase(snapshot),
            "usage_seconds": spent.total,
            "cost": spent.cost,
            "pending": len(pending),
            "done": sum(job.status == "done" and not job.stray for job in snapshot.jobs),
        }
        for name, value in now.items():
            self.set_trait(name, value)

    def close(self) -> None:
        """Stop following the session and take the part off the page; its panel stays."""
        unsubscribe, self._unsubscribe = self._unsubscribe, None
        if unsubscribe is not None:
            unsubscribe()
        super().close()

    def __repr__(self) -> str:
        snapshot = self._monitor.snapshot
        return f"<{type(self).__name__} on {snapshot.backend}: {headline(snapshot)}>"


class SessionClocks(SessionPart):
    """Countdowns of the interactive timeout and the maximum time, usage, cost and guards."""

    _part = "clocks"


class ObjectiveLane(SessionPart):
    """The objective over time: values with errors, the best so far, the latest in words."""

    _part = "objective"


class JobTimeline(SessionPart):
    """The jobs on a timeline that follows now, without the objective."""

    _part = "timeline"


class JobTable(SessionPart):
    """The table of jobs."""

    _part = "jobs"


class SessionButtons(SessionPart):
    """The session's state, its buttons, and what came of them."""

    _part = "buttons"


def _panel_of(session: Any, monitor: MonitorLike) -> SessionPanel:
    if hasattr(session, "panel"):
        panel: SessionPanel = session.panel()
        return panel
    known = _PANELS.get(monitor)
    if known is None or known.comm is None:
        known = _PANELS[monitor] = SessionPanel(monitor)
    return known
