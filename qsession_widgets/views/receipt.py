"""What a session did and cost, as text and as HTML that needs neither a kernel nor JavaScript.

It stands beside the panel in a saved notebook, where no widget can run: on GitHub, in nbviewer, in
an exported page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..durations import money, words
from ..snapshot import SessionSnapshot, headline, usage
from .markup import as_html
from .picture import embed

CELL = "text-align:left;vertical-align:top;padding:1px 0"
NAME = f"{CELL};padding-right:16px;font-weight:500"
ROW = "background-color:transparent"
MAX_BYTES = 60_000
"""The most an HTML receipt may weigh."""


@dataclass(frozen=True)
class Receipt:
    """A snapshot that shows itself as a receipt.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session.
    now : float
        When it was written (service clock, seconds since the epoch).
    """

    snapshot: SessionSnapshot
    now: float

    def __repr__(self) -> str:
        return to_text(self.snapshot, self.now)

    def _repr_html_(self) -> str:
        return to_html(self.snapshot, self.now)


def rows(snapshot: SessionSnapshot, now: float | None = None) -> list[tuple[str, str]]:
    """The receipt's lines: a name and what stands behind it.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session.
    now : float, optional
        Service clock; when the service answered last, if not given.
    """
    now = snapshot.answered_at if now is None else now
    spent = usage(snapshot, now)
    lines = [
        {
            "dedicated": ("Session", snapshot.session_id),
            "batch": ("Batch", snapshot.session_id),
            "job": ("Job mode", "no session: each job by itself"),
        }[snapshot.mode],
        *([("Name", snapshot.name)] if snapshot.name else []),
        ("Backend", f"{snapshot.backend} · {snapshot.service.label}"),
        ("State", headline(snapshot)),
        ("Opened", _at(snapshot.opened_at)),
    ]
    if snapshot.closed_at is not None:
        lines.append(("Closed", _at(snapshot.closed_at)))
    lines.append(("Jobs", _jobs(snapshot)))
    parts = "QPU time only; waiting is free"
    if snapshot.mode == "dedicated":
        named = {"QPU": spent.qpu, "classical": spent.classical, "idle": spent.idle}
        parts = " · ".join(f"{name} {words(seconds)}" for name, seconds in named.items())
    lines.append(("Usage", f"{words(spent.total)}{'' if spent.final else ' so far'} ({parts})"))
    if spent.cost is not None:
        price = f"at ${snapshot.service.price_per_second:.2f}/s"
        if not snapshot.service.charged:
            worth = f"≈ {money(spent.cost)} {price}"
            lines.append(("Cost", f"nothing; the same seconds on IBM would cost {worth}"))
        else:
            lines.append(("Cost", f"≈ {money(spent.cost)} {price}"))
    if snapshot.problem is not None:
        since = _at(snapshot.problem_since or snapshot.answered_at)
        lines.append(("Problem", f"{snapshot.problem} All this is as of {since}."))
    return lines


def to_text(snapshot: SessionSnapshot, now: float | None = None) -> str:
    """The receipt as lines of text."""
    return "\n".join(f"{name:<8} {text}" for name, text in rows(snapshot, now))


def to_html(snapshot: SessionSnapshot, now: float | None = None) -> str:
    """The receipt as HTML with the timeline as a still picture; at most 60 kB.

    Everything that came from the service or the user is escaped, and no notebook takes it for math.
    """
    now = snapshot.answered_at if now is None else now
    cells = "".join(
        # the attribute is for pages that take styles away
        f'<tr style="{ROW}"><th align="left" style="{NAME}">{as_html(name)}</th>'
        f'<td align="left" style="{CELL}">{as_html(text)}</td></tr>'
        for name, text in rows(snapshot, now)
    )
    table = f'<table style="border-collapse:collapse;font-size:90%">{cells}</table>'
    picture = embed(snapshot, now)
    if len(table) + len(picture) > MAX_BYTES - 200:
        picture = ""
    return f'<div class="qsession-receipt">{table}{picture}</div>'


def _at(time: float | None) -> str:
    if time is None:
        return "not yet"
    return datetime.fromtimestamp(time).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def _jobs(snapshot: SessionSnapshot) -> str:
    if not snapshot.jobs:
        return "none"
    counts = snapshot.facts()["counts"]
    parts = [f"{count} {status}" for status, count in counts.items() if count]
    return " · ".join(parts)
