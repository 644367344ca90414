"""The ideal simulator, described as a backend: any gate the engine knows, on any qubits, no noise.

It has two names. The client opens no session on a backend that calls itself a simulator, so
``aer`` does not, and takes sessions; ``aer_simulator`` does, is what ``backends(simulator=True)``
finds, and takes jobs in job mode and batches only, as IBM's simulators did.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .engine.task import IDEAL, IDEAL_QUBITS

SIMULATOR = "aer_simulator"
NAMES = (IDEAL, SIMULATOR)
PROCESSOR = {"family": "Aer", "revision": "1.0"}
IDEAL_SINCE = "2025-01-01T00:00:00.000Z"

_ONE_QUBIT = ("id", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg")
_ONE_QUBIT_ANGLE = ("rz", "p", "rx", "ry")
_TWO_QUBITS = ("cx", "cy", "cz", "swap", "ecr")
_TWO_QUBITS_ANGLE = ("rzz", "cp")
_CONTROL_FLOW = ("if_else", "for_loop", "while_loop", "switch_case")


def configuration(name: str) -> dict[str, Any]:
    """The configuration under one of its names."""
    gates = list(_ideal_gates())
    return {
        "backend_name": name,
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
        "supported_features": ["qasm3", "dynamic_circuits"],
        "tags": [],
        "multi_meas_enabled": True,
        "local": False,
        "simulator": name == SIMULATOR,
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
        "processor_type": PROCESSOR,
        "sample_name": "aer",
        "u_channel_lo": [],
        "coords": [[index // 8, index % 8] for index in range(IDEAL_QUBITS)],
    }


def properties(name: str) -> dict[str, Any]:
    """Its calibration: nothing goes wrong."""
    # without any the client asks again for each job
    readout = [("readout_error", 0.0), ("prob_meas0_prep1", 0.0), ("prob_meas1_prep0", 0.0)]
    qubit = [
        {"name": name, "value": value, "unit": "", "date": IDEAL_SINCE} for name, value in readout
    ]
    return {
        "backend_name": name,
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
