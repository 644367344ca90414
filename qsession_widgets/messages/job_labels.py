"""Lines of the receipt about the user's labels of jobs."""

from __future__ import annotations

from ..formatting import format_duration, format_money
from ..model import LabelSum, ServiceInfo, SessionSnapshot, label_sums

MOST = 20
"""Labels that have a line, at most."""


def label_lines(snapshot: SessionSnapshot) -> list[str]:
    """A line for each label, with its jobs, their QPU time and what that costs."""
    found = label_sums(snapshot.jobs)
    lines = [_words(one, snapshot.service) for one in found[:MOST]]
    if (more := len(found) - MOST) > 0:
        lines.append(f"{more} more, in session.to_dataframe() and the exports")
    return lines


def _words(one: LabelSum, service: ServiceInfo) -> str:
    parts = [f"{one.jobs} job{'' if one.jobs == 1 else 's'}"]
    if one.reused:
        parts.append(f"{one.reused} reused")
    parts.append(f"QPU {format_duration(one.qpu_seconds)}")
    if (price := service.price_per_second) is not None:
        would = "" if service.charged else "would be "
        parts.append(f"{would}≈ {format_money(one.qpu_seconds * price)} of QPU time")
    return f"{one.label or 'none'}: {' · '.join(parts)}"
