"""What happens to a session when its cell fails, is over, or when the kernel ends."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
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

TERMINATED_PATIENCE = 10.0
"""Seconds that closing may take when the process is told to end."""

_process = 0
"""The process that is to close its sessions."""


@dataclass
class _Cell:
    """What was so when a cell began, and what it has opened."""

    submits: dict[int, int]
    opened: LiveSession | None = None


class Ending:
    """Watches the cells of a shell, and its end.

    Parameters
    ----------
    shell : InteractiveShell
        The shell.
    """

    def __init__(self, shell: Any):
        self._shell = shell
        # a cell may run others, and a subshell runs its cells on a thread of its own
        self._cells: dict[int, list[_Cell]] = {}
        self._running = Running()

    def install(self) -> None:
        """Begin to watch."""
        # a kernel that Jupyter's server started is told its notebook, and its page shows the panel
        NOTICES.attach(self._shell, as_text=not os.environ.get("JPY_SESSION_NAME"))
        for event, hook in self._hooks():
            self._shell.events.register(event, hook)
        self._running.start()

    def remove(self) -> None:
        """Watch no more. What was asked for of sessions at the kernel's end still holds."""
        for event, hook in self._hooks():
            if hook in self._shell.events.callbacks[event]:
                self._shell.events.unregister(event, hook)
        self._running.stop()
        NOTICES.detach()

    def _hooks(self) -> tuple[tuple[str, Callable[..., None]], ...]:
        return (("pre_run_cell", self._before_cell), ("post_run_cell", self._after_cell))

    def opened(self, live: LiveSession) -> None:
        """The cell that runs has opened this session, or goes on in it."""
        for cell in self._cells.get(threading.get_ident(), ())[-1:]:
            cell.opened = live

    def _before_cell(self, _info: Any = None) -> None:
        self._running.begins()
        NOTICES.cell_begins()
        cell = _Cell({id(live): live.submits for live in BINDING.sessions()})
        self._cells.setdefault(threading.get_ident(), []).append(cell)

    def _after_cell(self, result: Any = None) -> None:
        try:
            self._tell_of(result, self._ended(result))
        finally:
            self._running.ends(result)

    def _ended(self, result: Any) -> _Cell:
        """The cell that is over; a blank one ends without having begun."""
        thread = threading.get_ident()
        text = getattr(getattr(result, "info", None), "raw_cell", None)
        cells = self._cells.get(thread, [])
        if not cells or (text is not None and not text.strip()):
            return _Cell({id(live): live.submits for live in BINDING.sessions()})
        cell = cells.pop()
        if not cells:
            del self._cells[thread]
        return cell

    def _tell_of(self, result: Any, cell: _Cell) -> None:
        error = getattr(result, "error_in_exec", None)
        if error is not None and (advice := advise(error)) is not None:
            print(advice)
        for live in self._used(cell, tried=error is not None and went_through_client(error)):
            self._settle(live, error)
        for live in BINDING.sessions():
            if live.reporter.speaks and (_sent(live, cell) or live.monitor.snapshot.pending()):
                # what the cell waited for is told in its own output
                live.monitor.poll()
        write_receipts()
        NOTICES.cell_ends()

    def _settle(self, live: LiveSession, error: BaseException | None) -> None:
        try:
            if error is not None:
                _after_error(live, error)
            elif live.options.once:
                print(live.end("close"))
        except UserError as failed:
            print(failed)
        if not live.usable and BINDING.bound is live:
            BINDING.unbind()

    def _used(self, cell: _Cell, *, tried: bool) -> list[LiveSession]:
        """Open sessions that the cell opened, sent jobs to, or tried to send jobs to."""
        return [
            live
            for live in BINDING.sessions()
            if live is cell.opened or _sent(live, cell) or (tried and live is BINDING.bound)
        ]


def _sent(live: LiveSession, cell: _Cell) -> bool:
    """Whether a job was sent to a session in a cell."""
    return live.submits > cell.submits.get(id(live), 0)


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
    """Close sessions that are not to outlive the interpreter when it ends, or is told to end."""
    global _process
    _process = os.getpid()
    atexit.unregister(close_all_at_exit)
    atexit.register(close_all_at_exit)
    in_main = threading.current_thread() is threading.main_thread()
    # what stops containers, batch jobs and idle servers; the interpreter ends by it without a word
    if in_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminated)


def _terminated(number: int, _frame: Any) -> None:
    signal.signal(number, signal.SIG_DFL)
    # on a thread: what it interrupts here may hold a lock that closing needs
    closing = threading.Thread(target=close_all_at_exit, name="qsession-closing", daemon=True)
    closing.start()
    closing.join(TERMINATED_PATIENCE)
    os.kill(os.getpid(), number)


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
    """Close the sessions of this kernel that are not to outlive it; say which could not be closed.

    All of them are asked to close before anything else is done, for whoever ends a kernel may not
    wait for long.
    """
    if os.getpid() != _process:
        # a child that was forked has these sessions in its memory, and they are not its own
        return
    if threading.current_thread() is threading.main_thread():
        # Jupyter sends it after half the time that it gives a kernel, and this is what it is for
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    closed = []
    for live in BINDING.sessions():
        if live.options.on_exit != "close":
            continue
        session_id = live.monitor.session_id
        try:
            closed.append((session_id, live.close_at_exit()))
        except Exception as error:
            with contextlib.suppress(OSError, ValueError):
                print(
                    f"The {live.word} {session_id} on {live.backend.name} could not be closed at "
                    f"the kernel's end ({error}) and may go on costing: qsession close "
                    f"{session_id} in a terminal ends it.",
                    file=sys.stderr,
                )
    for session_id, tell in closed:
        with contextlib.suppress(Exception):
            tell()
        forget(session_id)
