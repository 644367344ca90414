"""Which service runs the sessions: the user's IBM account, or the emulator on this machine.

The choice is made once, said in one line, and never changed behind the user's back: an error from
IBM stays an error.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlparse

from .errors import ServiceError, UserError, explain, explained, nearest
from .snapshot import ServiceInfo

if TYPE_CHECKING:
    from qiskit_ibm_runtime import IBMBackend, QiskitRuntimeService

    from .client import ServiceClient
    from .emulator.discovery import Connection
    from .emulator.options import Options

Kind = Literal["auto", "ibm", "local"]
KINDS: tuple[Kind, ...] = ("auto", "ibm", "local")

PRICES: dict[str, float] = {"pay-as-you-go": 1.60, "paygo": 1.60, "payg": 1.60}
"""US dollars per second of usage by plan (IBM's price list, November 2026).

Other plans are prepaid or free: there the pay-as-you-go price says what such usage is worth.
"""

LIST_PRICE = 1.60
OLDEST_RUNTIME = (0, 46)

_environment_lock = threading.Lock()


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
    """

    service: QiskitRuntimeService
    info: ServiceInfo
    reason: str


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
        How to start the emulator, when it does not run yet.

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


def find_account(name: str | None = None) -> str | None:
    """Where an IBM account is to be found, in words; None when there is none.

    Reads what ``QiskitRuntimeService()`` would: the variable ``QISKIT_IBM_TOKEN``, then the file of
    saved accounts.
    """
    if name is None and os.environ.get("QISKIT_IBM_TOKEN"):
        return "the account in the environment (QISKIT_IBM_TOKEN)"
    path = Path("~/.qiskit/qiskit-ibm.json").expanduser()
    try:
        accounts = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UserError(
            f"The file of saved accounts {path} cannot be read ({type(error).__name__}): save the "
            "account again with QiskitRuntimeService.save_account(..., overwrite=True), or use "
            "--service local."
        ) from None
    if not isinstance(accounts, dict) or not accounts:
        return None
    if not all(isinstance(account, dict) for account in accounts.values()):
        raise UserError(
            f"The file of saved accounts {path} holds something that is no account: save the "
            "account again with QiskitRuntimeService.save_account(..., overwrite=True), or use "
            "--service local."
        )
    if name is None:
        return "the saved account"
    if name not in accounts:
        close = nearest(name, list(accounts))
        raise UserError(
            f"There is no saved account {name!r}: there are {', '.join(sorted(accounts))}."
            + (f" Did you mean {close}?" if close else "")
        )
    return f"the saved account {name!r}"


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
        with _quiet_client():
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
            explain(error, doing=f"get the backend {name or ''}".rstrip(), service=chosen.info.kind)
        ) from error


DEFAULT_LOCAL_BACKEND = "fake_fez"


def backend_names(chosen: Chosen) -> list[str]:
    """Names of all backends of a service, sorted.

    Raises
    ------
    UserError
        The service does not answer.
    """
    from .client import ServiceClient

    line = ServiceClient(chosen.service)
    try:
        with explained("list the backends", chosen.info.kind):
            answer = line.backends()
    finally:
        line.shut()
    return sorted(device["name"] for device in answer.data.get("devices", []))


def _ibm(why: str, instance: str | None, account: str | None) -> Chosen:
    from qiskit_ibm_runtime import QiskitRuntimeService

    from .older_clients import read_variables

    read_variables()
    try:
        with _quiet_client():
            service = QiskitRuntimeService(instance=instance, name=account)
    except Exception as error:
        raise UserError(explain(error, doing=f"connect to IBM Quantum with {why}")) from error
    return describe(service, why)


def describe(service: QiskitRuntimeService, why: str) -> Chosen:
    """How to speak of a service the user made.

    A service that turns out to be an emulator is called one, whatever way it was reached.
    """
    from .client import account_instance, base_url

    url = base_url(service)
    instance = account_instance(service) or ""
    if urlparse(url).hostname in ("127.0.0.1", "localhost", "::1"):
        info = emulator_info(service)
        if info is not None:
            return Chosen(service, info, f"Using the local emulator: {why}.")
    region = next((part for part in instance.split(":") if part in ("us-east", "eu-de")), "")
    plan = _plan_name(service, instance)
    label = " · ".join(filter(None, ["IBM Quantum", region, plan.capitalize()]))
    info = ServiceInfo("ibm", label, plan, PRICES.get(plan, LIST_PRICE), charged=True)
    return Chosen(service, info, f"Using {label}: {why}.")


def _plan_name(service: QiskitRuntimeService, instance: str) -> str:
    try:
        with _quiet_client():
            plans = {item["crn"]: item.get("plan", "") for item in service.instances()}
    except Exception:
        # the plan only decorates the label; a service that does not list instances still runs jobs
        return ""
    return str(plans.get(instance, "")).lower()


def emulator_info(service: QiskitRuntimeService) -> ServiceInfo | None:
    """How to speak of the emulator behind a service; None when it is none."""
    from .client import ServiceClient

    line = ServiceClient(service)
    try:
        return describe_emulator(line)
    except ServiceError:
        return None
    finally:
        line.shut()


def describe_emulator(line: ServiceClient) -> ServiceInfo:
    """How to speak of the emulator that a line leads to.

    Raises
    ------
    ServiceError
        It does not answer, or is none.
    """
    status = line.emulator("status").data
    speed = float(status.get("speed", 1.0))
    plan = str(status.get("plan", "premium"))
    parts = ["local emulator"]
    if status.get("queue"):
        parts.append("simulated queue")
    if speed != 1:
        parts.append(f"{speed:g} times as fast")
    label = " · ".join([*parts, "no charge"])
    return ServiceInfo("local", label, plan, LIST_PRICE, charged=False, speed=speed)


def running_emulators() -> list[Connection]:
    """Every emulator of this user that says where it is, whatever its name; asks none of them."""
    from .emulator.discovery import everyone

    return everyone()


def _local(why: str, options: Mapping[str, Any] | None) -> Chosen:
    from .emulator.discovery import EmulatorError
    from .emulator.launch import find_or_start
    from .emulator.options import OptionError, Options

    try:
        wanted = Options(**options) if options else None
        connection = find_or_start(wanted, emulator_name(wanted))
    except OptionError as error:
        # the emulator names its options as its own command line does
        raise UserError(str(error).replace("--", "--local-")) from error
    except EmulatorError as error:
        raise UserError(str(error)) from error
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
    return Chosen(service, info, f"Using the local emulator: {why}.")


def emulator_name(options: Options | None) -> str:
    """Which emulator serves these options: the shared one, or one of its own for each set of them.

    A rehearsal with a faster clock or a crowded queue must not disturb, nor be refused because of,
    the emulator that other notebooks use.
    """
    from .emulator.discovery import DEFAULT_NAME

    if options is None:
        return DEFAULT_NAME
    text = json.dumps(options.to_json(), sort_keys=True)
    return "rehearsal-" + hashlib.sha256(text.encode()).hexdigest()[:8]


def connect(connection: Any) -> QiskitRuntimeService:
    """The unmodified client library, connected to an emulator.

    Parameters
    ----------
    connection : qsession_widgets.emulator.launch.Connection
        Where it listens and with which key.
    """
    from qiskit_ibm_runtime import QiskitRuntimeService

    from .older_clients import read_variables

    read_variables()
    variables = connection.environment()
    with _quiet_client(), _variables(variables):
        return QiskitRuntimeService(
            channel="ibm_quantum_platform",
            token=connection.key,
            url=variables["QISKIT_IBM_URL"],
            instance=connection.crn,
        )


@contextmanager
def _variables(variables: Mapping[str, str]) -> Iterator[None]:
    """Set the variables that the client library reads while it is constructed.

    Some stay, because they matter to every request: those that keep a proxy away from this
    machine's loopback, and the client's own switch for its usage header, unless the user has set
    it. For that header the client walks the call stack, which in a notebook takes longer than the
    emulator's answer.
    """
    os.environ.update({name: variables[name] for name in ("NO_PROXY", "no_proxy")})
    os.environ.setdefault("USAGE_DATA_OPT_OUT", variables["USAGE_DATA_OPT_OUT"])
    wanted = {
        name: value
        for name, value in variables.items()
        if name in ("IAM_URL", "GLOBAL_SEARCH_URL", "GLOBAL_CATALOG_URL")
    }
    with _environment_lock:
        before = {name: os.environ.get(name) for name in wanted}
        os.environ.update(wanted)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


@contextmanager
def _quiet_client() -> Iterator[None]:
    """Keep the client's remarks on accounts and instances out of the notebook."""
    logger = logging.getLogger("qiskit_ibm_runtime")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
