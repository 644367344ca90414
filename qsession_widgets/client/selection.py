"""Selects where a session runs: the user's IBM account, or the emulator on this machine.

The selection is made once, stated in one line, and never changed afterwards: an error from IBM
stays an error.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ..deferred_output import NOTICES
from ..errors import InvalidOption, UserError
from ..explanations import as_user_error, explain, nearest
from ..model import ServiceInfo
from . import joined
from .accounts import default_account, find_account
from .connected_service import (
    ConnectedService,
    backend_names,
    describe,
    quota_left,
    with_calibration,
)
from .connection_gate import reading_environment
from .emulators import connect, describe_emulator, emulator_info, emulator_name
from .prices import price_of
from .private_api import backend_instance, quiet_client
from .rest import ServiceClient

if TYPE_CHECKING:
    from qiskit_ibm_runtime import IBMBackend

    from ..emulator.process.connection_file import Connection

KINDS = ("auto", "ibm", "local")
"""Values of ``--service`` beside the names of services that were joined."""

OLDEST_RUNTIME = (0, 50)
"""Minor release of ``qiskit-ibm-runtime`` from which on sessions work."""

NEWEST_RUNTIME = (0, 51)
"""Minor release of ``qiskit-ibm-runtime`` up to which this package was tested."""


@dataclass(frozen=True)
class Target:
    """A backend of a service, and the one client that asks that service about a session there.

    Attributes
    ----------
    connected : ConnectedService
        The service.
    backend : IBMBackend
        The backend.
    client : ServiceClient
        A client of the backend's instance.
    quota_left : float or None
        Seconds of usage that the instance had left; None for no limit, or when it was not asked.
    """

    connected: ConnectedService
    backend: IBMBackend
    client: ServiceClient
    quota_left: float | None = None

    @property
    def info(self) -> ServiceInfo:
        """Label, plan and price of the instance."""
        return self.connected.info


def select_target(
    kind: str = "auto",
    backend: str | None = None,
    *,
    use_fractional_gates: bool = False,
    instance: str | None = None,
    account: str | None = None,
    emulator_options: Mapping[str, Any] | None = None,
) -> Target:
    """Connect to a service, choose a backend there, and ask what is left of the quota.

    Parameters
    ----------
    backend, use_fractional_gates
        See `find_backend`.
    kind, instance, account, emulator_options
        See `choose`.

    Raises
    ------
    UserError
        The service or the backend cannot be used.
    """
    connected = choose(kind, instance=instance, account=account, emulator_options=emulator_options)
    # what is opened has a price, or the user is told what is wrong with it
    price_of(connected.info.plan)
    found = find_backend(connected, backend, use_fractional_gates)
    # the backend decides which of an account's instances is used, and at what price
    connected = with_calibration(connected.refreshed(), found)
    client = ServiceClient(connected.service, backend_instance(found))
    return Target(connected, found, client, quota_left(client))


def choose(
    kind: str = "auto",
    *,
    instance: str | None = None,
    account: str | None = None,
    emulator_options: Mapping[str, Any] | None = None,
) -> ConnectedService:
    """Connect to the service a session shall run on.

    Parameters
    ----------
    kind : str
        ``ibm``, ``local``, or the name of a service that was joined. ``auto`` takes the account of
        the environment or the saved one where there is one, and the emulator otherwise.
    instance : str, optional
        Instance (CRN or name) of the IBM account.
    account : str, optional
        Name of a saved account.
    emulator_options : mapping, optional
        How to start the emulator, when it does not run yet, and its ``name``.

    Returns
    -------
    ConnectedService
        The service, connected.

    Raises
    ------
    UserError
        It cannot be reached, does not accept the account, or the client library is too old.
    """
    check_runtime_version()
    if kind == "local":
        return _local("asked for by --service local", emulator_options)
    if kind not in KINDS:
        return joined_service(joined.find(kind), f"asked for by --service {kind}")
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
    """Refuse a client library that is too old, in a sentence, and name one newer than any tested.

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
    minor = tuple(int(part) for part in found.split(".")[:2])
    if minor < OLDEST_RUNTIME:
        raise UserError(
            f"qiskit-ibm-runtime {found} is too old: sessions need {wanted} or newer. "
            "pip install -U qiskit-ibm-runtime, then restart the kernel."
        )
    if minor > NEWEST_RUNTIME:
        _say_untried(found)


@cache
def _say_untried(found: str) -> None:
    """Say once that a client library is newer than what this release was tested with."""
    tried = ".".join(map(str, NEWEST_RUNTIME))
    NOTICES.emit(
        f"qiskit-ibm-runtime {found} is newer than {tried}, the newest that this release of "
        f"qsession-widgets was tested with: if something goes wrong, pip install -U "
        f"qsession-widgets, or 'qiskit-ibm-runtime=={tried}.*', and restart the kernel."
    )


def find_backend(
    connected: ConnectedService, name: str | None, use_fractional_gates: bool = False
) -> IBMBackend:
    """The backend of that name, or a sensible one when no name is given.

    Parameters
    ----------
    connected : ConnectedService
        The service.
    name : str or None
        A backend's name. None: the least busy device of IBM's, or the emulated ``fake_fez``.
    use_fractional_gates : bool
        Whether it is to have its fractional gates.

    Raises
    ------
    UserError
        There is no such backend, and the sentence names the nearest; or it has no such gates.
    """
    from qiskit.providers.exceptions import QiskitBackendNotFoundError
    from qiskit_ibm_runtime.exceptions import IBMInputValueError

    local = connected.info.kind == "local"
    if local and name == IDEAL_WITHOUT_SESSIONS:
        name = IDEAL
    try:
        if name is None and not local:
            return connected.service.least_busy(
                operational=True, simulator=False, use_fractional_gates=use_fractional_gates
            )
        with quiet_client():
            return connected.service.backend(
                name or DEFAULT_LOCAL_BACKEND, use_fractional_gates=use_fractional_gates
            )
    except QiskitBackendNotFoundError:
        known = backend_names(connected)
        close = nearest(name or "", known)
        raise UserError(
            f"There is no backend {name!r} here."
            + (f" Did you mean {close}?" if close else "")
            + " %session backends lists all of them."
        ) from None
    except IBMInputValueError as error:
        if not use_fractional_gates:
            raise UserError(f"{error}") from None
        raise UserError(
            f"The backend {name} has no fractional gates: leave --fractional-gates out, or choose "
            "a device that has them, as Herons do."
        ) from None
    except Exception as error:
        raise UserError(
            explain(
                error,
                doing=f"get the backend {name or ''}".rstrip(),
                service=connected.info.where,
                opening=True,
            )
        ) from None


DEFAULT_LOCAL_BACKEND = "fake_fez"
IDEAL, IDEAL_WITHOUT_SESSIONS = "aer", "aer_simulator"
"""The emulator's ideal simulator, and its name among simulators, on which the client library opens
no session."""


def _ibm(why: str, instance: str | None, account: str | None) -> ConnectedService:
    from qiskit_ibm_runtime import QiskitRuntimeService

    try:
        with quiet_client(), reading_environment():
            service = QiskitRuntimeService(instance=instance, name=account)
    except UserError:
        raise
    except Exception as error:
        text = explain(error, doing=f"connect to IBM Quantum with {why}", opening=True)
        raise UserError(text) from None
    if account is None:
        default = default_account()
        account = "" if default is None else default.name
    return describe(service, why, account)


def _local(why: str, options: Mapping[str, Any] | None) -> ConnectedService:
    from ..emulator.options import EmulatorOptions, OptionError
    from ..emulator.process.connection_file import EmulatorError
    from ..emulator.process.launcher import BehavesDifferently, find_or_start

    behaviour = dict(options or {})
    name = behaviour.pop("name", None)
    if name is not None:
        why = f"asked for by --local-name {name}"
    try:
        wanted = EmulatorOptions(**behaviour) if behaviour else None
        connection = find_or_start(wanted, name or emulator_name(wanted), list(behaviour))
    except OptionError as error:
        if not error.option:
            raise UserError(str(error)) from None
        name = "local-" + error.option.replace("_", "-")
        raise InvalidOption(name, error.value, error.sentence) from None
    except BehavesDifferently as error:
        raise UserError(error.spelled("--local-")) from None
    except EmulatorError as error:
        raise UserError(str(error)) from None
    return local_service(connection, why)


def local_service(connection: Connection, why: str) -> ConnectedService:
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
    return ConnectedService(service, info, reason, None, why, connection.crn)


def joined_service(found: joined.JoinedService, why: str) -> ConnectedService:
    """A service that this user has joined, to open sessions on.

    Raises
    ------
    UserError
        It does not answer, or does not take the key any more.
    """
    line = joined_client(found)
    try:
        with as_user_error(f"connect to {found.name}", "joined"):
            info = describe_emulator(line, found.name)
    finally:
        line.close()
    try:
        service = connect(found)
    except Exception as error:
        text = explain(error, doing=f"connect to {found.name}", service="joined")
        raise UserError(text) from None
    reason = f"Using {found.name} at {found.url}: {why}."
    return ConnectedService(service, info, reason, None, why, found.crn)


def joined_client(found: joined.JoinedService) -> ServiceClient:
    """A client of a service that this user has joined."""
    return ServiceClient.with_key(
        found.api,
        found.key,
        found.crn,
        verify=found.authority or os.environ.get("REQUESTS_CA_BUNDLE") or True,
        proxies=joined.proxies_for(found.url),
    )
