"""Emulators of this user: which there are, how to speak of one, and the client connected to it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..errors import ServiceError
from ..model import ServiceInfo
from ..price_list import plan_code
from .connection_gate import changing_environment
from .joined import JoinedService, send_keys_only_home
from .prices import known_price
from .private_api import quiet_client
from .rest import ServiceClient

if TYPE_CHECKING:
    from qiskit_ibm_runtime import QiskitRuntimeService

    from ..emulator.options import EmulatorOptions
    from ..emulator.process.connection_file import Connection


def running_emulators() -> list[Connection]:
    """Every emulator of this user that says where it is, whatever its name; asks none of them."""
    from ..emulator.process.connection_file import everyone

    return everyone()


def emulators_elsewhere() -> list[str]:
    """A sentence for each emulator of this user that runs for another runtime directory."""
    from ..emulator.process.connection_file import elsewhere, without_file

    return [said for name, pid in without_file() if (said := elsewhere(name, pid))]


def emulator_name(options: EmulatorOptions | None) -> str:
    """Which emulator serves these options: the shared one, or one of its own for each set of them.

    A rehearsal with a faster clock or a crowded queue must not disturb, nor be refused because of,
    the emulator that other notebooks use.
    """
    from ..emulator.process.connection_file import DEFAULT_NAME

    if options is None:
        return DEFAULT_NAME
    text = json.dumps(options.to_json(), sort_keys=True)
    return "rehearsal-" + hashlib.sha256(text.encode()).hexdigest()[:8]


def emulator_info(service: QiskitRuntimeService, instance: str = "") -> ServiceInfo | None:
    """Describe the emulator behind a service, see `describe_emulator`; None when it is none."""
    line = ServiceClient(service)
    try:
        return describe_emulator(line, instance=instance)
    except ServiceError:
        return None
    finally:
        line.close()


def describe_emulator(line: ServiceClient, joined: str = "", instance: str = "") -> ServiceInfo:
    """Describe the emulator that a client is connected to.

    Parameters
    ----------
    line : ServiceClient
        The client.
    joined : str
        The user's name for an emulator of somebody else's; empty for one of this machine.
    instance : str
        Name of the instance that the label has; empty for none.

    Raises
    ------
    ServiceError
        It does not answer, or is none.
    """
    status = line.emulator("status").data
    speed = float(status.get("speed", 1.0))
    plan = str(status.get("plan", "premium"))
    parts = [f"{joined} (emulator)" if joined else "local emulator"]
    if instance:
        parts.append(instance)
    if status.get("queue"):
        parts.append("simulated queue")
    if speed != 1:
        parts.append(f"{speed:g} times as fast")
    label = " · ".join([*parts, "no charge"])
    price, source = known_price(plan)
    return ServiceInfo("local", label, plan_code(plan), price, False, speed, source, joined)


def connect(connection: Connection | JoinedService) -> QiskitRuntimeService:
    """The unmodified client library, connected to an emulator.

    Parameters
    ----------
    connection : Connection or JoinedService
        Where it listens and with which key.
    """
    from qiskit_ibm_runtime import QiskitRuntimeService

    variables = connection.environment()
    verify: Any = None
    if isinstance(connection, JoinedService):
        # the library annotates a flag here, and hands what it gets to requests, which takes a file
        verify = connection.authority or None
        send_keys_only_home(connection)
    alone = isinstance(connection, JoinedService)
    with quiet_client(), _variables(variables, alone=alone):
        return QiskitRuntimeService(
            channel="ibm_quantum_platform",
            token=connection.key,
            url=variables["QISKIT_IBM_URL"],
            instance=connection.crn,
            verify=verify,
        )


@contextmanager
def _variables(variables: Mapping[str, str], *, alone: bool) -> Iterator[None]:
    """Set the variables that the client library reads while it is constructed.

    Some stay, because they matter to every request: those that keep a proxy away from this
    machine's loopback, and the client's own switch for its usage header, unless the user has set
    it. For that header the client walks the call stack, which in a notebook takes longer than the
    emulator's answer.
    """
    from ..emulator.process.environment import set_variables

    direct = {name: variables[name] for name in ("NO_PROXY", "no_proxy") if name in variables}
    os.environ.update(direct)
    os.environ.setdefault("USAGE_DATA_OPT_OUT", variables["USAGE_DATA_OPT_OUT"])
    wanted = {
        name: value
        for name, value in variables.items()
        if name in ("IAM_URL", "GLOBAL_SEARCH_URL", "GLOBAL_CATALOG_URL")
    }
    with changing_environment(alone=alone), set_variables(wanted):
        yield
