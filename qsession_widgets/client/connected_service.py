"""A connected service: the client library's object for it, its label, plan, price and quota."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from ..errors import ServiceError
from ..explanations import as_user_error
from ..model import ServiceInfo
from ..price_list import plan_code
from .accounts import owner_key
from .devices import devices
from .emulators import emulator_info
from .prices import known_price
from .private_api import account_instance, account_instances, api_url
from .rest import ServiceClient

if TYPE_CHECKING:
    from qiskit_ibm_runtime import IBMBackend, QiskitRuntimeService

_LONGEST = {"open": 600.0}
_LONGEST_ELSEWHERE = 28800.0


def longest(plan: str) -> float:
    """Seconds that a session or batch of a plan may last without a maximum time of its own."""
    return _LONGEST.get(plan, _LONGEST_ELSEWHERE)


@dataclass(frozen=True)
class ConnectedService:
    """A service, with what is known of the account's instance there.

    Attributes
    ----------
    service : QiskitRuntimeService
        The client library's own object.
    info : ServiceInfo
        Label, plan and price of the instance.
    reason : str
        One line: which service is used, and why.
    account : str or None
        Name of the saved account, empty for the account of the environment; None without one.
    why : str
        Why this service is used, in words.
    instance : str
        CRN of the instance that ``info`` describes; empty while the client library has chosen none.
    backends : list of str
        Names of its backends, as `backend_names` last received them.
    """

    service: QiskitRuntimeService
    info: ServiceInfo
    reason: str
    account: str | None = None
    why: str = ""
    instance: str = ""
    backends: list[str] = field(default_factory=list, compare=False)

    def refreshed(self) -> ConnectedService:
        """The same service, described as the instance that it uses now.

        An account that was saved without an instance may reach several, of different plans and
        prices; the client library chooses one of them when it is asked for a backend.
        """
        if account_instance(self.service) in (None, self.instance):
            return self
        return describe(self.service, self.why, self.account)


def quota_left(client: ServiceClient) -> float | None:
    """Seconds of usage that an instance has left; None where it has no limit, or does not tell.

    Parameters
    ----------
    client : ServiceClient
        A client of the instance.
    """
    try:
        data = client.instance_usage().data or {}
    except ServiceError:
        # a service that cannot answer this says why when the session is requested
        return None
    limit = data.get("usage_limit_seconds", data.get("usage_allocation_seconds"))
    if not isinstance(limit, (int, float)):
        return None
    return max(0.0, float(limit) - float(data.get("usage_consumed_seconds") or 0.0))


def with_calibration(connected: ConnectedService, backend: IBMBackend) -> ConnectedService:
    """The same service, labelled with the day of an emulated backend's calibration."""
    day = getattr(backend.configuration(), "calibrated", None)
    if connected.info.kind != "local" or not day:
        return connected
    label, separator, rest = connected.info.label.rpartition(" · no charge")
    dated = f"{label or rest} · calibrated {day}{separator}"
    return replace(connected, info=replace(connected.info, label=dated))


def backend_names(connected: ConnectedService) -> list[str]:
    """Names of all backends of a service, sorted; see `list_devices` for errors."""
    return [str(device["name"]) for device in list_devices(connected)]


def list_devices(connected: ConnectedService) -> list[dict[str, Any]]:
    """All backends of a service, as `devices` has them; of the emulator also unlisted ones.

    Raises
    ------
    UserError
        The service does not answer.
    """
    client = ServiceClient(connected.service)
    try:
        with as_user_error("list the backends", connected.info.where):
            found = devices(client, include_mocks=connected.info.kind == "local")
    finally:
        client.close()
    connected.backends[:] = [str(device["name"]) for device in found]
    return found


def describe(
    service: QiskitRuntimeService, why: str, account: str | None = None
) -> ConnectedService:
    """A service that the client library has connected, with its description.

    A service that turns out to be an emulator is called one, whatever way it was reached.

    Parameters
    ----------
    service : QiskitRuntimeService
        Connected.
    why : str
        Why it was chosen, in words.
    account : str, optional
        Name of its saved account, empty for the account of the environment.
    """
    instance = account_instance(service) or ""
    info = describe_instance(service, instance)
    used = "the local emulator" if info.kind == "local" else info.label
    return ConnectedService(service, info, f"Using {used}: {why}.", account, why, instance)


def describe_instance(service: QiskitRuntimeService, instance: str) -> ServiceInfo:
    """Label, plan and price of one instance that a service's account reaches.

    The label has the instance's name where the account reaches more than one.

    Parameters
    ----------
    service : QiskitRuntimeService
        Connected.
    instance : str
        The instance's CRN.
    """
    known = {item["crn"]: item for item in account_instances(service)}
    fields = known.get(instance, {})
    name = str(fields.get("name") or "") if len(known) > 1 else ""
    plan = str(fields.get("plan") or "")
    price, source = known_price(plan, owner_key(service.active_account().get("token")))
    if on_this_machine(api_url(service, instance or None)):
        info = emulator_info(service, "" if name == "default" else name)
        if info is not None:
            if not plan:
                return info
            code = plan_code(plan)
            return replace(info, plan=code, price_per_second=price, price_source=source)
    label = " · ".join(filter(None, ["IBM Quantum", region(instance), plan.capitalize(), name]))
    return ServiceInfo("ibm", label, plan_code(plan), price, price_source=source)


def region(instance: str) -> str:
    """The region in an instance's CRN; empty when the CRN does not name a known one."""
    return next((part for part in instance.split(":") if part in ("us-east", "eu-de")), "")


def on_this_machine(url: str) -> bool:
    """True if an address is on this machine's loopback, as an emulator's is."""
    return urlparse(url).hostname in ("127.0.0.1", "localhost", "::1")
