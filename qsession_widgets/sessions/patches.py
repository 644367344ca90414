"""The functions of ``qiskit_ibm_runtime`` that are replaced while a session is bound.

There is no public way to learn of a primitive without a mode, or of a submit:

- ``base_primitive.get_mode_service_backend``, wherever the library has imported it: to answer for
  ``mode=None``;
- ``utils.default_session.get_cm_session``, ``set_cm_session``: a user's own ``with Session(...)``
  goes first;
- ``QiskitRuntimeService._run``: to notice a submit that goes past the session;
- ``RuntimeJobV2.result``, which is public: to record the value of a result that is read.

``tests/unit/test_client.py`` fails when one of them is gone.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from traceback import walk_tb
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..messages.lost_answers import result_cannot_be_read
from .job_mode import JobMode
from .with_blocks import WithBlocks

if TYPE_CHECKING:
    from qiskit_ibm_runtime import QiskitRuntimeService


def own_default_session() -> Any | None:
    """The session of the ``with Session(...)`` block this code runs in, if any."""
    from qiskit_ibm_runtime.utils.default_session import get_cm_session

    return get_cm_session()


class DelayUnitLost(UserError, ValueError):
    """A job was not sent, because a delay in it would become another."""


class NothingBound(UserError, ValueError):
    """A primitive without a mode was built while no session is bound."""


class ModePatch:
    """Patches the function that tells a primitive built without ``mode`` what it belongs to.

    The library asks one function, ``get_mode_service_backend``. While the seam is installed, that
    function is asked with our session where the user passed no mode and is in no ``with
    Session(...)`` block of their own. A mode that was passed is never touched, but for job mode,
    which means its backend. Because it does not
    depend on context variables, it holds in later cells, cells with top-level ``await``, tasks and
    threads alike, with every ipykernel.

    Parameters
    ----------
    current : callable
        Returns the session that is bound at this moment, or None. Called on the user's thread.
    block_begins : callable
        Takes the session of each of the user's own ``with`` blocks that begins; likewise.
    inherited : callable, optional
        Takes a session: whether this is a forked child of the process that it belongs to,
        whose ``with`` blocks leave it open.
    """

    def __init__(
        self,
        current: Callable[[], Any | None],
        block_begins: Callable[[Any], object],
        inherited: Callable[[Any], bool] = lambda _session: False,
    ) -> None:
        self._current = current
        self._blocks = WithBlocks(block_begins, inherited)
        self._original: Callable[..., Any] | None = None
        self._installed: Callable[..., Any] | None = None

    def install(self) -> None:
        """Put the seam in, in every module of the library that has imported the function."""
        if self._original is not None:
            return
        base = importlib.import_module("qiskit_ibm_runtime.base_primitive")
        original = base.get_mode_service_backend

        def get_mode_service_backend(mode: Any = None, *args: Any, **kwargs: Any) -> Any:
            if isinstance(mode, JobMode):
                mode = mode.for_new_jobs()
            if mode is None and own_default_session() is None:
                mode = self._blocks.innermost() or self._current()
                if mode is None:
                    raise NothingBound(
                        "This primitive has no session to run in: open one with %%session above a "
                        "cell, or pass mode=backend to run outside of sessions."
                    )
            return original(mode, *args, **kwargs)

        self._original, self._installed = original, get_mode_service_backend
        _replace_everywhere(original, get_mode_service_backend)
        self._blocks.install()

    def remove(self) -> None:
        """Take the seam out again."""
        if self._original is not None and self._installed is not None:
            _replace_everywhere(self._installed, self._original)
            self._original = self._installed = None
            self._blocks.remove()


def _replace_everywhere(old: Any, new: Any) -> None:
    name = "get_mode_service_backend"
    for module_name, module in list(sys.modules.items()):
        if module_name.startswith("qiskit_ibm_runtime") and getattr(module, name, None) is old:
            setattr(module, name, new)


@dataclass(frozen=True)
class Submit:
    """A job on its way to the service.

    Attributes
    ----------
    service : QiskitRuntimeService
        Through which object.
    program : str
        The program that runs it.
    backend : str
        Name of the backend.
    session_id : str or None
        The session it belongs to; None in job mode.
    inputs : dict
        What is sent.
    instance : str or None
        The instance (CRN) of the backend; None for the service's active one.
    """

    service: QiskitRuntimeService
    program: str
    backend: str
    session_id: str | None
    inputs: dict[str, Any]
    instance: str | None = None


class SubmitPatch:
    """Patches the function that every submit of this kernel passes, inside of sessions or not.

    Parameters
    ----------
    before : callable
        Called with every `Submit` before it is sent; may raise to refuse it. Returns a function
        that is called with the job's id afterwards, or None.
    """

    def __init__(self, before: Callable[[Submit], Callable[[str], None] | None]):
        self._before = before
        self._original: Callable[..., Any] | None = None

    def install(self) -> None:
        """Put the seam in."""
        if self._original is not None:
            return
        from qiskit_ibm_runtime import QiskitRuntimeService

        original = self._original = QiskitRuntimeService._run
        signature = inspect.signature(original)
        before = self._before

        @functools.wraps(original)
        def run(service: QiskitRuntimeService, *args: Any, **kwargs: Any) -> Any:
            given = signature.bind(service, *args, **kwargs).arguments
            options = given.get("options") or {}
            backend = (
                options.get("backend")
                if isinstance(options, Mapping)
                else getattr(options, "backend", None)
            )
            after = before(
                Submit(
                    service,
                    str(given.get("program_id", "")),
                    str(getattr(backend, "name", backend or "")),
                    given.get("session_id"),
                    given.get("inputs") or {},
                    getattr(backend, "_instance", None),
                )
            )
            job = original(service, *args, **kwargs)
            if after is not None:
                after(job.job_id())
            return job

        QiskitRuntimeService._run = run

    def remove(self) -> None:
        """Take the seam out again."""
        if self._original is not None:
            from qiskit_ibm_runtime import QiskitRuntimeService

            QiskitRuntimeService._run = self._original
            self._original = None


class ResultPatch:
    """Patches the method by which the user's code reads a job's result.

    It returns the very object that the client library returns, and its errors pass, but for those
    of Python's own over a result that it cannot decode, which are one sentence.

    Parameters
    ----------
    after : callable
        Called with the job's id and the result, on the user's thread; must not raise.
    """

    def __init__(self, after: Callable[[str, Any], object]):
        self._after = after
        self._original: Callable[..., Any] | None = None

    def install(self) -> None:
        """Put the seam in."""
        if self._original is not None:
            return
        from qiskit_ibm_runtime import RuntimeJobV2

        from ..client.spoilt_answer import SpoiltAnswer

        original = self._original = RuntimeJobV2.result
        after = self._after

        @functools.wraps(original)
        def result(job: RuntimeJobV2, *args: Any, **kwargs: Any) -> Any:
            try:
                found = original(job, *args, **kwargs)
            except Exception as error:
                if _while_decoding(error):
                    what = f"{type(error).__name__}: {error}"[:200]
                    raise SpoiltAnswer(result_cannot_be_read(job.job_id(), what)) from None
                raise
            after(job.job_id(), found)
            return found

        RuntimeJobV2.result = result

    def remove(self) -> None:
        """Take the seam out again."""
        if self._original is not None:
            from qiskit_ibm_runtime import RuntimeJobV2

            RuntimeJobV2.result = self._original
            self._original = None


def _while_decoding(error: BaseException) -> bool:
    """True if an error of Python's own came out of the client library's decoding of a result."""
    if type(error).__module__.startswith("qiskit_ibm_runtime"):
        return False
    return any(
        frame.f_code.co_name == "decode"
        and str(frame.f_globals.get("__name__")).startswith("qiskit_ibm_runtime.")
        for frame, _ in walk_tb(error.__traceback__)
    )
