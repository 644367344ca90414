"""Workloads of a service that were closed within the last day."""

from __future__ import annotations

from datetime import datetime, timezone

from ..client.decode import read_time
from ..client.rest import ServiceClient
from ..discovery.workloads import workloads
from ..model import SessionSnapshot

DAY = 86400.0
LONGEST_LIFE = 3 * DAY
"""Longest life of a session that closed today."""

MOST_CLOSED = 200
"""Workloads of the last day that are looked at, the newest first."""


def closed_lately(client: ServiceClient, now: float) -> list[str]:
    """Ids of the workloads that were closed within a day before a moment of the service's clock."""
    since = datetime.fromtimestamp(now - LONGEST_LIFE, timezone.utc).replace(tzinfo=None)
    found = workloads(
        client,
        ["completed", "canceled", "failed"],
        limit=MOST_CLOSED,
        created_after=since.isoformat(timespec="seconds") + "Z",
    )
    return [str(item["id"]) for item in found if (read_time(item.get("ended")) or now) > now - DAY]


def closed_before(snapshot: SessionSnapshot, now: float) -> bool:
    """True if a workload was closed more than a day before a moment."""
    since = now - DAY
    return snapshot.state == "closed" and (snapshot.closed_at or since) <= since
