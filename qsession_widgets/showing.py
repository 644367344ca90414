"""Shows panels in a notebook, and keeps what is saved of them true.

Beside the panel a notebook keeps a receipt, for readers without a kernel. The one that is written
when the panel is shown says that nothing has happened yet, so it is written once more when the
session is over and its figures are final.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .binding import JobMode
    from .live import LiveSession
    from .snapshot import SessionSnapshot


def show(live: LiveSession | JobMode) -> None:
    """Show the panel of a session, or of job mode."""
    from IPython.core.getipython import get_ipython
    from IPython.display import display

    panel = live.panel()
    in_kernel = getattr(get_ipython(), "kernel", None) is not None
    monitor = getattr(live, "monitor", None)
    if not in_kernel or monitor is None or monitor.finished():
        # a terminal would print it again; jobs without a session are never over
        display(panel)  # type: ignore[no-untyped-call]
        return
    handle: Any = display(panel, display_id=True)  # type: ignore[no-untyped-call]

    def write_again(snapshot: SessionSnapshot) -> None:
        if monitor.finished(snapshot):
            unsubscribe()
            handle.update(panel)

    unsubscribe = monitor.subscribe(write_again)
