"""The noise learner: the noise of layers of gates, computed from the noise that is simulated.

The service learns it from circuits that repeat each layer. The emulator knows what it simulates, so
the answer is exact, has no standard deviation, and costs no simulation; the executions are counted
as if the learning had run, because they are what a user pays for. Results and log say so.

There are two programs of this name: one takes circuits and finds their layers, the other, the
client's `NoiseLearnerV3`, takes the layers as boxes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from qiskit.circuit import CircuitInstruction
from qiskit.quantum_info import PauliList, QubitSparsePauliList
from qiskit_ibm_runtime import RuntimeEncoder

from qsession_widgets.emulator.engine import job_decoder
from qsession_widgets.emulator.engine.devices.noise_source import DeviceNoise, Noise
from qsession_widgets.emulator.engine.failure import INVALID_BODY, JobFailure
from qsession_widgets.emulator.engine.programs import executor, layers, prepared
from qsession_widgets.emulator.engine.programs.layers import Layer
from qsession_widgets.emulator.engine.programs.pubs import CircuitFacts, Options, kept_qubits
from qsession_widgets.emulator.engine.simulation.job_run import JobRun
from qsession_widgets.emulator.engine.simulation.layer_noise import (
    Term,
    layer_terms,
    lindblad_map,
    readout_terms,
)

SOURCE = "the noise that the emulator simulates, not learned by running"


def run(job: JobRun, text: str) -> str:
    """Run a job of this program: one of ``PROGRAMS``, which says what goes in and out."""
    try:
        newer = "schema_version" in json.loads(text)
    except (ValueError, TypeError):
        newer = False
    job.note(layers.KNOWN_NOTE)
    return _of_boxes(job, text) if newer else _of_circuits(job, text)


def _of_circuits(job: JobRun, text: str) -> str:
    """Find the layers of circuits, and return the noise of each."""
    from qiskit_ibm_runtime.results import LayerError, PauliLindbladError

    params = job_decoder.decode(text)
    posted = params.get("circuits") if isinstance(params, dict) else None
    if not isinstance(posted, list) or not posted:
        raise JobFailure(
            'The job has no circuits: post a list with at least one under "circuits".', INVALID_BODY
        )
    options = Options.read(job, params)
    strategy = str(options.take("twirling_strategy") or "active-accum").replace("-", "_")
    learning = {name: options.values.pop(name) for name in layers.OPTIONS if name in options.values}
    options.take("support_qiskit")
    options.warn_about_rest(job)
    facts = [CircuitFacts.of(job_decoder.as_circuit(value)) for value in posted]
    for index, fact in enumerate(facts):
        fact.check(job.device, index)
    kept = kept_qubits(fact.active for fact in facts)
    boxing = {
        "enable_gates": True,
        "enable_measures": True,
        "measure_annotations": "all",
        "twirling_strategy": strategy,
    }
    found = layers.find([prepared.registered(fact, kept) for fact in facts], boxing)
    learned = layers.chosen(job, found, learning)
    job.executions += layers.learning_executions(len(learned), learning)
    noise = options.noise_for(job, [], kept)
    errors = []
    for layer in learned:
        labels, rates = _labels(_complete(layers.known(layer, noise), layer), len(layer.qubits))
        errors.append(
            LayerError(
                layer.gates,
                [kept[qubit] for qubit in layer.qubits],
                PauliLindbladError(PauliList(labels), rates),
            )
        )
    metadata = {"backend": job.device.name, "source": SOURCE}
    # The client makes a result of it; the result's own tag it does not expect here.
    return json.dumps({"data": errors, "metadata": metadata}, cls=RuntimeEncoder)


def _complete(terms: Sequence[Term], layer: Layer) -> list[Term]:
    """Return terms with those whose rate is zero, on one qubit and on the two of each gate."""
    every: list[Term] = [(one, [at], 0.0) for at in range(len(layer.qubits)) for one in "XYZ"]
    index = {bit: at for at, bit in enumerate(layer.gates.qubits)}
    for instruction in layer.gates.data:
        if len(instruction.qubits) == 2:
            at = sorted(index[bit] for bit in instruction.qubits)
            every += [(one + other, at, 0.0) for one in "XYZ" for other in "XYZ"]
    return [*every, *terms]


def _labels(terms: Sequence[Term], width: int) -> tuple[list[str], list[float]]:
    """Return the terms as Pauli labels, equal ones added up, and their rates."""
    rates: dict[str, float] = {}
    for letters, at, rate in terms:
        label = ["I"] * width
        for letter, position in zip(letters, at, strict=True):
            label[width - 1 - position] = letter
        name = "".join(label)
        rates[name] = rates.get(name, 0.0) + rate
    return list(rates), list(rates.values())


def _of_boxes(job: JobRun, text: str) -> str:
    """Return the noise of layers and measurements that are given as boxes."""
    instructions, options, schema = _read(text)
    for name, value in options.model_dump().items():
        if _no_effect(name, value):
            job.without_effect(
                name, f"The option {name} = {value!r:.80} has no effect in the local emulator."
            )
    noise = DeviceNoise(job.device, tuple(range(job.device.num_qubits)), "target")
    learning = options.model_dump()
    data = []
    for number, instruction in enumerate(instructions):
        terms, qubits, protocol = _noise_of(job, instruction, number, noise)
        if protocol == "trex":
            job.executions += options.num_randomizations * options.shots_per_randomization
        else:
            job.executions += layers.learning_executions(1, learning)
        data.append(_result(schema, terms, qubits, protocol, options.layer_pair_depths))
    return str(schema.NoiseLearnerV3ResultsModel(data=data).model_dump_json())


def _no_effect(name: str, value: Any) -> bool:
    if name in ("bit_flip_checks", "post_selection"):
        enabled = [value, *(each for each in value.values() if isinstance(each, Mapping))]
        return any(each.get("enable") for each in enabled)
    return (name, value) in (("init_qubits", False),) or (name == "rep_delay" and value is not None)


def _read(text: str) -> tuple[list[CircuitInstruction], Any, Any]:
    """Return the boxes, the options, and the module of the posted schema's version."""
    try:
        from qiskit_ibm_runtime.noise_learner_v3.params_converters import (
            NOISE_LEARNER_V3_PARAMS_CONVERTERS as converters,
        )
    except ImportError:
        raise JobFailure(
            "The emulator answers NoiseLearnerV3 with qiskit-ibm-runtime 0.50 or newer: "
            "pip install -U qiskit-ibm-runtime.",
            INVALID_BODY,
        ) from None
    params = json.loads(text)
    version = params["schema_version"]
    if version not in converters:
        raise JobFailure(
            f"The noise learner's schema version {version!r} is not known here; known are "
            f"{', '.join(converters)}.",
            INVALID_BODY,
        )
    executor.refuse_old_serializations(params)
    kind = converters[version].model
    try:
        model = kind(**{name: params[name] for name in kind.model_fields if name in params})
        circuit = model.instructions.to_quantum_circuit()
    except Exception as error:
        raise JobFailure(
            f"The noise learner's parameters do not fit schema {version}: {str(error)[:400]}",
            INVALID_BODY,
        ) from error
    return list(circuit.data), model.options, sys.modules[kind.__module__]


def _noise_of(
    job: JobRun, instruction: CircuitInstruction, number: int, noise: Noise
) -> tuple[list[Term], int, str]:
    """Return the noise of a box, its number of qubits, and the protocol that would learn it."""
    from qiskit_ibm_runtime.noise_learner_v3.find_learning_protocol import find_learning_protocol
    from samplomatic.utils import undress_box

    try:
        protocol = find_learning_protocol(instruction)
        box = undress_box(instruction.operation)
        physical = [int(qubit._index) for qubit in instruction.qubits]
    except Exception as error:
        raise JobFailure(
            f"Instruction {number} is not a layer in a box: {str(error)[:200]}", INVALID_BODY
        ) from error
    if protocol is None or any(not 0 <= q < job.device.num_qubits for q in physical):
        raise JobFailure(
            f"Instruction {number} cannot be learned: a box holds either Clifford gates side by "
            f"side or one measurement on each of its qubits, on qubits of {job.device.name}.",
            INVALID_BODY,
        )
    if protocol.value == "trex":
        return readout_terms(sorted(physical), noise), len(physical), "trex"
    gates, qubits = layers.sorted_layer(box.body, physical)
    return layer_terms(gates, qubits, noise), len(qubits), "lindblad"


def _result(
    schema: Any, terms: Sequence[Term], width: int, protocol: str, depths: Sequence[int]
) -> Any:
    """Return the result model of one box; a generator for each rate."""
    from qiskit_ibm_runtime.results.noise_learner_v3 import NoiseLearnerV3Result

    found = lindblad_map(terms, width)
    listed = [
        QubitSparsePauliList.from_sparse_list([(letters, at)], width)
        for letters, at, _ in found.to_sparse_list()
    ]
    kept: dict[str, Any] = (
        {"fraction_kept": 1.0, "success_rates": {}}
        if protocol == "trex"
        else {
            "fraction_kept": dict.fromkeys(depths, 1.0),
            "success_rates": {depth: {} for depth in depths},
        }
    )
    metadata = {"learning_protocol": protocol, "post_selection": kept}
    made = NoiseLearnerV3Result.from_generators(listed, found.rates, metadata=metadata)
    tensor = schema.F64TensorModel
    return schema.NoiseLearnerV3ResultModel(
        generators_sparse=[each.to_sparse_list() for each in listed],
        num_qubits=width,
        rates=tensor.from_numpy(made._rates),
        rates_std=tensor.from_numpy(made._rates_std),
        metadata=metadata,
    )
