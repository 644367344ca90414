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

from ..errors import UserError
from ..notes.instances import Noted, account_gone, noted_instances
from ..notes.opened import Note
from ..service.accounts import IN_ENVIRONMENT, Account, default_account, every_account, holder
from ..snapshot import ServiceInfo

if TYPE_CHECKING:
    from ..emulator.discovery import Connection
    from ..finding.reaching import Place


@dataclass(frozen=True)
class Source:
    """A service that can be asked.

    Attributes
    ----------
    key : str
        ``ibm``, ``local``, ``local:NAME`` for an emulator of another name, or ``ibm:ACCOUNT@GUID``
        for another instance, by the part of its CRN that is its own.
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
        Whose sessions there are mine; see `qsession_widgets.service.accounts.holder`.
    noted : Noted or None
        The instance that notes name; None for what is asked without a note.
    absent : str
        Why it cannot be asked, in a sentence; empty when it can.
    """

    key: str
    info: ServiceInfo
    account: str
    fingerprint: str
    reach: Callable[[], Place] = field(repr=False)
    place: tuple[str, str] = ("", "")
    holder: str = ""
    noted: Noted | None = None
    absent: str = ""


@dataclass(frozen=True)
class Found:
    """What there is at one moment.

    Attributes
    ----------
    sources : tuple of Source
        The services: the account, emulators, then what notes name.
    trouble : str
        Why the accounts cannot be read, in a sentence; empty when they can, or when there is none.
    """

    sources: tuple[Source, ...]
    trouble: str = ""


def find_sources(notes: Iterable[Note] = (), shown: Iterable[Noted] = ()) -> Found:
    """Look where accounts, emulators and kernels write down what there is.

    Parameters
    ----------
    notes : iterable of Note
        What kernels say they opened.
    shown : iterable of Noted
        Instances that notes named once, and of which there is something to show still.
    """
    from ..service.emulators import running_emulators

    sources: list[Source] = []
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
    places = {source.place for source in sources if source.place[0]}
    named = noted_instances(notes)
    for noted in dict.fromkeys([*named, *shown]):
        if (noted.url, noted.instance) not in places:
            sources.append(_of_note(noted, named.get(noted, ()), accounts, trouble))
    return Found(tuple(sources), trouble)


def unreadable_account() -> Source:
    """What stands for an account that cannot be read; it is not to be asked."""
    return Source(
        "ibm",
        ServiceInfo("ibm", "IBM Quantum"),
        "the saved account",
        "",
        partial(_refuse, "The saved account cannot be read."),
    )


def _refuse(why: str) -> Place:
    raise UserError(why)


def _of_account(account: Account) -> Source:
    from ..finding.reaching import account_place

    info = ServiceInfo("ibm", "IBM Quantum")
    # without its name, for the client library may take another one as its default than is thought
    reach = partial(account_place, None, None)
    return Source("ibm", info, account.words, account.fingerprint, reach, holder=account.holder)


def _of_note(
    noted: Noted, notes: Iterable[Note], accounts: Iterable[Account], trouble: str
) -> Source:
    from ..finding.reaching import account_place
    from ..service.choosing import region

    key = f"ibm:{quote(noted.account, safe='')}@{_own_part(noted.instance)}"
    label = " · ".join(filter(None, ["IBM Quantum", region(noted.instance)]))
    info = ServiceInfo("ibm", label)
    account = next((one for one in accounts if one.name == noted.account), None)
    if account is None:
        words = f"the saved account {noted.account!r}" if noted.account else IN_ENVIRONMENT
        why = trouble or account_gone(noted.account, notes)
        return Source(key, info, words, "", partial(_refuse, why), noted=noted, absent=why)
    return Source(
        key,
        info,
        account.words,
        account.fingerprint,
        partial(account_place, noted.account or None, noted.instance),
        (noted.url, noted.instance),
        account.holder,
        noted,
    )


def _own_part(instance: str) -> str:
    """What tells an instance from others in its CRN."""
    parts = instance.split(":")
    if len(parts) > 7 and parts[7]:
        return quote(parts[7], safe="")
    return hashlib.sha256(instance.encode()).hexdigest()[:12]


def _of_emulator(connection: Connection) -> Source:
    from ..finding.reaching import emulator_place
    from ..service.emulators import emulator_name

    name = connection.name
    info = ServiceInfo("local", "local emulator · no charge", charged=False)
    key = "local" if name == emulator_name(None) else f"local:{name}"
    fingerprint = f"{connection.pid} {connection.url} {connection.started}"
    place = (connection.api, connection.crn)
    reach = partial(emulator_place, connection)
    return Source(key, info, "", fingerprint, reach, place, holder(connection.key))
