"""Where sessions of mine can be: accounts with all their instances, and emulators that run here.

Who looks for a session by its id, or lists what is open, should not have to know where it is. So
every saved account is asked for its instances, and each of them for its sessions, side by side
(see `asking`); a note of the kernel that opened a session leads to it at once. Nothing is started
for that: an emulator that does not run has no session that is active.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from ..errors import ServiceError, UserError, explained
from ..notes.instances import account_gone, noted_instances
from ..notes.opened import notes
from ..service.accounts import default_account, every_account, find_account, holder
from ..service.choosing import Chosen
from ..service.client import ServiceClient
from ..service.emulators import emulator_name, running_emulators
from ..watching.monitor import Monitor
from .asking import ask
from .reaching import Place, account_place, account_places, emulator_place

Where = Literal["all", "ibm", "local"]

STARTING = 90.0
"""Seconds that an emulator may take that has to be started first."""


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

    def complete(self) -> Monitor:
        """Something that knows it and the exact times of all its jobs, for a look back.

        Raises
        ------
        UserError
            The service stopped answering.
        """
        monitor = self.monitor()
        with explained(f"show the {self.word} {self.session_id}", self.place.info.kind):
            monitor.complete()
        return monitor

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


@dataclass(frozen=True)
class Spot:
    """Where places may be: which ones is known once it was asked.

    Attributes
    ----------
    words : str
        How to speak of it.
    reach : callable
        Finds the places, or why one cannot be asked. May block; raises `UserError`.
    turn : int
        When to look there for a single session: 0 at once, 1 where that found none, 2 at last.
    silent : str
        What to say when it does not answer in time; empty for the usual sentence.
    client : bool
        Whether the client library is needed to look there.
    """

    words: str
    reach: Callable[[], list[Place | UserError]]
    turn: int = 1
    silent: str = ""
    client: bool = False

    def prepare(self) -> None:
        """Import what is needed, which takes seconds where it was not imported yet."""
        if self.client:
            # whether it is there is said when it is used
            with suppress(ImportError):
                import qiskit_ibm_runtime  # noqa: F401


def places(
    where: Where = "all",
    *,
    instance: str | None = None,
    account: str | None = None,
    known: Iterable[Chosen] = (),
    usual: Mapping[str, str | None] | None = None,
    wanted: str = "",
) -> Iterator[Spot]:
    """Every spot where sessions of mine may be, the nearest first. Asks nobody.

    Parameters
    ----------
    where : {"all", "ibm", "local"}
        Which to look at.
    instance, account : str, optional
        Instance and saved account of IBM's; only that one is looked at then. Of an account without
        an instance, all instances that it reaches.
    known : iterable of Chosen
        Services that are connected already; they come first, and need not be connected again.
    usual : mapping, optional
        Instance and account to take where none is given, which keep nothing else out.
    wanted : str
        The session that is looked for, if it is one: where its note leads comes first.

    Yields
    ------
    Spot
        See `qsession_widgets.finding.asking.ask`.
    """
    usual, known = usual or {}, list(known)
    only_ibm = instance is not None or account is not None
    if not only_ibm:
        near = [chosen for chosen in known if where in ("all", chosen.info.kind)]
        yield from (Spot(one.info.label, partial(_given, one), turn=0) for one in near)
        if where != "ibm":
            yield from (_of_emulator(connection) for connection in running_emulators())
    if where == "local" and not only_ibm:
        return
    if instance is not None:
        which = account or usual.get("account")
        reach = partial(_one_instance, which, instance)
        yield Spot(f"the instance {instance}", reach, client=True)
        return
    yield from _of_accounts(known, account, usual, wanted, needed=where == "ibm")


def usual_holders(known: Iterable[Chosen]) -> set[str]:
    """Whose sessions are mine without another saved account being named.

    What ends many sessions at once must not reach into accounts that nobody thought of.

    Parameters
    ----------
    known : iterable of Chosen
        Services that are connected.
    """
    holders = {holder(connection.key) for connection in running_emulators()}
    holders |= {Place.of(chosen).holder for chosen in known}
    # a file that cannot be read keeps no emulator's session open
    with suppress(UserError):
        default = default_account()
        holders |= set() if default is None else {default.holder}
    return holders


def sleeping_emulator() -> Iterator[Spot]:
    """The emulator that notebooks share, started for its records when it has some and is not there.

    Yields
    ------
    Spot
        It; nothing when it runs or never did.
    """
    from ..emulator.discovery import EmulatorError, data_directory
    from ..emulator.launch import find as find_emulator
    from ..emulator.launch import find_or_start

    def start() -> list[Place | UserError]:
        try:
            return [emulator_place(find_or_start(None, emulator_name(None)))]
        except EmulatorError as error:
            raise UserError(str(error)) from None

    if find_emulator() is None and data_directory().is_dir():
        yield Spot("the local emulator", start, turn=2)


def _given(chosen: Chosen) -> list[Place | UserError]:
    return [Place.of(chosen)]


# -------------------------------------------------------------------------------------------------
# Emulators


def _of_emulator(connection: Any) -> Spot:
    silent = (
        f"The emulator at {connection.url} (process {connection.pid}) does not answer: end that "
        "process, or wait until it is less busy."
    )

    def reach() -> list[Place | UserError]:
        try:
            return [emulator_place(connection)]
        except ServiceError as error:
            if "did not answer" in error.message:
                raise UserError(silent) from None
            # its file was left behind when it was killed
            return []

    return Spot(f"the emulator at {connection.url}", reach, turn=0, silent=silent)


# -------------------------------------------------------------------------------------------------
# Accounts


def _of_accounts(
    known: Iterable[Chosen],
    only: str | None,
    usual: Mapping[str, str | None],
    wanted: str,
    *,
    needed: bool,
) -> Iterator[Spot]:
    """The accounts there are, or the only one wanted; each key once, however often it is saved."""
    told = notes()
    noted = noted_instances(told.values())
    try:
        accounts = every_account()
        first = only or usual.get("account")
        if first is not None:
            find_account(first)
            accounts.sort(key=lambda account: account.name != first)
        if only is not None:
            accounts = [account for account in accounts if account.name == only]
    except UserError as error:
        yield _refused(error)
        return
    if not accounts:
        if needed or only is not None:
            # it says what there is to do
            yield Spot("the account", partial(_one_instance, only, None), client=True)
        return
    names = {account.name for account in accounts}
    opened = next((where for where, left in noted.items() if told.get(wanted) in left), None)
    if opened is not None and opened.account in names:
        which = (opened.account or None, opened.instance)
        yield Spot("where it was opened", partial(_one_instance, *which), turn=0, client=True)
    connected = {chosen.account: chosen for chosen in known if chosen.account is not None}
    held: set[str] = set()
    for account in accounts:
        if account.holder in held:
            continue
        held.add(account.holder)
        same = {one.name for one in accounts if one.holder == account.holder}
        before = [one.instance for one in accounts if one.holder == account.holder]
        before += [one.instance for one in noted if one.account in same]
        before.append(usual.get("instance") or "")
        reach = partial(account_places, account, before, connected.get(account.name))
        yield Spot(f"IBM Quantum with {account.words}", reach, client=True)
    for where, left in noted.items() if only is None else ():
        if where.account and where.account not in names:
            yield _refused(UserError(account_gone(where.account, left)))


def _one_instance(account: str | None, instance: str | None) -> list[Place | UserError]:
    return [account_place(account, instance)]


def _refused(error: UserError) -> Spot:
    return Spot("the account", lambda: [error])


# -------------------------------------------------------------------------------------------------
# One session


def find(wanted: str, found_in: Iterable[Spot]) -> Found:
    """A session or batch, by its own id or by that of one of its jobs.

    Parameters
    ----------
    wanted : str
        The id.
    found_in : iterable of Spot
        Where to look; what `places` gives.

    Raises
    ------
    UserError
        There is none, or it is a job that runs in none; or nothing could be asked.
    """
    asked: list[Place] = []
    problems: list[str] = []
    spots = sorted(found_in, key=lambda spot: spot.turn)
    for turn in sorted({spot.turn for spot in spots}):
        near = [spot for spot in spots if spot.turn == turn]
        patience = STARTING if turn == 2 else None
        for reply in ask(near, partial(_look, wanted), patience):
            place, raw = reply.place, reply.answer
            if isinstance(raw, _NoSession):
                raise raw
            if isinstance(raw, UserError):
                problems.append(str(raw))
            elif place is not None and raw is not None:
                return Found(place, raw)
            elif place is not None:
                asked.append(place)
    if not asked and not problems:
        raise UserError(
            f"There is no session, batch or job {wanted!r}: no emulator runs here and no IBM "
            "account is saved or in the environment."
        )
    parts = []
    if asked:
        emulators = sum(place.info.kind == "local" for place in asked)
        here = f"this machine ({emulators} emulator{'' if emulators == 1 else 's'} asked)"
        others = dict.fromkeys(place.info.label for place in asked if place.info.kind != "local")
        labels = " or ".join([*([here] if emulators else []), *others])
        parts.append(
            f"There is no session, batch or job {wanted!r} on {labels}: %session list, or qsession "
            "list in a terminal, shows the open ones; --instance and --account say where to look."
        )
    raise UserError("\n".join(parts + list(dict.fromkeys(problems))))


def _look(wanted: str, place: Place) -> dict[str, Any] | None:
    line = place.dial()
    try:
        with explained(f"find {wanted}", place.info.kind):
            return _ask(line, wanted)
    finally:
        line.shut()


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
