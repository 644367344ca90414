"""The routes below ``qsession/api``: between HTTP and `SessionsOverview`, nothing else.

Jupyter decides who may ask. Every error is a status and one sentence; no answer holds a credential.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Any, TypeVar

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from ..client import devices
from ..errors import ServiceError, UserError
from ..explanations import explain
from ..messages import outcomes
from ..model import EndResult, SessionSnapshot, noun
from . import new_session
from .concurrency import in_thread
from .overview import NotFound, SessionsOverview
from .serializers import to_json

MOST_AT_ONCE = 200
"""Workloads that one ``close-all`` may name."""

H = TypeVar("H", bound="Handler")


class RequestRejected(Exception):
    """A request that cannot be met: a status, and a sentence."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status
        self.message = message


class Handler(APIHandler):
    """Base class of all routes."""

    auth_resource = "qsession"

    @property
    def overview(self) -> SessionsOverview:
        """The overview of open sessions."""
        found: SessionsOverview = self.settings["qsession"]
        return found

    def say(self, answer: Any, status: int = 200) -> None:
        """Answer with JSON."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(answer))


def answering(
    method: Callable[..., Awaitable[Any]],
) -> Callable[..., Awaitable[None] | None]:
    """Let a method return its answer, and its errors become a status and a sentence."""

    @web.authenticated
    @authorized
    @wraps(method)
    async def answer(self: Handler, *words: str) -> None:
        try:
            self.say(await method(self, *words))
        except RequestRejected as refused:
            self.say({"message": refused.message}, refused.status)
        except NotFound as missing:
            self.say({"message": str(missing), "code": "not_found"}, 404)
        except (UserError, ServiceError) as error:
            kind = self.overview.kind(words[0]) if words else "local"
            said = {"message": sentence(error, kind), "code": code_of(error)}
            self.say(said, status_of(error))

    return answer


def sentence(error: Exception, kind: str) -> str:
    """The sentence about an error of a service.

    Parameters
    ----------
    error : Exception
        Ours, or the service's.
    kind : {"ibm", "local"}
        Which service it is.
    """
    text = str(error)
    if isinstance(error, ServiceError):
        text = explain(error, doing="do that", service=kind)
    return text.replace("\n", " ")


STATUSES = {"": 409, "not_found": 404, "conflict": 409}
"""HTTP status by the code of an error; 502, the service's fault, for any other code."""


def code_of(error: UserError | ServiceError) -> str:
    """The code of an error of a service, or of one of the package's own."""
    return error.kind if isinstance(error, ServiceError) else error.code


def status_of(error: UserError | ServiceError) -> int:
    """The HTTP status for an error of a service, or for one of the package's own."""
    return STATUSES.get(code_of(error), 502)


class OverviewHandler(Handler):
    """``overview``: everything that is open."""

    _answering: asyncio.Future[dict[str, Any]] | None = None

    @answering
    async def get(self) -> dict[str, Any]:
        """The document, at once or when it changes."""
        since = self.get_query_argument("since", "")
        wait = self.get_query_argument("wait", "0")
        try:
            seconds = float(wait)
            revision = int(since) if since else None
        except ValueError:
            seconds = math.nan
        if math.isnan(seconds):
            raise RequestRejected(400, "since is a revision and wait a number of seconds.")
        self._answering = asyncio.ensure_future(self.overview.answer(revision, seconds))
        try:
            return await self._answering
        except asyncio.CancelledError:
            raise RequestRejected(408, "The page has gone.") from None

    def on_connection_close(self) -> None:
        """Wait no longer for a page that has gone, nor ask any service on its behalf."""
        if self._answering is not None:
            self._answering.cancel()


class WorkloadHandler(Handler):
    """``workloads/KEY/ID``: one of them with all its jobs."""

    @answering
    async def get(self, key: str, session_id: str) -> dict[str, Any]:
        """The workload's document."""
        snapshot = await self.overview.detail(key, session_id)
        return {"snapshot": to_json(snapshot, None)}


class EndHandler(Handler):
    """``workloads/KEY/ID/close`` and ``cancel``."""

    @answering
    async def post(self, key: str, session_id: str, action: str) -> dict[str, Any]:
        """Close or cancel it."""
        return _end_json(*await self.overview.command(key, session_id, action))


class JobHandler(Handler):
    """``workloads/KEY/ID/jobs/JOB/cancel``."""

    @answering
    async def post(self, key: str, session_id: str, job_id: str) -> dict[str, Any]:
        """Cancel a job."""
        return _end_json(*await self.overview.command(key, session_id, "cancel_job", job_id))


class CloseAllHandler(Handler):
    """``close-all``: close what a page names, and nothing else."""

    @answering
    async def post(self) -> dict[str, Any]:
        """Close each of them; what came of each."""
        named = self._named()
        few = asyncio.Semaphore(4)

        async def close(key: str, session_id: str) -> dict[str, Any]:
            async with few:
                one = {"service": key, "id": session_id}
                try:
                    result, snapshot = await self.overview.command(key, session_id, "close")
                except (NotFound, UserError, ServiceError) as error:
                    return {**one, "message": sentence(error, self.overview.kind(key)), "ok": False}
            return {**one, **_result_json(result, snapshot), "ok": True}

        return {"results": await asyncio.gather(*(close(*pair) for pair in named))}

    def _named(self) -> list[tuple[str, str]]:
        try:
            body = json.loads(self.request.body or b"null")
            named = [(key, session_id) for key, session_id in body["ids"]]
        except (ValueError, TypeError, KeyError, RecursionError):
            named = [(None, None)]
        if not all(isinstance(word, str) for pair in named for word in pair):
            raise RequestRejected(400, 'Name what to close: {"ids": [["service", "id"], …]}.')
        if len(named) > MOST_AT_ONCE:
            raise RequestRejected(400, f"At most {MOST_AT_ONCE} can be closed at once.")
        return list(dict.fromkeys(named))


class DevicesHandler(Handler):
    """``services/KEY/devices``: devices to choose from, or one's day of calibration."""

    @answering
    async def get(self, key: str, name: str | None = None) -> dict[str, Any]:
        """Those there are; with a name, when that one was calibrated."""
        if name is None:
            return {"devices": await self.overview.ask(key, devices.devices)}
        return {"calibrated": await self.overview.ask(key, partial(devices.calibrated, name=name))}


class CellHandler(Handler):
    """``services/KEY/cell``: the source of a cell that opens a session; nothing is opened."""

    @answering
    async def post(self, key: str) -> dict[str, str]:
        """The source, or what is wrong with the options."""
        wanted = self.get_json_body()
        source = self.overview.source(key)
        if not isinstance(wanted, dict) or (source is None and key != "local"):
            raise RequestRejected(400, "Name a service and the options of the cell.")
        return {"source": new_session.cell(source, wanted)}


class HistoryHandler(Handler):
    """``history``: sessions that have ended, and deleting what is kept of them."""

    @answering
    async def get(self) -> dict[str, Any]:
        """Those of the last two weeks, the latest first."""
        return {"sessions": await in_thread(self.overview.history.rows)}

    @answering
    async def delete(self) -> dict[str, int]:
        """Delete it; of how many sessions something was kept."""
        return {"deleted": await self.overview.delete_history()}


class TutorialsHandler(Handler):
    """``tutorials``: the walkthroughs, copied to where this server's notebooks are."""

    @answering
    async def post(self) -> dict[str, str]:
        """Copy them; where they are then."""
        from ..tutorials import FIRST, copy_tutorials

        root = self.overview.openers.root
        if root is None:
            raise RequestRejected(
                409, "This server's files are in no folder: qsession tutorial copies."
            )
        folder = await in_thread(copy_tutorials, root)
        path = folder.resolve().relative_to(root.resolve()).as_posix()
        return {"path": path, "notebook": f"{path}/{FIRST}"}


def _end_json(result: EndResult, snapshot: SessionSnapshot) -> dict[str, Any]:
    return {**_result_json(result, snapshot), "snapshot": to_json(snapshot)}


def _result_json(result: EndResult, snapshot: SessionSnapshot) -> dict[str, Any]:
    return {"message": outcomes.ended(result, noun(snapshot)), **result.to_json()}


def routes(base_url: str) -> list[tuple[str, type[Handler]]]:
    """The routes of a server below some address."""
    one = "workloads/([^/]+)/([^/]+)"
    below = {
        "overview": OverviewHandler,
        one: WorkloadHandler,
        f"{one}/(close|cancel)": EndHandler,
        f"{one}/jobs/([^/]+)/cancel": JobHandler,
        "close-all": CloseAllHandler,
        "services/([^/]+)/devices(?:/([^/]+))?": DevicesHandler,
        "services/([^/]+)/cell": CellHandler,
        "history": HistoryHandler,
        "tutorials": TutorialsHandler,
    }
    return [
        (url_path_join(base_url, "qsession", "api", path), handler)
        for path, handler in below.items()
    ]
