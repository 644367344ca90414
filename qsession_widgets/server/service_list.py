"""Which services there are to ask: the account, every emulator that runs, and what notes name.

A page must not make the server ask everybody whom somebody could have asked: besides the default
account, an instance is asked when a kernel said that it opened a session there. Nothing here asks a
service, and nothing starts an emulator.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..client import joined
from ..client.accounts import IN_ENVIRONMENT, Account, default_account, every_account, owner_key
from ..errors import UserError
from ..model import ServiceInfo
from ..registry.lookup import Noted, account_gone, noted_instances
from ..registry.schema import RegistryEntry

if TYPE_CHECKING:
    from ..discovery.endpoints import Endpoint
    from ..emulator.process.connection_file import Connection


@dataclass(frozen=True)
class ServiceSource:
    """A service that can be asked.

    Attributes
    ----------
    key : str
        ``ibm``, ``local``, ``local:NAME`` for an emulator of another name, ``joined:NAME`` for a
        service that was joined, or ``ibm:ACCOUNT@GUID`` for another instance, by the part of its
        CRN that is its own.
    info : ServiceInfo
        What is known of it before it was asked.
    account : str
        Which account, in words; empty on an emulator.
    fingerprint : str
        Changes when what it takes to ask it does. No secret can be read from it.
    reach : callable
        Connects to it. Blocks; raises `UserError` or `ServiceError`.
    place : tuple of (str, str)
        Its address and instance; empty strings while that is known to nobody.
    holder : str
        Whose sessions there are mine; see `qsession_widgets.client.accounts.owner_key`.
    noted : Noted or None
        The instance that notes name; None for what is asked without a note.
    absent : str
        Why it cannot be asked, in a sentence; empty when it can.
    """

    key: str
    info: ServiceInfo
    account: str
    fingerprint: str
    reach: Callable[[], Endpoint] = field(repr=False)
    place: tuple[str, str] = ("", "")
    owner_key: str = ""
    noted: Noted | None = None
    absent: str = ""


@dataclass(frozen=True)
class ServiceList:
    """The services at one moment.

    Attributes
    ----------
    sources : tuple of Source
        The services: the account, emulators, then what notes name.
    trouble : str
        Why the accounts cannot be read, in a sentence; empty when they can, or when there is none.
    """

    sources: tuple[ServiceSource, ...]
    trouble: str = ""


def find_sources(notes: Iterable[RegistryEntry] = (), shown: Iterable[Noted] = ()) -> ServiceList:
    """Look where accounts, emulators and kernels write down what there is.

    Parameters
    ----------
    notes : iterable of Note
        What kernels say they opened.
    shown : iterable of Noted
        Instances that notes named once, and of which there is something to show still.
    """
    from ..client.emulators import running_emulators

    sources: list[ServiceSource] = []
    accounts: list[Account] = []
    trouble = ""
    try:
        default = default_account()
        if default is not None:
            sources.append(_of_account(default))
        accounts = every_account()
    except UserError as error:
        default, trouble = None, str(error)
    sources += [_of_emulator(connection) for connection in running_emulators()]
    sources += [_of_joined(service) for service in joined.everyone()]
    places = {source.place for source in sources if source.place[0]}
    named = noted_instances(notes)
    for noted in dict.fromkeys([*named, *shown]):
        if (noted.url, noted.instance) not in places:
            sources.append(_of_note(noted, named.get(noted, ()), accounts, trouble))
    return ServiceList(tuple(sources), trouble)


def unreadable_account() -> ServiceSource:
    """A stand-in for an account that cannot be read; it is not asked."""
    return ServiceSource(
        "ibm",
        ServiceInfo("ibm", "IBM Quantum"),
        "the saved account",
        "",
        partial(_refuse, "The saved account cannot be read."),
    )


def _refuse(why: str) -> Endpoint:
    raise UserError(why)


def _of_account(account: Account) -> ServiceSource:
    from ..discovery.endpoints import account_endpoint

    info = ServiceInfo("ibm", "IBM Quantum")
    # without its name, for the client library may take another one as its default than is thought
    reach = partial(account_endpoint, None, None)
    return ServiceSource(
        "ibm", info, account.words, account.fingerprint, reach, owner_key=account.owner_key
    )


def _of_note(
    noted: Noted, notes: Iterable[RegistryEntry], accounts: Iterable[Account], trouble: str
) -> ServiceSource:
    from ..client.connected_service import region
    from ..discovery.endpoints import account_endpoint

    key = f"ibm:{quote(noted.account, safe='')}@{_own_part(noted.instance)}"
    label = " · ".join(filter(None, ["IBM Quantum", region(noted.instance)]))
    info = ServiceInfo("ibm", label)
    account = next((one for one in accounts if one.name == noted.account), None)
    if account is None:
        words = f"the saved account {noted.account!r}" if noted.account else IN_ENVIRONMENT
        why = trouble or account_gone(noted.account, notes)
        return ServiceSource(key, info, words, "", partial(_refuse, why), noted=noted, absent=why)
    return ServiceSource(
        key,
        info,
        account.words,
        account.fingerprint,
        partial(account_endpoint, noted.account or None, noted.instance),
        (noted.url, noted.instance),
        account.owner_key,
        noted,
    )


def _own_part(instance: str) -> str:
    """The part of a CRN that identifies an instance."""
    parts = instance.split(":")
    if len(parts) > 7 and parts[7]:
        return quote(parts[7], safe="")
    return hashlib.sha256(instance.encode()).hexdigest()[:12]


def _of_emulator(connection: Connection) -> ServiceSource:
    from ..client.emulators import emulator_name
    from ..discovery.endpoints import emulator_endpoint

    name = connection.name
    info = ServiceInfo("local", "local emulator · no charge", charged=False)
    key = "local" if name == emulator_name(None) else f"local:{name}"
    fingerprint = f"{connection.pid} {connection.url} {connection.started}"
    place = (connection.api, connection.crn)
    reach = partial(emulator_endpoint, connection)
    return ServiceSource(key, info, "", fingerprint, reach, place, owner_key(connection.key))


def _of_joined(service: joined.JoinedService) -> ServiceSource:
    from ..discovery.endpoints import joined_endpoint

    name = service.name
    info = ServiceInfo("local", f"{name} (emulator) · no charge", charged=False, joined=name)
    mine = owner_key(service.key)
    return ServiceSource(
        f"joined:{name}",
        info,
        "",
        f"{service.url} {mine}",
        partial(joined_endpoint, service),
        (service.api, service.crn),
        mine,
    )
