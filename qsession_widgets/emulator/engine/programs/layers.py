"""Layers of twirled gates in a job's circuits, and what the emulator knows of their noise.

The service learns the noise of layers by running circuits before a job that needs it, or in a job
of its own. Here it is computed from the noise that is simulated, and counted as what learning would
have cost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qiskit.circuit import CircuitInstruction, QuantumCircuit
from qiskit.quantum_info import PauliLindbladMap

from qsession_widgets.emulator.engine.devices.noise_source import Noise
from qsession_widgets.emulator.engine.failure import INVALID_BODY, INVALID_OPTION, JobFailure
from qsession_widgets.emulator.engine.simulation.job_run import JobRun
from qsession_widgets.emulator.engine.simulation.layer_noise import Term, layer_terms, lindblad_map

BASES = 9
"""Circuits that measure all two-qubit Paulis of a layer. Source: `LayerNoiseLearningOptions`."""

DEPTHS = (0, 1, 2, 4, 16, 32)
MOST_LAYERS = 4
RANDOMIZATIONS = 32
SHOTS = 128
"""Defaults of learning. Source: the same."""

OPTIONS = (
    "layer_pair_depths",
    "max_layers_to_learn",
    "num_randomizations",
    "shots_per_randomization",
)
"""Options of learning that count."""

KNOWN_NOTE = (
    "noise of layers: computed from the noise that is simulated, not learned by running; the "
    "executions of learning are counted as if it had run"
)


@dataclass(frozen=True)
class Layer:
    """A unique layer of twirled gates.

    Attributes
    ----------
    instruction : CircuitInstruction
        The box, on qubits of the circuit it was found in.
    gates : QuantumCircuit
        What is in it, its qubits in ascending order.
    qubits : tuple of int
        Their indices in the circuit, ascending.
    occurrences : int
        How often it occurs in all circuits.
    """

    instruction: CircuitInstruction
    gates: QuantumCircuit
    qubits: tuple[int, ...]
    occurrences: int

    @property
    def entangling(self) -> int:
        """The number of gates on more than one qubit."""
        return int(self.gates.num_nonlocal_gates())


def words(error: Exception) -> str:
    """Return what an error of the client's functions says, without a full stop."""
    said = str(getattr(error, "message", None) or error)
    return said.strip("\"'").rstrip(".")[:400]


class Unprepared(JobFailure):
    """A job that the client's preparation does not take.

    Attributes
    ----------
    cause : str
        What its functions say.
    """

    cause = ""


def refused(error: Exception) -> Unprepared:
    """Return the failure of a job that the client's preparation does not take."""
    failure = Unprepared(
        f"The job cannot be prepared as its options ask: {words(error)}. With resilience_level 0, "
        "and without twirling, its circuits run as they are.",
        INVALID_OPTION,
    )
    failure.cause = words(error)
    return failure


def find(circuits: Sequence[QuantumCircuit], boxing: Mapping[str, Any]) -> list[Layer]:
    """Return the unique layers of circuits that have one register ``q``.

    Raises
    ------
    JobFailure
        If a circuit cannot be grouped into layers.
    """
    try:
        from qiskit_mitigation import PEC
        from samplomatic.utils import find_unique_box_instructions
    except ImportError:
        raise JobFailure(
            "The emulator finds layers of gates with qiskit-ibm-runtime 0.51 or newer: "
            "pip install -U qiskit-ibm-runtime.",
            INVALID_BODY,
        ) from None
    found: dict[Any, tuple[CircuitInstruction, QuantumCircuit]] = {}
    counts: Counter[Any] = Counter()
    for circuit in circuits:
        try:
            # The boxing alone, which has no public name and is a part of the public search; the
            # number of times that a layer occurs is lost in that.
            boxed = PEC._box_circuit(circuit, dict(boxing))
            for instruction in boxed.data:
                if (key := reference(instruction)) is None:
                    continue
                counts[key] += 1
                if key not in found:
                    (unique,) = find_unique_box_instructions([instruction], undress_boxes=True)
                    found[key] = (unique, boxed)
        except Exception as error:
            raise refused(error) from error
    layers = []
    for key, (instruction, boxed) in found.items():
        at = [boxed.find_bit(qubit).index for qubit in instruction.qubits]
        gates, qubits = sorted_layer(instruction.operation.body, at)
        layers.append(Layer(instruction, gates, qubits, counts[key]))
    return layers


def reference(instruction: CircuitInstruction) -> str | None:
    """Return the name that noise injection gives a layer, None for what is none."""
    from samplomatic.annotations import InjectNoise
    from samplomatic.utils import get_annotation

    if instruction.name != "box":
        return None
    annotation = get_annotation(instruction.operation, InjectNoise)
    return annotation.ref if annotation is not None and annotation.ref else None


def sorted_layer(
    body: QuantumCircuit, qubits: Sequence[int]
) -> tuple[QuantumCircuit, tuple[int, ...]]:
    """Return a layer with its qubits in ascending order, and those."""
    order = sorted(range(len(qubits)), key=qubits.__getitem__)
    place = {body.qubits[old]: new for new, old in enumerate(order)}
    gates = QuantumCircuit(len(qubits))
    for instruction in body.data:
        if instruction.name != "barrier":
            gates.append(instruction.operation, [place[bit] for bit in instruction.qubits])
    return gates, tuple(qubits[old] for old in order)


def chosen(job: JobRun, layers: Sequence[Layer], options: Mapping[str, Any]) -> list[Layer]:
    """Return the layers to learn: all, or as many as asked for, the most frequent first.

    The service leaves out layers beyond `MOST_LAYERS` where the job does not say otherwise, because
    learning them takes time. Here their noise is known, and the job is told.
    """
    ranked = sorted(layers, key=lambda layer: (-layer.occurrences, -layer.entangling))
    if "max_layers_to_learn" in options:
        most = options["max_layers_to_learn"]
        found = ranked if most is None else ranked[:most]
        if len(found) < len(layers):
            job.note(
                f"{len(found)} of {len(layers)} unique layers are learned, because "
                "max_layers_to_learn says so; the noise of the others is not mitigated"
            )
        return found
    if len(layers) > MOST_LAYERS:
        job.warn(
            f"The circuits have {len(layers)} unique layers, and the noise of all is known here. "
            f"The service learns {MOST_LAYERS} of them unless max_layers_to_learn is set."
        )
    return ranked


def learning_executions(layers: int, options: Mapping[str, Any]) -> int:
    """Return the executions that learning some layers takes."""
    depths = options.get("layer_pair_depths") or DEPTHS
    randomizations = int(options.get("num_randomizations") or RANDOMIZATIONS)
    shots = int(options.get("shots_per_randomization") or SHOTS)
    return layers * len(depths) * BASES * randomizations * shots


def known(layer: Layer, noise: Noise) -> list[Term]:
    """Return the noise of a layer as it is simulated, by position among its qubits."""
    return layer_terms(layer.gates, layer.qubits, noise)


def model(
    job: JobRun,
    layers: Sequence[Layer],
    kept: Sequence[int],
    noise: Noise,
    given: Sequence[Any] | None,
    learning: Mapping[str, Any],
) -> list[tuple[CircuitInstruction, PauliLindbladMap]]:
    """Return the noise of layers, as the client's options take it.

    Parameters
    ----------
    job : JobRun
        Told what was learned.
    layers : sequence of Layer
        Of circuits on the kept qubits.
    kept : sequence of int
        The device's qubit behind each of theirs.
    noise : Noise
        What is simulated.
    given : sequence of LayerError or None
        Noise that the job brings along; a layer that is not in it is taken to have none.
    learning : Mapping
        Options of learning, where nothing is given.
    """
    if given is None:
        learned = chosen(job, layers, learning)
        job.executions += learning_executions(len(learned), learning)
        job.note(KNOWN_NOTE)
        names = {id(layer) for layer in learned}
        terms = [known(layer, noise) if id(layer) in names else [] for layer in layers]
    else:
        by_gates = {_gates(error.circuit, error.qubits): error for error in given}
        terms = [_given(layer, kept, by_gates, job) for layer in layers]
    return [
        (layer.instruction, lindblad_map(each, len(layer.qubits)))
        for layer, each in zip(layers, terms, strict=True)
    ]


def _gates(circuit: QuantumCircuit, qubits: Sequence[int]) -> frozenset[Any]:
    """Return what tells one layer from another: its gates of several qubits, and where they are."""
    at = {bit: qubits[n] for n, bit in enumerate(circuit.qubits)}
    return frozenset(
        (instruction.name, frozenset(at[bit] for bit in instruction.qubits))
        for instruction in circuit.data
        if instruction.name != "barrier" and len(instruction.qubits) > 1
    )


def _given(
    layer: Layer, kept: Sequence[int], by_gates: Mapping[Any, Any], job: JobRun
) -> list[Term]:
    physical = [kept[qubit] for qubit in layer.qubits]
    error = by_gates.get(_gates(layer.gates, physical))
    if error is None or error.error is None:
        job.note(
            f"the layer on qubits {physical} is not in the given noise model: its noise is not "
            "mitigated"
        )
        return []
    position = {qubit: at for at, qubit in enumerate(physical)}
    terms: list[Term] = []
    for label, rate in zip(
        error.error.generators.to_labels(), error.error.rates.tolist(), strict=True
    ):
        letters = [
            (letter, error.qubits[len(label) - 1 - n])
            for n, letter in enumerate(label)
            if letter != "I"
        ]
        if rate and letters and all(qubit in position for _, qubit in letters):
            at = sorted((position[qubit], letter) for letter, qubit in letters)
            terms.append(("".join(letter for _, letter in at), [each for each, _ in at], rate))
    return terms
