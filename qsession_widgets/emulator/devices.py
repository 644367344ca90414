"""The backends as the service describes them: every fake device, and an ideal simulator.

Only JSON is read here. A device is described by the files its fake backend is made from; all that
changes is that it does not call itself a simulator, because the client opens no session on one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

from . import fake_devices
from .engine.contract import IDEAL, IDEAL_QUBITS
from .records import Device

IDEAL_LANES = 2
FAKE, REAL = "fake_", "ibm_"
IDEAL_SINCE = "2025-01-01T00:00:00.000Z"

_ONE_QUBIT = ("id", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg")
_ONE_QUBIT_ANGLE = ("rz", "p", "rx", "ry")
_TWO_QUBITS = ("cx", "cy", "cz", "swap", "ecr")
_TWO_QUBITS_ANGLE = ("rzz", "cp")
_CONTROL_FLOW = ("if_else", "for_loop", "while_loop", "switch_case")


def device_of(name: str) -> str:
    """The backend that stands behind a name: ``fake_fez`` behind ``ibm_fez``."""
    if name.startswith(REAL):
        return FAKE + name[len(REAL) :]
    return name


def stands_in(name: str) -> bool:
    """Whether a name is a real device's, for which its fake one stands in."""
    return name.startswith(REAL)


def devices(lanes: int | None = None) -> list[Device]:
    """How each backend takes jobs.

    Parameters
    ----------
    lanes : int, optional
        How many jobs a device runs at once; 1 by default, as many as make sense on the ideal
        simulator.
    """
    ideal = Device(IDEAL, lanes=IDEAL_LANES if lanes is None else lanes, exclusive=False)
    fakes = fake_devices.names()
    names = [*fakes, *(REAL + name[len(FAKE) :] for name in fakes)]
    return [ideal, *(Device(name, lanes=lanes or 1) for name in names)]


@cache
def configuration(name: str) -> str:
    """The configuration of a backend, as JSON text.

    Raises
    ------
    LookupError
        There is no such backend.
    """
    if name == IDEAL:
        return json.dumps(_ideal_configuration())
    data = fake_devices.load_configuration(device_of(name))
    data.update(backend_name=name, simulator=False, local=False)
    data.setdefault("online_date", IDEAL_SINCE)
    data["description"] = f"Emulated on this machine from the data of {device_of(name)}."
    return json.dumps(data)


@lru_cache(maxsize=16)
def properties(name: str) -> str:
    """The calibration data of a backend, as JSON text.

    Raises
    ------
    LookupError
        There is no such backend.
    """
    if name == IDEAL:
        return json.dumps(_ideal_properties())
    return json.dumps({**fake_devices.load_properties(device_of(name)), "backend_name": name})


@cache
def summary(name: str) -> dict[str, Any]:
    """What the list of backends says of one: qubits, processor, speed."""
    if stands_in(name):
        # the client lists these only when asked for, and finds them by name
        return {**summary(device_of(name)), "name": name, "class": "mock"}
    data = json.loads(configuration(name))
    clops = data.get("clops_h") or data.get("clops_v") or data.get("clops")
    entry: dict[str, Any] = {
        "name": name,
        "is_simulator": False,
        "qubits": data["n_qubits"],
        "processor_type": _processor(data.get("processor_type")),
    }
    if isinstance(clops, int | float):
        entry["clops"] = {"type": "hardware", "value": int(clops)}
    return entry


def _processor(data: dict[str, Any] | None) -> dict[str, str] | None:
    # some devices' files have numbers, which the service never sends and strict clients refuse
    return None if data is None else {part: str(value) for part, value in data.items()}


def attraction(name: str) -> tuple[bool, int, str]:
    """Sorts backends as somebody would choose who does not care which.

    The client takes the first of several with the same queue as the least busy one. Who asks for a
    device means a large one, as those that are in service are, and not the ideal simulator.
    """
    return name == IDEAL, -int(summary(name)["qubits"]), name


@cache
def version(name: str) -> str:
    """The version a backend reports."""
    return str(json.loads(configuration(name)).get("backend_version", "1.0.0"))


def _ideal_configuration() -> dict[str, Any]:
    gates = list(_ideal_gates())
    return {
        "backend_name": IDEAL,
        "backend_version": "1.0.0",
        "description": "Ideal simulator on this machine, without noise.",
        "n_qubits": IDEAL_QUBITS,
        "basis_gates": [gate["name"] for gate in gates],
        "gates": gates,
        "coupling_map": _all_pairs(),
        "supported_instructions": [
            *(gate["name"] for gate in gates),
            "measure",
            "reset",
            "delay",
            *_CONTROL_FLOW,
        ],
        "supported_features": ["qasm3"],
        "local": False,
        "simulator": False,
        "conditional": True,
        "open_pulse": False,
        "memory": True,
        "max_shots": 1_000_000,
        "max_experiments": 300,
        "dt": 1.0,
        "dtm": 1.0,
        "rep_delay_range": [0.0, 1000.0],
        "default_rep_delay": 0.0,
        "dynamic_reprate_enabled": True,
        "timing_constraints": {},
        "meas_levels": [2],
        "meas_map": [list(range(IDEAL_QUBITS))],
        "credits_required": False,
        "online_date": IDEAL_SINCE,
        "processor_type": {"family": "Aer", "revision": "1.0"},
        "sample_name": "aer",
        "u_channel_lo": [],
        "coords": [[index // 8, index % 8] for index in range(IDEAL_QUBITS)],
    }


def _ideal_properties() -> dict[str, Any]:
    # without any the client asks again for each job
    readout = [("readout_error", 0.0), ("prob_meas0_prep1", 0.0), ("prob_meas1_prep0", 0.0)]
    qubit = [
        {"name": name, "value": value, "unit": "", "date": IDEAL_SINCE} for name, value in readout
    ]
    return {
        "backend_name": IDEAL,
        "backend_version": "1.0.0",
        "last_update_date": IDEAL_SINCE,
        "qubits": [qubit] * IDEAL_QUBITS,
        "gates": [],
        "general": [],
    }


def _ideal_gates() -> Iterator[dict[str, Any]]:
    singles = [[qubit] for qubit in range(IDEAL_QUBITS)]
    for names, parameters, places in (
        (_ONE_QUBIT, [], singles),
        (_ONE_QUBIT_ANGLE, ["theta"], singles),
        (_TWO_QUBITS, [], _all_pairs()),
        (_TWO_QUBITS_ANGLE, ["theta"], _all_pairs()),
    ):
        for name in names:
            yield {
                "name": name,
                "parameters": parameters,
                "qasm_def": f"gate {name} q {{}}",
                "coupling_map": places,
            }


def _all_pairs() -> list[list[int]]:
    qubits = range(IDEAL_QUBITS)
    return [[first, second] for first in qubits for second in qubits if first != second]
