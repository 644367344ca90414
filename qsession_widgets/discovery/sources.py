"""Sources of endpoints: accounts with all their instances, and emulators that run on this machine.

A search for a session, or a list of the open ones, covers every saved account and each of its
instances; a registry entry of the kernel that opened a session leads to it at once. Nothing is
started for that: an emulator that does not run has no session that is active.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from ..client import joined
from ..client.accounts import default_account, every_account, find_account, owner_key
from ..client.connected_service import ConnectedService
from ..client.emulators import emulator_name, emulators_elsewhere, running_emulators
from ..client.joined import JoinedService
from ..errors import ServiceError, UserError
from ..explanations import as_user_error
from ..registry.entries import notes
from ..registry.lookup import account_gone, noted_instances
from .endpoints import (
    Endpoint,
    EndpointSource,
    account_endpoint,
    account_endpoints,
    emulator_endpoint,
    joined_endpoint,
)


def endpoint_sources(
    where: str = "all",
    *,
    instance: str | None = None,
    account: str | None = None,
    known: Iterable[ConnectedService] = (),
    usual: Mapping[str, str | None] | None = None,
    wanted: str = "",
) -> Iterator[EndpointSource]:
    """Every source of endpoints that may have sessions of this user, the nearest first.

    Makes no request.

    Parameters
    ----------
    where : str
        Which to look at: ``all``, ``ibm``, ``local``, or the name of a service that was joined.
    instance, account : str, optional
        Instance and saved account of IBM's; only that one is looked at then. Of an account without
        an instance, all instances that it reaches.
    known : iterable of ConnectedService
        Services that are connected already; they come first, and need not be connected again.
    usual : mapping, optional
        Instance and account to take where none is given, which keep nothing else out.
    wanted : str
        The session that is looked for, if it is one: where its note leads comes first.

    Yields
    ------
    EndpointSource
        See `qsession_widgets.discovery.fan_out.fan_out`.
    """
    usual, known = usual or {}, list(known)
    only_ibm = instance is not None or account is not None
    if not only_ibm:
        near = [one for one in known if where in ("all", one.info.joined or one.info.kind)]
        yield from (EndpointSource(one.info.label, partial(_given, one), turn=0) for one in near)
        if where in ("all", "local"):
            yield from (_of_emulator(connection) for connection in running_emulators())
            yield from (_unreachable(sentence) for sentence in emulators_elsewhere())
        mine = [one for one in joined.everyone() if where in ("all", one.name)]
        yield from (_of_joined(service) for service in mine)
    if where not in ("all", "ibm") and not only_ibm:
        return
    if instance is not None:
        which = account or usual.get("account")
        reach = partial(_one_instance, which, instance)
        yield EndpointSource(f"the instance {instance}", reach, needs_client=True)
        return
    yield from _of_accounts(known, account, usual, wanted, needed=where == "ibm")


def usual_owner_keys(known: Iterable[ConnectedService]) -> set[str]:
    """Keys of the owners whose sessions count as mine when no account is named.

    What ends many sessions at once must not reach into accounts that nobody thought of.

    Parameters
    ----------
    known : iterable of ConnectedService
        Services that are connected.
    """
    holders = {owner_key(connection.key) for connection in running_emulators()}
    holders |= {owner_key(service.key) for service in joined.everyone()}
    holders |= {Endpoint.of(chosen).owner_key for chosen in known}
    # a file that cannot be read keeps no emulator's session open
    with suppress(UserError):
        default = default_account()
        holders |= set() if default is None else {default.owner_key}
    return holders


def sleeping_emulator() -> Iterator[EndpointSource]:
    """The emulator that notebooks share, started for its records when it has some and is not there.

    Yields
    ------
    EndpointSource
        It, without endpoints where it runs, for then it has been asked; nothing when it never did.
    """
    from ..emulator.process.connection_file import EmulatorError, data_directory, read
    from ..emulator.process.launcher import find as find_emulator
    from ..emulator.process.launcher import find_or_start

    def start() -> list[Endpoint | UserError]:
        try:
            if find_emulator() is not None:
                return []
            return [emulator_endpoint(find_or_start(None, emulator_name(None)))]
        except EmulatorError as error:
            if read() is not None:
                # it was asked as one that runs, which has told that it does not answer
                return []
            raise UserError(str(error)) from None

    if data_directory().is_dir():
        yield EndpointSource("the local emulator", start, turn=2)


def _given(chosen: ConnectedService) -> list[Endpoint | UserError]:
    return [Endpoint.of(chosen)]


# -------------------------------------------------------------------------------------------------
# Emulators


def _of_emulator(connection: Any) -> EndpointSource:
    silent = (
        f"The emulator at {connection.url} (process {connection.pid}) does not answer: end that "
        "process, or wait until it is less busy."
    )

    def reach() -> list[Endpoint | UserError]:
        try:
            return [emulator_endpoint(connection)]
        except ServiceError as error:
            if error.kind == "timeout":
                raise UserError(silent) from None
            # its file was left behind when it was killed
            return []

    return EndpointSource(f"the emulator at {connection.url}", reach, turn=0, silent=silent)


def _unreachable(sentence: str) -> EndpointSource:
    return EndpointSource("an emulator", lambda: [UserError(sentence)], turn=0)


def _of_joined(service: JoinedService) -> EndpointSource:
    def reach() -> list[Endpoint | UserError]:
        with as_user_error(f"ask {service.name}", "joined"):
            return [joined_endpoint(service)]

    return EndpointSource(f"{service.name} at {service.url}", reach, turn=0)


# -------------------------------------------------------------------------------------------------
# Accounts


def _of_accounts(
    known: Iterable[ConnectedService],
    only: str | None,
    usual: Mapping[str, str | None],
    wanted: str,
    *,
    needed: bool,
) -> Iterator[EndpointSource]:
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
            yield EndpointSource(
                "the account", partial(_one_instance, only, None), needs_client=True
            )
        return
    names = {account.name for account in accounts}
    opened = next((where for where, left in noted.items() if told.get(wanted) in left), None)
    if opened is not None and opened.account in names:
        which = (opened.account or None, opened.instance)
        yield EndpointSource(
            "where it was opened", partial(_one_instance, *which), turn=0, needs_client=True
        )
    connected = {chosen.account: chosen for chosen in known if chosen.account is not None}
    held: set[str] = set()
    for account in accounts:
        if account.owner_key in held:
            continue
        held.add(account.owner_key)
        same = {one.name for one in accounts if one.owner_key == account.owner_key}
        before = [one.instance for one in accounts if one.owner_key == account.owner_key]
        before += [one.instance for one in noted if one.account in same]
        before.append(usual.get("instance") or "")
        reach = partial(account_endpoints, account, before, connected.get(account.name))
        yield EndpointSource(f"IBM Quantum with {account.words}", reach, needs_client=True)
    for where, left in noted.items() if only is None else ():
        if where.account and where.account not in names:
            yield _refused(UserError(account_gone(where.account, left)))


def _one_instance(account: str | None, instance: str | None) -> list[Endpoint | UserError]:
    return [account_endpoint(account, instance)]


def _refused(error: UserError) -> EndpointSource:
    return EndpointSource("the account", lambda: [error])
