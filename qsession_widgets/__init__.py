"""Qiskit Runtime sessions in Jupyter: a cell magic that opens one, a panel that shows it.

``%load_ext qsession_widgets``, then ``%%session`` above a cell. Importing this package imports
neither qiskit nor Aer; they come when a session is opened.
"""

from __future__ import annotations

from importlib.metadata import version as _version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .api import attach_session as attach_session
    from .api import current_session as current_session
    from .api import open_session as open_session
    from .errors import UserError as UserError
    from .model import SessionSnapshot as SessionSnapshot
    from .model import usage as usage
    from .views.comparison import compare as compare
    from .views.panel import SessionPanel as SessionPanel
    from .views.parts import JobTable as JobTable
    from .views.parts import JobTimeline as JobTimeline
    from .views.parts import ObjectiveLane as ObjectiveLane
    from .views.parts import SessionButtons as SessionButtons
    from .views.parts import SessionClocks as SessionClocks

__version__ = _version("qsession-widgets")

_WHERE = {
    "JobTable": "views.parts",
    "JobTimeline": "views.parts",
    "ObjectiveLane": "views.parts",
    "SessionButtons": "views.parts",
    "SessionClocks": "views.parts",
    "SessionPanel": "views.panel",
    "SessionSnapshot": "model",
    "UserError": "errors",
    "attach_session": "api",
    "compare": "views.comparison",
    "current_session": "api",
    "open_session": "api",
    "usage": "model",
}

__all__ = [*sorted(_WHERE), "__version__", "load_ipython_extension", "unload_ipython_extension"]


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add the magics to a shell: what ``%load_ext qsession_widgets`` calls."""
    from .magics.magics import load

    load(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take the magics away again. A session that is open stays open, and says so."""
    from .magics.magics import unload

    unload(shell)
