"""The noise of a fake device, for exactly the gates and qubits a set of circuits uses.

The model is the one the client builds for a whole device, restricted: a depolarizing and a
relaxation channel after each gate, relaxation during delays, readout errors. Aer's own formulas
compute each channel, one gate at a time, so that four qubits cost what four qubits cost.

Each channel is then written as one set of Kraus operators in place of the hundreds of Pauli and
reset combinations it comes as. It is the same channel; the simulator reads it some twenty times
faster.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import Delay, QuantumCircuit
from qiskit.quantum_info import Kraus, SuperOp
from qiskit_aer.noise import NoiseModel, QuantumError, ReadoutError
from qiskit_aer.noise.device import basic_device_gate_errors, basic_device_readout_errors
from qiskit_aer.noise.device.parameters import gate_param_values, thermal_relaxation_values
from qiskit_aer.noise.passes import RelaxationNoisePass

from qsession_widgets.emulator.engine.devices.device import Device

Flavour = Literal["calibration", "target"]
"""Which of the client's two local paths to follow.

``"calibration"`` is the sampler's and estimator's: errors from the calibration data, with the two
readout errors of a qubit told apart. ``"target"`` is the executor's: it goes through the
transpiler's target, which knows one readout error per qubit and no error of a measurement or reset
as a gate.
"""

Place = tuple[str, tuple[int, ...]]
"""A gate's name and its qubits."""

_REMEMBERED_MODELS = 128

SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "ps": 1e-12}


class CompactNoise(NoiseModel):  # type: ignore[misc]
    """A noise model that is translated for the simulator once, not at every run."""

    def __init__(self, basis_gates: list[str] | None = None) -> None:
        super().__init__(basis_gates=basis_gates)
        self._translated: dict[str, Any] | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> NoiseModel:
        # Aer copies a model in order to add errors to the copy, which would not be translated.
        copied = CompactNoise(self.basis_gates)
        for name, value in vars(self).items():
            setattr(copied, name, copy.copy(value))
        copied._translated = None
        return copied

    def to_dict(self, serializable: bool = False) -> dict[str, Any]:
        """Return the model as the simulator reads it."""
        if not serializable:
            return super().to_dict()  # type: ignore[no-any-return]
        if self._translated is None:
            self._translated = super().to_dict(serializable=True)
        return self._translated


def places(circuits: Iterable[QuantumCircuit]) -> set[Place]:
    """Return the gates, and their qubits, that occur in circuits, control flow included."""
    found: set[Place] = set()

    def walk(circuit: QuantumCircuit, outer: Sequence[int]) -> None:
        where = {bit: outer[position] for position, bit in enumerate(circuit.qubits)}
        for instruction in circuit.data:
            qubits = tuple(where[qubit] for qubit in instruction.qubits)
            found.add((instruction.name, qubits))
            if instruction.is_control_flow():
                for block in instruction.operation.blocks:
                    walk(block, qubits)

    for circuit in circuits:
        walk(circuit, range(circuit.num_qubits))
    return found


def _calibrated_gate(device: Device, place: Place) -> SimpleNamespace:
    entry = device.gates[place]
    return SimpleNamespace(
        gate=place[0],
        qubits=list(range(len(place[1]))),
        parameters=[SimpleNamespace(**{"unit": "", **value}) for value in entry["parameters"]],
    )


def _gate_properties(device: Device, place: Place, flavour: Flavour) -> SimpleNamespace | None:
    """Return the calibration of one gate at one place, or None where it is free of errors."""
    name, qubits = place
    if place not in device.gates or (flavour == "target" and not _in_target(device, name)):
        return None
    gate = _calibrated_gate(device, place)
    if flavour == "target" and name.startswith(("measure", "reset")):
        gate.parameters = [value for value in gate.parameters if value.name != "gate_error"]
    return SimpleNamespace(gates=[gate], qubits=[device.calibration(qubit) for qubit in qubits])


@lru_cache(maxsize=4096)
def gate_channel(device: Device, place: Place, flavour: Flavour) -> SuperOp | None:
    """Return the error of one gate at one place, or None where it is free of errors."""
    properties = _gate_properties(device, place, flavour)
    if properties is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        errors = basic_device_gate_errors(properties)
    return SuperOp(errors[0][2]) if errors else None


@lru_cache(maxsize=8192)
def twirled_gate(device: Device, place: Place, flavour: Flavour) -> NDArray[np.float64] | None:
    """Return the error of one gate, twirled to a Pauli channel.

    The channel is that of `gate_channel`, of which the twirl keeps the diagonal of its Pauli
    transfer matrix. That diagonal follows from the calibration without any matrices, some hundred
    times faster, because relaxation and depolarization contribute one factor each.

    Returns
    -------
    ndarray or None
        By which factor the channel shrinks each Pauli operator, shape ``(4**qubits,)``: the first
        qubit of the place is the lowest digit, 0 to 3 for I, X, Y, Z. None where the gate is free
        of errors.
    """
    properties = _gate_properties(device, place, flavour)
    if properties is None:
        return None
    ((_, _, length, error),) = gate_param_values(properties)
    factors: NDArray[np.float64] = np.ones(1)
    for t1, t2, _ in thermal_relaxation_values(properties):
        t1 = math.inf if t1 is None else t1
        t2 = min(math.inf if t2 is None else t2, 2 * t1)
        bit, phase = math.exp(-(length or 0.0) / t1), math.exp(-(length or 0.0) / t2)
        factors = np.asarray(np.kron([1.0, phase, phase, bit], factors), dtype=float)
    dimension = 2 ** len(place[1])
    # of the relaxation alone, on average; what the gate's error is beyond it is depolarizing
    fidelity = (dimension * factors.mean() + 1) / (dimension + 1)
    if error is not None and error > 1 - fidelity:
        error = min(error, dimension / (dimension + 1))
        depolarized = dimension * (error - 1 + fidelity) / (dimension * fidelity - 1)
        factors[1:] *= 1 - min(depolarized, dimension**2 / (dimension**2 - 1))
    return None if np.all(factors == 1.0) else factors


@lru_cache(maxsize=4096)
def gate_error(device: Device, place: Place, flavour: Flavour) -> QuantumError | None:
    """Return the same as the simulator takes it."""
    channel = gate_channel(device, place, flavour)
    return None if channel is None else QuantumError(Kraus(channel))


@lru_cache(maxsize=1024)
def readout_error(device: Device, qubit: int, flavour: Flavour) -> ReadoutError | None:
    """Return the readout error of one qubit, or None where there is none."""
    values = device.calibration(qubit)
    if flavour == "target":
        values = [value for value in values if value.name == "readout_error"]
    errors = basic_device_readout_errors(SimpleNamespace(qubits=[values]))
    return errors[0][1] if errors else None


def _in_target(device: Device, name: str) -> bool:
    """True if the transpiler's target has a gate, and with its noise."""
    configuration = device.configuration
    known = {*configuration["basis_gates"], *configuration.get("supported_instructions", ())}
    return name in known and name != "measure"


def _seconds(values: Sequence[SimpleNamespace], name: str) -> float | None:
    for value in values:
        if value.name == name:
            return float(value.value) * SECONDS.get(value.unit, 1.0)
    return None


def relaxation_times(
    device: Device, qubits: Sequence[int], flavour: Flavour
) -> list[tuple[float, float]] | None:
    """Return T1 and T2 of some qubits in seconds, or None if the device's delays have no noise."""
    if device.dt is None:
        return None
    times = [(_seconds(values, "T1"), _seconds(values, "T2")) for values in _all(device)]
    if flavour == "calibration" and any(t1 is None or t2 is None for t1, t2 in times):
        return None
    found = []
    for qubit in qubits:
        t1, t2 = (math.inf if value is None else value for value in times[qubit])
        # No physical qubit dephases faster than twice its relaxation, yet calibrations say so.
        found.append((t1, min(t2, 2 * t1)))
    return found


def _delay_noise(device: Device, qubits: Sequence[int], flavour: Flavour) -> Any:
    """Return the pass that adds relaxation to delays, or None if the device has no data for it."""
    times = relaxation_times(device, qubits, flavour)
    if times is None:
        return None
    t1s, t2s = zip(*times, strict=True)
    return RelaxationNoisePass(t1s=list(t1s), t2s=list(t2s), dt=device.dt, op_types=Delay)


def _all(device: Device) -> list[list[SimpleNamespace]]:
    return [device.calibration(qubit) for qubit in range(len(device.properties["qubits"]))]


class _ModelMemory:
    def __init__(self) -> None:
        self._models: OrderedDict[Any, CompactNoise] = OrderedDict()

    def get(self, key: Any) -> CompactNoise | None:
        if key in self._models:
            self._models.move_to_end(key)
        return self._models.get(key)

    def put(self, key: Any, model: CompactNoise) -> None:
        self._models[key] = model
        if len(self._models) > _REMEMBERED_MODELS:
            self._models.popitem(last=False)


_memory = _ModelMemory()


def build(
    device: Device,
    qubits: Sequence[int],
    used: Iterable[Place],
    flavour: Flavour = "calibration",
) -> NoiseModel | None:
    """Return the noise of a device for compacted circuits.

    Parameters
    ----------
    device : Device
        Whose noise.
    qubits : sequence of int
        The device's qubit behind each qubit of the circuits.
    used : iterable of Endpoint
        Gates at qubits of the circuits; errors of others are left out.
    flavour : {"calibration", "target"}
        Which of the client's paths to follow.

    Returns
    -------
    NoiseModel or None
        None for the ideal device.
    """
    if device.ideal:
        return None
    needed = sorted((name, tuple(at)) for name, at in used)
    key = (device.name, flavour, tuple(qubits), tuple(needed))
    model = _memory.get(key)
    if model is not None:
        return model
    model = CompactNoise(basis_gates=list(device.configuration["basis_gates"]))
    for name, at in needed:
        error = gate_error(device, (name, tuple(qubits[local] for local in at)), flavour)
        if error is not None:
            model.add_quantum_error(error, name, at)
        if name == "measure":
            readout = readout_error(device, qubits[at[0]], flavour)
            if readout is not None:
                model.add_readout_error(readout, at)
    if any(name == "delay" for name, _ in needed):
        relaxation = _delay_noise(device, qubits, flavour)
        if relaxation is not None:
            model._custom_noise_passes.append(relaxation)
    _memory.put(key, model)
    return model


def restrict(model: NoiseModel, qubits: Sequence[int]) -> NoiseModel:
    """Return a user's noise model for compacted circuits.

    Parameters
    ----------
    model : NoiseModel
        Written for the device's qubits.
    qubits : sequence of int
        The device's qubit behind each qubit of the circuits.
    """
    local = {physical: position for position, physical in enumerate(qubits)}
    restricted = NoiseModel(basis_gates=list(model.basis_gates))
    for name, error in model._default_quantum_errors.items():
        restricted.add_all_qubit_quantum_error(error, name)
    if model._default_readout_error is not None:
        restricted.add_all_qubit_readout_error(model._default_readout_error)
    for name, by_qubits in model._local_quantum_errors.items():
        for at, error in by_qubits.items():
            if all(qubit in local for qubit in at):
                restricted.add_quantum_error(error, name, [local[qubit] for qubit in at])
    for at, error in model._local_readout_errors.items():
        if all(qubit in local for qubit in at):
            restricted.add_readout_error(error, [local[qubit] for qubit in at])
    return restricted
