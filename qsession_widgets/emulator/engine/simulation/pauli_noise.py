"""Noise twirled to Pauli channels: gates err by Pauli operators, drawn with fixed probabilities.

Averaging a channel over conjugations by Pauli operators leaves the diagonal of its Pauli transfer
matrix. For programs that twirl their gates that is no approximation; for others coherent and
non-unital parts, such as the decay towards the ground state, are replaced by their average.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from itertools import product

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import QuantumCircuit
from qiskit_aer.noise import NoiseModel, QuantumError, ReadoutError, pauli_error

from qsession_widgets.emulator.engine.devices.noise import CompactNoise, places
from qsession_widgets.emulator.engine.devices.noise_source import Factors, Matrix, Noise

_COMMUTES = np.array(
    [[1.0, 1, 1, 1], [1, 1, -1, -1], [1, -1, 1, -1], [1, -1, -1, 1]],
)
"""True if two of I, X, Y, Z commute (1) or anticommute (-1)."""

_SMALLEST_FACTOR = 1e-9
"""Calibrations of broken gates give slightly negative factors, which no Pauli channel in the form
of rates has; they are taken as zero."""


def letters(count: int) -> list[str]:
    """Return all Pauli labels, the first qubit's letter first and varying fastest."""
    return ["".join(reversed(label)) for label in product("IXYZ", repeat=count)]


@lru_cache(maxsize=8)
def _signs(count: int) -> NDArray[np.float64]:
    return np.asarray(reduce(np.kron, [_COMMUTES] * count), dtype=float)


def probabilities(factors: Factors) -> NDArray[np.float64]:
    """Return how likely each Pauli operator is that a channel applies, in the order of `letters`.

    Parameters
    ----------
    factors : ndarray
        The channel, as `noise.twirled_gate` returns it.
    """
    signs = _signs(_qubits(factors))
    found: NDArray[np.float64] = (signs @ factors / len(factors)).clip(0.0, 1.0)
    return np.asarray(found / found.sum())


def rates(factors: Factors) -> NDArray[np.float64]:
    """Return the rates of a channel as a Pauli-Lindblad model, in the order of `letters`.

    A Pauli operator that anticommutes with a generator of rate r shrinks by exp(-2 r).
    """
    logarithms: NDArray[np.float64] = np.log(np.maximum(factors, _SMALLEST_FACTOR))
    found = _signs(_qubits(factors)) @ logarithms / len(factors)
    found[0] = 0.0
    return np.asarray(found)


def _qubits(factors: Factors) -> int:
    return (len(factors).bit_length() - 1) // 2


@dataclass(frozen=True, eq=False)
class PauliNoise:
    """Some noise, twirled.

    Attributes
    ----------
    inner : Noise
        The noise as it is. Its readout errors are kept.
    """

    inner: Noise
    _errors: dict[tuple[str, tuple[int, ...]], QuantumError | None] = field(
        default_factory=dict, repr=False
    )

    @property
    def key(self) -> Hashable:
        """A key that identifies this noise; None if it has none."""
        return None if self.inner.key is None else ("twirled", self.inner.key)

    @property
    def ideal(self) -> bool:
        """True if there is no noise."""
        return self.inner.ideal

    @property
    def joined(self) -> tuple[tuple[int, ...], ...]:
        """Groups of qubits whose noise is not each one's own."""
        return self.inner.joined

    @property
    def by_qubit(self) -> bool:
        """True if ``channel``, ``delay`` and ``readout`` say all there is about one-qubit gates."""
        return self.inner.by_qubit

    def channel(self, name: str, qubit: int) -> Matrix | None:
        """Return what goes wrong after a gate or reset, or before a measurement."""
        factors = self.inner.twirled(name, (qubit,))
        return None if factors is None else np.diag(factors)

    def delay(self, qubit: int, duration: float, unit: str) -> Matrix | None:
        """Return what a delay of that length does, beside the channel of its name."""
        matrix = self.inner.delay(qubit, duration, unit)
        return None if matrix is None else np.diag(matrix.diagonal())

    def readout(self, qubit: int) -> Matrix | None:
        """Return the probability of reading j where i is true, shape (2, 2)."""
        return self.inner.readout(qubit)

    def twirled(self, name: str, qubits: tuple[int, ...]) -> Factors | None:
        """Return the channel of a gate on some qubits, twirled to a Pauli channel."""
        return self.inner.twirled(name, qubits)

    def misread(
        self, bits: NDArray[np.uint8], qubit: int, rng: np.random.Generator
    ) -> NDArray[np.uint8]:
        """Return outcomes of one qubit with the errors of its measurement.

        Parameters
        ----------
        bits : ndarray
            What a measurement without errors gives, shape ``(shots,)``.
        qubit : int
            The qubit that is measured.
        rng : Generator
            For what is drawn.
        """
        factors, readout = self.twirled("measure", (qubit,)), self.readout(qubit)
        if factors is not None:
            bits = bits ^ (rng.random(len(bits)) < (1 - factors[3]) / 2)
        if readout is not None:
            wrong = np.where(bits, readout[1, 0], readout[0, 1])
            bits = bits ^ (rng.random(len(bits)) < wrong)
        return bits

    def model(self, qubits: Sequence[int], circuits: Iterable[QuantumCircuit]) -> NoiseModel | None:
        """Return the noise of circuits whose qubit i is ``qubits[i]``."""
        model = CompactNoise()
        empty = True
        for name, at in sorted(places(circuits)):
            error = self._error(name, tuple(qubits[local] for local in at))
            if error is not None:
                model.add_quantum_error(error, name, at)
                empty = False
            if name == "measure":
                readout = self.readout(qubits[at[0]])
                if readout is not None:
                    model.add_readout_error(ReadoutError(readout), at)
                    empty = False
        return None if empty else model

    def _error(self, name: str, qubits: tuple[int, ...]) -> QuantumError | None:
        if (name, qubits) not in self._errors:
            factors = self.twirled(name, qubits)
            self._errors[name, qubits] = None if factors is None else _quantum_error(factors)
        return self._errors[name, qubits]


def _quantum_error(factors: Factors) -> QuantumError:
    likely = probabilities(factors)
    labels = letters(_qubits(factors))
    # Aer's labels have the last qubit first
    terms = [(label[::-1], chance) for label, chance in zip(labels, likely, strict=True)]
    return pauli_error(terms)
