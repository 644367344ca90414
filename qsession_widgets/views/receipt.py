"""Receipts: a session's work and cost, as text and as HTML without kernel or JavaScript.

It stands beside the panel in a saved notebook, where no widget can run: on GitHub, in nbviewer, in
an exported page.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from ..formatting import as_html
from ..local_time import local_time, zone_name
from ..messages.causes import cost_by_cause, gap_words, parts_words, queue_words
from ..messages.end_reasons import end_reason
from ..messages.job_labels import label_cost, label_lines
from ..messages.labels import (
    NO_PRICE,
    NOT_TOLD,
    cost_words,
    headline,
    late_words,
    price_words,
    quota_words,
    usage_words,
)
from ..messages.notices import notices
from ..messages.resume import reused_words
from ..model import (
    SessionSnapshot,
    Usage,
    deferred,
    label_sums,
    noun,
    phase,
    provisional,
    quota_left,
    reused,
    usage,
)
from ..model.causes import gaps, queue_ahead
from ..model.timestamps import timestamp
from ..price_list import LIST_PRICES
from ..text_table import text_facts
from .figures import written
from .forecast import estimate_row, receipt_json, receipt_rows
from .job_table import job_table
from .objective import series_rows
from .svg_timeline import embed

CELL = "text-align:left;vertical-align:top;padding:1px 0"
NAME = f"{CELL};padding-right:16px;font-weight:500"
NAMES = 8
"""Columns of the names in a receipt of text."""
ROW = "background-color:transparent"
MAX_BYTES = 60_000
"""The most an HTML receipt in a notebook may weigh."""
MOST_JOBS = 20
"""Jobs in the table of a receipt in a notebook, at most."""
MOST_METHODS = 3
"""Descriptions of approximations that are spelled out, at most."""


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
        _what(snapshot),
        *([("Name", snapshot.name)] if snapshot.name else []),
        ("Backend", f"{snapshot.backend} · {snapshot.service.label}"),
        ("State", " · ".join(filter(None, [headline(snapshot), end_reason(snapshot, now)]))),
        ("Opened", _at(snapshot.opened_at)),
    ]
    if snapshot.closed_at is not None:
        lines.append(("Closed", _at(snapshot.closed_at)))
    lines.append(("Jobs", _jobs(snapshot)))
    if (taken := reused(snapshot)) is not None:
        charged = snapshot.service.charged
        lines.append(("Reused", reused_words(taken.jobs, taken.of, taken.dollars, charged)))
    lines += physics(snapshot)
    lines += series_rows(snapshot)
    lines += [("Label", words) for words in label_lines(snapshot)]
    lines += _spent(snapshot, spent)
    if quota := quota_words(snapshot, now):
        lines.append(("Open Plan" if snapshot.service.plan == "open" else "Quota", quota))
    if (between := gaps(snapshot, now)) is not None:
        lines.append(("Gaps", gap_words(between, snapshot)))
    if (ahead := queue_ahead(snapshot, now)) is not None:
        lines.append(("Queue", queue_words(ahead)))
    if late := late_words(snapshot):
        lines.append(("Maximum", late))
    lines += [("Note", sentence) for sentence in notices(snapshot, now)]
    lines += receipt_rows(snapshot, now)
    if snapshot.problem is not None:
        since = _at(snapshot.problem_since or snapshot.answered_at)
        known = f"Nothing newer is known since {since}"
        if snapshot.state != "closed":
            known += "; usage goes on as an estimate"
        lines.append(("Problem", f"{snapshot.problem} {known}."))
    return lines


def _what(snapshot: SessionSnapshot) -> tuple[str, str]:
    """The first line: what it is, and its id."""
    if deferred(snapshot):
        later = "none was opened" if snapshot.state == "closed" else "opens with the first new job"
        return noun(snapshot).capitalize(), later
    if snapshot.mode == "job":
        return "Job mode", "no session: each job by itself"
    return noun(snapshot).capitalize(), snapshot.session_id


def _spent(snapshot: SessionSnapshot, spent: Usage) -> list[tuple[str, str]]:
    """Lines about usage and its cost."""
    if deferred(snapshot):
        return [("Usage", "none: nothing was opened")]
    parts = "QPU time only; waiting is free"
    if snapshot.mode == "dedicated":
        parts = parts_words(spent)
    lines = [("Usage", f"{usage_words(spent)} ({parts})"), *estimate_row(snapshot, spent)]
    if spent.cost is not None:
        price = price_words(snapshot.service)
        causes = cost_by_cause(spent) if snapshot.mode == "dedicated" else ""
        worth = f"{cost_words(spent)} {price}"
        if not snapshot.service.charged:
            worth = f"nothing; the same work on IBM would cost {worth}"
        lines.append(("Cost", f"{worth} ({causes})" if causes else worth))
    elif not spent.known:
        lines.append(("Cost", NOT_TOLD))
    elif snapshot.service.plan not in LIST_PRICES:
        lines.append(("Cost", NO_PRICE))
    return lines


def physics(snapshot: SessionSnapshot) -> list[tuple[str, str]]:
    """Lines about the emulator: its methods and the options it ignored; none where unknown."""
    lines = []
    simulated = [job for job in snapshot.jobs if job.method]
    found = Counter(job.approximation for job in simulated if job.approximation)
    if simulated and not found:
        lines.append(("Method", "exact simulation"))
    elif found:
        parts = [f"{count} not exact: {how}" for how, count in found.most_common(MOST_METHODS)]
        more = found.total() - sum(count for _, count in found.most_common(MOST_METHODS))
        if more:
            parts.append(f"{more} more not exact, as their logs say.")
        exact = len(simulated) - found.total()
        parts.append(f"{exact} exact" if exact else "none exact")
        lines.append(("Method", " ".join(parts)))
    if ignored := dict.fromkeys(name for job in snapshot.jobs for name in job.no_effect):
        lines.append(("Ignored", f"options without effect in the emulator: {', '.join(ignored)}"))
    return lines


def to_text(
    snapshot: SessionSnapshot, now: float | None = None, *, width: int | None = None
) -> str:
    """The receipt as lines of text, none of them wider than ``width`` columns."""
    return text_facts(rows(snapshot, now), width=width, least=NAMES)


def to_json(snapshot: SessionSnapshot, now: float | None = None) -> dict[str, Any]:
    """The receipt as plain JSON types: the snapshot's, and what is derived from them.

    It has the fields of `SessionSnapshot.to_json`, with times in ISO 8601 with their zone, and the
    ``queued`` and ``ran`` of each job in seconds and the ``cost`` of its QPU time; ``now`` (by
    the service's clock) and ``phase``; ``usage`` (seconds by cause, null where the service has told
    no QPU time; ``final``, ``at_most``, and
    ``estimated`` where it is a device's time for what the emulator ran); ``cost`` and
    ``cost_by_cause`` (US dollars, or null); ``gaps`` between jobs and after the last (``count``,
    ``median`` and the ``worst``) and the ``queue`` ahead, null where there are none; ``labels``
    (``jobs``, ``reused``, ``qpu_seconds`` and ``cost`` of each, and of the jobs without one);
    ``forecast``
    (of the same work on IBM in a session, a batch and job mode, each with ranges of
    ``seconds``, ``usage`` and ``cost``, and what was assumed; null before a job has ended, and
    its session null on the Open Plan); ``quota_left``, seconds of the instance's quota, or null;
    ``price`` (``per_second``, ``source``, ``plan``, ``words``); ``provisional_jobs`` (jobs whose
    times are not exact); ``reason``, the service's word for how it came to its state, and
    ``end_words``: why it takes no more jobs, as in the receipt, or null.
    """
    now = snapshot.answered_at if now is None else now
    spent = usage(snapshot, now)
    info = snapshot.service
    price, dollars = info.price_per_second, spent.cost_by_cause()
    between, ahead = gaps(snapshot, now), queue_ahead(snapshot, now)
    return {
        **written(snapshot),
        "now": timestamp(now),
        "phase": phase(snapshot),
        "provisional_jobs": provisional(snapshot),
        "reason": snapshot.state_reason,
        "end_words": end_reason(snapshot, now) or None,
        "usage": {
            "total": round(spent.total, 3) if spent.known else None,
            **spent.by_cause(),
            "final": spent.final,
            "at_most": spent.at_most,
            "estimated": spent.estimated,
        },
        "quota_left": None if (left := quota_left(snapshot, now)) is None else round(left, 3),
        "cost": None if spent.cost is None else round(spent.cost, 2),
        "cost_by_cause": None
        if dollars is None
        else {cause: round(amount, 2) for cause, amount in dollars.items()},
        "gaps": None if between is None else _rounded(asdict(between)),
        "queue": None if ahead is None else _rounded(asdict(ahead)),
        "labels": [
            _rounded(asdict(one))
            | {"cost": None if (cost := label_cost(one, snapshot)) is None else round(cost, 2)}
            for one in label_sums(snapshot.jobs)
        ],
        "forecast": receipt_json(snapshot, now),
        "charged": info.charged,
        "price": {
            "per_second": price,
            "source": info.price_source,
            "plan": info.plan,
            "words": price_words(info),
        },
    }


def to_html(
    snapshot: SessionSnapshot,
    now: float | None = None,
    *,
    jobs: int = MOST_JOBS,
    room: int = MAX_BYTES,
) -> str:
    """The receipt as HTML, with the timeline as a still picture and the newest jobs as a table.

    Everything that came from the service or the user is escaped, and no notebook takes it for math.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session.
    now : float, optional
        Service clock; that of the last answer when not given.
    jobs : int
        Jobs in the table, at most.
    room : int
        Bytes that it may weigh; what has no room is left out, the table before the picture.
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
    if len(table.encode()) + len(picture) > room - 200:
        picture = ""
    left = room - 200 - len(table.encode()) - len(picture)
    list_of_jobs = job_table(snapshot, now, most=jobs, room=left)
    return f'<div class="qsession-receipt">{table}{picture}{list_of_jobs}</div>'


def _rounded(found: dict[str, Any]) -> dict[str, Any]:
    """The same without the noise of floating-point differences: seconds to milliseconds."""
    return {
        key: _rounded(value)
        if isinstance(value, dict)
        else round(value, 3)
        if isinstance(value, float)
        else value
        for key, value in found.items()
    }


def _at(time: float | None) -> str:
    if time is None:
        return "not yet"
    return f"{local_time(time):%Y-%m-%d %H:%M:%S} {zone_name(time)}"


def _jobs(snapshot: SessionSnapshot) -> str:
    if not snapshot.jobs:
        return "none"
    counts = snapshot.facts()["counts"]
    parts = [f"{count} {status}" for status, count in counts.items() if count]
    if rough := provisional(snapshot):
        parts.append(f"times of {rough} not exact yet")
    return " · ".join(parts)
