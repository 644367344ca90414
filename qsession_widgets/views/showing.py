"""Shows panels in a notebook, and keeps what is saved of them true.

Beside the panel a notebook keeps a receipt, for readers without a kernel. The one that is written
when the panel is shown says that nothing has happened yet, so it is written once more when the
session is over and its figures are final.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..sessions.binding import JobMode
    from ..sessions.live import LiveSession
    from ..watching.monitor import Monitor


def show(live: LiveSession | JobMode) -> None:
    """Show the panel of a session, or of job mode."""
    from IPython.core.getipython import get_ipython
    from IPython.display import display

    panel = live.panel()
    in_kernel = getattr(get_ipython(), "kernel", None) is not None
    monitor: Monitor | None = getattr(live, "monitor", None)
    if not in_kernel or monitor is None or monitor.finished():
        # a terminal would print it again; jobs without a session are never over
        display(panel)  # type: ignore[no-untyped-call]
        return
    handle = display(panel, display_id=True)  # type: ignore[no-untyped-call]
    shown = _Shown(panel, handle, monitor)
    _waiting.append(shown)
    monitor.subscribe(lambda _snapshot: shown.write_again())


def write_receipts() -> None:
    """Write the last receipts of sessions that are over, while a cell's output is still taken."""
    for shown in list(_waiting):
        shown.write_again()


class _Shown:
    """A panel in a notebook whose receipt is still to be written for the last time."""

    def __init__(self, panel: Any, handle: Any, monitor: Monitor):
        self._panel = panel
        self._handle = handle
        self._monitor = monitor
        self._lock = threading.Lock()

    def write_again(self) -> None:
        """Write the receipt if the session is over; at most once."""
        with self._lock:
            if self in _waiting and self._monitor.finished():
                self._handle.update(self._panel)
                # only now: a cell's end waits for what is in the list, and what a thread writes
                # after it is not part of the cell's output any more
                _waiting.remove(self)


_waiting: list[_Shown] = []
