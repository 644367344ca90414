"""Causes of a session's usage in words: dollars by cause, gaps between jobs, the queue."""

from __future__ import annotations

from ..formatting import format_duration, format_money, format_parts
from ..model import SessionSnapshot, Usage, amount
from ..model.causes import Gaps, QueueAhead
from .labels import NOT_TOLD


def cost_by_cause(spent: Usage) -> str:
    """Dollars by cause: ``QPU $4.80 · classical $2.40 · idle $153``; empty without a price."""
    causes = spent.cost_by_cause()
    if not causes or not spent.cost:
        return ""
    names = {"qpu": "QPU"}
    return " · ".join(f"{names.get(name, name)} {format_money(causes[name])}" for name in causes)


def parts_words(spent: Usage) -> str:
    """Seconds of a session's usage by cause: ``QPU 3.0 s · classical 1.5 s · idle 1 m 36 s``."""
    texts = format_parts(spent.shown, spent.total)
    if not spent.told:
        # what ran is QPU and classical time, and nobody knows how much of either
        return f"QPU {NOT_TOLD}, with classical {texts[1]} · idle {texts[2]}"
    names = ("QPU", "classical", "idle")
    return " · ".join(f"{name} {text}" for name, text in zip(names, texts, strict=True))


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
