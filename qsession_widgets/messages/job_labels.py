"""Lines of the receipt about the user's labels of jobs."""

from __future__ import annotations

from ..formatting import dollars_of, format_duration, format_money
from ..model import LabelSum, SessionSnapshot, label_sums

MOST = 20
"""Labels that have a line, at most."""


def label_lines(snapshot: SessionSnapshot) -> list[str]:
    """A line for each label, with its jobs, their QPU time and what that costs."""
    found = label_sums(snapshot.jobs)
    lines = [_words(one, snapshot) for one in found[:MOST]]
    if (more := len(found) - MOST) > 0:
        lines.append(f"{more} more, in session.to_dataframe() and the exports")
    return lines


def label_cost(one: LabelSum, snapshot: SessionSnapshot) -> float | None:
    """US dollars of a label's QPU time; None without a price."""
    # of jobs that are over, which do not tick
    return dollars_of(one.qpu_seconds, snapshot.service.price_per_second, final=True)


def _words(one: LabelSum, snapshot: SessionSnapshot) -> str:
    parts = [f"{one.jobs} job{'' if one.jobs == 1 else 's'}"]
    if one.reused:
        parts.append(f"{one.reused} reused")
    parts.append(f"QPU {format_duration(one.qpu_seconds)}")
    if (cost := label_cost(one, snapshot)) is not None:
        would = "" if snapshot.service.charged else "would be "
        parts.append(f"{would}≈ {format_money(cost)} of QPU time")
    return f"{one.label or 'none'}: {' · '.join(parts)}"
