"""Emulators of this user: which there are, how to speak of one, and the client connected to it."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import ServiceError
from ..snapshot import ServiceInfo
from .client import ServiceClient, quiet_client
from .prices import price_per_second

if TYPE_CHECKING:
    from qiskit_ibm_runtime import QiskitRuntimeService

    from ..emulator.discovery import Connection
    from ..emulator.options import Options

_environment_lock = threading.Lock()


def running_emulators() -> list[Connection]:
    """Every emulator of this user that says where it is, whatever its name; asks none of them."""
    from ..emulator.discovery import everyone

    return everyone()


def emulator_name(options: Options | None) -> str:
    """Which emulator serves these options: the shared one, or one of its own for each set of them.

    A rehearsal with a faster clock or a crowded queue must not disturb, nor be refused because of,
    the emulator that other notebooks use.
    """
    from ..emulator.discovery import DEFAULT_NAME

    if options is None:
        return DEFAULT_NAME
    text = json.dumps(options.to_json(), sort_keys=True)
    return "rehearsal-" + hashlib.sha256(text.encode()).hexdigest()[:8]


def emulator_info(service: QiskitRuntimeService) -> ServiceInfo | None:
    """How to speak of the emulator behind a service; None when it is none."""
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
    return ServiceInfo("local", label, plan, price_per_second(plan), charged=False, speed=speed)


def connect(connection: Connection) -> QiskitRuntimeService:
    """The unmodified client library, connected to an emulator.

    Parameters
    ----------
    connection : Connection
        Where it listens and with which key.
    """
    from qiskit_ibm_runtime import QiskitRuntimeService

    from .older_clients import read_variables

    read_variables()
    variables = connection.environment()
    with quiet_client(), _variables(variables):
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
    from ..emulator.environment import set_variables

    os.environ.update({name: variables[name] for name in ("NO_PROXY", "no_proxy")})
    os.environ.setdefault("USAGE_DATA_OPT_OUT", variables["USAGE_DATA_OPT_OUT"])
    wanted = {
        name: value
        for name, value in variables.items()
        if name in ("IAM_URL", "GLOBAL_SEARCH_URL", "GLOBAL_CATALOG_URL")
    }
    with _environment_lock, set_variables(wanted):
        yield
