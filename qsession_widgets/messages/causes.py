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
    """Gaps between jobs and after them, by their median and the one that was billed for longest."""
    worst = found.worst
    dollars = amount(snapshot, worst.billed)
    cost = "" if dollars is None else f" (≈ {format_money(dollars)})"
    billed = f"billed for {format_duration(worst.billed)}{cost}"
    of_cell = "" if worst.cell is None else f"of cell [{worst.cell}]"
    if worst.last:
        where = ", ".join(filter(None, ["after the last job", of_cell]))
    else:
        where = f"before a job {of_cell}" if of_cell else ""
    if found.count == 1:
        return f"one {where or 'between jobs'}, {billed}"
    costliest = f"the costliest, {where}," if where else "the costliest"
    return f"{found.count}, median {format_duration(found.median)}; {costliest} was {billed}"


def queue_words(found: QueueAhead) -> str:
    """Place in the queue: ``3 jobs ahead, about 40 s; waiting is free``."""
    if not found.jobs:
        return "no job ahead; waiting is free"
    jobs = f"{found.jobs} job{'' if found.jobs == 1 else 's'} ahead"
    wait = "" if found.seconds is None else f", about {format_duration(found.seconds)}"
    return f"{jobs}{wait}; waiting is free"
