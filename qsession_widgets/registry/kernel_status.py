"""Kernel status: whether a cell runs in a kernel, as a file beside the registry's entries.

Jupyter's own status is that of the message a kernel answered last: as soon as a subshell has
answered something, the kernel is *idle* while a cell still runs.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
from pathlib import Path
from typing import Any

from .. import fork_safety
from ..files import private_folder
from .entries import file_name, folder
from .schema import RegistryEntry

_telling = fork_safety.event()


def kernel_id() -> str:
    """The id in the name of this kernel's connection file; empty outside of kernels."""
    try:
        from ipykernel.kernelapp import IPKernelApp
    except ImportError:
        return ""
    from traitlets.config import Application

    # in a terminal the application is another one, which the kernel's own class cannot be asked for
    running = Application.instance() if Application.initialized() else None
    if not isinstance(running, IPKernelApp):
        return ""
    found = re.fullmatch(r"kernel-(.+)\.json", Path(running.connection_file).name)
    return found[1] if found else ""


def tells() -> bool:
    """True if this kernel reports when a cell runs."""
    return _telling.is_set()


def runs_cell(note: RegistryEntry) -> bool | None:
    """True if a cell runs in the kernel that opened a session; None when it does not report it."""
    if not note.tells or not note.kernel_id:
        return None
    return _word(note.kernel_id).exists()


def has_jupyter_server() -> bool:
    """True if this is a kernel that a Jupyter server has started, whose pages tell when it is gone.

    nbclient, papermill, VS Code and terminals start kernels, too. A server writes a file with its
    process id, and its kernels know that id.
    """
    if not kernel_id():
        return False
    parent = os.environ.get("JPY_PARENT_PID") if os.name == "posix" else None
    server = parent or str(os.getppid())
    return (folder().parent / f"jpserver-{server}.json").exists()


class KernelStatus:
    """Reports this kernel's status (busy or idle); called when a cell begins and ends."""

    def __init__(self) -> None:
        self._depths: dict[int, int] = {}

    def start(self) -> None:
        """Begin to report, as busy: as a rule a cell loads the magics."""
        _telling.set()
        _tell(True)

    def stop(self) -> None:
        """Stop reporting."""
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
            private_folder(folder())
            _word(kernel).touch()
        else:
            _word(kernel).unlink()


def _word(kernel: str) -> Path:
    return folder() / f"{file_name(kernel)}.running"
