"""The list of workloads: sessions, batches, and jobs that belong to neither."""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from ...rules.records import EmulatedJob, EmulatedSession
from ...rules.refusals import invalid
from .. import serializers
from ..common import ERRORS, AskedBy, AuthenticatedRequest, json_response, moment

router = APIRouter(responses=ERRORS)

Status = Literal["completed", "canceled", "failed", "pending", "in_progress"]


@router.get("/workloads", response_model=None)
async def list_workloads(
    asked: AskedBy,
    request: Request,
    user: Literal["me"] | None = None,
    sort: Literal["createdAt", "-createdAt"] = "createdAt",
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
    previous: str | None = None,
    next: str | None = None,
    backend: str | None = None,
    search: str | None = None,
    status: Annotated[list[Status] | None, Query()] = None,
    mode: Literal["job", "session", "batch"] | None = None,
    created_after: str | None = None,
    created_before: str | None = None,
    tags: Annotated[list[str] | None, Query()] = None,
    include_mocks: bool | None = None,
) -> Response:
    """Workloads, a page at a time; ``next`` and ``previous`` lead to the others."""
    if previous is not None and next is not None:
        raise invalid("Only one of previous and next can be given.")
    after = moment(created_after, "created_after")
    before = moment(created_before, "created_before", whole=True)
    wanted = set(tags or ())
    found = [
        record
        for record in _records(asked, mode)
        if (user is None or record.user == asked.caller.user)
        and (backend is None or record.backend == backend)
        and (after is None or record.created >= after)
        and (before is None or record.created <= before)
        and (not wanted or wanted <= set(record.tags))
        and (not search or search in record.id or any(search in tag for tag in record.tags))
        and (not status or _status(record) in status)
    ]
    found.sort(key=_key)
    keys = [_key(record) for record in found]
    descending = sort == "-createdAt"
    if descending:
        found.reverse()
        keys.reverse()
    start = 0
    if next is not None:
        start = _position(keys, _read(next, "next"), descending, after=True)
    elif previous is not None:
        start = max(0, _position(keys, _read(previous, "previous"), descending) - limit)
    page = found[start : start + limit]
    answer: dict[str, Any] = {
        "workloads": [_describe(asked, record) for record in page],
        "total_count": len(found),
        "limit": limit,
    }
    if page and start > 0:
        answer["previous"] = {"href": _link(request, "previous", page[0])}
    if page and start + limit < len(found):
        answer["next"] = {"href": _link(request, "next", page[-1])}
    return json_response(answer)


def _records(asked: AuthenticatedRequest, mode: str | None) -> list[EmulatedSession | EmulatedJob]:
    found: list[EmulatedSession | EmulatedJob] = []
    if mode != "job":
        wanted = {"session": "dedicated", "batch": "batch"}.get(mode or "")
        found += (
            session
            for session in asked.emulator.sessions(asked.instance)
            if wanted is None or session.mode == wanted
        )
    if mode in (None, "job"):
        found += (job for job in asked.emulator.jobs(asked.instance) if job.session_id is None)
    return found


def _status(record: EmulatedSession | EmulatedJob) -> str:
    if isinstance(record, EmulatedSession):
        return serializers.session_status(record)
    return serializers.job_status(record)


def _describe(asked: AuthenticatedRequest, record: EmulatedSession | EmulatedJob) -> dict[str, Any]:
    if isinstance(record, EmulatedSession):
        return serializers.workload_of_session(asked.emulator, record, asked.now)
    return serializers.workload_of_job(record)


# --------------------------------------------------------------------------------------------------
# Cursors: the place of a record among the others, so that a page stays where it is when records
# arrive or go

_Key = tuple[float, str]


def _key(record: EmulatedSession | EmulatedJob) -> _Key:
    return (record.created, record.id)


def _position(keys: list[_Key], key: _Key, descending: bool, after: bool = False) -> int:
    ordered = keys[::-1] if descending else keys
    find: Callable[[list[_Key], _Key], int]
    find = bisect_right if after != descending else bisect_left
    index = find(ordered, key)
    return len(keys) - index if descending else index


def _link(request: Request, name: str, record: EmulatedSession | EmulatedJob) -> str:
    cursor = base64.urlsafe_b64encode(f"{record.created!r} {record.id}".encode()).decode()
    query = [
        pair for pair in request.query_params.multi_items() if pair[0] not in ("next", "previous")
    ]
    return f"{request.url.replace(query=urlencode([*query, (name, cursor)]))}"


def _read(cursor: str, name: str) -> _Key:
    try:
        created, _, ident = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        return float(created), ident
    except (ValueError, binascii.Error):
        raise invalid(f"{name} is no cursor of this service.", "Follow the links.") from None
