"""Records how the run of this process ended: each cell of a shell, or a script."""

from __future__ import annotations

import atexit
import sys
import threading
from typing import Any, NoReturn

from ..resume.runs import RUNS

_raise_exit = sys.exit
# a cell may run others, and a subshell runs its cells on a thread of its own
_depth = threading.local()


def watch_ends() -> None:
    """Follow the cells of the shell, with the magics loaded or not, and the end of a script."""
    if (shell := _shell()) is not None:
        for event, hook in (("pre_run_cell", _before_cell), ("post_run_cell", _after_cell)):
            if hook not in shell.events.callbacks[event]:
                shell.events.register(event, hook)
    atexit.unregister(_at_exit)
    atexit.register(_at_exit)
    sys.exit = _exit_with


def stopped_by(result: Any) -> BaseException | None:
    """The error that stopped a cell; None when none did, or when it never began."""
    error: BaseException | None = getattr(result, "error_in_exec", None)
    between = getattr(result, "error_before_exec", None)
    # IPython takes an interrupt between two statements for an error before the first one
    return between if error is None and isinstance(between, KeyboardInterrupt) else error


def _shell() -> Any:
    module: Any = sys.modules.get("IPython.core.interactiveshell")
    if module is None or not module.InteractiveShell.initialized():
        return None
    return module.InteractiveShell.instance()


def _cell(info: Any) -> str:
    """The id of a cell, by which an edited one is known again; its text where it has none."""
    return str(getattr(info, "cell_id", None) or getattr(info, "raw_cell", None) or "")


def _before_cell(info: Any = None) -> None:
    _depth.cells = getattr(_depth, "cells", 0) + 1
    if _depth.cells == 1:
        _depth.shown = _shown()
        RUNS.cell_begins(_cell(info))


def _after_cell(result: Any = None) -> None:
    _depth.cells = max(0, getattr(_depth, "cells", 0) - 1)
    if _depth.cells == 0:
        well = stopped_by(result) is None and getattr(result, "error_before_exec", None) is None
        # %run and %%capture go on after an error, which IPython has shown
        shown = _shown()
        well = well and getattr(_depth, "shown", shown) is shown
        RUNS.ended(well, _cell(getattr(result, "info", None)))


def _shown() -> Any:
    """The error that was shown last, whatever cell or file it stopped."""
    return getattr(sys, "last_value", None)


def _at_exit() -> None:
    if _shell() is None:
        RUNS.script_ended(not hasattr(sys, "last_value"))


def _exit_with(status: Any = None, /) -> NoReturn:
    """Leave by ``sys.exit``, of whose status nothing tells at the interpreter's end."""
    if status and threading.current_thread() is threading.main_thread():
        RUNS.failed_block()
    _raise_exit(status)
