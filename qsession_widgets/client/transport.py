"""HTTP adapters of the requests to the service: token renewal, and no blind repetition.

Used under the client library's connection and under our own, so that both treat an expired token
and a lost answer alike. What is known of the client library's connection here: ``auth.tm``, the
token manager of ``ibm_cloud_sdk_core`` (``access_token``, ``expire_time``, ``refresh_time``).
"""

from __future__ import annotations

import re
import threading
import time
from typing import Any, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from .. import fork_safety
from ..messages.lost_answers import UNREADABLE, cannot_be_read
from .record_fields import misfit

CREATES = re.compile(r"/(jobs|sessions)/?$")
"""Paths where each POST makes one more of something that costs money."""

CONNECT_RETRIES = 3

READ_AGAIN = (0.2, 1.0)
"""Seconds to wait before an answer that cannot be read is asked for again."""


class Transport:
    """Sends the requests of one HTTP session through one of its adapters.

    Parameters
    ----------
    session : requests.Session
        Whose credentials are renewed.
    adapter : HTTPAdapter
        Sends, and repeats what may be repeated, as it was made to.
    api : str
        Address below which every answer to a GET is a JSON object, with fields that the client
        library can read: one that is not is asked for again. Empty where the caller looks at the
        answers.
    """

    def __init__(self, session: requests.Session, adapter: HTTPAdapter, api: str = ""):
        self._session = session
        self._adapter = _own(session, adapter)
        self._api = api

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        """Send a request; a second time with a new token where the first one had expired.

        Raises
        ------
        requests.RequestException
            There was no answer.
        SpoiltAnswer
            There was none that can be read.
        """
        if not self._is_question(request):
            return _readable(self._signed(request, options))
        for pause in (*READ_AGAIN, None):
            try:
                response = self._signed(request, options)
                if response.status_code != 200:
                    return _readable(response)
                if not (wrong := self._misfit(request, response.content)):
                    return _readable(response, _Told)
            except requests.exceptions.ChunkedEncodingError:
                wrong = "it breaks off"
            if pause is None:
                raise _spoilt(wrong, len(READ_AGAIN) + 1) from None
            time.sleep(pause)
        raise AssertionError("the last turn returns or raises")

    def _signed(
        self, request: requests.PreparedRequest, options: dict[str, Any]
    ) -> requests.Response:
        adapter = self._adapter if _repeatable(request) else _without_repetition(self._adapter)
        response = adapter.send(request, **options)
        if response.status_code == 401 and _renew(self._session.auth, request):
            # the connection goes back to its pool once the answer is read
            _ = response.content
            response = adapter.send(request, **options)
        return response

    def _is_question(self, request: requests.PreparedRequest) -> bool:
        return (
            request.method == "GET"
            and bool(self._api)
            and str(request.url).startswith(self._api)
            and not _path(request).endswith("/logs")
        )

    def _misfit(self, request: requests.PreparedRequest, body: bytes) -> str:
        if not _is_object(body):
            return "it is no JSON object"
        return misfit(str(request.url).removeprefix(self._api).partition("?")[0], body)

    def close(self) -> None:
        """Give the adapter's connections back."""
        self._adapter.close()


def own_authority_first(session: requests.Session, *words: Any, **options: Any) -> Any:
    """Settings of a request, in which the session's own file of authorities goes first.

    Otherwise ``REQUESTS_CA_BUNDLE`` does.
    """
    settings = requests.Session.merge_environment_settings(session, *words, **options)
    if isinstance(session.verify, str):
        settings["verify"] = session.verify
    return settings


class ServiceSession(requests.Session):
    """An HTTP session for the service's API, without repetition of what it was not asked for."""

    merge_environment_settings = own_authority_first

    def get_adapter(self, url: str | bytes) -> Any:
        """The adapter for an address, with the token renewed where it has expired."""
        return Transport(self, super().get_adapter(url))  # type: ignore[arg-type]


class ClientTransport:
    """Puts `Transport` under every connection of the client library's, while it is installed.

    The library repeats a POST up to five times on status 5xx, although the service may have opened
    a session or accepted a job each time; see `qsession_widgets.client.unknown_outcome`.
    """

    def __init__(self) -> None:
        self._installed = False

    def install(self) -> None:
        """Put it in."""
        if self._installed:
            return
        from qiskit_ibm_runtime.api.session import RetrySession

        def get_adapter(session: requests.Session, url: str | bytes) -> Any:
            found = requests.Session.get_adapter(session, url)  # type: ignore[arg-type]
            return Transport(session, cast(HTTPAdapter, found), getattr(session, "base_url", ""))

        RetrySession.get_adapter = get_adapter
        self._installed = True

    def remove(self) -> None:
        """Take it out again."""
        if self._installed:
            from qiskit_ibm_runtime.api.session import RetrySession

            del RetrySession.get_adapter
            self._installed = False


def _own(session: requests.Session, adapter: HTTPAdapter) -> HTTPAdapter:
    """The adapter, with connections of this process: a forked child shares its parent's sockets."""
    made = vars(adapter)
    if made.get("_generation", 0) != fork_safety.generation():
        # as if it had been pickled, which leaves the connections behind
        adapter.__setstate__(adapter.__getstate__())
        made["_generation"] = fork_safety.generation()
        tokens = getattr(session.auth, "tm", None)
        if tokens is not None:
            # a thread of the parent's may have been about to renew the token
            tokens.lock = threading.Lock()
            tokens.request_time = 0
    return adapter


def _path(request: requests.PreparedRequest) -> str:
    return str(request.path_url).partition("?")[0]


def _repeatable(request: requests.PreparedRequest) -> bool:
    return request.method != "POST" or CREATES.search(_path(request)) is None


def _is_object(body: bytes) -> bool:
    """Check that a body looks like a whole JSON object; it may be too large to parse it twice."""
    text = body.strip()
    return text.startswith(b"{") and text.endswith(b"}")


class _Response(requests.Response):
    """A response whose JSON is an error of the request's where it cannot be read.

    Of what is nested too deeply, or has a number too long, Python's own errors tell nobody that an
    answer was lost; nor do those of the client library's decoder, of what was packed.
    """

    def json(self, **options: Any) -> Any:
        """The body; see `requests.Response.json`."""
        try:
            return super().json(**options)
        except requests.RequestException:
            raise
        except Exception as error:
            raise self._unreadable(error) from error

    def _unreadable(self, _error: Exception) -> Exception:
        return requests.exceptions.InvalidJSONError(UNREADABLE, request=self.request, response=self)


class _Told(_Response):
    """An answer to a question of the client library's, which has no sentence for its trouble."""

    def _unreadable(self, error: Exception) -> Exception:
        return _spoilt(f"{type(error).__name__}: {error}"[:200], 1)


def _spoilt(wrong: str, times: int) -> Exception:
    # the client library is imported with it
    from .spoilt_answer import SpoiltAnswer

    return SpoiltAnswer(cannot_be_read(wrong, times))


def _readable(
    response: requests.Response, kind: type[requests.Response] = _Response
) -> requests.Response:
    # a function in its place would hold the response, and so its connection, until it is collected
    response.__class__ = kind
    return response


def _without_repetition(adapter: HTTPAdapter) -> HTTPAdapter:
    """An adapter on the same connections that repeats what never left this machine, at most."""
    once = HTTPAdapter.__new__(HTTPAdapter)
    vars(once).update(vars(adapter))
    once.max_retries = Retry(
        connect=CONNECT_RETRIES, read=False, status=0, other=0, backoff_factor=0.2
    )
    return once


def _renew(auth: Any, request: requests.PreparedRequest) -> bool:
    """Sign a request that was answered 401 with a new token; whether there is one to be had."""
    tokens = getattr(auth, "tm", None)
    if tokens is None:
        return False
    used = request.headers.get("Authorization")
    if used == f"Bearer {tokens.access_token}":
        # unless another thread has dropped it meanwhile
        tokens.expire_time = tokens.refresh_time = 0
    auth(request)
    return request.headers.get("Authorization") != used
