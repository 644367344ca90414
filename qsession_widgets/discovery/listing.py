"""All my open sessions and batches, wherever they are: age, state, cost so far, and whose."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePath
from typing import Any

from ..client.decode import (
    STATES,
    read_active_periods,
    read_device_running,
    read_device_time,
    read_id,
    read_job,
    read_opened,
    read_seconds,
    read_time,
)
from ..client.prices import price_problem
from ..client.rest import Answer, ServiceClient
from ..errors import ServiceError, UserError
from ..explanations import as_user_error
from ..formatting import as_html, format_duration
from ..messages.forecast import error_words
from ..messages.labels import ESTIMATE, HEADLINES, cost_words, headline
from ..messages.left_behind import maybe_opened_by
from ..model import JobRecord, SessionSnapshot, phase, usage
from ..model.timestamps import stamped
from ..monitoring.response_checks import readable
from ..registry.entries import notes, retired
from ..registry.forecasts import ratios
from ..registry.lookup import priced
from ..registry.processes import is_orphan
from ..registry.schema import RegistryEntry
from ..text_table import terminal_width, text_table, wrap
from .endpoints import Endpoint, EndpointSource
from .fan_out import STARTING, fan_out
from .lost_openings import lost_openings
from .search import FoundSession
from .workloads import workloads

NEWEST_JOBS = 20
"""Jobs of a session that is not active that are looked at, the newest ones."""

HEADER = ("id", "name", "kind", "backend", "state", "age", "idle", "cost so far", "opened by")


@dataclass(frozen=True)
class ListedSession:
    """One open session or batch.

    Attributes
    ----------
    snapshot : SessionSnapshot
        What the service says of it; of its jobs, those that wait for it to become active.
    now : float
        The service's clock when it said so.
    found : Found
        Where it is.
    opened_by : str
        The notebook that opened it, or what else is known.
    name : str
        The user's name for it, where the registry has one.
    """

    snapshot: SessionSnapshot
    now: float
    found: FoundSession
    opened_by: str = ""
    name: str = ""

    def cells(self) -> tuple[str, ...]:
        """Its texts, in the order of `HEADER`."""
        snapshot = self.snapshot
        opened, idle = snapshot.opened_at, self.idle_seconds()
        cost, charged = cost_words(usage(snapshot, self.now)), snapshot.service.charged
        return (
            snapshot.session_id,
            self.name,
            "batch" if snapshot.mode == "batch" else "session",
            snapshot.backend,
            HEADLINES["active"] if self._runs() else headline(snapshot),
            "" if opened is None else format_duration(max(0.0, self.now - opened)),
            "" if idle is None else format_duration(idle),
            f"{cost}{'' if charged or not cost else ' on IBM'}",
            self.opened_by,
        )

    def _runs(self) -> bool:
        # there are no jobs in the snapshot, by which a headline would know
        started = self.snapshot.last_job_started
        return (
            phase(self.snapshot) == "idle" and started is not None and self.idle_seconds() is None
        )

    def idle_seconds(self) -> float | None:
        """Seconds that it had nothing to do; None while something runs, or nothing ever did."""
        last, started = self.snapshot.last_job_completed, self.snapshot.last_job_started
        if last is None or (started is not None and started > last):
            return None
        return max(0.0, self.now - last)

    def to_json(self) -> dict[str, Any]:
        """The row as plain JSON types; times in ISO 8601, by the service's clock."""
        snapshot, spent = self.snapshot, usage(self.snapshot, self.now)
        opened = snapshot.opened_at
        found = {
            "id": snapshot.session_id,
            "name": self.name,
            "mode": snapshot.mode,
            "backend": snapshot.backend,
            "state": snapshot.state,
            "phase": "active" if self._runs() else phase(snapshot),
            "accepting_jobs": snapshot.accepting_jobs,
            "opened_at": opened,
            "age_seconds": None if opened is None else max(0.0, self.now - opened),
            "idle_seconds": self.idle_seconds(),
            "usage_seconds": spent.total,
            "cost": None if spent.cost is None else round(spent.cost, 2),
            "charged": snapshot.service.charged,
            "opened_by": self.opened_by,
            "service": snapshot.service.label,
        }
        return {name: stamped(value, name) for name, value in found.items()}


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
    price_problem : str
        Why the costs are not known, as a sentence; empty where they are.
    """

    rows: tuple[ListedSession, ...]
    asked: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    price_problem: str = ""

    def table(self) -> list[tuple[str, ...]]:
        """The table's cells, a head and a row each; the service where there is more than one."""
        services = {row.snapshot.service.label for row in self.rows}
        if len(services) < 2:
            return [HEADER, *(row.cells() for row in self.rows)]
        rows = ((*row.cells(), row.snapshot.service.label) for row in self.rows)
        return [(*HEADER, "service"), *rows]

    def remarks(self) -> list[str]:
        """Remarks below the table, as sentences."""
        if self.rows:
            price = filter(None, [self.price_problem])
            return [*self._estimated(), *self.problems, *price]
        asked = ", ".join(self.asked) or "no emulator runs here, and there is no IBM account"
        return [f"No session is open ({asked}).", *self.problems]

    def _estimated(self) -> list[str]:
        """The remark on the costs of emulated sessions: by which estimate, and its error."""
        for row in self.rows:
            if (spent := usage(row.snapshot, row.now)).estimated and spent.cost:
                known = ratios(row.snapshot.service.plan, row.snapshot.backend)
                return [f"A cost on IBM is that of {ESTIMATE}; {error_words(known)}."]
        return []

    def __repr__(self) -> str:
        width = terminal_width()
        lines = [wrap(remark, width) for remark in self.remarks()]
        if self.rows:
            lines = [text_table(self.table(), width=width), *lines]
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


def list_open(sources: Iterable[EndpointSource], here: Mapping[str, str] | None = None) -> Listing:
    """Ask services for everything of mine that is open, all of them at once.

    Parameters
    ----------
    sources : iterable of EndpointSource
        Where to look; why one cannot be asked, or did not answer in time, is said below the table.
    here : mapping, optional
        What to say of sessions of this kernel, by id.

    Raises
    ------
    UserError
        None of them can be asked.
    """
    rows: list[ListedSession] = []
    asked: list[str] = []
    problems: list[str] = []
    replies = fan_out(sources, partial(_rows, here=here or {}))
    for reply in sorted(replies, key=lambda reply: reply.order):
        if isinstance(reply.answer, UserError):
            problems.append(str(reply.answer))
        elif reply.endpoint is not None:
            rows += reply.answer
            asked.append(reply.endpoint.info.label)
    problems = list(dict.fromkeys(problems))
    if problems and not asked:
        raise UserError("\n".join(problems))
    seen: dict[str, ListedSession] = {}
    for row in rows:
        seen.setdefault(row.snapshot.session_id, row)
    places = tuple(dict.fromkeys(asked))
    return Listing(tuple(seen.values()), places, tuple(problems), price_problem())


def newest(sources: Iterable[EndpointSource]) -> FoundSession:
    """The newest session or batch there is, open or not, with the fields of the list.

    Raises
    ------
    UserError
        There is none, and why some could not be asked.
    """
    replies = list(fan_out(sources, _newest, STARTING))
    found = [one for reply in replies if isinstance(reply.answer, list) for one in reply.answer]
    if not found:
        problems = [str(reply.answer) for reply in replies if isinstance(reply.answer, UserError)]
        raise UserError("\n".join(["There is no session yet.", *dict.fromkeys(problems)]))
    return max(found, key=lambda item: str(item.raw.get("created", "")))


def _newest(endpoint: Endpoint) -> list[FoundSession]:
    client = endpoint.connect()
    try:
        with as_user_error("list the sessions", endpoint.info.where), readable():
            found = workloads(client, limit=1)
            for item in found:
                read_id(item["id"])
            return [FoundSession(endpoint, item) for item in found]
    finally:
        client.close()


def _rows(endpoint: Endpoint, here: Mapping[str, str]) -> list[ListedSession]:
    client = endpoint.connect()
    known = retired() | notes()
    try:
        with as_user_error("list the sessions", endpoint.info.where), readable():
            lost = {
                session_id: maybe_opened_by(one.notebook)
                for one, ids in lost_openings(client, endpoint.key, endpoint.info.speed)
                for session_id in ids
            }
            here = {**lost, **here}
            rows = [
                _row(endpoint, client, answer, item, known.get(ident), here.get(ident, ""))
                for item in workloads(client, ["pending", "in_progress"])
                if (answer := _details(client, ident := read_id(item["id"]))) is not None
            ]
    finally:
        client.close()
    return [row for row in rows if row.snapshot.state != "closed"]


def _details(client: ServiceClient, session_id: str) -> Answer | None:
    try:
        return client.session(session_id)
    except ServiceError as error:
        if error.status == 404:
            # it ended and was forgotten between the two questions
            return None
        raise


def _row(
    endpoint: Endpoint,
    client: ServiceClient,
    answer: Answer,
    item: dict[str, Any],
    note: RegistryEntry | None,
    here: str,
) -> ListedSession:
    data = answer.data
    now = answer.date if answer.date is not None else time.time()
    batch = data.get("mode") == "batch"
    # of a batch, the QPU time is known to the list only, and no snapshot without jobs adds it up
    spent = read_seconds(item.get("usage_seconds")) if batch else None
    snapshot = SessionSnapshot(
        session_id=read_id(data["id"]),
        mode="batch" if batch else "dedicated",
        backend=str(data.get("backend_name") or ""),
        service=priced(endpoint.info, note),
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
        device_time=read_device_time(data),
        device_running=read_device_running(data),
    )
    if snapshot.state in ("open", "inactive"):
        # its fields do not tell whether a job waits for it to become active
        snapshot = replace(snapshot, jobs=_waiting(client, data, now))
    found, name = FoundSession(endpoint, data), "" if note is None else note.name
    return ListedSession(snapshot, now, found, _opened_by(note, here), name)


def _waiting(client: ServiceClient, session: dict[str, Any], now: float) -> tuple[JobRecord, ...]:
    rows = client.jobs(str(session["id"]), limit=NEWEST_JOBS).data["jobs"]
    jobs = (read_job(row, None, session, now) for row in rows)
    return tuple(job for job in jobs if not job.final)


def _opened_by(note: RegistryEntry | None, here: str) -> str:
    """The notebook that opened a session, and what it is to this kernel."""
    if note is None or here.startswith("this notebook"):
        return here
    opened = PurePath(note.notebook).name if note.notebook else f"process {note.process}"
    if is_orphan(note):
        opened += ", gone"
    return f"{opened}; {here}" if here else opened


def _cells(tag: str, texts: Sequence[str]) -> str:
    left = ' style="text-align:left"'
    return f"<tr>{''.join(f'<{tag}{left}>{as_html(text)}</{tag}>' for text in texts)}</tr>"
