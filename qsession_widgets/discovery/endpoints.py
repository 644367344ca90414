"""Endpoints: a service at an address, an emulator or an instance of an account.

The client library is imported when an account is connected, and not before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from ..client.accounts import Account, owner_key
from ..client.connected_service import ConnectedService, describe_instance
from ..client.emulators import describe_emulator
from ..client.joined import JoinedService
from ..client.private_api import account_instance, account_instances, api_url
from ..client.rest import ServiceClient
from ..client.selection import choose, joined_client, joined_service, local_service
from ..errors import UserError
from ..model import ServiceInfo

if TYPE_CHECKING:
    from ..emulator.process.connection_file import Connection

MOST_INSTANCES = 12
"""Instances of one account that are looked at."""


class Endpoint:
    """A service that may have sessions of this user.

    Parameters
    ----------
    info : ServiceInfo
        The service's label, plan and price.
    key : tuple of (str, str)
        Its address and instance.
    owner : str
        The owner of this user's sessions; see `qsession_widgets.client.accounts.owner_key`.
    connect : callable
        Makes a `ServiceClient` of it.
    make : callable
        Makes the client library's object for it.
    """

    def __init__(
        self,
        info: ServiceInfo,
        key: tuple[str, str],
        owner: str,
        connect: Callable[[], ServiceClient],
        make: Callable[[], ConnectedService],
    ):
        self.info = info
        self.key = key
        self.owner_key = owner
        self.connect = connect
        self._make = make

    @cached_property
    def chosen(self) -> ConnectedService:
        """The client library's object for it; importing that takes a second or two."""
        return self._make()

    @classmethod
    def of(cls, chosen: ConnectedService) -> Endpoint:
        """The endpoint of a service that is connected already."""
        service, instance = chosen.service, account_instance(chosen.service)
        mine = owner_key(service.active_account().get("token"))
        # the service's active instance changes with the backends it is asked for
        connect = partial(ServiceClient, service, instance)
        return cls(chosen.info, (api_url(service), instance or ""), mine, connect, lambda: chosen)


@dataclass(frozen=True)
class EndpointSource:
    """A source of endpoints, such as an account: its endpoints are known once it was asked.

    Attributes
    ----------
    words : str
        Its name in sentences.
    reach : callable
        Returns the endpoints, with a `UserError` in place of each that cannot be asked. May block;
        raises `UserError`.
    turn : int
        Order of the search for a single session: 0 at once, 1 where that found none, 2 last.
    silent : str
        The sentence for a source that does not answer in time; empty for the usual one.
    needs_client : bool
        Whether the client library is needed to ask it.
    """

    words: str
    reach: Callable[[], list[Endpoint | UserError]]
    turn: int = 1
    silent: str = ""
    needs_client: bool = False

    def prepare(self) -> None:
        """Import the client library if it is needed, which takes seconds the first time."""
        if self.needs_client:
            # that it is missing is reported when it is used
            with suppress(ImportError):
                import qiskit_ibm_runtime  # noqa: F401


def emulator_endpoint(connection: Connection) -> Endpoint:
    """An emulator that says where it is.

    Raises
    ------
    ServiceError
        It does not answer.
    """

    def connect() -> ServiceClient:
        return ServiceClient.with_key(connection.api, connection.key, connection.crn)

    client = connect()
    try:
        info = describe_emulator(client)
    finally:
        client.close()
    why = "it is where the session is"
    key = (connection.api, connection.crn)
    return Endpoint(
        info, key, owner_key(connection.key), connect, lambda: local_service(connection, why)
    )


def joined_endpoint(service: JoinedService) -> Endpoint:
    """A service that this user has joined.

    Raises
    ------
    ServiceError
        It does not answer, or does not take the key any more.
    """
    client = joined_client(service)
    try:
        info = describe_emulator(client, service.name)
    finally:
        client.close()
    why = "it is where the session is"
    return Endpoint(
        info,
        (service.api, service.crn),
        owner_key(service.key),
        partial(joined_client, service),
        partial(joined_service, service, why),
    )


def account_endpoint(account: str | None, instance: str | None) -> Endpoint:
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
    return Endpoint.of(choose("ibm", instance=instance, account=account))


def account_endpoints(
    account: Account, before: Iterable[str] = (), chosen: ConnectedService | None = None
) -> list[Endpoint | UserError]:
    """Every instance that an account reaches; its own first, those on the Open Plan last.

    Parameters
    ----------
    account : Account
        The account.
    before : iterable of str
        Instances, by CRN or name, that come before others where there are many.
    chosen : ConnectedService, optional
        The account's service, where it is connected already.

    Raises
    ------
    UserError
        It cannot be reached, or does not accept the account.
    """
    name = account.name or None
    if chosen is None:
        chosen = choose("ibm", account=name)
    service, own = chosen.service, Endpoint.of(chosen)
    wanted = [one for one in before if one]

    def rank(item: Mapping[str, Any]) -> tuple[bool, bool]:
        named = {str(item.get("crn")), str(item.get("name"))}
        return named.isdisjoint(wanted), "open" in str(item.get("plan")).lower()

    found: list[Endpoint | UserError] = [own]
    others = [item for item in account_instances(service) if item["crn"] != own.key[1]]
    others.sort(key=rank)
    for item in others[: MOST_INSTANCES - 1]:
        crn = str(item["crn"])
        found.append(
            Endpoint(
                describe_instance(service, crn),
                (api_url(service, crn), crn),
                own.owner_key,
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
