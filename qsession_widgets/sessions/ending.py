"""What happens to a session when its cell fails, is over, or when the kernel ends."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import UserError, advise, went_through_client
from ..notes.opened import forget
from ..notes.running import Running
from ..notices import NOTICES
from ..views.showing import write_receipts
from .binding import BINDING
from .noting import remember

if TYPE_CHECKING:
    from .live import LiveSession


class Ending:
    """Watches the cells of a shell, and its end.

    Parameters
    ----------
    shell : InteractiveShell
        The shell.
    """

    def __init__(self, shell: Any):
        self._shell = shell
        self._submits: dict[int, int] = {}
        self._opened: LiveSession | None = None
        self._running = Running()

    def install(self) -> None:
        """Begin to watch."""
        # a kernel that Jupyter's server started is told its notebook, and its page shows the panel
        NOTICES.attach(self._shell, as_text=not os.environ.get("JPY_SESSION_NAME"))
        for event, hook in self._hooks():
            self._shell.events.register(event, hook)
        self._running.start()

    def remove(self) -> None:
        """Watch no more. Sessions are left open when the kernel ends then."""
        for event, hook in self._hooks():
            if hook in self._shell.events.callbacks[event]:
                self._shell.events.unregister(event, hook)
        atexit.unregister(close_all_at_exit)
        self._running.stop()
        NOTICES.detach()

    def _hooks(self) -> tuple[tuple[str, Callable[..., None]], ...]:
        return (("pre_run_cell", self._before_cell), ("post_run_cell", self._after_cell))

    def opened(self, live: LiveSession) -> None:
        """The cell that runs has opened this session, or goes on in it."""
        self._opened = live

    def _before_cell(self, _info: Any = None) -> None:
        self._running.begins()
        NOTICES.cell_begins()
        self._opened = None
        self._submits = {id(live): live.submits for live in BINDING.sessions()}

    def _after_cell(self, result: Any = None) -> None:
        try:
            self._tell_of(result)
        finally:
            self._running.ends(result)

    def _tell_of(self, result: Any) -> None:
        error = getattr(result, "error_in_exec", None)
        if error is not None and (advice := advise(error)) is not None:
            print(advice)
        self._settle(error)
        for live in BINDING.sessions():
            sent = live.submits > self._submits.get(id(live), 0)
            if live.reporter.speaks and (sent or live.monitor.snapshot.pending()):
                # what the cell waited for is told in its own output
                live.monitor.poll()
        write_receipts()
        NOTICES.cell_ends()

    def _settle(self, error: BaseException | None) -> None:
        live = self._used(tried=error is not None and went_through_client(error))
        self._opened = None
        if live is None:
            return
        try:
            if error is not None:
                _after_error(live, error)
            elif live.options.once and live.usable:
                print(live.end("close"))
            else:
                return
        except UserError as failed:
            print(failed)
        if not live.usable and BINDING.bound is live:
            BINDING.unbind()

    def _used(self, *, tried: bool) -> LiveSession | None:
        """The session that the cell opened or sent jobs to, or tried to, if it still takes some."""
        if self._opened is not None:
            return self._opened if self._opened.usable else None
        live = BINDING.bound
        if live is None or not live.usable:
            return None
        return live if tried or live.submits > self._submits.get(id(live), 0) else None


def _after_error(live: LiveSession, error: BaseException) -> None:
    action = live.options.on_error
    if action == "keep" and live.options.once:
        action = "close"
    if action != "keep":
        why = f"--on-error {action}" if live.options.on_error != "keep" else "--once"
        print(f"{live.end(action)} The cell failed ({why}).")
        return
    stopped = "was interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
    print(
        f"The cell {stopped}, and its {live.word} on {live.backend.name} stays open{_left(live)}. "
        + live.ways_out(bound=BINDING.bound is live)
    )


def _left(live: LiveSession) -> str:
    """What goes on although the cell does not, as the end of a sentence."""
    count = len(live.monitor.snapshot.pending())
    return f"; {count} job{' goes' if count == 1 else 's go'} on" if count else ""


def close_at_exit() -> None:
    """Let sessions that are not to outlive the interpreter be closed when it ends."""
    atexit.unregister(close_all_at_exit)
    atexit.register(close_all_at_exit)


def leave_open(session_id: str) -> bool:
    """Leave a session open when this kernel ends, whatever was asked for when it was opened.

    Parameters
    ----------
    session_id : str
        The session.

    Returns
    -------
    bool
        Whether this kernel has it, and it takes jobs; it would not have been closed otherwise.
    """
    live = BINDING.with_id(session_id)
    if live is None:
        return False
    live.options = replace(live.options, on_exit="leave")
    remember(live, bound=BINDING.bound is live)
    return True


def close_all_at_exit() -> None:
    """Close the sessions of this kernel that are not to outlive it."""
    for live in BINDING.sessions():
        if live.options.on_exit == "close" and live.end_at_exit():
            forget(live.monitor.session_id)
