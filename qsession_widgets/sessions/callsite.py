"""The place in the user's code that called a library: notebook, cell and line."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType
from typing import Any

LIBRARIES = ("qiskit", "qiskit_ibm_runtime", "qsession_widgets", "samplomatic", "functools")


def this_notebook() -> str:
    """Path of the notebook that the code of this shell is in; empty elsewhere, or when unknown."""
    shell = _shell()
    if shell is None:
        return ""
    # what Jupyter's kernels are told about where they run; VS Code tells it in the namespace
    told = os.environ.get("JPY_SESSION_NAME") or shell.user_ns.get("__vsc_ipynb_file__")
    return str(told or "")


def whereabouts() -> str:
    """The place where the user's code called into a library.

    Returns
    -------
    str
        ``Cell [3], line 5``; for code of a module, ``vqe.py, line 12 (from cell [3], line 5)``.
    """
    frame: FrameType | None = sys._getframe(1)
    first = ""
    while frame is not None:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package not in LIBRARIES:
            if (cell := _cell(frame)) is not None:
                where = f"cell {cell}, line {frame.f_lineno}"
                return f"{first} (from {where})" if first else where[:1].upper() + where[1:]
            if not first:
                first = f"{Path(frame.f_code.co_filename).name}, line {frame.f_lineno}"
        frame = frame.f_back
    return first or "Somewhere"


def place() -> tuple[int | None, int | None]:
    """The cell that this code runs in, by its number, and its line there; None elsewhere."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if (cell := _cell(frame)) is not None:
            number = cell.strip("[]")
            return (int(number), frame.f_lineno) if number.isdigit() else (None, None)
        frame = frame.f_back
    return None, None


def given_pubs() -> list[Any]:
    """The PUBs that a client-side primitive was given, of whose ``run`` this is a part; else empty.

    It sends circuits that it has made of them, without their layouts.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("qiskit_ibm_runtime.executor_") and frame.f_code.co_name == "run":
            pubs = frame.f_locals.get("pubs")
            return list(pubs) if isinstance(pubs, (list, tuple)) else []
        frame = frame.f_back
    return []


def _cell(frame: FrameType) -> str | None:
    """The number of the cell that a frame runs, as ``[3]``."""
    shell = _shell()
    if shell is None:
        return None
    named = shell.compile.format_code_name(frame.f_code.co_filename)
    return None if named is None else str(named[1]).removeprefix("In")


def _shell() -> Any | None:
    if "IPython" not in sys.modules:
        return None
    from IPython.core.getipython import get_ipython

    return get_ipython()
