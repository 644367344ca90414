"""Lists of my sessions and batches, as a service gives them, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ..client.rest import ServiceClient

MOST = 200
"""The most workloads that are looked at one by one."""

PAGE = 50
"""The most that the service lists at once."""


def workloads(
    client: ServiceClient, status: Sequence[str] = (), *, limit: int = MOST, **query: Any
) -> list[dict[str, Any]]:
    """My sessions and batches, newest first, as the service lists them, page by page.

    Parameters
    ----------
    client : ServiceClient
        The service.
    status : sequence of str
        Only those that are ``pending``, ``in_progress``, ``completed``, ``canceled`` or ``failed``.
    limit : int
        How many at most, the newest of them.
    **query
        What else the service may be asked for.

    Raises
    ------
    ServiceError
        The service refused or does not answer.
    """
    query |= {"user": "me", "sort": "-createdAt", "limit": min(limit, PAGE)}
    if status:
        query["status"] = list(status)
    found: list[dict[str, Any]] = []
    for mode in ("session", "batch"):
        found += _pages(client, limit, {"mode": mode, **query})
    found.sort(key=lambda item: str(item.get("created", "")), reverse=True)
    return found[:limit]


def _pages(client: ServiceClient, most: int, query: dict[str, Any]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    while len(found) < most:
        page = client.workloads(**query).data
        listed = {str(item["id"]): item for item in page["workloads"] if item["id"] not in found}
        found |= listed
        link = str((page.get("next") or {}).get("href") or "")
        cursor = parse_qs(urlsplit(link).query).get("next")
        if not listed or not cursor or cursor == [query.get("next")]:
            break
        query = {**query, "next": cursor[0]}
    return list(found.values())[:most]
