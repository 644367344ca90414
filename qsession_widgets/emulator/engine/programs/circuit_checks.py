"""Refuses what the service refuses in circuits and parameter values, before any simulation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from qiskit.circuit import ParameterExpression, QuantumCircuit
from qiskit.primitives import DataBin

from qsession_widgets.emulator.engine.devices.device import Device
from qsession_widgets.emulator.engine.devices.noise import SECONDS
from qsession_widgets.emulator.engine.failure import INVALID_BODY, NOT_ISA, JobFailure
from qsession_widgets.emulator.engine.instruction_names import may_hold
from qsession_widgets.emulator.engine.simulation.job_run import JobRun

_LARGEST_RZZ = math.pi / 2
_TOLERANCE = 1e-10
"""Radians beyond the range of ``rzz`` that are taken for rounding. Source: the client's check."""

_TAKEN: frozenset[str] = frozenset(getattr(DataBin, "_RESTRICTED_NAMES", ()))
"""Names of a result's own attributes, which no register can have."""


def check_registers(circuit: QuantumCircuit, index: int) -> None:
    """Refuse classical registers whose outcomes could not be read from a result.

    Raises
    ------
    JobFailure
        If a register is named like an attribute of `DataBin`.
    """
    for register in circuit.cregs:
        if register.name in _TAKEN:
            raise JobFailure(
                f"The circuit of PUB {index} has a classical register named {register.name!r}, "
                "which is the name of an attribute of a result's data: rename the register. Other "
                f"names that are taken: {_listed(_TAKEN - {register.name})}.",
                INVALID_BODY,
            )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(name for name in names if not name.startswith("_")))


def check_values(values: ArrayLike, index: int) -> None:
    """Refuse parameter values that are no angles.

    Raises
    ------
    JobFailure
        If one is NaN or infinite.
    """
    array = np.asarray(values, dtype=float)
    wrong = ~np.isfinite(array)
    if wrong.any():
        place = tuple(int(at) for at in np.argwhere(wrong)[0])
        raise JobFailure(
            f"PUB {index} has the parameter value {array[place]} (parameter set "
            f"{list(place[:-1])}, parameter {place[-1]}): parameter values must be finite numbers.",
            INVALID_BODY,
        )


def warn_about_delays(job: JobRun, circuit: QuantumCircuit, index: int) -> None:
    """Tell the user of delays so short that they were probably meant in seconds.

    What arrives of a delay of 64 microseconds is 64 time steps. A circuit that was scheduled may
    have such delays, too, so it is not refused.
    """
    if not may_hold(circuit, ["delay"]):
        return
    steps = list(_delays(circuit))
    shortest = _shortest_gate(job.device)
    if steps and job.device.dt is not None and 0 < max(steps) < shortest / job.device.dt:
        job.warn(
            f"The delays in the circuit of PUB {index} are {max(steps)} time steps at most, "
            f"{max(steps) * job.device.dt * 1e9:.3g} ns, which is shorter than any gate of "
            f"{job.device.name}. A delay in seconds loses its unit on the way to the service: if "
            "these were, schedule the circuit before it is sent, or give them in time steps."
        )


def _delays(circuit: QuantumCircuit) -> Iterator[int]:
    for instruction in circuit.data:
        if instruction.name == "delay":
            duration = instruction.operation.duration
            if isinstance(duration, int):
                yield duration
        elif instruction.is_control_flow():
            for block in instruction.operation.blocks:
                yield from _delays(block)


@lru_cache(maxsize=8)
def _shortest_gate(device: Device) -> float:
    """Return the shortest time that a gate of a device takes, in seconds."""
    lengths = [
        float(value["value"]) * SECONDS.get(value.get("unit", "ns"), 1e-9)
        for gate in device.properties.get("gates", ())
        for value in gate["parameters"]
        if value["name"] == "gate_length" and value["value"] > 0
    ]
    return min(lengths, default=0.0)


def check_angles(
    device: Device, circuit: QuantumCircuit, values: ArrayLike | None, index: int
) -> None:
    """Refuse angles of ``rzz`` that a device does not run.

    Parameters
    ----------
    device : Device
        The ideal one has no such limit.
    circuit : QuantumCircuit
        As posted.
    values : array_like or None
        Shape ``(…, parameters)``, in the order of ``circuit.parameters``; None where they are drawn
        later.
    index : int
        Which PUB it is, for the message.

    Raises
    ------
    JobFailure
        If an angle is outside of 0 to pi/2.
    """
    if device.ideal or not may_hold(circuit, ["rzz"]):
        return
    for angle in set(_rzz_angles(circuit)):
        for value in _evaluated(angle, circuit, values):
            if not -_TOLERANCE <= value <= _LARGEST_RZZ + _TOLERANCE:
                raise JobFailure(
                    f"The circuit of PUB {index} has the gate 'rzz' with the angle {value:.6g}, "
                    f"and {device.name} runs it for angles from 0 to pi/2 only: transpile the "
                    "circuit with its angles bound, or fold them into that range "
                    "(qiskit_ibm_runtime.transpiler.passes.FoldRzzAngle).",
                    NOT_ISA,
                )


def _rzz_angles(circuit: QuantumCircuit) -> Iterator[float | ParameterExpression]:
    for instruction in circuit.data:
        if instruction.is_control_flow():
            for block in instruction.operation.blocks:
                yield from _rzz_angles(block)
        elif instruction.name == "rzz":
            yield instruction.params[0]


def _evaluated(
    angle: float | ParameterExpression, circuit: QuantumCircuit, values: ArrayLike | None
) -> Iterator[float]:
    if not isinstance(angle, ParameterExpression):
        yield float(angle)
        return
    column = {parameter: at for at, parameter in enumerate(circuit.parameters)}
    # The parameter of a loop is none of the circuit's; its values are in the loop.
    if values is None or not set(angle.parameters) <= column.keys():
        return
    rows = np.asarray(values, dtype=float).reshape(-1, len(column))
    used = sorted(angle.parameters, key=column.__getitem__)
    for row in np.unique(rows[:, [column[parameter] for parameter in used]], axis=0):
        yield float(angle.bind(dict(zip(used, row.tolist(), strict=True))))
