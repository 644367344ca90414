"""Clock times in the reader's time zone: that of the page that shows a panel, else this machine's.

A kernel often runs on a server in another zone than its reader. A page says its zone when it asks
for a panel's state, so that panel, receipt and timeline show the same times.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .formatting import format_zone

_zones: list[ZoneInfo] = []


def set_zone(name: object) -> None:
    """Take the zone that a page is in, as ``Europe/Berlin``; one that is not known is ignored."""
    if not isinstance(name, str):
        return
    try:
        _zones[:] = [ZoneInfo(name)]
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return


def local_time(time: float) -> datetime:
    """A time in seconds since the epoch as an aware datetime in the reader's zone."""
    return datetime.fromtimestamp(time, _zones[0]) if _zones else _here(time)


def zone_name(time: float) -> str:
    """The reader's zone at that time: ``UTC``, ``UTC+1``."""
    offset = local_time(time).utcoffset()
    return format_zone(0.0 if offset is None else offset.total_seconds() / 60)


def _here(time: float) -> datetime:
    return datetime.fromtimestamp(time).astimezone()
