"""Which service runs the sessions: the user's IBM account, or the emulator on this machine.

The choice is made once, said in one line, and never changed behind the user's back: an error from
IBM stays an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlparse

from ..errors import UserError, explain, explained, nearest
from ..snapshot import ServiceInfo
from .accounts import default_account, find_account
from .client import ServiceClient, account_instance, account_instances, base_url, quiet_client
from .emulators import connect, emulator_info, emulator_name
from .prices import price_per_second

if TYPE_CHECKING:
    from qiskit_ibm_runtime import IBMBackend, QiskitRuntimeService

    from ..emulator.discovery import Connection

Kind = Literal["auto", "ibm", "local"]
KINDS: tuple[Kind, ...] = ("auto", "ibm", "local")

OLDEST_RUNTIME = (0, 46)


@dataclass(frozen=True)
class Chosen:
    """A service, and how to speak of it.

    Attributes
    ----------
    service : QiskitRuntimeService
        The client library's own object.
    info : ServiceInfo
        Label, plan and price.
    reason : str
        One line: which service, and why this one.
    account : str or None
        Name of the saved account, empty for that of the environment; None without an account.
    why : str
        Why this one, in words.
    instance : str
        The instance (CRN) that is spoken of; empty while the client library has chosen none.
    backends : list of str
        Names of its backends, as `backend_names` found them the last time.
    """

    service: QiskitRuntimeService
    info: ServiceInfo
    reason: str
    account: str | None = None
    why: str = ""
    instance: str = ""
    backends: list[str] = field(default_factory=list, compare=False)


def choose(
    kind: Kind = "auto",
    *,
    instance: str | None = None,
    account: str | None = None,
    emulator_options: Mapping[str, Any] | None = None,
) -> Chosen:
    """Connect to the service a session shall run on.

    Parameters
    ----------
    kind : {"auto", "ibm", "local"}
        ``auto`` takes the account of the environment or the saved one where there is one, and the
        emulator otherwise.
    instance : str, optional
        Instance (CRN or name) of the IBM account.
    account : str, optional
        Name of a saved account.
    emulator_options : mapping, optional
        How to start the emulator, when it does not run yet, and its ``name``.

    Returns
    -------
    Chosen
        Connected.

    Raises
    ------
    UserError
        It cannot be reached, does not accept the account, or the client library is too old.
    """
    check_runtime_version()
    if kind == "local":
        return _local("asked for by --service local", emulator_options)
    found = find_account(account)
    if kind == "ibm" or account is not None or instance is not None:
        if found is None:
            raise UserError(
                "No IBM account is saved or in the environment: save one once with "
                "QiskitRuntimeService.save_account(token=..., instance=...), or use "
                "--service local."
            )
        return _ibm(found, instance, account)
    if found is not None:
        return _ibm(found, instance, account)
    return _local("no IBM account is saved or in the environment", emulator_options)


def check_runtime_version() -> None:
    """Refuse a client library that is too old, in a sentence.

    Raises
    ------
    UserError
        ``qiskit-ibm-runtime`` is missing or older than this package supports.
    """
    from importlib.metadata import PackageNotFoundError, version

    wanted = ".".join(map(str, OLDEST_RUNTIME))
    try:
        found = version("qiskit-ibm-runtime")
    except PackageNotFoundError:
        raise UserError(
            "qiskit-ibm-runtime is not installed: pip install qiskit-ibm-runtime"
        ) from None
    if tuple(int(part) for part in found.split(".")[:2]) < OLDEST_RUNTIME:
        raise UserError(
            f"qiskit-ibm-runtime {found} is too old: sessions need {wanted} or newer. "
            "pip install -U qiskit-ibm-runtime, then restart the kernel."
        )


def find_backend(chosen: Chosen, name: str | None) -> IBMBackend:
    """The backend of that name, or a sensible one when no name is given.

    Parameters
    ----------
    chosen : Chosen
        The service.
    name : str or None
        A backend's name. None: the least busy device of IBM's, or the emulated ``fake_fez``.

    Raises
    ------
    UserError
        There is no such backend; the sentence names the nearest.
    """
    from qiskit.providers.exceptions import QiskitBackendNotFoundError

    local = chosen.info.kind == "local"
    try:
        if name is None and not local:
            return chosen.service.least_busy(operational=True, simulator=False)
        with quiet_client():
            return chosen.service.backend(name or DEFAULT_LOCAL_BACKEND)
    except QiskitBackendNotFoundError:
        known = backend_names(chosen)
        close = nearest(name or "", known)
        raise UserError(
            f"There is no backend {name!r} here."
            + (f" Did you mean {close}?" if close else "")
            + " %session backends lists all of them."
        ) from None
    except Exception as error:
        raise UserError(
            explain(
                error,
                doing=f"get the backend {name or ''}".rstrip(),
                service=chosen.info.kind,
                opening=True,
            )
        ) from None


DEFAULT_LOCAL_BACKEND = "fake_fez"


def backend_names(chosen: Chosen) -> list[str]:
    """Names of all backends of a service, sorted.

    Raises
    ------
    UserError
        The service does not answer.
    """
    line = ServiceClient(chosen.service)
    try:
        with explained("list the backends", chosen.info.kind):
            answer = line.backends()
    finally:
        line.shut()
    names = sorted(device["name"] for device in answer.data.get("devices", []))
    chosen.backends[:] = names
    return names


def _ibm(why: str, instance: str | None, account: str | None) -> Chosen:
    from qiskit_ibm_runtime import QiskitRuntimeService

    from .older_clients import read_variables

    read_variables()
    try:
        with quiet_client():
            service = QiskitRuntimeService(instance=instance, name=account)
    except Exception as error:
        text = explain(error, doing=f"connect to IBM Quantum with {why}", opening=True)
        raise UserError(text) from None
    if account is None:
        default = default_account()
        account = "" if default is None else default.name
    return describe(service, why, account)


def describe(service: QiskitRuntimeService, why: str, account: str | None = None) -> Chosen:
    """How to speak of a service the user made.

    A service that turns out to be an emulator is called one, whatever way it was reached.

    Parameters
    ----------
    service : QiskitRuntimeService
        Connected.
    why : str
        Why it was chosen, in words.
    account : str, optional
        Name of its saved account, empty for that of the environment.
    """
    instance = account_instance(service) or ""
    info = describe_instance(service, instance)
    used = "the local emulator" if info.kind == "local" else info.label
    return Chosen(service, info, f"Using {used}: {why}.", account, why, instance)


def described_anew(chosen: Chosen) -> Chosen:
    """The same service, spoken of as the instance that it uses by now.

    An account that was saved without an instance may reach several, of different plans and prices;
    the client library chooses one of them when it is asked for a backend.
    """
    if account_instance(chosen.service) in (None, chosen.instance):
        return chosen
    return describe(chosen.service, chosen.why, chosen.account)


def describe_instance(service: QiskitRuntimeService, instance: str) -> ServiceInfo:
    """How to speak of one of the instances that a service's account reaches.

    Its name is told where the account reaches more than one.

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
    plan = str(fields.get("plan") or "").lower()
    if on_this_machine(base_url(service, instance or None)):
        info = emulator_info(service)
        if info is not None:
            named = f"local emulator · {name}" if name not in ("", "default") else "local emulator"
            label = info.label.replace("local emulator", named, 1)
            return replace(info, label=label, plan=plan or info.plan)
    label = " · ".join(filter(None, ["IBM Quantum", region(instance), plan.capitalize(), name]))
    return ServiceInfo("ibm", label, plan, price_per_second(plan), charged=True)


def region(instance: str) -> str:
    """Where an instance is, by its CRN; empty when that does not tell."""
    return next((part for part in instance.split(":") if part in ("us-east", "eu-de")), "")


def on_this_machine(url: str) -> bool:
    """Whether an address leads to this machine, as an emulator's does."""
    return urlparse(url).hostname in ("127.0.0.1", "localhost", "::1")


def _local(why: str, options: Mapping[str, Any] | None) -> Chosen:
    from ..emulator.discovery import EmulatorError
    from ..emulator.launch import BehavesDifferently, find_or_start
    from ..emulator.options import OptionError, Options

    behaviour = dict(options or {})
    name = behaviour.pop("name", None)
    if name is not None:
        why = f"asked for by --local-name {name}"
    try:
        wanted = Options(**behaviour) if behaviour else None
        connection = find_or_start(wanted, name or emulator_name(wanted), list(behaviour))
    except OptionError as error:
        # the emulator names its options as its own command line does
        raise UserError(str(error).replace("--", "--local-")) from None
    except BehavesDifferently as error:
        text = str(error)
        for option in error.different:
            text = text.replace(option, option.replace("--", "--local-"), 1)
        raise UserError(text) from None
    except EmulatorError as error:
        raise UserError(str(error)) from None
    return local_service(connection, why)


def local_service(connection: Connection, why: str) -> Chosen:
    """An emulator that runs, as a service to open sessions on.

    Raises
    ------
    UserError
        It does not answer.
    """
    service = connect(connection)
    info = emulator_info(service)
    if info is None:
        raise UserError(
            "The local emulator does not answer: end it with qsession emulator stop, then run the "
            "cell again."
        )
    reason = f"Using the local emulator: {why}."
    return Chosen(service, info, reason, None, why, connection.crn)
