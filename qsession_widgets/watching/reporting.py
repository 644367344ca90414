"""Tells what happens to one session: as lines of text where no page shows it, and into a file.

Text is for where the panel cannot be seen: a terminal, a notebook run by papermill or nbconvert, an
editor that shows no widgets. Under Jupyter the panel shows the same, so nothing is said twice: a
kernel that Jupyter's server started says nothing, and any other stops when a page has answered.
"""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..notes.opened import add_event
from ..notices import NOTICES
from ..snapshot import SessionSnapshot
from ..snapshot.events import JOB_BEGINS, JOB_ENDS, Event, changes, first

if TYPE_CHECKING:
    from .monitor import Monitor

logger = logging.getLogger(__name__)


class Reporter:
    """Tells what happens to one session.

    Parameters
    ----------
    monitor : Monitor
        Watches it.
    say : {"auto", "always", "never"}
        Whether events are told as lines of text; ``auto``: where no page shows them.
    path : str
        File that events are appended to as JSON lines; empty for none.
    opened_here : bool
        Whether it was opened from here; attached otherwise.
    """

    def __init__(self, monitor: Monitor, *, say: str, path: str, opened_here: bool):
        self._monitor = monitor
        self._say = say
        self._path = events_file(path) if path else None
        self._lock = threading.Lock()
        self._seen = False
        self._last = monitor.snapshot
        self._take(first(self._last, monitor.now(), opened_here=opened_here))
        self.stop = monitor.subscribe(self._follow)

    @property
    def speaks(self) -> bool:
        """Whether events are told as text."""
        if self._say == "auto":
            return NOTICES.as_text and not self._seen
        return self._say == "always"

    def seen(self, *_: Any) -> None:
        """A page shows the session: text would say everything twice."""
        self._seen = True

    def tell(self, kind: str, text: str, *, aloud: bool = True, **data: Any) -> None:
        """Something happened that no snapshot tells of.

        Parameters
        ----------
        kind : str
            One of `qsession_widgets.snapshot.events.KINDS`.
        text : str
            A sentence.
        aloud : bool
            Whether people are told it wherever they are; otherwise it goes into the file only.
        **data
            Further fields of the event.
        """
        event = Event(kind, self._monitor.now(), text, self._monitor.snapshot, data)
        self._write(event)
        if aloud:
            add_event(self._monitor.session_id, kind, text)
            NOTICES.say(text)

    def _follow(self, snapshot: SessionSnapshot) -> None:
        with self._lock:
            old, self._last = self._last, snapshot
            news = list(changes(old, snapshot, self._monitor.now()))
            over = {event.data.get("job") for event in news if event.kind in JOB_ENDS}
            for event in news:
                # that a job began is no news beside the line that says that it is over
                stale = event.kind in JOB_BEGINS and event.data["job"] in over
                self._take(event, aloud=not stale)

    def _take(self, event: Event, *, aloud: bool = True) -> None:
        self._write(event)
        if aloud and self.speaks:
            NOTICES.say(event.line())

    def _write(self, event: Event) -> None:
        if self._path is None:
            return
        try:
            _append(self._path, event.json_line())
        except OSError as error:
            NOTICES.say(
                f"Events are not written to {self._path} any more: {error.strerror or error}. "
                "Make room or allow writing there, then attach the session again."
            )
            self._path = None


def events_file(path: str) -> Path:
    """Where events are to be written, once it is known that they can be.

    Raises
    ------
    UserError
        They cannot.
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
