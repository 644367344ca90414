"""Whether a cell runs in this kernel: word of it beside the notes, for those who look from outside.

Jupyter's own word for a kernel is that of the message it answered last: it is *idle* while a cell
runs as soon as a subshell has answered something.
"""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from typing import Any

from .opened import Note, file_name, folder, kernel_id

_telling = threading.Event()


def tells() -> bool:
    """Whether this kernel tells when a cell runs."""
    return _telling.is_set()


def runs_cell(note: Note) -> bool | None:
    """Whether a cell runs in the kernel that opened a session; None when it does not tell."""
    if not note.tells or not note.kernel_id:
        return None
    return _word(note.kernel_id).exists()


class Running:
    """Tells whether a cell runs, to who says when one begins and ends."""

    def __init__(self) -> None:
        self._depths: dict[int, int] = {}

    def start(self) -> None:
        """Begin to tell, in the middle of a cell: as a rule one of them loads the magics."""
        _telling.set()
        _tell(True)

    def stop(self) -> None:
        """Tell no more."""
        _telling.clear()
        _tell(False)

    def begins(self) -> None:
        """A cell begins."""
        # a cell may run others, and a subshell runs its cells on a thread of its own
        thread = threading.get_ident()
        self._depths[thread] = self._depths.get(thread, 0) + 1
        _tell(True)

    def ends(self, result: Any = None) -> None:
        """A cell is over.

        Parameters
        ----------
        result : ExecutionResult, optional
            What IPython says of it.
        """
        thread = threading.get_ident()
        cell = getattr(getattr(result, "info", None), "raw_cell", None)
        depth = self._depths.pop(thread, 0)
        # one with nothing in it ends without having begun
        if cell is None or cell.strip():
            depth -= 1
        if depth > 0:
            self._depths[thread] = depth
        if not self._depths:
            _tell(False)


def _tell(running: bool) -> None:
    if not (kernel := kernel_id()):
        return
    with contextlib.suppress(OSError):
        if running:
            folder().mkdir(parents=True, exist_ok=True, mode=0o700)
            _word(kernel).touch()
        else:
            _word(kernel).unlink()


def _word(kernel: str) -> Path:
    return folder() / f"{file_name(kernel)}.running"
