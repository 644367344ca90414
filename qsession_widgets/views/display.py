"""Shows panels in a notebook, and keeps the receipts that are saved with them up to date.

Beside the panel a notebook keeps a receipt, for readers without a kernel. The one that is written
when the panel is shown says that nothing has happened yet, so it is written once more when the
session is over and its figures are final; in job mode, whenever no job is pending.

A program that executes a notebook shows nobody a panel: only the receipt is put there, and neither
the panel's code nor its state goes into the file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from .. import fork_safety
from ..deferred_output import NOTICES

if TYPE_CHECKING:
    from ..monitoring.monitor import Monitor
    from .panel import SessionPanel


class HasPanel(Protocol):
    """An open session, or job mode."""

    @property
    def monitor(self) -> Monitor:
        """Its monitor."""

    def panel(self) -> SessionPanel:
        """A panel that shows it."""


def show(shown: HasPanel) -> None:
    """Show the panel of a session, or of job mode."""
    from IPython.core.getipython import get_ipython
    from IPython.display import display

    content, monitor = _content(shown), shown.monitor
    in_kernel = getattr(get_ipython(), "kernel", None) is not None
    job_mode = monitor.snapshot.mode == "job"
    if not in_kernel or (not job_mode and monitor.finished()):
        # a terminal would print it again
        display(content())  # type: ignore[no-untyped-call]
        return
    handle = display(content(), display_id=True)  # type: ignore[no-untyped-call]
    waiting = _Shown(content, handle, monitor)
    _waiting.append(waiting)
    monitor.subscribe(lambda _snapshot: waiting.write_again())


def _content(shown: HasPanel) -> Callable[[], Any]:
    """A function that gives its panel, or where no page shows one, its receipt as of now."""
    if not NOTICES.executed_by_program:
        panel = shown.panel()
        return lambda: panel
    from .receipt import Receipt

    monitor = shown.monitor
    return lambda: Receipt(monitor.snapshot, monitor.now())


def write_receipts() -> None:
    """Write the last receipts of sessions that are over, while a cell's output is still taken."""
    for shown in list(_waiting):
        shown.write_again()


class _Shown:
    """A panel in a notebook whose receipt is still to be written.

    Parameters
    ----------
    content, handle
        What is shown, as of now, and IPython's handle of its output.
    monitor : Monitor
        Says when there is something to write.
    """

    def __init__(self, content: Callable[[], Any], handle: Any, monitor: Monitor):
        self._content = content
        self._handle = handle
        self._monitor = monitor
        self._written = monitor.snapshot
        self._lock = fork_safety.lock()

    def write_again(self) -> None:
        """Write the receipt if there is news in it that will not change any more."""
        with self._lock:
            snapshot = self._monitor.snapshot
            if self not in _waiting or not self._monitor.finished() or snapshot is self._written:
                return
            self._handle.update(self._content())
            self._written = snapshot
            # only now: a cell's end waits for what is in the list, and what a thread writes after
            # it is not part of the cell's output any more; jobs without a session are never over
            if snapshot.mode != "job":
                _waiting.remove(self)


_waiting: list[_Shown] = []
