"""When the gates of a circuit happen on a device: its transpiler target, and schedules by it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from qiskit.circuit import QuantumCircuit
from qiskit.transpiler import PassManager, Target
from qiskit.transpiler.passes import ALAPScheduleAnalysis, PadDelay, TimeUnitConversion
from qiskit_ibm_runtime.models import BackendConfiguration, BackendProperties
from qiskit_ibm_runtime.utils.backend_converter import convert_to_target
from qiskit_ibm_runtime.utils.backend_decoder import (
    decode_backend_configuration,
    properties_from_server_data,
)

from qsession_widgets.emulator.engine.devices.device import Device
from qsession_widgets.emulator.engine.failure import INVALID_OPTION, JobFailure

_CHANNELS = {"measure": "AWGR", "reset": "Qubit"}
"""Channels by instruction; every other acts on ``Qubit``."""


@dataclass(frozen=True)
class Timed:
    """The part of a backend that the client's preparation asks for: its target."""

    target: Target


@dataclass(frozen=True)
class Timing:
    """When the instructions of a circuit happen.

    Attributes
    ----------
    text : str
        A line for each instruction and qubit, as the service writes them: block, instruction,
        channel, start and duration in time steps, kind.
    duration : int
        Of the whole circuit, in time steps.
    """

    text: str
    duration: int


@lru_cache(maxsize=8)
def target(device: Device) -> Target:
    """Return the transpiler's target of a device.

    Raises
    ------
    JobFailure
        If its data do not say how long its gates take.
    """
    if device.ideal or device.dt is None:
        raise JobFailure(
            f"{device.name} does not say how long its gates take, so no circuit can be scheduled "
            "for it: leave out dynamical decoupling and scheduler timing, or name a device with a "
            "time step.",
            INVALID_OPTION,
        )
    configuration = copy.deepcopy(device.configuration)
    decode_backend_configuration(configuration)
    properties = copy.deepcopy(device.properties)
    properties_from_server_data(properties)
    return convert_to_target(
        BackendConfiguration.from_dict(configuration), BackendProperties.from_dict(properties)
    )


@lru_cache(maxsize=64)
def target_of(device: Device, qubits: tuple[int, ...]) -> Target:
    """Return the target of some qubits of a device: its qubit i is the device's ``qubits[i]``."""
    whole = target(device)
    local = {physical: at for at, physical in enumerate(qubits)}
    known = whole.qubit_properties
    part = Target(
        dt=whole.dt,
        num_qubits=len(qubits),
        granularity=whole.granularity,
        min_length=whole.min_length,
        pulse_alignment=whole.pulse_alignment,
        acquire_alignment=whole.acquire_alignment,
        qubit_properties=[known[qubit] for qubit in qubits] if known else None,
    )
    for name in whole.operation_names:
        operation = whole.operation_from_name(name)
        places = whole[name]
        if None in places:
            part.add_instruction(operation, name=name)
            continue
        kept = {
            tuple(local[qubit] for qubit in place): values
            for place, values in places.items()
            if all(qubit in local for qubit in place)
        }
        if kept:
            part.add_instruction(operation, kept, name=name)
    return part


def timing(device: Device, qubits: Sequence[int], circuit: QuantumCircuit) -> Timing:
    """Schedule a circuit as late as possible, and return when what happens.

    Parameters
    ----------
    device : Device
        Whose gate times count.
    qubits : sequence of int
        The device's qubit behind each qubit of the circuit.
    circuit : QuantumCircuit
        On those qubits; its parameters may be unbound.

    Raises
    ------
    JobFailure
        If the circuit cannot be scheduled, for example because of control flow.
    """
    wanted = target_of(device, tuple(qubits))
    try:
        scheduled = PassManager(
            [
                TimeUnitConversion(target=wanted),
                ALAPScheduleAnalysis(target=wanted),
                PadDelay(target=wanted),
            ]
        ).run(circuit)
    except Exception as error:
        raise JobFailure(
            f"A circuit cannot be scheduled ({str(error)[:200]}): leave out scheduler timing.",
            INVALID_OPTION,
        ) from error
    lines = []
    index = {bit: at for at, bit in enumerate(scheduled.qubits)}
    for instruction, start in zip(scheduled.data, scheduled.op_start_times, strict=True):
        name = instruction.name
        if name == "delay":
            continue
        at = [index[qubit] for qubit in instruction.qubits]
        length = 0 if name == "barrier" else _duration(wanted, name, tuple(at))
        for qubit in at:
            channel = f"{_CHANNELS.get(name, 'Qubit')} {qubits[qubit]}"
            kind = "barrier" if name == "barrier" else "play"
            where = "_".join(str(qubits[each]) for each in at)
            lines.append(f"main,{name}_{where},{channel},{start},{length},{kind}")
    return Timing("\n".join(lines) + "\n", int(scheduled.duration))


def _duration(wanted: Target, name: str, place: tuple[int, ...]) -> int:
    values = wanted[name].get(place) if name in wanted.operation_names else None
    if values is None or values.duration is None:
        return 0
    steps: int = round(values.duration / wanted.dt)
    return steps
