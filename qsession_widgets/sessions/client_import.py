"""Import of the client library by the user's code, and what is done once it is there."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

CLIENT = "qiskit_ibm_runtime"
"""The client library. To import it takes two seconds, which loading an extension must not."""


def once_imported(name: str, action: Callable[[], object]) -> Callable[[], object]:
    """Call a function once a module has been imported: at once where it is, else after it is.

    Parameters
    ----------
    name : str
        The module.
    action : callable
        Is called on the thread that imports it.

    Returns
    -------
    callable
        Waits for the import no more.
    """
    if name in sys.modules:
        action()
        return lambda: None
    finder = _Finder(name, action)
    sys.meta_path.insert(0, finder)
    return finder.remove


class _Finder(MetaPathFinder):
    """Finds one module as the others do, and calls a function after it has run."""

    def __init__(self, name: str, action: Callable[[], object]):
        self._name = name
        self._action = action
        self._asking = False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's own spec, whose loader was changed; None for every other module."""
        if name != self._name or self._asking:
            return None
        self._asking = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._asking = False
        if spec is None or spec.loader is None:
            return spec
        loader, run = spec.loader, spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            run(module)
            if self in sys.meta_path:
                self.remove()
                self._action()

        loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

    def remove(self) -> None:
        """Wait for it no more."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)
