"""``qsession emulator device …``: devices of the user's own, and the state of any device."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ...text_table import terminal_width, text_table
from ..command_line import EmulatorParser
from ..device_catalog import STATES, DeviceCatalog, Entry, UnknownDevice
from ..engine.devices import descriptions, lattices, own_devices
from ..options import OptionError
from .connection_file import DEFAULT_NAME, Connection, EmulatorError

LIKE = "ibm_kingston"
"""The device whose gates and medians a lattice has, unless another is named."""

Find = Callable[[argparse.Namespace], Connection]

_REQUIRED = ("n_qubits", "basis_gates", "gates", "coupling_map")
_USUAL: Mapping[str, Any] = {
    "backend_version": "1.0.0",
    "conditional": False,
    "local": False,
    "max_shots": 100_000,
    "memory": True,
    "open_pulse": False,
    "simulator": False,
}
"""Fields that the client requires of a configuration, with their usual values."""


def add_commands(actions: Any, find: Find) -> None:
    """Add the command ``device`` with its own commands.

    Parameters
    ----------
    actions : argparse sub-parsers
        Of ``qsession emulator``.
    find : callable
        Finds the emulator that the options of a command name.
    """
    text = "devices of your own, and the state of any device"
    device = actions.add_parser("device", help=text, description=text)
    kinds = device.add_subparsers(metavar="ACTION", required=True, parser_class=EmulatorParser)

    def add(name: str, action: Callable[[argparse.Namespace], int], help: str) -> Any:
        sub = kinds.add_parser(name, help=help, description=help)
        sub.set_defaults(action=_spoken(action))
        return sub

    pull = add("pull", _pull, "save a device's configuration and calibration from your account")
    pull.add_argument("device", metavar="DEVICE", help="such as ibm_fez")
    pull.add_argument("--as", dest="name", metavar="NAME", help="its name here; the same if not")
    pull.add_argument("--account", metavar="NAME", help="a saved account; the default one if not")
    pull.add_argument("--instance", metavar="NAME", help="an instance, by its CRN or name")

    new = add("add", _add, "add a device, from files, like another one, or on a lattice")
    new.add_argument("name", metavar="NAME", help="what it is called here")
    new.add_argument("--config", type=Path, metavar="FILE", help="its configuration, as JSON")
    new.add_argument("--properties", type=Path, metavar="FILE", help="its calibration, as JSON")
    new.add_argument("--like", metavar="DEVICE", help="the device whose data it has")
    new.add_argument("--qubits", type=int, metavar="N", help="that many qubits, on a lattice")
    new.add_argument("--lattice", metavar="KIND", help=f"one of {', '.join(lattices.LATTICES)}")

    listed = add("list", _list, "list your own devices")
    listed.add_argument("--json", action="store_true", help="one JSON object a line")
    remove = add("remove", _remove, "remove a device of your own")
    remove.add_argument("name", metavar="NAME", help="which")

    state = add(
        "state",
        lambda options: _state(find(options), options),
        "let a running emulator's device work, be under maintenance, or be retired",
    )
    state.add_argument("device", metavar="DEVICE", help="such as ibm_fez")
    state.add_argument("state", metavar="STATE", help=f"one of {', '.join(STATES)}")
    state.add_argument("--name", default=DEFAULT_NAME, help="which emulator, when there are more")


def _spoken(
    action: Callable[[argparse.Namespace], int],
) -> Callable[[argparse.Namespace], int]:
    """Let what is wrong with a device be said as what is wrong with an option."""

    def call(options: argparse.Namespace) -> int:
        try:
            return action(options)
        except (ValueError, LookupError) as error:
            raise OptionError(str(error)) from None
        except OSError as error:
            raise EmulatorError(
                f"The devices in {own_devices.folder()} cannot be changed: {error.strerror}."
            ) from None

    return call


def _pull(options: argparse.Namespace) -> int:
    name = options.name or options.device
    own_devices.check_name(name)
    configuration, properties = _asked_of_service(options)
    day = time.strftime("%Y-%m-%d")
    _save(name, configuration, properties, f"{options.device} as pulled on {day}")
    return 0


def _asked_of_service(options: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        from qiskit_ibm_runtime import QiskitRuntimeService

        service = QiskitRuntimeService(name=options.account, instance=options.instance)
        # None leaves a device all the gates it has
        backend = service.backend(options.device, use_fractional_gates=None)
        properties = backend.properties()
    except Exception as error:
        raise EmulatorError(
            f"{options.device} cannot be pulled ({type(error).__name__}: {str(error)[:300]}): "
            "check the name and the account; qsession emulator device add takes files, too."
        ) from None
    if properties is None:
        raise EmulatorError(f"{options.device} has no calibration to pull.")
    written = (backend.configuration().to_dict(), properties.to_dict())
    configuration, calibration = (json.loads(json.dumps(data, default=_plain)) for data in written)
    return configuration, calibration


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, complex):
        return [value.real, value.imag]
    return str(value)


def _add(options: argparse.Namespace) -> int:
    own_devices.check_name(options.name)
    files = options.config is not None or options.properties is not None
    lattice = options.qubits is not None or options.lattice is not None
    if (files and (lattice or options.like)) or not (files or lattice or options.like):
        raise OptionError(
            "A device is added with --config and --properties, with --like DEVICE, or with "
            "--qubits N --lattice KIND."
        )
    if files:
        if options.config is None or options.properties is None:
            raise OptionError("Give both --config and --properties.")
        configuration, properties = _read(options.config), _read(options.properties)
        _save(options.name, configuration, properties, f"{options.config.name}")
        return 0
    if lattice:
        if options.qubits is None or options.lattice is None:
            raise OptionError("Give both --qubits and --lattice.")
        base = _entry(options.like or LIKE)
        configuration, properties = lattices.build(options.lattice, options.qubits, base.described)
        source = (
            f"a {options.lattice} lattice of {options.qubits} qubits with the medians of "
            f"{base.name}"
        )
    else:
        base = _entry(options.like)
        configuration, properties = base.described.configuration, base.described.properties
        source = f"the data of {base.name}"
    _save(options.name, configuration, properties, source)
    return 0


def _entry(name: str) -> Entry:
    entry = DeviceCatalog().find(name)
    if entry.ideal:
        raise UnknownDevice(f"{name} has no calibration that another device could have.")
    return entry


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise OptionError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise OptionError(f"{path} is not JSON: {error}.") from None
    if not isinstance(data, dict):
        raise OptionError(f"{path} holds no JSON object.")
    return data


def _save(
    name: str, configuration: dict[str, Any], properties: dict[str, Any], source: str
) -> None:
    configuration = {**_USUAL, **configuration}
    properties = {"backend_version": "1.0.0", "general": [], **properties}
    _check(configuration, properties)
    own_devices.save(name, configuration, properties, source)
    entry = DeviceCatalog().find(name)
    print(f"{name}, {entry.qubits} qubits. {entry.sentence}")


def _check(configuration: Mapping[str, Any], properties: Mapping[str, Any]) -> None:
    """Refuse data of which the service could not describe a device.

    Raises
    ------
    ValueError
        Something is missing, or the two do not fit each other.
    """
    for what, data, fields in (
        ("configuration", configuration, _REQUIRED),
        ("calibration", properties, ("qubits", "gates", "last_update_date")),
    ):
        missing = [field for field in fields if field not in data]
        if missing:
            raise ValueError(f"The {what} has no {' and no '.join(missing)}.")
    if len(properties["qubits"]) != configuration["n_qubits"]:
        raise ValueError(
            f"The configuration has {configuration['n_qubits']} qubits, and the calibration has "
            f"{len(properties['qubits'])}: they must be of one device."
        )
    try:
        described = descriptions.describe(configuration, properties, "")
        described.gates()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(
            f"The data are not in the form in which the service sends them ({error!r})."
        ) from None


def _list(options: argparse.Namespace) -> int:
    catalog = DeviceCatalog()
    found = []
    for name in own_devices.versions():
        try:
            entry = catalog.find(name)
            line = {
                "name": name,
                "qubits": entry.qubits,
                "calibrated": entry.calibrated,
                "calibration_id": entry.calibration_id,
                "source": entry.described.source,
            }
        except LookupError as error:
            print(error, file=sys.stderr)
            continue
        found.append(line)
    if options.json:
        for line in found:
            print(json.dumps(line))
    elif found:
        columns = ("name", "qubits", "calibrated", "source")
        table = [columns, *(tuple(str(line[column]) for column in columns) for line in found)]
        print(text_table(table, right=(1,), width=terminal_width()))
    else:
        print("You have added no devices: qsession emulator device add --help says how.")
    return 0


def _remove(options: argparse.Namespace) -> int:
    if not own_devices.remove(options.name):
        known = ", ".join(own_devices.versions())
        raise UnknownDevice(
            f"You have added no device {options.name!r}"
            + (f"; there are {known}." if known else ".")
        )
    print(f"{options.name} is removed.")
    return 0


def _state(connection: Connection, options: argparse.Namespace) -> int:
    if options.state not in STATES:
        raise OptionError(f"A device's state is one of {', '.join(STATES)}.")
    path = f"/emulator/v1/devices/{options.device}"
    connection.request("PUT", path, body={"state": options.state})
    words = {
        "active": "takes and runs jobs",
        "maintenance": "is under maintenance: it takes jobs and starts none",
        "retired": "is retired: it is not found any more",
    }
    print(f"{options.device} {words[options.state]}.")
    return 0
