"""Find one session or batch by its id, a job's, or the first characters of either."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..client.decode import read_id
from ..client.rest import ServiceClient
from ..errors import ServiceError, UserError
from ..explanations import as_user_error
from ..model import EndReason, EndResult
from ..monitoring import commands
from ..monitoring.monitor import Monitor
from ..monitoring.poller import SessionPoller
from ..monitoring.response_checks import readable
from ..registry import journal
from ..registry.entries import entry_of
from .endpoints import Endpoint, EndpointSource
from .fan_out import nearest_first
from .workloads import workloads

BEGINNING = re.compile(r"[0-9a-z][0-9a-z-]{3,}")
"""Form of the beginning of an id that is enough to look for it: four characters."""

MOST_NAMED = 5
"""Ids that a refusal names at most."""


@dataclass(frozen=True)
class FoundSession:
    """A session, and where it is.

    Attributes
    ----------
    endpoint : Endpoint
        The service that has it.
    raw : dict
        Its fields as the service gives them.
    """

    endpoint: Endpoint
    raw: dict[str, Any]

    @property
    def session_id(self) -> str:
        """Its id."""
        return str(self.raw["id"])

    @property
    def word(self) -> str:
        """The noun for it: session or batch."""
        return "batch" if self.raw.get("mode") == "batch" else "session"

    def poller(self) -> SessionPoller:
        """A poller of it, which has polled once.

        Raises
        ------
        UserError
            The service stopped answering.
        """
        info, entry = self.endpoint.info, entry_of(self.session_id)
        name = "" if entry is None else entry.name
        with as_user_error(f"show the {self.word} {self.session_id}", info.where):
            return SessionPoller(
                self.endpoint.connect(),
                self.session_id,
                info,
                name=name,
                remembered=journal.read(self.session_id),
            )

    def monitor(self) -> Monitor:
        """A monitor of it; see `poller` for errors."""
        return Monitor(self.poller())

    def complete(self, waits: Callable[[int], object] | None = None) -> SessionPoller:
        """A poller that has asked for exact times of its jobs; see `poller` for errors.

        Parameters
        ----------
        waits : callable, optional
            Called when that takes a while; see `SessionPoller.settle`.
        """
        poller = self.poller()
        with as_user_error(f"show the {self.word} {self.session_id}", self.endpoint.info.where):
            poller.complete(waits=waits)
        return poller

    def end(self, action: str, by: EndReason = "elsewhere") -> EndResult:
        """Close or cancel it; see `qsession_widgets.monitoring.commands.run` for errors."""
        poller = self.poller()
        try:
            return commands.run(poller, action, by=by)
        finally:
            poller.client.close()


def may_be_id(word: str) -> bool:
    """Tell whether a word looks like an id, or the beginning of one, and not like a name."""
    return BEGINNING.fullmatch(word) is not None and any(map(str.isdigit, word))


def several_begin(wanted: str, ids: Sequence[str]) -> str:
    """A sentence about the beginning of several ids."""
    shown = ", ".join(ids[:MOST_NAMED])
    more = " and others" if ids[MOST_NAMED:] else ""
    return (
        f"{wanted!r} is how several ids begin: {shown}{more}. Write more of the one that is meant."
    )


def find(wanted: str, found_in: Iterable[EndpointSource]) -> FoundSession:
    """A session or batch, by its own id or by that of one of its jobs.

    Parameters
    ----------
    wanted : str
        The id, or its first characters, four at least. A whole id goes before a beginning, and
        what is near before what is far: the emulators, the accounts, an emulator that sleeps.
    found_in : iterable of EndpointSource
        Where to look; what `endpoints` gives.

    Raises
    ------
    UserError
        There is none, or it is a job that runs in none; several ids begin so; or nothing could be
        asked.
    """
    asked: list[Endpoint] = []
    problems: list[str] = []
    for replies in nearest_first(found_in, partial(_look, wanted)):
        begun: dict[str, _Match] = {}
        for reply in replies:
            endpoint, answer = reply.endpoint, reply.answer
            if isinstance(answer, UserError):
                if answer.code == "job_without_session":
                    raise answer
                problems.append(str(answer))
            elif endpoint is not None:
                asked.append(endpoint)
                if answer and answer[0].exact:
                    return FoundSession(endpoint, answer[0].raw)
                begun |= {match.session_id: replace(match, endpoint=endpoint) for match in answer}
        if begun:
            return _only(wanted, list(begun.values()))
    if not asked and not problems:
        raise UserError(
            f"There is no session, batch or job {wanted!r}: no emulator runs here and no IBM "
            "account is saved or in the environment."
        )
    parts = []
    if asked:
        emulators = sum(endpoint.info.where == "local" for endpoint in asked)
        here = f"this machine ({emulators} emulator{'' if emulators == 1 else 's'} asked)"
        others = dict.fromkeys(
            endpoint.info.label for endpoint in asked if endpoint.info.where != "local"
        )
        labels = " or ".join([*([here] if emulators else []), *others])
        parts.append(
            f"There is no session, batch or job {wanted!r} on {labels}: %session list, or qsession "
            "list in a terminal, shows the open ones; --instance and --account say where to look."
        )
    raise UserError("\n".join(parts + list(dict.fromkeys(problems))))


@dataclass(frozen=True)
class _Match:
    """A session that an id leads to, and the id: its own, or that of a job in it."""

    id: str
    raw: dict[str, Any]
    exact: bool = False
    endpoint: Endpoint | None = None

    @property
    def session_id(self) -> str:
        return str(self.raw["id"])


def _only(wanted: str, matches: list[_Match]) -> FoundSession:
    """The only session that is meant by the beginning of an id."""
    first = matches[0]
    if matches[1:]:
        raise UserError(several_begin(wanted, [match.id for match in matches]))
    assert first.endpoint is not None
    return FoundSession(first.endpoint, first.raw)


def _look(wanted: str, endpoint: Endpoint) -> list[_Match]:
    client = endpoint.connect()
    try:
        with as_user_error(f"find {wanted}", endpoint.info.where), readable():
            found = _ask(client, wanted)
            matches = _begun(client, wanted) if found is None else [_Match(wanted, found, True)]
            for match in matches:
                read_id(match.raw["id"])
            return matches
    finally:
        client.close()


def _ask(client: ServiceClient, wanted: str) -> dict[str, Any] | None:
    """The session that has an id, or a job with it."""
    try:
        return dict(client.session(wanted).data)
    except ServiceError as error:
        if error.status not in (400, 404):
            raise
    try:
        session_id = client.job(wanted).data.get("session_id")
        if session_id and session_id != wanted:
            return dict(client.session(str(session_id)).data)
    except ServiceError as error:
        if error.status not in (400, 404):
            raise
        return None
    raise UserError(code="job_without_session", job=wanted)


def _begun(client: ServiceClient, wanted: str) -> list[_Match]:
    """Sessions whose ids begin so, or those of jobs in them, among the newest 200 of each kind."""
    if not BEGINNING.fullmatch(wanted):
        return []
    ids = [read_id(item["id"]) for item in workloads(client)]
    begun = {one: one for one in ids if one.startswith(wanted)}
    for job in client.jobs().data["jobs"]:
        if str(job["id"]).startswith(wanted) and (session_id := job.get("session_id")):
            begun.setdefault(str(session_id), str(job["id"]))
    found = []
    for session_id, one in begun.items():
        try:
            found.append(_Match(one, dict(client.session(session_id).data)))
        except ServiceError as error:
            # it was forgotten between the two questions
            if error.status != 404:
                raise
    return found
