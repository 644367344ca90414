"""Find one session or batch by its id, or by that of one of its jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
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
from .fan_out import fan_out

STARTING = 90.0
"""Seconds that an emulator may take that has to be started first."""


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


def find(wanted: str, found_in: Iterable[EndpointSource]) -> FoundSession:
    """A session or batch, by its own id or by that of one of its jobs.

    Parameters
    ----------
    wanted : str
        The id.
    found_in : iterable of EndpointSource
        Where to look; what `endpoints` gives.

    Raises
    ------
    UserError
        There is none, or it is a job that runs in none; or nothing could be asked.
    """
    asked: list[Endpoint] = []
    problems: list[str] = []
    sources = sorted(found_in, key=lambda source: source.turn)
    for turn in sorted({source.turn for source in sources}):
        near = [source for source in sources if source.turn == turn]
        patience = STARTING if turn == 2 else None
        for reply in fan_out(near, partial(_look, wanted), patience):
            endpoint, raw = reply.endpoint, reply.answer
            if isinstance(raw, UserError):
                if raw.code == "job_without_session":
                    raise raw
                problems.append(str(raw))
            elif endpoint is not None and raw is not None:
                return FoundSession(endpoint, raw)
            elif endpoint is not None:
                asked.append(endpoint)
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


def _look(wanted: str, endpoint: Endpoint) -> dict[str, Any] | None:
    client = endpoint.connect()
    try:
        with as_user_error(f"find {wanted}", endpoint.info.where), readable():
            found = _ask(client, wanted)
            if found is not None:
                read_id(found["id"])
            return found
    finally:
        client.close()


def _ask(client: ServiceClient, wanted: str) -> dict[str, Any] | None:
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
