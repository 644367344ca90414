"""Causes of a session's usage in words: dollars by cause, gaps between jobs, the queue."""

from __future__ import annotations

from ..formatting import format_duration, format_money
from ..model import SessionSnapshot, Usage, amount
from ..model.causes import Gaps, QueueAhead


def cost_by_cause(spent: Usage) -> str:
    """Dollars by cause: ``QPU $4.80 · classical $2.40 · idle $153``; empty without a price."""
    causes = spent.cost_by_cause()
    if not causes or not spent.cost:
        return ""
    names = {"qpu": "QPU"}
    return " · ".join(f"{names.get(name, name)} {format_money(causes[name])}" for name in causes)


def gap_words(found: Gaps, snapshot: SessionSnapshot) -> str:
    """Gaps between jobs, by their median and the one that was billed for longest."""
    worst = found.worst
    dollars = amount(snapshot, worst.billed)
    cost = "" if dollars is None else f" (≈ {format_money(dollars)})"
    cell = "" if worst.cell is None else f", before a job of cell [{worst.cell}],"
    if found.count == 1:
        before = "" if worst.cell is None else f" before a job of cell [{worst.cell}]"
        return f"one between jobs{before}, billed for {format_duration(worst.billed)}{cost}"
    return (
        f"{found.count} between jobs, median {format_duration(found.median)}; the costliest{cell} "
        f"was billed for {format_duration(worst.billed)}{cost}"
    )


def queue_words(found: QueueAhead) -> str:
    """Place in the queue: ``3 jobs ahead, about 40 s; waiting is free``."""
    if not found.jobs:
        return "no job ahead; waiting is free"
    jobs = f"{found.jobs} job{'' if found.jobs == 1 else 's'} ahead"
    wait = "" if found.seconds is None else f", about {format_duration(found.seconds)}"
    return f"{jobs}{wait}; waiting is free"
