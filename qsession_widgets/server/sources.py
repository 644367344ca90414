"""Which services there are to ask: the account, and every emulator that runs.

Nothing here asks a service, and nothing starts an emulator.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from ..snapshot import ServiceInfo

if TYPE_CHECKING:
    from ..client import ServiceClient
    from ..emulator.discovery import Connection

ACCOUNT_VARIABLES = ("QISKIT_IBM_TOKEN", "QISKIT_IBM_INSTANCE", "QISKIT_IBM_URL")


Place = tuple[str, str]
"""An address and an instance."""


@dataclass(frozen=True)
class Dialed:
    """A line to a service, with what was learnt on the way."""

    line: ServiceClient
    info: ServiceInfo
    place: Place


@dataclass(frozen=True)
class Source:
    """A service that can be asked.

    Attributes
    ----------
    key : str
        ``ibm``, ``local``, or ``local:NAME`` for an emulator of another name.
    info : ServiceInfo
        What is known of it before it was asked.
    account : str
        Which account, in words; empty on an emulator.
    fingerprint : str
        Changes when what it takes to ask it does. No secret can be read from it.
    dial : callable
        Makes a line to it. Blocks; raises `UserError` or `ServiceError`.
    place : tuple of (str, str)
        Where it is and which instance; empty strings while that is known to nobody.
    """

    key: str
    info: ServiceInfo
    account: str
    fingerprint: str
    dial: Callable[[], Dialed] = field(repr=False)
    place: Place = ("", "")


@dataclass(frozen=True)
class Found:
    """What there is at one moment.

    Attributes
    ----------
    sources : tuple of Source
        The services, the account first.
    trouble : str
        Why the account cannot be read, in a sentence; empty when it can, or when there is none.
    """

    sources: tuple[Source, ...]
    trouble: str = ""


def find_sources() -> Found:
    """Look where accounts and emulators write down that they are there."""
    from ..accounts import find_account
    from ..emulators import running_emulators

    sources: list[Source] = []
    trouble = ""
    try:
        words = find_account()
        if words is not None:
            sources.append(_account(words))
    except UserError as error:
        trouble = str(error)
    sources += [_emulator(connection) for connection in running_emulators()]
    return Found(tuple(sources), trouble)


def unreadable_account() -> Source:
    """What stands for an account that cannot be read; it is not to be asked."""

    def dial() -> Dialed:
        raise UserError("The saved account cannot be read.")

    return Source("ibm", ServiceInfo("ibm", "IBM Quantum"), "the saved account", "", dial)


def _account(words: str) -> Source:
    def dial() -> Dialed:
        from ..client import ServiceClient, account_instance
        from ..service import choose

        chosen = choose("ibm")
        line = ServiceClient(chosen.service)
        return Dialed(line, chosen.info, (line.base_url, account_instance(chosen.service) or ""))

    info = ServiceInfo("ibm", "IBM Quantum")
    return Source("ibm", info, words, _account_fingerprint(), dial)


def _account_fingerprint() -> str:
    total = hashlib.sha256()
    for name in ACCOUNT_VARIABLES:
        total.update(f"{os.environ.get(name, '')}\0".encode())
    try:
        total.update(Path("~/.qiskit/qiskit-ibm.json").expanduser().read_bytes())
    except OSError:
        total.update(b"-")
    return total.hexdigest()


def _emulator(connection: Connection) -> Source:
    from ..emulators import emulator_name

    name = connection.name
    place = (connection.api, connection.crn)

    def dial() -> Dialed:
        from ..client import ServiceClient
        from ..emulators import describe_emulator

        line = ServiceClient.with_key(connection.api, connection.key, connection.crn)
        return Dialed(line, describe_emulator(line), place)

    info = ServiceInfo("local", "local emulator · no charge", charged=False)
    key = "local" if name == emulator_name(None) else f"local:{name}"
    fingerprint = f"{connection.pid} {connection.url} {connection.started}"
    return Source(key, info, "", fingerprint, dial, place)
