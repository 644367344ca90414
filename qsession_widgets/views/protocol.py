"""The protocol between kernel and page: facts once, then only changes, in few bytes.

A `PanelProtocol` remembers what the other side knows. A job is sent as a row, a short array, when
it is new, and as the changed cells of that row afterwards, so one more job costs the same whether
it is the tenth or the ten-thousandth. ``js/src/panel/state/protocol.ts`` reads what is written
here.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ..model import JobRecord, SeriesPoint, SessionSnapshot
from ..model.outlook import outlook
from .rows import Row, pack_forecast, pack_job, pack_point, patch, trim

VOLATILE = frozenset(
    {"answered_at", "clock_offset", "counts", "sent_at_service", "epoch", "usage_seconds"}
)
"""Facts that follow from the moment or from the jobs: they alone are no reason to send anything."""

LISTS = ("others", "active_periods")

DERIVED = {"last_job_started": "started", "last_job_completed": "finished"}
"""Facts a page works out itself from the rows of a message: the latest such time in them.

They are sent only where that would be wrong, for they change with every job.
"""

MAX_OTHERS = 300
"""Other users' jobs a panel is told of; the oldest go first, a third of them at a time."""

MAX_SERIES_NAME = 100
"""Characters of the name of a series that are sent."""

FORECAST_SHARE = 0.02
"""Share of the time that the forecast of the work so far may take: with many jobs it lags."""

ANCHOR_EVERY = 20.0
"""Seconds of service time after which a message says again what time it is at the service."""


def bounded_others(others: Sequence[Any]) -> list[Any]:
    """The newest other users' jobs, cut in steps: a list that grows by one shall not move whole."""
    step = MAX_OTHERS // 3
    surplus = max(0, len(others) - MAX_OTHERS)
    first = -(-surplus // step) * step
    return list(others[first:])


def view_facts(
    snapshot: SessionSnapshot, epoch: float, price: float | None = None
) -> dict[str, Any]:
    """The facts a panel is given: the snapshot's, bounded, with the origin of the rows' times.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session.
    epoch : float
        What the times in rows count from, in seconds on the service's clock.
    price : float or None
        US dollars per second in place of the plan's.
    """
    facts = snapshot.facts()
    facts["others"] = bounded_others(facts["others"])
    facts["epoch"] = epoch
    facts["sent_at_service"] = snapshot.answered_at
    # as of the last completion, so that it changes with the jobs only
    to_come = outlook(snapshot, snapshot.last_job_completed or snapshot.answered_at)
    facts["to_come"] = to_come and [
        *(round(bound, 3) for bound in (*to_come.seconds, *to_come.usage)),
        to_come.past_maximum,
        to_come.past_budget,
        to_come.past_quota,
    ]
    for name, value in facts.items():
        if isinstance(value, float):
            facts[name] = round(value, 3)
    if price is not None:
        facts["service"] = {
            **facts["service"],
            "price_per_second": price,
            "price_source": "own",
        }
    return facts


class PanelProtocol:
    """The other side's state of a session, and the messages that bring it up to date.

    Not thread-safe: its owner takes a lock.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session as the other side is shown it first.
    price : float or None
        US dollars per second in place of the plan's.
    ratios : tuple of float
        Usage over its forecast of earlier sessions on IBM with this plan and device.

    Attributes
    ----------
    facts : dict
        The facts as the other side knows them. Changed in place.
    revision : int
        Counts the messages that carried jobs.
    """

    def __init__(
        self,
        snapshot: SessionSnapshot,
        price: float | None = None,
        ratios: tuple[float, ...] = (),
    ) -> None:
        first = snapshot.jobs[0].created if snapshot.jobs else snapshot.answered_at
        self._epoch = float(int(first if snapshot.opened_at is None else snapshot.opened_at))
        self._price = price
        self._ratios = ratios
        self._forecast: Row | None = None
        self._forecast_jobs: tuple[JobRecord, ...] = ()
        self._forecast_due = 0.0
        self.facts = self._facts_of(snapshot)
        self.revision = 0
        self._rows: list[Row] = []
        self._seen: list[JobRecord] = []
        self._positions: dict[str, int] = {}
        self._changed_at: list[int] = []
        self._anchored: float | None = None
        self._points: Sequence[SeriesPoint] = ()
        self._series: dict[str, int] = {}
        self._add_jobs(snapshot.jobs)
        self._points = snapshot.points

    def update(self, snapshot: SessionSnapshot, now: float) -> dict[str, Any] | None:
        """The message that tells what changed, or None when nothing did.

        Parameters
        ----------
        snapshot : SessionSnapshot
            The session now.
        now : float
            Service clock at sending.
        """
        rows, touched = self._add_jobs(snapshot.jobs)
        part = self._facts_part(snapshot, touched)
        known, self._points = len(self._points), snapshot.points
        if len(self._points) > known:
            part["points"] = self._points_from(known)
        if not rows and not part:
            return None
        stale = self._anchored is None or now - self._anchored > ANCHOR_EVERY
        if stale or "problem" in part.get("facts", ()):
            part["at"] = round(now, 3)
            self._anchored = now
        return {**self._jobs(rows), **part} if rows else {"type": "facts", **part}

    def everything(self, now: float) -> dict[str, Any]:
        """The message that tells all there is to know, for a page that knows nothing."""
        rows = [trim(row) for row in self._rows]
        return {**self._jobs(rows), "reset": True, **self._all_facts(now)}

    def since(self, revision: int, now: float, points: int = 0) -> dict[str, Any]:
        """The message for a page that knows jobs and points up to some.

        Parameters
        ----------
        revision : int
            Up to which the page knows the jobs; negative for none.
        now : float
            Service clock at sending.
        points : int
            The number of points that it knows.
        """
        if not 0 <= revision <= self.revision:
            return self.everything(now)
        changed = zip(self._rows, self._changed_at, strict=True)
        rows = [trim(row) for row, at in changed if at > revision]
        if not rows:
            return {"type": "facts", **self._all_facts(now, points)}
        return {**self._jobs(rows), "since": revision, **self._all_facts(now, points)}

    def _jobs(self, rows: list[Row]) -> dict[str, Any]:
        return {"type": "jobs", "revision": self.revision, "jobs": rows}

    def _all_facts(self, now: float, points: int = 0) -> dict[str, Any]:
        self._anchored = now
        part = {"facts": dict(self.facts), "at": round(now, 3)}
        if self._points:
            known = points if 0 <= points <= len(self._points) else 0
            part["points"] = self._points_from(known, everything=True)
        return part

    def _points_from(self, first: int, *, everything: bool = False) -> Row:
        """The number of points before these, the names of series, and a row for each point.

        The names are those of all series, or none where the other side knows all of them.
        """
        rows = []
        named = 0 if everything else len(self._series)
        for point in self._points[first:]:
            series = self._series.setdefault(point.series, len(self._series))
            job = None if point.job_id is None else self._positions.get(point.job_id)
            rows.append(pack_point(point, series, job, self._epoch))
        names = [name[:MAX_SERIES_NAME] for name in self._series]
        return [first, names if len(names) > named else [], *rows]

    def _facts_part(self, snapshot: SessionSnapshot, touched: list[JobRecord]) -> dict[str, Any]:
        new = self._facts_of(snapshot)
        changed = {k: v for k, v in new.items() if k not in VOLATILE and v != self.facts[k]}
        for name, attribute in DERIVED.items():
            changed.pop(name, None)
            if not _same_time(_latest(self.facts[name], touched, attribute), new[name]):
                changed[name] = new[name]
        lists = {k: _tail(self.facts[k], changed.pop(k)) for k in LISTS if k in changed}
        if "problem" in changed:
            changed["answered_at"] = new["answered_at"]
        if "usage_final" in changed:
            changed["usage_seconds"] = new["usage_seconds"]
        self.facts.update(new)
        part: dict[str, Any] = {}
        if changed:
            part["facts"] = changed
        if lists:
            part["lists"] = lists
        return part

    def _facts_of(self, snapshot: SessionSnapshot) -> dict[str, Any]:
        begun = time.perf_counter()
        if begun >= self._forecast_due and snapshot.jobs != self._forecast_jobs:
            self._forecast = pack_forecast(snapshot, self._ratios)
            self._forecast_jobs = snapshot.jobs
            took = time.perf_counter() - begun
            self._forecast_due = begun + took / FORECAST_SHARE
        return {
            **view_facts(snapshot, self._epoch, self._price),
            "forecast": self._forecast,
        }

    def _add_jobs(self, jobs: Sequence[JobRecord]) -> tuple[list[Row], list[JobRecord]]:
        """Take over the jobs; the rows that say what changed, and the jobs they are about.

        The revision is counted up when something did.
        """
        rows: list[Row] = []
        touched: list[JobRecord] = []
        revision = self.revision + 1
        for job in jobs:
            position = self._positions.get(job.id)
            if position is None:
                row = pack_job(job, self._epoch)
                self._positions[job.id] = len(self._rows)
                self._rows.append(row)
                self._seen.append(job)
                self._changed_at.append(revision)
                rows.append(trim(row))
                touched.append(job)
            elif self._seen[position] is not job:
                # most jobs of a snapshot are the very objects of the one before
                row = pack_job(job, self._epoch)
                cells = patch(position, self._rows[position], row)
                self._rows[position], self._seen[position] = row, job
                if len(cells) > 1:
                    self._changed_at[position] = revision
                    rows.append(cells)
                    touched.append(job)
        if rows:
            self.revision = revision
        return rows, touched


def _latest(known: float | None, jobs: Sequence[JobRecord], attribute: str) -> float | None:
    """The latest start or end of runs, of what is known and of these jobs."""
    times = [getattr(job, attribute) for job in jobs if job.started is not None and not job.stray]
    return max((time for time in (known, *times) if time is not None), default=None)


def _same_time(a: float | None, b: float | None) -> bool:
    """True if two times are the same to the millisecond that is sent of them."""
    return a == b if a is None or b is None else abs(a - b) < 0.0015


def _tail(old: Sequence[Any], new: Sequence[Any]) -> list[Any]:
    """The position at which two lists differ, and the rest of the new one."""
    same = 0
    for before, after in zip(old, new, strict=False):
        if before != after:
            break
        same += 1
    return [same, list(new[same:])]
