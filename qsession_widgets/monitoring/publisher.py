"""Listeners that are called with every new snapshot of a session."""

from __future__ import annotations

import logging
from collections.abc import Callable

from .. import fork_safety
from ..model import SessionSnapshot

logger = logging.getLogger(__name__)

Listener = Callable[[SessionSnapshot], object]


class Publisher:
    """Calls listeners in the order of their subscription; one that raises does not stop the rest.

    It calls them on the publishing thread. That one snapshot is published after another, and not
    beside it, is up to the caller.
    """

    def __init__(self) -> None:
        self._lock = fork_safety.lock()
        self._listeners: dict[int, Listener] = {}
        self._next_key = 0

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener.

        Returns
        -------
        callable
            Ends the subscription.
        """
        with self._lock:
            key = self._next_key
            self._next_key += 1
            self._listeners[key] = listener

        def unsubscribe() -> None:
            self._listeners.pop(key, None)

        return unsubscribe

    def forget_all(self) -> None:
        """End every subscription."""
        self._listeners = {}

    def publish(self, snapshot: SessionSnapshot) -> None:
        """Call every listener with a snapshot."""
        with self._lock:
            listeners = list(self._listeners.values())
        for listener in listeners:
            try:
                listener(snapshot)
            except Exception:
                # a view that fails must stop neither the polling nor the other views
                logger.exception("A listener of session %s failed", snapshot.session_id)
