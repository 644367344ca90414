"""Which session the primitives belong to that are built without a ``mode``.

One session is bound at a time, for the whole kernel: it does not matter in which cell, task or
thread a primitive is built. What the user passes as ``mode``, and the user's own ``with
Session(...)``, always win.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from .client import ModeSeam

if TYPE_CHECKING:
    from .live import LiveSession


class Binding:
    """Holds the bound session.

    Attributes
    ----------
    bound : LiveSession or None
        The session that primitives without a mode join.
    last : LiveSession or None
        The session bound last, which views still show after it has ended.
    """

    def __init__(self) -> None:
        self.bound: LiveSession | None = None
        self.last: LiveSession | None = None
        self._lock = threading.Lock()
        self._seam = ModeSeam(self._current)

    def bind(self, live: LiveSession) -> None:
        """Make this the session of primitives without a mode."""
        with self._lock:
            self.bound = self.last = live
            self._seam.install()

    def unbind(self) -> LiveSession | None:
        """Let primitives without a mode belong to nothing again; what was bound."""
        with self._lock:
            live, self.bound = self.bound, None
            return live

    def shut(self) -> LiveSession | None:
        """Unbind, and leave the client library as it was."""
        live = self.unbind()
        self._seam.remove()
        return live

    def _current(self) -> Any | None:
        live = self.bound
        if live is None:
            return None
        # a session that has ended is still handed out: the primitive's run then says in a sentence
        # what became of it, where job mode would bill by accident
        return live.session


BINDING = Binding()
"""The kernel's binding."""
