"""Noise of a job, from the device or the user, asked for part by part.

Nothing is computed before it is asked for: a model for the simulator, for the qubits it is about to
simulate, or the channel of one gate on one qubit, for qubits that are simulated without it.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit
from qiskit.quantum_info import PTM, SuperOp
from qiskit_aer.noise import (
    NoiseModel,
    ReadoutError,
    thermal_relaxation_error,
)

from qsession_widgets.emulator.engine.devices import noise
from qsession_widgets.emulator.engine.devices.device import Device

Matrix = NDArray[np.float64]
Factors = NDArray[np.float64]


class Noise(Protocol):
    """The noise of compacted circuits, by their own qubit numbers.

    Channels are real matrices of shape (4, 4) that act on the expectation values of (I, X, Y, Z);
    None stands for no noise.
    """

    @property
    def key(self) -> Hashable:
        """Cache key of this noise, None if it has none."""

    @property
    def ideal(self) -> bool:
        """True if there is no noise."""

    @property
    def joined(self) -> tuple[tuple[int, ...], ...]:
        """Groups of qubits whose noise is not each one's own."""

    @property
    def by_qubit(self) -> bool:
        """True if ``channel``, ``delay`` and ``readout`` describe one-qubit gates completely."""

    def model(self, qubits: Sequence[int], circuits: Iterable[QuantumCircuit]) -> NoiseModel | None:
        """Return the noise of circuits whose qubit i is ``qubits[i]``."""

    def channel(self, name: str, qubit: int) -> Matrix | None:
        """Return what goes wrong after a gate or reset, or before a measurement."""

    def delay(self, qubit: int, duration: float, unit: str) -> Matrix | None:
        """Return what a delay of that length does, beside the channel of its name."""

    def readout(self, qubit: int) -> Matrix | None:
        """Return the probability of reading j where i is true, shape (2, 2)."""

    def twirled(self, name: str, qubits: tuple[int, ...]) -> Factors | None:
        """Return the channel of a gate on some qubits, twirled to a Pauli channel.

        See `noise.twirled_gate` for its form.
        """


@dataclass(frozen=True, eq=False)
class DeviceNoise:
    """The noise of a device, none for the ideal one.

    Attributes
    ----------
    device : Device
        Whose noise.
    qubits : tuple of int
        The device's qubit behind each qubit of the circuits.
    flavour : {"calibration", "target"}
        Which of the client's paths to follow.
    """

    device: Device
    qubits: tuple[int, ...]
    flavour: noise.Flavour = "calibration"

    joined = ()
    by_qubit = True

    @property
    def key(self) -> Hashable:
        """Cache key of this noise."""
        return self.device.name, self.qubits, self.flavour

    @property
    def ideal(self) -> bool:
        """True if there is no noise."""
        return self.device.ideal

    def model(self, qubits: Sequence[int], circuits: Iterable[QuantumCircuit]) -> NoiseModel | None:
        """Return the noise of circuits whose qubit i is ``qubits[i]``."""
        if self.device.ideal:
            return None
        physical = [self.qubits[qubit] for qubit in qubits]
        return noise.build(self.device, physical, noise.places(circuits), self.flavour)

    def channel(self, name: str, qubit: int) -> Matrix | None:
        """Return what goes wrong after a gate or reset, or before a measurement."""
        if self.device.ideal:
            return None
        return _gate_channel(self.device, (name, (self.qubits[qubit],)), self.flavour)

    def delay(self, qubit: int, duration: float, unit: str) -> Matrix | None:
        """Return what a delay of that length does, beside the channel of its name."""
        if self.device.ideal:
            return None
        return _relaxation(self.device, self.qubits[qubit], self.flavour, duration, unit)

    def readout(self, qubit: int) -> Matrix | None:
        """Return the probability of reading j where i is true, shape (2, 2)."""
        if self.device.ideal:
            return None
        return _probabilities(noise.readout_error(self.device, self.qubits[qubit], self.flavour))

    def twirled(self, name: str, qubits: tuple[int, ...]) -> Factors | None:
        """Return the channel of a gate on some qubits, twirled to a Pauli channel."""
        if self.device.ideal:
            return None
        place = (name, tuple(self.qubits[qubit] for qubit in qubits))
        return noise.twirled_gate(self.device, place, self.flavour)


@dataclass(frozen=True, eq=False)
class OwnNoise:
    """A noise model the user sent along, written for the device's qubits.

    Attributes
    ----------
    whole : NoiseModel
        The model.
    qubits : tuple of int
        The device's qubit behind each qubit of the circuits.
    """

    whole: NoiseModel
    qubits: tuple[int, ...]
    _matrices: dict[int, Matrix] = field(default_factory=dict, repr=False)
    _factors: dict[int, Factors] = field(default_factory=dict, repr=False)

    key = None

    @property
    def ideal(self) -> bool:
        """True if there is no noise."""
        return bool(self.whole.is_ideal())

    @property
    def joined(self) -> tuple[tuple[int, ...], ...]:
        """Groups of qubits whose readout errors depend on each other."""
        local = {physical: at for at, physical in enumerate(self.qubits)}
        return tuple(
            tuple(local[qubit] for qubit in group if qubit in local)
            for group in self.whole._local_readout_errors
            if len(group) > 1
        )

    @property
    def by_qubit(self) -> bool:
        """True if the model holds only errors of gates and readouts by place."""
        default = self.whole._default_readout_error
        return not self.whole._custom_noise_passes and (
            default is None or default.number_of_qubits == 1
        )

    def model(self, qubits: Sequence[int], circuits: Iterable[QuantumCircuit]) -> NoiseModel | None:
        """Return the noise of circuits whose qubit i is ``qubits[i]``."""
        return noise.restrict(self.whole, [self.qubits[qubit] for qubit in qubits])

    def channel(self, name: str, qubit: int) -> Matrix | None:
        """Return what goes wrong after a gate or reset, or before a measurement."""
        error = self._error(name, (qubit,))
        if error is None:
            return None
        if id(error) not in self._matrices:
            self._matrices[id(error)] = _matrix(SuperOp(error))
        return self._matrices[id(error)]

    def delay(self, qubit: int, duration: float, unit: str) -> Matrix | None:
        """Return None: such a model knows no noise that depends on how long a delay is."""
        return None

    def readout(self, qubit: int) -> Matrix | None:
        """Return the probability of reading j where i is true, shape (2, 2)."""
        errors = self.whole._local_readout_errors
        return _probabilities(errors.get((self.qubits[qubit],), self.whole._default_readout_error))

    def twirled(self, name: str, qubits: tuple[int, ...]) -> Factors | None:
        """Return the channel of a gate on some qubits, twirled to a Pauli channel."""
        error = self._error(name, qubits)
        if error is None:
            return None
        if id(error) not in self._factors:
            self._factors[id(error)] = _matrix(SuperOp(error)).diagonal()
        return self._factors[id(error)]

    def _error(self, name: str, qubits: tuple[int, ...]) -> Any:
        place = tuple(self.qubits[qubit] for qubit in qubits)
        error = self.whole._local_quantum_errors.get(name, {}).get(place)
        if error is None:
            error = self.whole._default_quantum_errors.get(name)
        return error


def _matrix(channel: SuperOp) -> Matrix:
    return np.asarray(PTM(channel).data.real, dtype=float)


def _probabilities(error: ReadoutError | None) -> Matrix | None:
    return None if error is None else np.asarray(error.probabilities, dtype=float)


@lru_cache(maxsize=4096)
def _gate_channel(device: Device, place: noise.Place, flavour: noise.Flavour) -> Matrix | None:
    channel = noise.gate_channel(device, place, flavour)
    return None if channel is None else _matrix(channel)


@lru_cache(maxsize=4096)
def _relaxation(
    device: Device, qubit: int, flavour: noise.Flavour, duration: float, unit: str
) -> Matrix | None:
    times = noise.relaxation_times(device, [qubit], flavour)
    if times is None or device.dt is None:
        return None
    ((t1, t2),) = times
    if math.isinf(t1) and math.isinf(t2):
        return None
    seconds = duration * (device.dt if unit == "dt" else noise.SECONDS[unit])
    return _matrix(SuperOp(thermal_relaxation_error(t1, t2, seconds)))
