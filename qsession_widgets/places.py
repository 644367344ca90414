"""Where sessions of mine can be: the IBM account, and every emulator that runs on this machine.

Who looks for a session by its id, or lists what is open, should not have to know on which of them
it is. Nothing is started for that: an emulator that does not run has no session that is active.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from .accounts import find_account
from .client import ServiceClient, account_instance, base_url
from .emulators import describe_emulator, running_emulators
from .errors import ServiceError, UserError, explained
from .monitor import Monitor
from .service import Chosen, choose, local_service
from .snapshot import ServiceInfo

Where = Literal["all", "ibm", "local"]


class Place:
    """A service that may have sessions of mine.

    Parameters
    ----------
    info : ServiceInfo
        How to speak of it.
    key : tuple of str
        Its address and instance; the same for the same place.
    dial : callable
        Makes a line to it.
    make : callable
        Makes the client library's object for it.
    """

    def __init__(
        self,
        info: ServiceInfo,
        key: tuple[str, str],
        dial: Callable[[], ServiceClient],
        make: Callable[[], Chosen],
    ):
        self.info = info
        self.key = key
        self.dial = dial
        self._make = make

    @cached_property
    def chosen(self) -> Chosen:
        """The client library's object for it; importing that takes a second or two."""
        return self._make()

    @classmethod
    def of(cls, chosen: Chosen) -> Place:
        """The place of a service that is connected already."""
        service = chosen.service
        key = (base_url(service), account_instance(service) or "")
        return cls(chosen.info, key, lambda: ServiceClient(service), lambda: chosen)


@dataclass(frozen=True)
class Found:
    """A session, and where it is.

    Attributes
    ----------
    place : Place
        The service that has it.
    raw : dict
        Its fields as the service gives them.
    """

    place: Place
    raw: dict[str, Any]

    @property
    def session_id(self) -> str:
        """Its id."""
        return str(self.raw["id"])

    @property
    def word(self) -> str:
        """What to call it: a session or a batch."""
        return "batch" if self.raw.get("mode") == "batch" else "session"

    def monitor(self) -> Monitor:
        """Something that watches it and does what is asked.

        Raises
        ------
        UserError
            The service stopped answering.
        """
        info = self.place.info
        with explained(f"show the {self.word} {self.session_id}", info.kind):
            return Monitor(self.place.dial(), self.session_id, info)

    def end(self, action: str) -> str:
        """Close or cancel it, and say what came of it; see `Monitor.command` for errors."""
        monitor = self.monitor()
        try:
            if monitor.snapshot.state == "closed":
                return f"The {self.word} {self.session_id} is closed already."
            return ended_as(self.word, monitor.command(action))
        finally:
            monitor.stop()


def ended_as(word: str, said: str) -> str:
    """What was said of an end, of a session or of a batch."""
    return said.replace("Session", word.capitalize(), 1) if said.startswith("Session") else said


def places(
    where: Where = "all",
    *,
    instance: str | None = None,
    account: str | None = None,
    known: Iterable[Chosen] = (),
    usual: Mapping[str, str | None] | None = None,
) -> Iterator[Place | UserError]:
    """Every service that may have sessions of mine, the nearest first.

    Parameters
    ----------
    where : {"all", "ibm", "local"}
        Which to look at.
    instance, account : str, optional
        Instance and saved account of IBM's; only that one is looked at then.
    known : iterable of Chosen
        Services that are connected already; they come first.
    usual : mapping, optional
        Instance and account to take where none is given, which keep nothing else out.

    Yields
    ------
    Place or UserError
        A service; or why one that there is cannot be asked.
    """
    seen: set[tuple[str, str]] = set()
    only_ibm = instance is not None or account is not None
    makers: list[Callable[[], Place]] = []
    if not only_ibm:
        makers += [_given(chosen) for chosen in known if where in ("all", chosen.info.kind)]
        if where != "ibm":
            makers += [_emulator(connection) for connection in running_emulators()]
    if where != "local" or only_ibm:
        usual = usual or {}
        which = (instance or usual.get("instance"), account or usual.get("account"))
        makers.append(lambda: _account(*which, needed=where == "ibm" or only_ibm))
    for make in makers:
        try:
            place = make()
        except _Nowhere:
            continue
        except UserError as error:
            yield error
            continue
        if place.key not in seen:
            seen.add(place.key)
            yield place


def sleeping_emulator() -> Iterator[Place | UserError]:
    """The emulator that notebooks share, started for its records when it has some and is not there.

    Yields
    ------
    Place or UserError
        It, or why it cannot be started; nothing when it runs or never did.
    """
    from .emulator.discovery import data_directory
    from .emulator.launch import find as find_emulator

    if find_emulator() is None and data_directory().is_dir():
        try:
            yield Place.of(choose("local"))
        except UserError as error:
            yield error


class _Nowhere(Exception):
    """There is no such service."""


def _given(chosen: Chosen) -> Callable[[], Place]:
    return lambda: Place.of(chosen)


def _emulator(connection: Any) -> Callable[[], Place]:
    def dial() -> ServiceClient:
        return ServiceClient.with_key(connection.api, connection.key, connection.crn)

    def make() -> Place:
        line = dial()
        try:
            info = describe_emulator(line)
        except ServiceError as error:
            if "did not answer" in error.message:
                raise UserError(
                    f"The emulator at {connection.url} (process {connection.pid}) does not answer: "
                    "end that process, or wait until it is less busy."
                ) from error
            # its file was left behind when it was killed
            raise _Nowhere from error
        finally:
            line.shut()
        why = "it is where the session is"
        return Place(
            info, (connection.api, connection.crn), dial, lambda: local_service(connection, why)
        )

    return make


def _account(instance: str | None, account: str | None, *, needed: bool) -> Place:
    if not needed and find_account(account) is None:
        raise _Nowhere
    return Place.of(choose("ibm", instance=instance, account=account))


def find(wanted: str, found_in: Iterable[Place | UserError]) -> Found:
    """A session or batch, by its own id or by that of one of its jobs.

    Parameters
    ----------
    wanted : str
        The id.
    found_in : iterable of Place or UserError
        Where to look; what `places` gives.

    Raises
    ------
    UserError
        There is none, or it is a job that runs in none; or nothing could be asked.
    """
    asked: list[str] = []
    problems: list[str] = []
    for place in found_in:
        if isinstance(place, UserError):
            problems.append(str(place))
            continue
        line = place.dial()
        try:
            with explained(f"find {wanted}", place.info.kind):
                raw = _ask(line, wanted)
        except UserError as error:
            if isinstance(error, _NoSession):
                raise
            problems.append(str(error))
            continue
        finally:
            line.shut()
        if raw is not None:
            return Found(place, raw)
        asked.append(place.info.label)
    if not asked and not problems:
        raise UserError(
            f"There is no session, batch or job {wanted!r}: no emulator runs here and no IBM "
            "account is saved or in the environment."
        )
    parts = []
    if asked:
        labels = " or ".join(dict.fromkeys(asked))
        parts.append(
            f"There is no session, batch or job {wanted!r} on {labels}: %session list, or qsession "
            "list in a terminal, shows the open ones; --instance and --account say where to look."
        )
    raise UserError("\n".join(parts + problems))


class _NoSession(UserError):
    """The id is that of a job outside of sessions."""


def _ask(line: ServiceClient, wanted: str) -> dict[str, Any] | None:
    try:
        return dict(line.session(wanted).data)
    except ServiceError as error:
        if error.status not in (400, 404):
            raise
    try:
        session_id = line.job(wanted).data.get("session_id")
        if session_id and session_id != wanted:
            return dict(line.session(str(session_id)).data)
    except ServiceError as error:
        if error.status not in (400, 404):
            raise
        return None
    raise _NoSession(f"The job {wanted} runs in no session: there is nothing to take up or end.")
