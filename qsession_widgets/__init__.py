"""Qiskit Runtime sessions in Jupyter: a cell magic that opens one, a panel that shows it.

``%load_ext qsession_widgets``, then ``%%session`` above a cell. Importing this package imports
neither qiskit nor Aer; they come when a session is opened.
"""

from __future__ import annotations

from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .api import current_session as current_session
    from .api import open_session as open_session
    from .errors import UserError as UserError
    from .snapshot import SessionSnapshot as SessionSnapshot
    from .views.comparison import compare as compare
    from .views.panel import SessionPanel as SessionPanel

__version__ = _version("qsession-widgets")

_WHERE = {
    "SessionPanel": "views.panel",
    "SessionSnapshot": "snapshot",
    "UserError": "errors",
    "compare": "views.comparison",
    "current_session": "api",
    "open_session": "api",
}

__all__ = [*sorted(_WHERE), "__version__", "load_ipython_extension", "unload_ipython_extension"]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add the magics to a shell: what ``%load_ext qsession_widgets`` calls."""
    from .notebook.magics import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take the magics away again. A session that is open stays open, and says so."""
    from .notebook.magics import unload

    unload(shell)
