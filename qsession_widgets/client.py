"""The one place that touches what ``qiskit_ibm_runtime`` keeps private.

Everything else uses the client library's public API. What is used here, because there is no public
way:

- ``QiskitRuntimeService._get_api_client(instance)``, and of what it returns ``_session`` (``auth``,
  ``base_url``, ``verify``, ``proxies``): to ask the service for raw session fields, which
  ``Session.details()`` drops, over a connection of our own;
- ``QiskitRuntimeService._account`` (``instance``, ``url``): to say which service this is;
- ``Session._run`` and ``Session._active``: to notice a submit from this kernel, and to tell the
  client of an end it cannot see;
- ``QiskitRuntimeService._run``: to notice a submit that goes past the session;
- ``base_primitive.get_mode_service_backend``, wherever the library has imported it: to answer for
  ``mode=None``;
- ``utils.default_session.get_cm_session``: a user's own ``with Session(...)`` goes first.

``tests/unit/test_client.py`` fails when one of them is gone.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from .blocks import OwnBlocks
from .errors import ServiceError, UserError, read_error_body

if TYPE_CHECKING:
    import requests
    from qiskit_ibm_runtime import QiskitRuntimeService

API_VERSION = "2026-04-15"
CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    """What the service answered, and when.

    Attributes
    ----------
    data : Any
        The decoded JSON; None for an empty answer.
    date : float or None
        The ``Date`` header: the service's clock in whole seconds since the epoch.
    sent, received : float
        This machine's clock when the request left and when the answer was there.
    """

    data: Any
    date: float | None
    sent: float
    received: float


class ServiceClient:
    """A second line to the service, for watching a session beside the user's own calls.

    It shares the credentials of the user's service object and nothing else: no retries, bounded
    waits, and errors as `ServiceError`. May be used from one thread at a time.

    Parameters
    ----------
    service : QiskitRuntimeService
        The user's service.
    instance : str or None
        The instance (CRN); the active one when None.
    """

    heard: Callable[[Answer | ServiceError], object] | None = None
    """Is told of every answer and of every failure, on the thread that asked."""

    def __init__(self, service: QiskitRuntimeService, instance: str | None = None):
        theirs = service._get_api_client(instance)._session
        self._dial(theirs.base_url)
        self._http.auth = theirs.auth
        self._http.verify = theirs.verify
        self._http.proxies = dict(theirs.proxies)

    @classmethod
    def with_key(cls, url: str, key: str, crn: str) -> ServiceClient:
        """A line to an emulator on this machine, without the client library.

        Parameters
        ----------
        url : str
            Its REST API.
        key, crn : str
            Who asks, about which instance.
        """
        line = cls.__new__(cls)
        line._dial(url)
        # neither a proxy nor the user's .netrc has a say on this machine's loopback
        line._http.trust_env = False
        line._http.headers.update({"Authorization": f"apikey {key}", "Service-CRN": crn})
        return line

    def twin(self) -> ServiceClient:
        """Another line to the same place, with connections of its own; nobody listens to it."""
        line = ServiceClient.__new__(ServiceClient)
        line._dial(self.base_url)
        for name in ("auth", "verify", "proxies", "trust_env"):
            setattr(line._http, name, getattr(self._http, name))
        line._http.headers.update(self._http.headers)
        return line

    def _dial(self, url: str) -> None:
        import requests

        self.base_url = url
        self._http = requests.Session()
        self._http.headers.update({"IBM-API-Version": API_VERSION, "Accept": "application/json"})
        self._lock = threading.Lock()

    def session(self, session_id: str) -> Answer:
        """The session's raw fields."""
        return self._ask("GET", f"/sessions/{_id(session_id)}")

    def close(self, session_id: str) -> Answer:
        """Accept no more jobs; queued ones still run."""
        return self._ask("PATCH", f"/sessions/{_id(session_id)}", json={"accepting_jobs": False})

    def cancel(self, session_id: str) -> Answer:
        """Accept no more jobs and cancel queued ones."""
        return self._ask("DELETE", f"/sessions/{_id(session_id)}/close")

    def jobs(self, session_id: str, *, limit: int = 200, offset: int = 0) -> Answer:
        """Jobs of a session, newest first, at most 200 at a time."""
        query = {
            "session_id": session_id,
            "limit": limit,
            "offset": offset,
            "exclude_params": "true",
        }
        return self._ask("GET", "/jobs", params=query)

    def job(self, job_id: str) -> Answer:
        """One job's raw fields, without its parameters."""
        return self._ask("GET", f"/jobs/{_id(job_id)}", params={"exclude_params": "true"})

    def metrics(self, job_id: str) -> Answer:
        """When a job was created, ran and finished, and its usage."""
        return self._ask("GET", f"/jobs/{_id(job_id)}/metrics")

    def cancel_job(self, job_id: str) -> Answer:
        """Cancel one job."""
        return self._ask("POST", f"/jobs/{_id(job_id)}/cancel")

    def workloads(self, **query: Any) -> Answer:
        """A page of workloads: the only listing of sessions there is."""
        return self._ask("GET", "/workloads", params=query)

    def instance_usage(self) -> Answer:
        """What the instance used in its period, and what it may."""
        return self._ask("GET", "/instances/usage")

    def backends(self) -> Answer:
        """All backends of the instance."""
        return self._ask("GET", "/backends")

    def emulator(self, path: str) -> Answer:
        """What only the emulator tells, below its own prefix."""
        root = self.base_url.split("/experimental")[0]
        return self._ask("GET", f"/emulator/v1/{path}", root=root)

    def shut(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _ask(self, method: str, path: str, **request: Any) -> Answer:
        try:
            answer = self._exchange(method, path, **request)
        except ServiceError as error:
            if self.heard is not None:
                self.heard(error)
            raise
        if self.heard is not None:
            self.heard(answer)
        return answer

    def _exchange(
        self, method: str, path: str, *, root: str | None = None, **request: Any
    ) -> Answer:
        import requests

        sent = time.time()
        try:
            with self._lock:
                response = self._http.request(
                    method,
                    (root or self.base_url) + path,
                    timeout=(CONNECT_SECONDS, READ_SECONDS),
                    **request,
                )
        except requests.Timeout as error:
            raise ServiceError(
                f"The service did not answer within {READ_SECONDS:.0f} s."
            ) from error
        except requests.RequestException as error:
            raise ServiceError("The service cannot be reached.") from error
        received = time.time()
        if response.status_code >= 400:
            raise _error(response)
        try:
            data = response.json() if response.content else None
        except ValueError as error:
            raise ServiceError(
                "The service's answer cannot be read.", status=response.status_code
            ) from error
        return Answer(data, _date(response.headers), sent, received)


def _id(text: str) -> str:
    return quote(text, safe="")


def _date(headers: Mapping[str, str]) -> float | None:
    try:
        return parsedate_to_datetime(headers["Date"]).timestamp()
    except (KeyError, ValueError, TypeError):
        return None


def _error(response: requests.Response) -> ServiceError:
    parts = read_error_body(response.text[:10_000])
    after = response.headers.get("Retry-After", "")
    return ServiceError(
        parts["message"] or f"The service answered {response.status_code} {response.reason}.",
        status=response.status_code,
        code=parts["code"],
        solution=parts["solution"],
        trace=parts["trace"],
        retry_after=float(after) if after.isdigit() else None,
    )


def account_instance(service: QiskitRuntimeService) -> str | None:
    """The instance (CRN) a service uses at this moment."""
    return cast("str | None", service._get_api_client()._instance)


def base_url(service: QiskitRuntimeService) -> str:
    """The URL of the REST API a service talks to."""
    return cast(str, service._get_api_client()._session.base_url)


def set_active(session: Any, active: bool) -> None:
    """Tell the client's session object whether it may still be used.

    A session that ended by timeout, or from elsewhere, looks usable to the client until a call
    fails.
    """
    session._active = active


def own_default_session() -> Any | None:
    """The session of the ``with Session(...)`` block this code runs in, if any."""
    from qiskit_ibm_runtime.utils.default_session import get_cm_session

    return get_cm_session()


def same_account(one: QiskitRuntimeService, other: QiskitRuntimeService) -> bool:
    """Whether two service objects talk to the same place."""
    return one is other or base_url(one) == base_url(other)


class NothingBound(UserError, ValueError):
    """A primitive without a mode was built while no session is bound."""


class ModeSeam:
    """Where a primitive built without ``mode`` learns what it belongs to.

    The library asks one function, ``get_mode_service_backend``. While the seam is installed, that
    function is asked with our session where the user passed no mode and is in no ``with
    Session(...)`` block of their own. A mode that was passed is never touched. Because it does not
    depend on context variables, it holds in later cells, cells with top-level ``await``, tasks and
    threads alike, with every ipykernel.

    Parameters
    ----------
    current : callable
        Returns the session that is bound at this moment, or None. Called on the user's thread.
    """

    def __init__(self, current: Callable[[], Any | None]):
        self._current = current
        self._blocks = OwnBlocks()
        self._original: Callable[..., Any] | None = None
        self._installed: Callable[..., Any] | None = None

    def install(self) -> None:
        """Put the seam in, in every module of the library that has imported the function."""
        if self._original is not None:
            return
        base = importlib.import_module("qiskit_ibm_runtime.base_primitive")
        original = base.get_mode_service_backend

        def get_mode_service_backend(mode: Any = None, *args: Any, **kwargs: Any) -> Any:
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
    """

    service: QiskitRuntimeService
    program: str
    backend: str
    session_id: str | None
    inputs: dict[str, Any]


class SubmitSeam:
    """Where every submit of this kernel passes by, also one that belongs to no session of ours.

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
