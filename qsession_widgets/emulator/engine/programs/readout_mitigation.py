"""Measurement mitigation without drawing randomizations, which is the service's default.

Twirled measurements are simulated as one circuit for all randomizations, whose readout errors are
averaged, and the calibration as what it counts: flips of each qubit. The correction is the
client's own. Wide jobs have twirled gates in the same way, by the Pauli channels that the
randomizations average to, for no simulation draws so many wide circuits one by one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from qiskit.circuit import QuantumCircuit
from qiskit.primitives import PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.observables_array import ObservablesArray
from qiskit.quantum_info import PauliLindbladMap

from qsession_widgets.emulator.engine.devices.noise_source import Noise
from qsession_widgets.emulator.engine.devices.twirled_readout import TwirledReadout
from qsession_widgets.emulator.engine.failure import INVALID_OPTION, JobFailure
from qsession_widgets.emulator.engine.programs import (
    estimator_pubs,
    gate_twirling,
    layers,
    prepared,
)
from qsession_widgets.emulator.engine.programs.estimator_pubs import Work
from qsession_widgets.emulator.engine.programs.mitigation import JobOptions
from qsession_widgets.emulator.engine.programs.pubs import CircuitFacts, Options, kept_qubits
from qsession_widgets.emulator.engine.simulation.job_run import JobRun
from qsession_widgets.emulator.engine.simulation.pauli_noise import PauliNoise

WIDE = 20
"""Qubits from which randomizations are not simulated one by one, although they were asked for."""

WIDE_WITH_LAYERS = 8
"""The same of PEC and PEA, whose randomizations are many times as many: ten qubits take minutes."""

LONG_PEC = 20
"""Gates of two qubits from which PEC is not simulated one randomization at a time either.

They grow exponentially with the noise that is undone: forty-five gates of six qubits took minutes.
"""

NOTE = (
    "measurement twirling: one circuit for all randomizations, its readout errors averaged over "
    "both outcomes, as if every shot were randomized"
)


GATES_NOTE = (
    "gate twirling: one circuit for all randomizations, the noise of gates the Pauli channel that "
    "they average to, the gates that twirling adds among them"
)


@dataclass
class Corrected:
    """A job whose readout is corrected.

    Attributes
    ----------
    works : sequence of Work
        With observables made of Paulis, and the shots that are executed.
    noise : Noise
        With twirled measurements.
    randomizations : sequence of int
        Of each PUB.
    position : Mapping
        Where each of the device's qubits is among those of the job.
    calibration, largest : int
        How often the calibration is executed, in all and for the largest PUBs.
    seed : int or None
        Makes the calibration repeatable.
    boxing : Mapping or None
        How gates are grouped into layers that are twirled; None where they are not.
    layer_noise : Mapping or None
        The noise of layers by their names, where it is injected.
    learning : int
        Executions of learning it.
    """

    works: Sequence[Work]
    noise: Noise
    randomizations: Sequence[int]
    position: Mapping[int, int]
    calibration: int
    largest: int
    seed: int | None
    boxing: Mapping[str, Any] | None = None
    layer_noise: Mapping[str, PauliLindbladMap] | None = None
    learning: int = 0

    def twirled(self, work: Work, injected: float = 0.0) -> Work:
        """Return a PUB with what twirling adds, and so many times the noise of its layers.

        It is returned as it is where no gates are twirled.
        """
        if self.boxing is None:
            return work
        circuit = gate_twirling.dressed(
            work.facts, tuple(self.position), self.boxing, self.layer_noise, injected
        )
        return with_circuit(work, circuit)

    @cached_property
    def scales(self) -> dict[str, float]:
        """Factors of the terms: the result of the calibration."""
        if not self.calibration:
            return {}
        from qiskit_mitigation import TREX

        width = len(self.position)
        flips = _flips(self.noise, width, self.largest, self.seed)
        labels = set().union(*(found for work in self.works for found in work.wanted.values()))
        return {
            label: float(TREX.calculate_trex_factor(flips, _letters(label, self.position, width)))
            for label in sorted(labels)
        }

    def describe(self, results: Sequence[PubResult]) -> None:
        """Write into the results what the service says of randomizations."""
        for result, count in zip(results, self.randomizations, strict=True):
            result.metadata.update(num_randomizations=count, compilation={})
            result.metadata.setdefault("resilience", {})


def with_circuit(work: Work, circuit: QuantumCircuit) -> Work:
    """Return a PUB with another circuit that has the same parameters."""
    pub = EstimatorPub(
        circuit, work.pub.observables, work.pub.parameter_values, work.pub.precision, validate=False
    )
    return replace(work, pub=pub, facts=CircuitFacts.of(circuit))


def applies(job: JobRun, works: Sequence[Work], asked: JobOptions) -> bool:
    """True if a job asks for what needs no randomizations to be drawn.

    That is the correction of the readout; in wide jobs also twirling, extrapolation and PEC.
    """
    final = asked.final
    resilience = final.resilience
    if final.dynamical_decoupling.enable:
        return False
    if any(
        instruction.is_control_flow() for work in works for instruction in work.facts.straight.data
    ):
        return False
    width = len(kept_qubits(work.qubits() for work in works))
    if width > (WIDE_WITH_LAYERS if asked.by_layers else WIDE):
        return True
    # drawn one by one they are exact, which is what strict asks for
    if (
        resilience.pec_mitigation
        and not job.simulation.strict
        and any(_entangling(work) > LONG_PEC for work in works)
    ):
        return True
    return bool(
        resilience.measure_mitigation
        and not (resilience.zne_mitigation or final.twirling.enable_gates or asked.by_layers)
        and not asked.model.twirling.model_fields_set
    )


def _entangling(work: Work) -> int:
    return sum(
        len(instruction.qubits) == 2 and instruction.name != "barrier"
        for instruction in work.facts.straight.data
    )


def check_width(works: Sequence[Work], asked: JobOptions) -> None:
    """Refuse a wide job whose randomizations would have to be drawn one by one, which takes hours.

    Raises
    ------
    JobFailure
        If it mitigates by layers, and something hinders their average.
    """
    kept = kept_qubits(work.qubits() for work in works)
    if asked.by_layers and len(kept) > WIDE:
        raise JobFailure(
            f"PEC and PEA of {len(kept)} qubits are simulated as what all randomizations average "
            "to, which needs circuits without control flow and dynamical decoupling, and noise of "
            f"single gates and readouts: leave the rest out, or use at most {WIDE} qubits.",
            INVALID_OPTION,
        )


def prepare(
    job: JobRun, works: Sequence[Work], options: Options, asked: JobOptions
) -> Corrected | None:
    """Return how the readout of a job is corrected; None if randomizations have to be drawn.

    Raises
    ------
    JobFailure
        If an observable has too many projectors.
    """
    from qiskit_ibm_runtime.executor.calculate_twirling_shots import calculate_twirling_shots
    from qiskit_ibm_runtime.executor_estimator.pec import calculate_pec_twirling_shots
    from qiskit_ibm_runtime.executor_estimator.utils import estimator_options_to_boxing_options

    kept = kept_qubits(work.qubits() for work in works)
    inner = options.noise_for(job, [], kept)
    if inner.joined or not applies(job, works, asked):
        return None
    twirling = asked.final.twirling
    mitigated = bool(asked.final.resilience.measure_mitigation)
    noise: Noise = inner
    if mitigated or twirling.enable_measure:
        noise = TwirledReadout(inner)
        job.note(NOTE)
    boxing = None
    if twirling.enable_gates or asked.by_layers:
        noise = PauliNoise(noise)
        job.note(GATES_NOTE)
        boxing = estimator_options_to_boxing_options(
            twirling, measure_mitigation=mitigated, inject_noise=asked.by_layers
        )
    randomized = boxing is not None or twirling.enable_measure
    pec = asked.final.resilience.pec_mitigation
    split = [
        (calculate_pec_twirling_shots if pec else calculate_twirling_shots)(
            work.shots, twirling.num_randomizations, twirling.shots_per_randomization
        )
        if randomized
        else (1, work.shots)
        for work in works
    ]
    corrected = [estimator_pubs.broadcast(_of_paulis(work.pub)) for work in works]
    corrected = [
        replace(work, executed=count * shots)
        for work, (count, shots) in zip(corrected, split, strict=True)
    ]
    # One calibration for PUBs of the same number of shots, as the client makes it.
    learning = asked.final.resilience.measure_noise_learning.num_randomizations
    calibrations = {
        (count if learning == "auto" else int(learning)) * shots
        for count, shots in split
        if mitigated
    }
    layer_noise, before = None, job.executions
    if boxing is not None and asked.by_layers:
        circuits = [prepared.registered(work.facts, kept) for work in works]
        found = layers.find(circuits, boxing)
        known = layers.model(job, found, kept, inner, asked.layer_noise, asked.learning)
        layer_noise = {str(layers.reference(layer)): each for layer, each in known}
    return Corrected(
        corrected,
        noise,
        [count for count, _ in split],
        {qubit: at for at, qubit in enumerate(kept)},
        sum(calibrations),
        max(calibrations, default=0),
        options.seed,
        boxing,
        layer_noise,
        job.executions - before,
    )


def _letters(label: str, position: Mapping[int, int], width: int) -> str:
    """Return a term on the kept qubits."""
    letters = ["I"] * width
    for qubit, letter in enumerate(reversed(label)):
        if letter != "I":
            letters[width - 1 - position[qubit]] = letter
    return "".join(letters)


def _of_paulis(pub: EstimatorPub) -> EstimatorPub:
    shape = pub.observables.shape
    observables = np.empty(shape, dtype=object)
    for index in np.ndindex(*shape):
        observables[index] = estimator_pubs.without_projectors(dict(pub.observables[index]))
    return EstimatorPub(
        pub.circuit, ObservablesArray(observables), pub.parameter_values, pub.precision
    )


def _flips(noise: Noise, width: int, shots: int, seed: int | None) -> PauliLindbladMap:
    """Return how often each qubit was read wrongly, as the client's calibration says it."""
    rng = np.random.default_rng(None if seed is None else [seed, shots, 2])
    found: list[Any] = []
    for qubit in range(width):
        matrix, channel = noise.readout(qubit), noise.channel("measure", qubit)
        kept = 1.0 if matrix is None else 1 - 2 * float(matrix[0, 1])
        kept *= 1.0 if channel is None else float(channel[3, 3])
        rate = rng.binomial(shots, min(max((1 - kept) / 2, 0.0), 1.0)) / shots
        found.append(("X", [qubit], rate))
    return PauliLindbladMap.from_sparse_list(found, num_qubits=width)
