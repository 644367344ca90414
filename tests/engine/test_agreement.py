"""Results agree with upstream's local mode, within what sampling allows.

Each comparison has its share of ``ERROR_RATE``: with a correct engine, and seeds drawn anew, one
run of this file in a thousand would fail. The seeds are fixed, so a run that passes keeps passing.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from engine import jobs
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from scipy import stats

ERROR_RATE = 1e-3
COMPARISONS = 40
THRESHOLD = ERROR_RATE / COMPARISONS
SIGMAS = float(stats.norm.isf(THRESHOLD / 2))

SEED = int(os.environ.get("QSESSION_TEST_SEED", "0"))
SHOTS = 2000
"""Per circuit; sweeps over many seeds take more."""

SWEEP_SHOTS = 4000


def compare(name: str, circuits: list[QuantumCircuit], shots: int = SHOTS) -> None:
    pubs = [(circuit, None, shots) for circuit in circuits]
    ours = jobs.completed(
        "sampler", name, jobs.sampler_params(pubs, simulator={"seed_simulator": 77 + SEED})
    )
    theirs = jobs.upstream_sampler(name, circuits, shots, seed=1234 + SEED)
    for circuit, mine, other in zip(circuits, ours, theirs, strict=True):
        assert mine.data.shape == other.data.shape
        assert list(mine.data) == list(other.data) == [register.name for register in circuit.cregs]
        assert mine.metadata == other.metadata
        assert jobs.same_distribution(jobs.outcomes(mine), jobs.outcomes(other)) > THRESHOLD
    assert ours.metadata["version"] == 2


@pytest.mark.parametrize("name", ["fake_manila", "fake_london", "fake_fractional"])
def test_random_circuits_on_small_devices(name: str) -> None:
    compare(
        name, [jobs.random_circuit(name, SEED + seed, dynamic=seed % 2 == 0) for seed in range(3)]
    )


def test_random_circuits_on_a_device_of_27_qubits() -> None:
    compare("fake_algiers", [jobs.random_circuit("fake_algiers", SEED + seed) for seed in range(2)])


def compare_values(name: str, seed: int) -> None:
    """Compare the estimator for random observables on two random circuits of a device."""
    rng = np.random.default_rng([SEED, seed])
    pubs = []
    for at in range(2):
        circuit = jobs.random_circuit(name, 100 * seed + SEED + at, dynamic=False)
        used = sorted({circuit.find_bit(bit).index for gate in circuit for bit in gate.qubits})
        circuit.remove_final_measurements()
        # as wide as the device, with one qubit more than the circuit uses where there is one
        near = [*used, *(set(range(circuit.num_qubits)) - set(used))][: len(used) + 1]
        terms = [
            ("".join(rng.choice(list("IXYZ"), len(near))), near, rng.uniform(-1, 1))
            for _ in range(4)
        ]
        observable = SparsePauliOp.from_sparse_list(terms, circuit.num_qubits)
        pubs.append((circuit, observable, None, 0.02))
    params = jobs.estimator_params(pubs, simulator={"seed_simulator": 31 + SEED})
    ours = jobs.completed("estimator", name, params)
    theirs = jobs.upstream_estimator(name, pubs, seed=41 + SEED)
    for mine, other in zip(ours, theirs, strict=True):
        spread = np.hypot(mine.data.stds, other.data.stds)
        assert abs(mine.data.evs - other.data.evs) < SIGMAS * spread


def compare_programs(name: str, seed: int) -> None:
    """Compare the executor for random circuits, prepared by the client-side sampler."""
    circuits = [jobs.random_circuit(name, 100 * seed + SEED + at, dynamic=False) for at in range(2)]
    theirs, program = jobs.client_side_sampler(name, circuits, SHOTS)
    ours = jobs.through_executor(program, name)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.data.final.array.shape == other.data.final.array.shape
        counts = (result.data.final.get_counts() for result in (mine, other))
        assert jobs.same_distribution(*counts) > THRESHOLD


@pytest.mark.parametrize("name", ["fake_manila", "fake_fractional"])
def test_random_observables(name: str) -> None:
    compare_values(name, 0)


@pytest.mark.parametrize("name", ["fake_manila", "fake_fractional"])
def test_random_programs(name: str) -> None:
    compare_programs(name, 0)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(10))
def test_ten_seeds(seed: int) -> None:
    for name in ("fake_manila", "fake_london", "fake_fractional", "fake_algiers"):
        circuits = [
            jobs.random_circuit(name, 100 * seed + SEED + at, width=3 + at % 3, length=20 + 10 * at)
            for at in range(4)
        ]
        compare(name, circuits, SWEEP_SHOTS)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(10))
def test_ten_seeds_of_estimator_and_executor(seed: int) -> None:
    for name in ("fake_manila", "fake_fractional", "fake_algiers"):
        compare_values(name, seed)
        compare_programs(name, seed)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_device_of_156_qubits() -> None:
    compare("fake_fez", [jobs.random_circuit("fake_fez", SEED + seed) for seed in range(2)])


def test_parameter_sets() -> None:
    circuit = jobs.parametric_circuit("fake_manila", (3, 2))
    values = np.random.default_rng(SEED).uniform(0, 6, (3, 2, 2))
    params = jobs.sampler_params([(circuit, values, SHOTS)], simulator={"seed_simulator": 5 + SEED})
    ours = jobs.completed("sampler", "fake_manila", params)[0]
    theirs = jobs.upstream_sampler("fake_manila", [(circuit, values)], SHOTS, seed=8 + SEED)[0]
    assert ours.data.c.array.shape == theirs.data.c.array.shape
    for place in np.ndindex(3, 2):
        mine, other = (result.data.c[place].get_counts() for result in (ours, theirs))
        assert jobs.same_distribution(mine, other) > THRESHOLD


@pytest.mark.parametrize("name", ["fake_manila", "fake_fractional"])
def test_expectation_values(name: str) -> None:
    circuit = jobs.parametric_circuit(name, (3, 4)).remove_final_measurements(inplace=False)
    observables = [
        [SparsePauliOp(["XXIII", "YZIII", "IIIII"], [1.0, -0.5, 2.0])],
        # One qubit of these is idle: it is read out all the same, with its errors.
        [SparsePauliOp(["ZZZII", "XIXII", "IYIII"], [0.3, 1.0, 0.7])],
    ]
    values = np.random.default_rng(SEED).uniform(0, 6, (3, 2))
    pub = (circuit, observables, values, 0.01)
    params = jobs.estimator_params([pub], level=0, simulator={"seed_simulator": 5 + SEED})
    ours = jobs.completed("estimator", name, params)
    theirs = jobs.upstream_estimator(name, [pub], seed=9 + SEED)
    mine, other = ours[0], theirs[0]
    assert mine.metadata == other.metadata
    assert {name: ours.metadata[name] for name in theirs.metadata} == theirs.metadata
    assert list(mine.data) == [*other.data, "ensemble_standard_error"]
    assert mine.data.evs.shape == other.data.evs.shape == (2, 3)
    spread = np.hypot(mine.data.stds, other.data.stds)
    assert (np.abs(mine.data.evs - other.data.evs) < SIGMAS * spread).all()
    # Upstream adds up the errors of the terms, which is the most their sum can have.
    assert (mine.data.stds < 1.1 * other.data.stds).all()


def test_the_same_seed_gives_the_same_outcomes() -> None:
    circuit = jobs.random_circuit("fake_manila", SEED)
    params = jobs.sampler_params([circuit], simulator={"seed_simulator": 11})
    first, second = (jobs.completed("sampler", "fake_manila", params) for _ in range(2))
    other = jobs.completed(
        "sampler", "fake_manila", jobs.sampler_params([circuit], simulator={"seed_simulator": 12})
    )
    assert (first[0].data.final.array == second[0].data.final.array).all()
    assert (first[0].data.final.array != other[0].data.final.array).any()


def test_parameter_sets_of_one_circuit_are_independent() -> None:
    circuit = jobs.parametric_circuit("fake_manila", (3, 2))
    params = jobs.sampler_params(
        [(circuit, np.ones((2, 2)), 500)], simulator={"seed_simulator": 11}
    )
    data = jobs.completed("sampler", "fake_manila", params)[0].data.c
    assert (data[0].array != data[1].array).any()
