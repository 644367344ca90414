"""Leads the client library of a program under ``qsession run`` to the emulator of the run.

Python imports a module of this name when it starts, and this folder stands first on ``PYTHONPATH``.
It is read by whatever Python the program has, so it needs nothing but the standard library. The
client finds the emulator by its environment, as long as a program does not name an account of its
own: what it names is left out here, and said on the error stream.
"""

from __future__ import annotations

import functools
import importlib
import importlib.abc
import importlib.util
import inspect
import json
import os
import sys
from collections.abc import Callable, Sequence
from types import FrameType, ModuleType
from typing import Any
from urllib.parse import urlsplit

HOME = "QSESSION_RUN_HOME"
INSTANCES = "QSESSION_RUN_INSTANCES"

OLDEST = (0, 50)

REDIRECTED = (
    "channel",
    "token",
    "url",
    "filename",
    "name",
    "instance",
    "proxies",
    "verify",
    "private_endpoint",
    "url_resolver",
    "region",
    "plans_preference",
    "tags",
)

_said: set[str] = set()


def _say(sentence: str) -> None:
    if sentence not in _said:
        _said.add(sentence)
        print("qsession run: " + sentence, file=sys.stderr, flush=True)


def _place() -> str:
    """Return the file and line of the program that called."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if file != __file__ and (os.sep + "qiskit_ibm_runtime" + os.sep) not in file:
            return f"{os.path.basename(file)} line {frame.f_lineno}"
        frame = frame.f_back
    return "the program"


def _local(url: str | None) -> bool:
    """True for an address on this machine: another emulator's, which the program means."""
    return urlsplit(url or "").hostname in ("127.0.0.1", "localhost", "::1")


def _check_version() -> None:
    import qiskit_ibm_runtime

    found = qiskit_ibm_runtime.__version__
    version = tuple(int(part) for part in found.split(".")[:2])
    if version < OLDEST:
        raise SystemExit(
            f"qsession run: qiskit-ibm-runtime {found} cannot speak to the emulator: install "
            "0.50 or newer with pip install -U qiskit-ibm-runtime."
        )


def _service(module: ModuleType) -> None:
    service = module.QiskitRuntimeService
    original = service.__init__
    signature = inspect.signature(original)

    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        _check_version()
        try:
            given = dict(signature.bind(self, *args, **kwargs).arguments)
        except TypeError:
            # it says itself what is wrong with them
            original(self, *args, **kwargs)
            return
        given.pop(next(iter(given)))
        if _local(given.get("url")):
            original(self, *args, **kwargs)
            return
        known = {*json.loads(os.environ.get(INSTANCES, "[]")), "auto"}
        left_out = [
            name
            for name in REDIRECTED
            if given.get(name) is not None and not (name == "instance" and given[name] in known)
        ]
        for name in left_out:
            del given[name]
        if left_out:
            _say(
                "{} of QiskitRuntimeService in {} {} not used: it reaches the emulator.".format(
                    ", ".join(name + "=" for name in left_out),
                    _place(),
                    "is" if len(left_out) == 1 else "are",
                )
            )
        original(self, **given)

    service.__init__ = init
    _delays(service)


def _delays(service: Any) -> None:
    """Refuse jobs with delays that would lose their unit, before they are sent."""
    here = os.path.dirname(os.path.abspath(__file__))
    file = os.path.join(here, *[os.pardir] * 3, "delay_units.py")
    spec = importlib.util.spec_from_file_location("_qsession_delay_units", file)
    if spec is None or spec.loader is None or not hasattr(service, "_run"):
        return
    units = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(units)
    original = service._run
    signature = inspect.signature(original)

    @functools.wraps(original)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        from qiskit_ibm_runtime.exceptions import IBMInputValueError

        given = signature.bind(self, *args, **kwargs).arguments
        units.refuse_lost_units(given.get("inputs") or {}, IBMInputValueError)
        return original(self, *args, **kwargs)

    service._run = run


def _accounts(module: ModuleType) -> None:
    home = os.environ.get(HOME)
    if not home:
        return
    usual = os.path.join(home, ".qiskit", "qiskit-ibm.json")
    setattr(module, "_DEFAULT_ACCOUNT_CONFIG_JSON_FILE", usual)  # noqa: B010
    manager = module.AccountManager

    def moved(name: str) -> None:
        original = getattr(manager, name).__func__
        signature = inspect.signature(original)

        @functools.wraps(original)
        def call(cls: Any, *args: Any, **kwargs: Any) -> Any:
            bound = signature.bind(cls, *args, **kwargs)
            filename = bound.arguments.get("filename")
            if filename:
                bound.arguments["filename"] = os.path.join(home, os.path.basename(filename))
            if name in ("save", "delete"):
                os.makedirs(os.path.dirname(usual), mode=0o700, exist_ok=True)
                _say(
                    f"{name}_account in {_place()} changes the run's own account "
                    "file, which goes with the run; yours stays as it is."
                )
            return original(*bound.args, **bound.kwargs)

        setattr(manager, name, classmethod(call))

    for name in ("save", "list", "get", "delete"):
        if inspect.ismethod(getattr(manager, name, None)):
            moved(name)


_PATCHES: dict[str, Callable[[ModuleType], None]] = {
    "qiskit_ibm_runtime.qiskit_runtime_service": _service,
    "qiskit_ibm_runtime.accounts.management": _accounts,
}


class _Loader(importlib.abc.Loader):
    """Loads a module as its own loader does, then changes it."""

    def __init__(self, loader: Any, patch: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._patch = patch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: Any) -> Any:
        """Create the module as its own loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, then change it."""
        self._loader.exec_module(module)
        self._patch(module)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the two modules that are changed, as the other finders do."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> Any:
        """Return the spec of one of the two, as the next finder has it."""
        patch = _PATCHES.get(name)
        if patch is None:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _Loader(spec.loader, patch)
                return spec
        return None


def _import_hidden() -> None:
    """Import the sitecustomize that Python would have found without this one."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != here]
    this = sys.modules.pop("sitecustomize", None)
    try:
        importlib.import_module("sitecustomize")
    except ImportError:
        if this is not None:
            sys.modules["sitecustomize"] = this


if os.environ.get(HOME):
    sys.meta_path.insert(0, _Finder())
    _import_hidden()
