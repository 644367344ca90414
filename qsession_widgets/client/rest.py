"""Asks the service's REST API over a connection of its own, signed as the client library's are.

``Session.details()`` of the client library drops raw fields of a session that are needed here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlencode

from .. import fork_safety
from ..errors import ServiceError, Unreadable
from ..explanations import read_error_body
from .private_api import api_client

if TYPE_CHECKING:
    import requests
    from qiskit_ibm_runtime import QiskitRuntimeService

API_VERSION = "2026-04-15"
CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    """An answer of the service, with its time.

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

    base_url: str
    _http: requests.Session

    on_response: Callable[[Answer | ServiceError], object] | None = None
    """Is told of every answer and of every failure, on the thread that asked."""

    timeout: float = READ_SECONDS
    """Seconds to wait for an answer."""

    def __init__(self, service: QiskitRuntimeService, instance: str | None = None):
        self._connect_beside(api_client(service, instance)._session)

    @classmethod
    def beside(cls, api_client: Any) -> ServiceClient:
        """A line beside one of the client library's own, a ``RuntimeClient``."""
        line = cls.__new__(cls)
        line._connect_beside(api_client._session)
        return line

    def _connect_beside(self, theirs: Any) -> None:
        self._connect(theirs.base_url)
        self._http.auth = theirs.auth
        self._http.verify = theirs.verify
        self._http.proxies = dict(theirs.proxies)

    @classmethod
    def with_key(
        cls,
        url: str,
        key: str,
        crn: str,
        *,
        verify: bool | str = True,
        proxies: Mapping[str, str] | None = None,
    ) -> ServiceClient:
        """A line to an emulator, without the client library.

        Parameters
        ----------
        url : str
            Its REST API.
        key, crn : str
            Who asks, about which instance.
        verify, proxies
            As of `requests.Session`; no proxy when not given.
        """
        line = cls.__new__(cls)
        line._connect(url)
        # neither a proxy nor the user's .netrc has a say on this machine's loopback
        line._http.trust_env = False
        line._http.verify, line._http.proxies = verify, dict(proxies or {})
        line._http.headers.update({"Authorization": f"apikey {key}", "Service-CRN": crn})
        return line

    def clone(self) -> ServiceClient:
        """Another line to the same place, with connections of its own; nobody listens to it."""
        line = ServiceClient.__new__(ServiceClient)
        line._connect(self.base_url)
        for name in ("auth", "verify", "proxies", "trust_env"):
            setattr(line._http, name, getattr(self._http, name))
        line._http.headers.update(self._http.headers)
        return line

    def reconnect(self, other: ServiceClient) -> None:
        """Go on with the address, the credentials and the connections of another line."""
        with self._lock:
            old, self._http = self._http, other._http
            self.base_url = other.base_url
        old.close()

    def _connect(self, url: str) -> None:
        from .transport import ServiceSession

        self.base_url = url
        self._http = ServiceSession()
        self._http.headers.update({"IBM-API-Version": API_VERSION, "Accept": "application/json"})
        self._lock = fork_safety.lock()

    def session(self, session_id: str) -> Answer:
        """The session's raw fields."""
        return self._record(f"/sessions/{_id(session_id)}")

    def close_session(self, session_id: str) -> Answer:
        """Accept no more jobs; queued ones still run."""
        return self._do("PATCH", f"/sessions/{_id(session_id)}", json={"accepting_jobs": False})

    def cancel_session(self, session_id: str) -> Answer:
        """Accept no more jobs and cancel queued ones."""
        return self._do("DELETE", f"/sessions/{_id(session_id)}/close")

    def jobs(self, session_id: str = "", *, limit: int = 200, offset: int = 0) -> Answer:
        """Jobs of a session, or all of them, newest first, at most 200 at a time."""
        query: dict[str, Any] = {"limit": limit, "offset": offset, "exclude_params": "true"}
        if session_id:
            query["session_id"] = session_id
        return self._list("/jobs", "jobs", query)

    def jobs_tagged(self, tag: str) -> Answer:
        """Jobs that carry a tag, newest first."""
        query = {"tags": tag, "limit": 200, "exclude_params": "true"}
        answer = self._list("/jobs", "jobs", query)
        # what does not know the filter lists other jobs, and none of them is to be taken for one
        jobs = [job for job in answer.data["jobs"] if tag in (job.get("tags") or ())]
        return replace(answer, data={**answer.data, "jobs": jobs})

    def job(self, job_id: str) -> Answer:
        """One job's raw fields, without its parameters."""
        return self._record(f"/jobs/{_id(job_id)}", {"exclude_params": "true"})

    def job_with_params(self, job_id: str) -> Answer:
        """One job's raw fields, with its parameters as they were sent."""
        return self._record(f"/jobs/{_id(job_id)}", {"exclude_params": "false"})

    def metrics(self, job_id: str) -> Answer:
        """When a job was created, ran and finished, and its usage."""
        return self._ask("GET", f"/jobs/{_id(job_id)}/metrics")

    def cancel_job(self, job_id: str) -> Answer:
        """Cancel one job."""
        return self._do("POST", f"/jobs/{_id(job_id)}/cancel")

    def tag_job(self, job_id: str, tags: list[str]) -> Answer:
        """Give a job other tags."""
        return self._do("PUT", f"/jobs/{_id(job_id)}/tags", json={"tags": tags})

    def workloads(self, **query: Any) -> Answer:
        """A page of workloads: the only listing of sessions there is."""
        return self._list("/workloads", "workloads", query)

    def instance_usage(self) -> Answer:
        """The instance's usage in its period, and its limit."""
        return self._ask("GET", "/instances/usage")

    def backends(self, include_mocks: bool = False, waits: bool = False) -> Answer:
        """All backends of the instance, with the length of their queues.

        With ``include_mocks`` those that it does not list, too; with ``waits`` how long jobs had to
        wait lately.
        """
        query = {"include_mocks": "true"} if include_mocks else {}
        query |= {"fields": "wait_time_seconds"} if waits else {}
        path = "/backends" + (f"?{urlencode(query)}" if query else "")
        return self._ask("GET", path, fits=lambda data: _are_named(data.get("devices", [])))

    def backend_data(self, name: str, kind: Literal["configuration", "properties"]) -> Answer:
        """The configuration of a backend, or its calibration."""
        return self._ask("GET", f"/backends/{_id(name)}/{kind}")

    def emulator(self, path: str) -> Answer:
        """An answer of the emulator's own routes."""
        root = self.base_url.split("/experimental")[0]
        return self._ask("GET", f"/emulator/v1/{path}", root=root)

    def set_simulation(self, session_id: str, wishes: Mapping[str, Any]) -> Answer:
        """Tell the emulator how to simulate a session's circuits, from its next job on."""
        root = self.base_url.split("/experimental")[0]
        path = f"/emulator/v1/sessions/{_id(session_id)}/simulation"
        return self._ask("PUT", path, root=root, json=dict(wishes))

    def simulation(self, session_id: str) -> Answer:
        """The emulator's settings of a session's simulation, where there are any."""
        return self.emulator(f"sessions/{_id(session_id)}/simulation")

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _list(self, path: str, name: str, query: Mapping[str, Any]) -> Answer:
        """A page of a list; an answer without the list, or with a row without an id, is none."""
        return self._ask("GET", path, params=query, fits=lambda data: _is_list(data.get(name)))

    def _do(self, method: str, path: str, **request: Any) -> Answer:
        """Have something done, which status 204 confirms, and no body whatever it says."""
        return self._ask(method, path, fits=lambda _: False, **request)

    def _record(self, path: str, query: Mapping[str, Any] | None = None) -> Answer:
        return self._ask("GET", path, params=query, fits=_is_record)

    def _ask(self, method: str, path: str, **request: Any) -> Answer:
        try:
            answer = self._exchange(method, path, **request)
        except ServiceError as error:
            if self.on_response is not None:
                self.on_response(error)
            raise
        if self.on_response is not None:
            self.on_response(answer)
        return answer

    def _exchange(
        self,
        method: str,
        path: str,
        *,
        root: str | None = None,
        fits: Callable[[dict[str, Any]], bool] | None = None,
        **request: Any,
    ) -> Answer:
        import requests

        sent = time.time()
        try:
            with self._lock:
                response = self._http.request(
                    method,
                    (root or self.base_url) + path,
                    timeout=(min(CONNECT_SECONDS, self.timeout), self.timeout),
                    **request,
                )
        except requests.Timeout as error:
            raise ServiceError(
                f"The service did not answer within {self.timeout:.0f} s.", kind="timeout"
            ) from error
        except requests.RequestException as error:
            raise ServiceError("The service cannot be reached.") from error
        except OSError as error:
            # of requests, which looks for the file of authorities before each request
            raise ServiceError(f"The service cannot be reached: {error}.") from error
        except Exception as error:
            # of IAM, which is asked for a new token before the service is; known by where it is
            # from, for importing that takes longer than all this
            if type(error).__module__.partition(".")[0] != "ibm_cloud_sdk_core":
                raise
            status = getattr(error, "status_code", None)
            raise ServiceError(str(getattr(error, "message", error)), status=status) from error
        received = time.time()
        if response.status_code >= 400:
            raise _error(response)
        try:
            data = response.json() if response.content else None
        except requests.exceptions.InvalidJSONError as error:
            raise Unreadable(status=response.status_code) from error
        nothing = response.status_code == 204 and method != "GET"
        if fits is not None and not nothing and not (isinstance(data, dict) and fits(data)):
            raise Unreadable(status=response.status_code)
        return Answer(data, _date(response.headers), sent, received)


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and _is_record(item) for item in value
    )


def _are_named(devices: Any) -> bool:
    return isinstance(devices, list) and all(
        isinstance(one, dict)
        and isinstance(one.get("name"), str)
        and isinstance(one.get("status"), dict | None)
        for one in devices
    )


def _is_record(record: dict[str, Any]) -> bool:
    """Check that a record says which it is, and that what tells more of it is text."""
    told = (record.get(name) for name in ("status", "created", "mode"))
    return (
        isinstance(record.get("id"), str)
        and bool(record["id"])
        and all(isinstance(value, str | None) for value in told)
    )


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
        retry_after=float(after) if after.isdecimal() else None,
    )
