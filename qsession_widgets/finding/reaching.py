"""Reaches a service: an emulator by its connection file, an instance by its account.

What is reached is a `Place`: how to speak of it, and how to ask it. The client library is imported
when an account is connected, and not before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from ..errors import UserError
from ..service.accounts import Account, holder
from ..service.choosing import Chosen, choose, describe_instance, local_service
from ..service.client import ServiceClient, account_instance, account_instances, base_url
from ..service.emulators import describe_emulator
from ..snapshot import ServiceInfo

if TYPE_CHECKING:
    from ..emulator.discovery import Connection

MOST_INSTANCES = 12
"""Instances of one account that are looked at."""


class Place:
    """A service that may have sessions of mine.

    Parameters
    ----------
    info : ServiceInfo
        How to speak of it.
    key : tuple of (str, str)
        Its address and instance.
    holder : str
        Whose sessions there are mine; see `qsession_widgets.service.accounts.holder`.
    dial : callable
        Makes a line to it.
    make : callable
        Makes the client library's object for it.
    """

    def __init__(
        self,
        info: ServiceInfo,
        key: tuple[str, str],
        holder: str,
        dial: Callable[[], ServiceClient],
        make: Callable[[], Chosen],
    ):
        self.info = info
        self.key = key
        self.holder = holder
        self.dial = dial
        self._make = make

    @cached_property
    def chosen(self) -> Chosen:
        """The client library's object for it; importing that takes a second or two."""
        return self._make()

    @classmethod
    def of(cls, chosen: Chosen) -> Place:
        """The place of a service that is connected already."""
        service, instance = chosen.service, account_instance(chosen.service)
        mine = holder(service.active_account().get("token"))
        # the service's active instance changes with the backends it is asked for
        dial = partial(ServiceClient, service, instance)
        return cls(chosen.info, (base_url(service), instance or ""), mine, dial, lambda: chosen)


def emulator_place(connection: Connection) -> Place:
    """An emulator that says where it is.

    Raises
    ------
    ServiceError
        It does not answer.
    """

    def dial() -> ServiceClient:
        return ServiceClient.with_key(connection.api, connection.key, connection.crn)

    line = dial()
    try:
        info = describe_emulator(line)
    finally:
        line.shut()
    why = "it is where the session is"
    key = (connection.api, connection.crn)
    return Place(info, key, holder(connection.key), dial, lambda: local_service(connection, why))


def account_place(account: str | None, instance: str | None) -> Place:
    """One instance of an account, connected.

    Parameters
    ----------
    account : str, optional
        Name of a saved account; the default one when not given.
    instance : str, optional
        The instance, by CRN or name; the account's own when not given.

    Raises
    ------
    UserError
        It cannot be reached, or does not accept the account.
    """
    return Place.of(choose("ibm", instance=instance, account=account))


def account_places(
    account: Account, before: Iterable[str] = (), chosen: Chosen | None = None
) -> list[Place | UserError]:
    """Every instance that an account reaches; its own first, those on the Open Plan last.

    Parameters
    ----------
    account : Account
        The account.
    before : iterable of str
        Instances, by CRN or name, that come before others where there are many.
    chosen : Chosen, optional
        The account's service, where it is connected already.

    Raises
    ------
    UserError
        It cannot be reached, or does not accept the account.
    """
    name = account.name or None
    if chosen is None:
        chosen = choose("ibm", account=name)
    service, own = chosen.service, Place.of(chosen)
    wanted = [one for one in before if one]

    def rank(item: Mapping[str, Any]) -> tuple[bool, bool]:
        named = {str(item.get("crn")), str(item.get("name"))}
        return named.isdisjoint(wanted), "open" in str(item.get("plan")).lower()

    found: list[Place | UserError] = [own]
    others = [item for item in account_instances(service) if item["crn"] != own.key[1]]
    others.sort(key=rank)
    for item in others[: MOST_INSTANCES - 1]:
        crn = str(item["crn"])
        found.append(
            Place(
                describe_instance(service, crn),
                (base_url(service, crn), crn),
                own.holder,
                partial(ServiceClient, service, crn),
                partial(choose, "ibm", account=name, instance=crn),
            )
        )
    if left := others[MOST_INSTANCES - 1 :]:
        names = ", ".join(str(item.get("name") or item["crn"]) for item in left[:5])
        found.append(
            UserError(
                f"{account.words[:1].upper() + account.words[1:]} reaches {len(others) + 1} "
                f"instances, of which {MOST_INSTANCES} were looked at: --instance looks at one of "
                f"the others ({names}{', …' if len(left) > 5 else ''})."
            )
        )
    return found
