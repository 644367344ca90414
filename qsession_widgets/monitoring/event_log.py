"""Log of a session's events: as lines of text where no page shows it, into a file, to callbacks.

Text is for environments that show no panel: a terminal, papermill, nbconvert, an editor without
widgets. A kernel that Jupyter's server started prints nothing, for the panel shows the same; any
other kernel stops printing when a page has answered.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import fork_safety
from ..deferred_output import NOTICES
from ..errors import UserError
from ..messages import events
from ..model import SessionSnapshot
from ..model.events import JOB_BEGINS, JOB_ENDS, PHYSICS, SessionEvent, changes, first
from ..registry.entries import add_event
from .event_callbacks import EventCallbacks

if TYPE_CHECKING:
    from .monitor import Monitor

logger = logging.getLogger(__name__)


class EventLog:
    """Prints and writes the events of one session.

    Parameters
    ----------
    monitor : Monitor
        The session's monitor.
    say : {"auto", "always", "never"}
        Whether events are printed as lines of text; ``auto``: where no page shows them.
    path : str
        File that events are appended to as JSON lines; empty for none.
    opened_here : bool
        Whether this kernel opened the session; it was attached otherwise.
    callbacks : EventCallbacks
        Told of every event.
    """

    def __init__(
        self,
        monitor: Monitor,
        *,
        say: str,
        path: str,
        opened_here: bool,
        callbacks: EventCallbacks,
    ):
        self._monitor = monitor
        self._callbacks = callbacks
        self._say = say
        self._path = events_file(path) if path else None
        self._lock = fork_safety.lock()
        self._seen = False
        self._last = monitor.snapshot
        if self._last.session_id:
            # of a deferred one it is the first news
            self._take(first(self._last, monitor.now(), opened_here=opened_here))
        self.stop = monitor.subscribe(self._follow)

    @property
    def speaks(self) -> bool:
        """True if events are printed."""
        if self._say == "auto":
            return NOTICES.as_text and not self._seen
        return self._say == "always"

    def seen(self, *_: Any) -> None:
        """Note that a page shows the session: printing would say everything twice."""
        self._seen = True

    def emit(self, kind: str, text: str, *, aloud: bool = True, **data: Any) -> None:
        """Add an event that no snapshot shows, such as a policy that has acted.

        Parameters
        ----------
        kind : str
            One of `qsession_widgets.model.events.KINDS`.
        text : str
            A sentence.
        aloud : bool
            Whether to print it, too; otherwise it goes into the file only.
        **data
            Further fields of the event.
        """
        self._record(SessionEvent(kind, self._monitor.now(), self._monitor.snapshot, data), text)
        if aloud:
            add_event(self._monitor.session_id, kind, text)
            NOTICES.emit(text)

    def _follow(self, snapshot: SessionSnapshot) -> None:
        with self._lock:
            old, self._last = self._last, snapshot
            news = list(changes(old, snapshot, self._monitor.now()))
            over = {event.data.get("job") for event in news if event.kind in JOB_ENDS}
            for event in news:
                # the line that a job is over makes the line that it began superfluous
                stale = event.kind in JOB_BEGINS and event.data["job"] in over
                self._take(event, aloud=not stale)

    def _take(self, event: SessionEvent, *, aloud: bool = True) -> None:
        text = events.sentence(event)
        self._record(event, text)
        # that results are not exact stands beside them, also where a panel says so
        told = self.speaks or (event.kind in PHYSICS and self._say != "never")
        if aloud and told:
            NOTICES.emit(events.line(event, text), at=event.time)

    def _record(self, event: SessionEvent, text: str) -> None:
        told = {**event.to_json(), "text": text}
        self._callbacks.tell(told)
        if self._path is None:
            return
        try:
            _append(self._path, json.dumps(told) + "\n")
        except OSError as error:
            NOTICES.emit(
                f"Events are not written to {self._path} any more: {error.strerror or error}. "
                "Make room or allow writing there, then attach the session again."
            )
            self._path = None


def events_file(path: str) -> Path:
    """The file that events are appended to, made when it does not exist.

    Raises
    ------
    UserError
        It cannot be written.
    """
    target = Path(path).expanduser().absolute()
    try:
        _append(target, "")
    except OSError as error:
        raise UserError(
            f"--events {path!r} cannot be written ({error.strerror or error}): name a file in a "
            "folder that exists and may be written."
        ) from None
    return target


def _append(path: Path, line: str) -> None:
    # one write to the file's end: several kernels may share the file
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)
