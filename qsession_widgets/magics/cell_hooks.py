"""Hooks at the begin and end of a cell: what happens to its sessions when it fails or is over."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..deferred_output import NOTICES
from ..errors import UserError
from ..explanations import UNBOUND, advise, went_through_client
from ..model import EndReason
from ..registry.kernel_status import KernelStatus
from ..sessions.binding import BINDING
from ..sessions.run_ends import stopped_by
from ..views.display import write_receipts
from .resolve import left_behind_hint

if TYPE_CHECKING:
    from ..sessions.live import LiveSession


def page_shows_widgets(shell: Any) -> bool:
    """True if the front end of a shell is known to show widgets, and so the panel.

    Jupyter's server puts the notebook's path into ``JPY_SESSION_NAME``, and VS Code into a variable
    of the notebook. Colab imports its own package into the kernel. ``VSCODE_PID`` alone counts in
    kernels that VS Code started itself, not in what runs in its terminal, such as nbconvert. Voilà,
    whose page shows what nbclient executes, tells its kernels its address.
    """
    if os.environ.get("JPY_SESSION_NAME") or "google.colab" in sys.modules:
        return True
    if "VOILA_APP_PORT" in os.environ:
        return True
    if "__vsc_ipynb_file__" in shell.user_ns:
        return True
    in_kernel = getattr(shell, "kernel", None) is not None
    in_terminal = os.environ.get("TERM_PROGRAM") == "vscode"
    return in_kernel and "VSCODE_PID" in os.environ and not in_terminal


@dataclass
class _Cell:
    """State when a cell began, and the session that it opened."""

    submits: dict[int, int]
    opened: LiveSession | None = None


class CellHooks:
    """The hooks of one shell.

    Parameters
    ----------
    shell : InteractiveShell
        The shell.
    """

    def __init__(self, shell: Any):
        self._shell = shell
        # a cell may run others, and a subshell runs its cells on a thread of its own
        self._cells: dict[int, list[_Cell]] = {}
        self._running = KernelStatus()

    def install(self) -> None:
        """Register the hooks."""
        NOTICES.attach(self._shell, as_text=not page_shows_widgets(self._shell))
        for event, hook in self._hooks():
            self._shell.events.register(event, hook)
        self._running.start()

    def remove(self) -> None:
        """Unregister the hooks; what sessions do at the kernel's end stays as it was requested."""
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
        error = stopped_by(result)
        if error is not None and (advice := advise(error, _bound_names())) is not None:
            print(advice)
        if error is not None and _has_no_mode(error) and (hint := left_behind_hint()):
            print(hint.strip())
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
                print(live.end("close", by="once"))
        except UserError as failed:
            print(failed)
        if not live.usable and BINDING.bound is live:
            BINDING.unbind()

    def _used(self, cell: _Cell, *, tried: bool) -> list[LiveSession]:
        """Open sessions that the cell opened, sent jobs to, or tried to send jobs to.

        A forked child has none of its parent's.
        """
        return [
            live
            for live in BINDING.sessions()
            if not live.inherited
            and (live is cell.opened or _sent(live, cell) or (tried and live is BINDING.bound))
        ]


def _has_no_mode(error: BaseException) -> bool:
    """Check for a primitive that was built without a mode while nothing was bound."""
    library = "A backend or session must be specified" in str(error)
    return library or type(error).__name__ == "NothingBound"


def _bound_names() -> Mapping[str, str]:
    """The expressions of this notebook for the bound backend and its service."""
    if (live := BINDING.bound) is None:
        return UNBOUND
    session, backend = live.options.names
    return {"backend": backend, "service": f"{session}.service"}


def _sent(live: LiveSession, cell: _Cell) -> bool:
    """True if a job was sent to a session in a cell."""
    return live.submits > cell.submits.get(id(live), 0)


def _after_error(live: LiveSession, error: BaseException) -> None:
    action = live.options.on_error
    if action == "keep" and live.options.once:
        action = "close"
    if action != "keep":
        why = f"--on-error {action}" if live.options.on_error != "keep" else "--once"
        by: EndReason = "on_error" if live.options.on_error != "keep" else "once"
        print(f"{live.end(action, by)} The cell failed ({why}).")
        return
    stopped = "was interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
    print(
        f"The cell {stopped}, and its {live.word} on {live.target.backend.name} "
        + live.left_open(bound=BINDING.bound is live, counted=True)
    )
