"""Jobs as the real client writes them, run in this process or by upstream's local mode."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, reduce
from typing import Any

import numpy as np
import qiskit_ibm_runtime.fake_provider as fake_provider
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.circuit.library import U2Gate, U3Gate
from qiskit.primitives import (
    BackendEstimatorV2,
    BackendSamplerV2,
    PrimitiveResult,
    SamplerPubResult,
)
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit_ibm_runtime import RuntimeDecoder, RuntimeEncoder
from qiskit_ibm_runtime.decoders.defaults import DEFAULT_DECODERS
from qiskit_ibm_runtime.executor_sampler import Sampler
from qiskit_ibm_runtime.fake_provider.local_service import QiskitRuntimeLocalService
from qiskit_ibm_runtime.options_models.executor import ExecutorOptions
from qiskit_ibm_runtime.quantum_program.params_converters import QUANTUM_PROGRAM_PARAMS_CONVERTERS
from scipy import stats

from qsession_widgets.emulator.engine import programs

DEVICES = {
    "fake_manila": "FakeManilaV2",
    "fake_london": "FakeLondonV2",
    "fake_fractional": "FakeFractionalBackend",
    "fake_algiers": "FakeAlgiers",
    "fake_fez": "FakeFez",
}


@contextmanager
def quiet() -> Iterator[None]:
    """Let other packages warn as they please."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@cache
def backend(name: str) -> Any:
    """Return upstream's fake backend of a name."""
    with quiet():
        return getattr(fake_provider, DEVICES[name])()


def sampler_params(pubs: Iterable[Any], **options: Any) -> str:
    """Return a sampler job's parameters as the client posts them."""
    coerced = [SamplerPub.coerce(pub) for pub in pubs]
    return json.dumps({"pubs": coerced, "options": options, "version": 2}, cls=RuntimeEncoder)


def estimator_params(pubs: Iterable[Any], *, level: int | None = None, **options: Any) -> str:
    """Return an estimator job's parameters as the client posts them, at a resilience level."""
    coerced = [EstimatorPub.coerce(pub) for pub in pubs]
    params: dict[str, Any] = {"pubs": coerced, "options": options, "version": 2}
    if level is not None:
        params["resilience_level"] = level
    return json.dumps(params, cls=RuntimeEncoder)


def run(
    program: str, device: str, params: str, options: Mapping[str, Any] | None = None, **more: Any
) -> tuple[dict[str, Any], Any]:
    """Run a job in this process; return its outcome and its decoded result, None if it failed."""
    head = {"program_id": program, "backend": device, "options": dict(options or {})}
    if "simulation" in more:
        head["simulation"] = more.pop("simulation")
    settings = {"memory_limit": None, **more}
    outcome, text = programs.run(head, params, **settings)
    return outcome, json.loads(text, cls=RuntimeDecoder) if text else None


def completed(program: str, device: str, params: str, **options: Any) -> PrimitiveResult:
    """Run a job that must not fail, and return its result."""
    outcome, result = run(program, device, params, **options)
    assert outcome["status"] == "completed", outcome["reason"]
    return result


def upstream_sampler(
    name: str, circuits: Sequence[Any], shots: int, seed: int
) -> list[SamplerPubResult]:
    """Run PUBs in upstream's local mode, each in a job of its own.

    In one job they would meet an error of Aer's: where it picks the density matrix for one circuit
    and single states for another, noise with Kraus operators makes one of the two forget its gates.
    """
    with quiet():
        sampler = BackendSamplerV2(backend=backend(name), options={"seed_simulator": seed})
        return [sampler.run([pub], shots=shots).result()[0] for pub in circuits]


def upstream_estimator(name: str, pubs: Sequence[Any], seed: int) -> PrimitiveResult:
    """Run PUBs in upstream's local mode."""
    with quiet():
        estimator = BackendEstimatorV2(backend=backend(name), options={"seed_simulator": seed})
        return estimator.run(pubs).result()


@contextmanager
def submitted_programs() -> Iterator[list[Any]]:
    """Collect the quantum programs that the client's local mode runs."""
    collected: list[Any] = []
    original = QiskitRuntimeLocalService._run_executor

    def run(self: Any, backend: Any, options: Any, inputs: Any, dry_run: bool = False) -> Any:
        collected.append(inputs)
        return original(self, backend, options, inputs, dry_run)

    QiskitRuntimeLocalService._run_executor = run
    try:
        yield collected
    finally:
        QiskitRuntimeLocalService._run_executor = original


def client_side_sampler(name: str, circuits: Sequence[Any], shots: int) -> tuple[Any, Any]:
    """Run circuits with the client-side sampler in local mode.

    Return its result, and the quantum program it prepared.
    """
    with quiet(), submitted_programs() as collected:
        sampler = Sampler(backend(name))
        sampler.options.default_shots = shots
        result = sampler.run(circuits).result()
    return result, collected[0]


def executor_params(program: Any, version: str = "v2.0") -> str:
    """Return a quantum program as the client posts it."""
    model = QUANTUM_PROGRAM_PARAMS_CONVERTERS[version].encoder(program, ExecutorOptions())
    return json.dumps(model.model_dump(mode="json"))


def through_executor(program: Any, device: str, version: str = "v2.0", **more: Any) -> Any:
    """Encode a program as the client does, run it here, and decode it as the client does."""
    head = {"program_id": "executor", "backend": device, "options": {}, **more}
    outcome, text = programs.run(head, executor_params(program, version), memory_limit=None)
    assert outcome["status"] == "completed", outcome["reason"]

    def decode(result: Any, decoder: Any) -> Any:
        return decoder.decode(result) if decoder.is_applicable(result) else result

    with quiet():
        return reduce(decode, DEFAULT_DECODERS["executor"], text)


def random_circuit(
    name: str, seed: int, width: int = 4, length: int = 30, *, dynamic: bool = True
) -> QuantumCircuit:
    """Return a random circuit in a device's own gates, as wide as the device.

    It acts on a few connected qubits, measures one of them in the middle and acts on the outcome,
    resets another, delays and puts barriers across idle qubits, and leaves a classical bit unused.
    """
    device = backend(name)
    rng = np.random.default_rng([seed, len(name)])
    edges = list(device.coupling_map.get_edges())
    chosen = [int(rng.integers(device.num_qubits))]
    while len(chosen) < width:
        near = sorted({b for a, b in edges if a in chosen} | {a for a, b in edges if b in chosen})
        near = [qubit for qubit in near if qubit not in chosen]
        chosen.append(int(rng.choice(near)))
    inner = [edge for edge in edges if set(edge) <= set(chosen)]
    gates = set(device.configuration().basis_gates)
    entangler = next(gate for gate in ("cx", "ecr", "cz") if gate in gates)

    circuit = QuantumCircuit(QuantumRegister(device.num_qubits, "q"))
    middle, final = ClassicalRegister(2, "middle"), ClassicalRegister(width, "final")
    circuit.add_register(middle, final)

    def rotate(qubit: int) -> None:
        if "sx" in gates:
            circuit.rz(rng.uniform(0, 6.3), qubit)
            circuit.sx(qubit)
        else:
            circuit.append(U2Gate(rng.uniform(0, 6.3), rng.uniform(0, 6.3)), [qubit])

    for qubit in chosen:
        rotate(qubit)
    for step in range(length):
        if rng.random() < 0.35:
            a, b = inner[int(rng.integers(len(inner)))]
            getattr(circuit, entangler)(int(a), int(b))
        else:
            rotate(int(rng.choice(chosen)))
        if not dynamic:
            continue
        if step == length // 3:
            circuit.measure(chosen[0], middle[0])
            circuit.barrier()
            with circuit.if_test((middle[0], 1)):
                if "x" in gates:
                    circuit.x(chosen[1])
                else:
                    circuit.append(U3Gate(np.pi, 0, np.pi), [chosen[1]])
        if step == length // 2:
            circuit.reset(chosen[2])
            if device.dt and _physical(device):
                # In time steps, because the client's serialization loses every other unit.
                circuit.delay(round(2e-5 / device.dt), range(device.num_qubits), unit="dt")
    circuit.measure(chosen, final)
    return circuit


def _physical(device: Any) -> bool:
    """Whether no qubit dephases slower than physics allows; upstream cannot delay one that does."""
    properties = device.properties()
    qubits = range(device.num_qubits)
    return all(properties.t2(qubit) <= 2 * properties.t1(qubit) for qubit in qubits)


def parametric_circuit(name: str, qubits: Sequence[int]) -> QuantumCircuit:
    """Return a measured circuit on two coupled qubits with two parameters, one in an expression."""
    circuit = QuantumCircuit(backend(name).num_qubits, 2)
    first, second = Parameter("first"), Parameter("second")
    for qubit, angle in zip(qubits, (first, 2 * second + first), strict=True):
        circuit.sx(qubit)
        circuit.rz(angle, qubit)
        circuit.sx(qubit)
    circuit.cx(*qubits)
    circuit.measure(qubits, [0, 1])
    return circuit


def outcomes(pub_result: Any) -> dict[str, int]:
    """Return counts of all registers of a PUB together."""
    return dict(pub_result.join_data().get_counts())


def same_distribution(ours: Mapping[str, int], theirs: Mapping[str, int]) -> float:
    """Return the p-value of a two-sample chi-square test; rare outcomes count as one."""
    names = sorted(
        set(ours) | set(theirs), key=lambda name: -(ours.get(name, 0) + theirs.get(name, 0))
    )
    table = np.array([[ours.get(name, 0), theirs.get(name, 0)] for name in names], dtype=float)
    rare = table.sum(axis=1) < 20
    if rare.any():
        table = np.vstack([table[~rare], table[rare].sum(axis=0)])
        table = table[table.sum(axis=1) > 0]
    if len(table) < 2:
        return 1.0
    return float(stats.chi2_contingency(table, correction=False).pvalue)
