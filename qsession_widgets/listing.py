"""All open sessions and batches of an account: age, state, idle time, cost so far, and whose."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from .client import Answer, ServiceClient
from .durations import money, words
from .errors import ServiceError, UserError, explain
from .fields import STATES, read_active_periods, read_opened, read_seconds, read_time
from .orphans import Note, notes
from .snapshot import SessionSnapshot, headline, usage

if TYPE_CHECKING:
    from .service import Chosen

MOST = 100
"""The most workloads that are looked at one by one."""
HEADER = ("id", "kind", "backend", "state", "age", "idle", "cost so far", "opened by")


@dataclass(frozen=True)
class Row:
    """One open session or batch.

    Attributes
    ----------
    snapshot : SessionSnapshot
        What the service says of it, without its jobs.
    now : float
        The service's clock when it said so.
    opened_by : str
        The notebook that opened it, or what else is known.
    """

    snapshot: SessionSnapshot
    now: float
    opened_by: str = ""

    def cells(self) -> tuple[str, ...]:
        """Its texts, in the order of `HEADER`."""
        snapshot = self.snapshot
        opened = snapshot.opened_at
        cost, charged = usage(snapshot, self.now).cost, snapshot.service.charged
        return (
            snapshot.session_id,
            "batch" if snapshot.mode == "batch" else "session",
            snapshot.backend,
            headline(snapshot),
            "" if opened is None else words(max(0.0, self.now - opened)),
            self._idle(),
            "" if cost is None else f"≈ {money(cost)}{'' if charged else ' on IBM'}",
            self.opened_by,
        )

    def _idle(self) -> str:
        last, started = self.snapshot.last_job_completed, self.snapshot.last_job_started
        if last is None or (started is not None and started > last):
            return ""
        return words(max(0.0, self.now - last))


@dataclass(frozen=True)
class Listing:
    """Open sessions and batches, which show themselves as a table."""

    label: str
    rows: tuple[Row, ...]

    def __repr__(self) -> str:
        if not self.rows:
            return f"No session is open ({self.label})."
        table = [HEADER, *(row.cells() for row in self.rows)]
        widths = [max(len(cells[i]) for cells in table) for i in range(len(HEADER))]
        return "\n".join(_line(cells, widths) for cells in table)

    def _repr_html_(self) -> str:
        if not self.rows:
            return f"<p>{escape(repr(self))}</p>"
        head = "".join(f'<th style="text-align:left">{escape(text)}</th>' for text in HEADER)
        body = "".join(
            "<tr>"
            + "".join(f'<td style="text-align:left">{escape(text)}</td>' for text in row.cells())
            + "</tr>"
            for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def list_open(chosen: Chosen, here: dict[str, str] | None = None) -> Listing:
    """Ask the service for everything of mine that is open.

    Parameters
    ----------
    chosen : Chosen
        The service.
    here : dict, optional
        What to say of sessions of this kernel, by id.

    Raises
    ------
    UserError
        The service refused or does not answer.
    """
    line = ServiceClient(chosen.service)
    known = notes()
    try:
        rows = [
            _row(chosen, answer, item, (here or {}).get(item["id"]) or _who(known.get(item["id"])))
            for item in _workloads(line)
            if (answer := _details(line, item["id"])) is not None
        ]
    except ServiceError as error:
        raise UserError(
            explain(error, doing="list the sessions", service=chosen.info.kind)
        ) from error
    finally:
        line.shut()
    return Listing(chosen.info.label, tuple(row for row in rows if row.snapshot.state != "closed"))


def _workloads(line: ServiceClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for mode in ("session", "batch"):
        query: dict[str, Any] = {
            "mode": mode,
            "status": ["pending", "in_progress"],
            "user": "me",
            "sort": "-createdAt",
            "limit": 50,
        }
        page = line.workloads(**query).data or {}
        found += page.get("workloads", ())
    found.sort(key=lambda item: str(item.get("created", "")), reverse=True)
    return found[:MOST]


def _details(line: ServiceClient, session_id: str) -> Answer | None:
    try:
        return line.session(session_id)
    except ServiceError as error:
        if error.status == 404:
            # it ended and was forgotten between the two questions
            return None
        raise


def _row(chosen: Chosen, answer: Answer, item: dict[str, Any], opened_by: str) -> Row:
    data = answer.data
    now = answer.date if answer.date is not None else time.time()
    batch = data.get("mode") == "batch"
    # of a batch, the QPU time is known to the list only, and no snapshot without jobs adds it up
    spent = read_seconds(item.get("usage_seconds")) if batch else None
    snapshot = SessionSnapshot(
        session_id=str(data["id"]),
        mode="batch" if batch else "dedicated",
        backend=str(data.get("backend_name") or ""),
        service=chosen.info,
        state=STATES.get(str(data.get("state")), "active"),
        answered_at=now,
        accepting_jobs=bool(data.get("accepting_jobs", True)),
        opened_at=read_opened(data) or read_time(item.get("created")),
        started_at=read_time(data.get("started_at")),
        last_job_started=read_time(data.get("last_job_started")),
        last_job_completed=read_time(data.get("last_job_completed")),
        active_periods=read_active_periods(data),
        usage_seconds=spent,
        usage_final=spent is not None,
    )
    return Row(snapshot, now, opened_by)


def _who(note: Note | None) -> str:
    if note is None:
        return ""
    return PurePath(note.notebook).name if note.notebook else f"process {note.process}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{text:<{width}}" for text, width in zip(cells, widths, strict=True)).rstrip()
