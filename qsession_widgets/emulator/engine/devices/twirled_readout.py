"""Noise with measurements that are twirled: the errors of reading 0 and 1 become the same.

A twirled measurement is preceded by a flip, or not, at random, and its outcome flipped back. With a
flip drawn for every shot this is a measurement whose two readout errors are averaged, and whose
relaxation pulls either way; so one circuit stands for all randomizations.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit.circuit.library import XGate
from qiskit.quantum_info import Kraus, SuperOp
from qiskit_aer.noise import NoiseModel, QuantumError, ReadoutError

from qsession_widgets.emulator.engine.devices.noise_source import Factors, Matrix, Noise

_REMEMBERED_MODELS = 128

_models: OrderedDict[int, tuple[NoiseModel, NoiseModel]] = OrderedDict()
"""Models with twirled measurements, by the identity of those they were made of."""


@dataclass(frozen=True, eq=False)
class TwirledReadout:
    """The noise of circuits that measure nothing but their final state, with that twirled.

    Attributes
    ----------
    inner : Noise
        The same without twirling; its readout errors are each qubit's own.
    """

    inner: Noise

    joined = ()

    @property
    def key(self) -> Hashable:
        """A key that identifies this noise; None if it has none."""
        inner = self.inner.key
        return None if inner is None else ("twirled readout", inner)

    @property
    def by_qubit(self) -> bool:
        """True if ``channel``, ``delay`` and ``readout`` say all there is about one-qubit gates."""
        return self.inner.by_qubit

    @property
    def ideal(self) -> bool:
        """True if there is no noise."""
        return self.inner.ideal

    def twirled(self, name: str, qubits: tuple[int, ...]) -> Factors | None:
        """Return the channel of a gate on some qubits, twirled to a Pauli channel."""
        return self.inner.twirled(name, qubits)

    def model(self, qubits: Sequence[int], circuits: Iterable[QuantumCircuit]) -> NoiseModel | None:
        """Return the noise of circuits whose qubit i is ``qubits[i]``."""
        model = self.inner.model(qubits, circuits)
        if model is None:
            return None
        known = _models.get(id(model))
        # A model that is remembered is kept alive, so that no other takes its identity.
        if known is None or known[0] is not model:
            known = _models[id(model)] = (model, _symmetric(model))
            if len(_models) > _REMEMBERED_MODELS:
                _models.popitem(last=False)
        return known[1]

    def channel(self, name: str, qubit: int) -> Matrix | None:
        """Return what goes wrong after a gate or reset, or before a measurement."""
        found = self.inner.channel(name, qubit)
        if found is None or name != "measure":
            return found
        flip = np.diag([1.0, 1.0, -1.0, -1.0])
        return np.asarray((found + flip @ found @ flip) / 2)

    def delay(self, qubit: int, duration: float, unit: str) -> Matrix | None:
        """Return what a delay of that length does, beside the channel of its name."""
        return self.inner.delay(qubit, duration, unit)

    def readout(self, qubit: int) -> Matrix | None:
        """Return the probability of reading j where i is true, shape (2, 2)."""
        found = self.inner.readout(qubit)
        return None if found is None else (found + found[::-1, ::-1]) / 2


def _symmetric(model: NoiseModel) -> NoiseModel:
    found = copy.deepcopy(model)
    if (default := found._default_readout_error) is not None:
        found._default_readout_error = _averaged(default)
    found._local_readout_errors = {
        at: _averaged(error) for at, error in model._local_readout_errors.items()
    }
    errors = {name: dict(by_qubits) for name, by_qubits in model._local_quantum_errors.items()}
    for at, error in errors.get("measure", {}).items():
        errors["measure"][at] = _averaged_channel(error)
    found._local_quantum_errors = errors
    defaults = dict(model._default_quantum_errors)
    if "measure" in defaults:
        defaults["measure"] = _averaged_channel(defaults["measure"])
    found._default_quantum_errors = defaults
    return found


def _averaged(error: ReadoutError) -> ReadoutError:
    found = np.asarray(error.probabilities, dtype=float)
    return ReadoutError((found + found[::-1, ::-1]) / 2)


def _averaged_channel(error: QuantumError) -> QuantumError:
    channel, flip = SuperOp(error), SuperOp(XGate())
    turned = flip.compose(channel).compose(flip)
    return QuantumError(Kraus(SuperOp((channel.data + turned.data) / 2)))
