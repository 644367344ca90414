"""All my open sessions and batches, wherever they are: age, state, cost so far, and whose."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ..durations import money, words
from ..errors import ServiceError, UserError, explained
from ..notes.opened import Note, notes
from ..service.client import Answer, ServiceClient
from ..snapshot import SessionSnapshot, headline, usage
from ..snapshot.fields import STATES, read_active_periods, read_opened, read_seconds, read_time
from ..views.markup import as_html
from .asking import ask
from .places import STARTING, Found, Spot
from .reaching import Place

MOST = 200
"""The most workloads that are looked at one by one."""

PAGE = 50
"""The most that the service lists at once."""

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
    found : Found
        Where it is.
    opened_by : str
        The notebook that opened it, or what else is known.
    """

    snapshot: SessionSnapshot
    now: float
    found: Found
    opened_by: str = ""

    def cells(self) -> tuple[str, ...]:
        """Its texts, in the order of `HEADER`."""
        snapshot = self.snapshot
        opened, idle = snapshot.opened_at, self.idle_seconds()
        cost, charged = usage(snapshot, self.now).cost, snapshot.service.charged
        return (
            snapshot.session_id,
            "batch" if snapshot.mode == "batch" else "session",
            snapshot.backend,
            "Active" if self._runs() else headline(snapshot),
            "" if opened is None else words(max(0.0, self.now - opened)),
            "" if idle is None else words(idle),
            "" if cost is None else f"≈ {money(cost)}{'' if charged else ' on IBM'}",
            self.opened_by,
        )

    def _runs(self) -> bool:
        # there are no jobs in the snapshot, by which a headline would know
        started = self.snapshot.last_job_started
        return (
            self.snapshot.state == "active" and started is not None and self.idle_seconds() is None
        )

    def idle_seconds(self) -> float | None:
        """How long it had nothing to do; None while something runs, or nothing ever did."""
        last, started = self.snapshot.last_job_completed, self.snapshot.last_job_started
        if last is None or (started is not None and started > last):
            return None
        return max(0.0, self.now - last)

    def to_json(self) -> dict[str, Any]:
        """The row as plain JSON types; times in seconds, by the service's clock."""
        snapshot, spent = self.snapshot, usage(self.snapshot, self.now)
        opened = snapshot.opened_at
        return {
            "id": snapshot.session_id,
            "mode": snapshot.mode,
            "backend": snapshot.backend,
            "state": snapshot.state,
            "accepting_jobs": snapshot.accepting_jobs,
            "opened_at": opened,
            "age_seconds": None if opened is None else max(0.0, self.now - opened),
            "idle_seconds": self.idle_seconds(),
            "usage_seconds": spent.total,
            "cost": spent.cost,
            "charged": snapshot.service.charged,
            "opened_by": self.opened_by,
            "service": snapshot.service.label,
        }


@dataclass(frozen=True)
class Listing:
    """Open sessions and batches, which show themselves as a table.

    Attributes
    ----------
    rows : tuple of Row
        What is open, a row each.
    asked : tuple of str
        The services that were asked.
    problems : tuple of str
        Why others could not be asked, in sentences.
    """

    rows: tuple[Row, ...]
    asked: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def table(self) -> list[tuple[str, ...]]:
        """The table's cells, a head and a row each; the service where there is more than one."""
        services = {row.snapshot.service.label for row in self.rows}
        if len(services) < 2:
            return [HEADER, *(row.cells() for row in self.rows)]
        rows = ((*row.cells(), row.snapshot.service.label) for row in self.rows)
        return [(*HEADER, "service"), *rows]

    def remarks(self) -> list[str]:
        """What stands below the table, in sentences."""
        if self.rows:
            return list(self.problems)
        asked = ", ".join(self.asked) or "no emulator runs here, and there is no IBM account"
        return [f"No session is open ({asked}).", *self.problems]

    def __repr__(self) -> str:
        lines = self.remarks()
        if self.rows:
            table = self.table()
            widths = [max(map(len, column)) for column in zip(*table, strict=True)]
            lines = [*(_line(cells, widths) for cells in table), *lines]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        below = "".join(f"<p>{as_html(text)}</p>" for text in self.remarks())
        if not self.rows:
            return below
        head, *rows = self.table()
        return (
            f"<table><thead>{_cells('th', head)}</thead>"
            f"<tbody>{''.join(_cells('td', cells) for cells in rows)}</tbody></table>{below}"
        )


def list_open(spots: Iterable[Spot], here: Mapping[str, str] | None = None) -> Listing:
    """Ask services for everything of mine that is open, all of them at once.

    Parameters
    ----------
    spots : iterable of Spot
        Where to look; why one cannot be asked, or did not answer in time, is said below the table.
    here : mapping, optional
        What to say of sessions of this kernel, by id.

    Raises
    ------
    UserError
        None of them can be asked.
    """
    rows: list[Row] = []
    asked: list[str] = []
    problems: list[str] = []
    replies = ask(spots, partial(_rows, here=here or {}))
    for reply in sorted(replies, key=lambda reply: reply.order):
        if isinstance(reply.answer, UserError):
            problems.append(str(reply.answer))
        elif reply.place is not None:
            rows += reply.answer
            asked.append(reply.place.info.label)
    problems = list(dict.fromkeys(problems))
    if problems and not asked:
        raise UserError("\n".join(problems))
    seen: dict[str, Row] = {}
    for row in rows:
        seen.setdefault(row.snapshot.session_id, row)
    return Listing(tuple(seen.values()), tuple(dict.fromkeys(asked)), tuple(problems))


def newest(spots: Iterable[Spot]) -> Found:
    """The newest session or batch there is, open or not, with the fields of the list.

    Raises
    ------
    UserError
        There is none, and why some could not be asked.
    """
    replies = list(ask(spots, _newest, STARTING))
    found = [one for reply in replies if isinstance(reply.answer, list) for one in reply.answer]
    if not found:
        problems = [str(reply.answer) for reply in replies if isinstance(reply.answer, UserError)]
        raise UserError("\n".join(["There is no session yet.", *dict.fromkeys(problems)]))
    return max(found, key=lambda item: str(item.raw.get("created", "")))


def _newest(place: Place) -> list[Found]:
    line = place.dial()
    try:
        with explained("list the sessions", place.info.kind):
            return [Found(place, item) for item in workloads(line, limit=1)]
    finally:
        line.shut()


def _rows(place: Place, here: Mapping[str, str]) -> list[Row]:
    line = place.dial()
    known = notes()
    try:
        with explained("list the sessions", place.info.kind):
            rows = [
                _row(place, answer, item, _whose(item["id"], here, known))
                for item in workloads(line, ["pending", "in_progress"])
                if (answer := _details(line, item["id"])) is not None
            ]
    finally:
        line.shut()
    return [row for row in rows if row.snapshot.state != "closed"]


def workloads(
    line: ServiceClient, status: Sequence[str] = (), *, limit: int = MOST, **query: Any
) -> list[dict[str, Any]]:
    """My sessions and batches, newest first, as the service lists them, page by page.

    Parameters
    ----------
    line : ServiceClient
        The service.
    status : sequence of str
        Only those that are ``pending``, ``in_progress``, ``completed``, ``canceled`` or ``failed``.
    limit : int
        How many at most, the newest of them.
    **query
        What else the service may be asked for.

    Raises
    ------
    ServiceError
        The service refused or does not answer.
    """
    query |= {"user": "me", "sort": "-createdAt", "limit": min(limit, PAGE)}
    if status:
        query["status"] = list(status)
    found: list[dict[str, Any]] = []
    for mode in ("session", "batch"):
        found += _pages(line, limit, {"mode": mode, **query})
    found.sort(key=lambda item: str(item.get("created", "")), reverse=True)
    return found[:limit]


def _pages(line: ServiceClient, most: int, query: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while len(found) < most:
        page = line.workloads(**query).data or {}
        listed = page.get("workloads", ())
        found += listed
        link = str((page.get("next") or {}).get("href") or "")
        cursor = parse_qs(urlsplit(link).query).get("next")
        if not listed or not cursor or cursor == [query.get("next")]:
            break
        query = {**query, "next": cursor[0]}
    return found[:most]


def _details(line: ServiceClient, session_id: str) -> Answer | None:
    try:
        return line.session(session_id)
    except ServiceError as error:
        if error.status == 404:
            # it ended and was forgotten between the two questions
            return None
        raise


def _row(place: Place, answer: Answer, item: dict[str, Any], opened_by: str) -> Row:
    data = answer.data
    now = answer.date if answer.date is not None else time.time()
    batch = data.get("mode") == "batch"
    # of a batch, the QPU time is known to the list only, and no snapshot without jobs adds it up
    spent = read_seconds(item.get("usage_seconds")) if batch else None
    snapshot = SessionSnapshot(
        session_id=str(data["id"]),
        mode="batch" if batch else "dedicated",
        backend=str(data.get("backend_name") or ""),
        service=place.info,
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
    return Row(snapshot, now, Found(place, data), opened_by)


def _whose(session_id: str, here: Mapping[str, str], known: Mapping[str, Note]) -> str:
    """Which notebook opened it, and what it is to this one."""
    mine, note = here.get(session_id, ""), known.get(session_id)
    if note is None or mine.startswith("this notebook"):
        return mine
    opened = PurePath(note.notebook).name if note.notebook else f"process {note.process}"
    return f"{opened}; {mine}" if mine else opened


def _cells(tag: str, texts: Sequence[str]) -> str:
    left = ' style="text-align:left"'
    return f"<tr>{''.join(f'<{tag}{left}>{as_html(text)}</{tag}>' for text in texts)}</tr>"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(f"{text:<{width}}" for text, width in zip(cells, widths, strict=True)).rstrip()
