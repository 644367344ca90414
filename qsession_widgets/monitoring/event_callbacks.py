"""Functions of the user's that are called for events of a session."""

from __future__ import annotations

import asyncio
import atexit
import threading
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from .. import fork_safety
from ..deferred_output import NOTICES
from ..errors import UserError
from ..explanations import nearest
from ..model.events import KINDS

Callback = Callable[[dict[str, Any]], object]

EVERY = "*"
"""In place of a kind: every event."""
EXIT_TIMEOUT = 1.0
"""Seconds to wait for calls that are still to be made when the interpreter ends."""


class EventCallbacks:
    """The callbacks of one session."""

    def __init__(self) -> None:
        self._lock = fork_safety.lock()
        self._added: list[_Added] = []
        self._turns = _Turns()

    def add(self, kind: str, callback: Callback) -> Callable[[], None]:
        """Add a callback.

        Parameters
        ----------
        kind : str
            One of `qsession_widgets.model.events.KINDS`, or ``*`` for every event.
        callback : callable
            Takes the event as a dict, see `qsession_widgets.model.events.FIELDS`. It is called on
            the event loop of the main thread when there is one, as in a notebook's kernel: then
            not before the running cell is over, or awaits. Otherwise on a thread of the callbacks,
            one call after the other, so that it may take its time, and end the session.

        Returns
        -------
        callable
            Removes it, without arguments; calling it once more does nothing.

        Raises
        ------
        UserError
            There is no such kind of event, or the callback is no function.
        """
        if kind != EVERY and kind not in KINDS:
            close = nearest(str(kind), list(KINDS))
            hint = f" Did you mean {close}?" if close else f" There are {', '.join(KINDS)}."
            raise UserError(f"There is no event {kind!r}.{hint} '*' stands for all of them.")
        if not callable(callback):
            raise UserError(f"The callback of an event is a function, not {callback!r}.")
        added = _Added(kind, callback, _main_loop())
        with self._lock:
            self._added.append(added)

        def remove() -> None:
            with self._lock:
                if added in self._added:
                    self._added.remove(added)
            added.removed = True

        return remove

    def tell(self, event: Mapping[str, Any]) -> None:
        """Call those that are for an event, each with a copy of it."""
        with self._lock:
            wanted = [added for added in self._added if added.kind in (EVERY, event["event"])]
        for added in wanted:
            # what tells of events holds locks that a request of the callback's would wait for
            if not added.call_on_loop(dict(event)):
                self._turns.add(added, dict(event))


class _Turns:
    """Calls to be made one after the other, on a thread that lasts while there are any."""

    def __init__(self) -> None:
        self._lock = fork_safety.lock()
        self._waiting: deque[tuple[_Added, dict[str, Any]]] = deque()
        self._thread: threading.Thread | None = None
        self._forks = fork_safety.generation()
        _ALL.add(self)

    def add(self, added: _Added, event: dict[str, Any]) -> None:
        with self._lock:
            if self._forks != fork_safety.generation():
                # the parent makes its own calls, and its thread is not in a forked child
                self._forks = fork_safety.generation()
                self._waiting.clear()
                self._thread = None
            self._waiting.append((added, event))
            if self._thread is not None:
                return
            name = "qsession-callbacks"
            self._thread = thread = threading.Thread(target=self._work, name=name, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # at the interpreter's end none can be started, and nothing else runs
            self._work()

    def finish(self, within: float) -> None:
        """Wait until the calls are made, for so many seconds at most."""
        thread = self._thread
        if thread is not None and self._forks == fork_safety.generation() and thread.is_alive():
            thread.join(within)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                added, event = self._waiting.popleft()
            added.run(event)


_ALL: weakref.WeakSet[_Turns] = weakref.WeakSet()


# registered before the hook that closes sessions, and so run after it: its events are told, too
@atexit.register
def _finish_all() -> None:
    for turns in list(_ALL):
        turns.finish(EXIT_TIMEOUT)


class _Added:
    def __init__(
        self, kind: str, callback: Callback, loop: asyncio.AbstractEventLoop | None
    ) -> None:
        self.kind = kind
        self.callback = callback
        self.loop = loop
        self.removed = False
        self.failed = False

    def call_on_loop(self, event: dict[str, Any]) -> bool:
        """Have it called on its event loop; False where it has none that runs."""
        # one that was stopped and not closed would keep the call for ever
        if self.loop is None or not self.loop.is_running():
            return False
        try:
            self.loop.call_soon_threadsafe(self.run, event)
        except RuntimeError:  # closed since
            return False
        return True

    def run(self, event: dict[str, Any]) -> None:
        """Call it, unless it was taken off since; tell the first time that it raises."""
        if self.removed:
            return
        try:
            self.callback(event)
        except Exception as error:
            if self.failed:
                return
            self.failed = True
            name = getattr(self.callback, "__name__", repr(self.callback))
            NOTICES.emit(
                f"The callback {name} failed for the event {event['event']} "
                f"({type(error).__name__}: {error}). It stays added; if it fails again, that is "
                "not told."
            )


def _main_loop() -> asyncio.AbstractEventLoop | None:
    """The event loop that runs in the main thread, if this is called in it."""
    if threading.current_thread() is not threading.main_thread():
        return None
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
