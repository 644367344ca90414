"""Sentences about what a session costs, and what it has used."""

from __future__ import annotations

from ..formatting import format_money
from ..model import ServiceInfo, SessionSnapshot, usage
from .labels import price_source_words, price_words, used_words


def used_sentence(snapshot: SessionSnapshot, now: float) -> str:
    """A sentence about a session's usage; empty before its end, and for a batch."""
    if snapshot.state != "closed" or snapshot.started_at is None or snapshot.mode == "batch":
        return ""
    spent = usage(snapshot, now)
    used = f"It used {used_words(spent)}"
    if spent.cost is None:
        return f"{used}."
    worth = f"≈ {format_money(spent.cost)} {price_words(snapshot.service)}"
    if snapshot.service.charged:
        return f"{used}, {worth}."
    return f"{used} of a device, estimated; the same work on IBM would cost {worth}."


def price_sentence(info: ServiceInfo, mode: str) -> str:
    """A sentence about a session's price; empty when nothing is known to be charged."""
    if info.price_per_second is None or mode == "batch":
        return ""
    source = price_source_words(info)
    per_minute = format_money(info.price_per_second * 60) + " a minute"
    whose = f" ({source})" if source else ""
    if info.charged:
        return f"While it is active it costs {per_minute}, idle time included{whose}."
    return f"It costs nothing here; on IBM it would be {per_minute} while active{whose}."
