"""Each approximation agrees with the exact engine where both run, and scatters as it claims.

The exact engine runs with the same twirled noise, so that what is compared is the method. Each
comparison has its share of ``ERROR_RATE``, as in the tests of agreement.
"""

from __future__ import annotations

import numpy as np
import pytest
from engine import jobs
from engine.test_agreement import ERROR_RATE, SEED
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit_aer.noise import NoiseModel, ReadoutError, thermal_relaxation_error
from scipy import stats

from qsession_widgets.emulator.engine.simulation import matrix_product_state, stabilizer
from qsession_widgets.emulator.engine.task import Simulation

COMPARISONS = 60
THRESHOLD = ERROR_RATE / COMPARISONS
SIGMAS = float(stats.norm.isf(THRESHOLD / 2))
DEVICE = "fake_manila"
SHOTS = 4000


@pytest.fixture
def independent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each shot have a noise realization of its own, as tests of distributions need it."""
    monkeypatch.setattr(matrix_product_state, "_MOST_REALIZATIONS", SHOTS)
    monkeypatch.setattr(matrix_product_state, "_REALIZATION_SECONDS", 1e9)


def clifford_circuit(seed: int, length: int = 25) -> QuantumCircuit:
    """Return a random Clifford circuit in the device's own gates."""
    rng = np.random.default_rng([seed, 11])
    circuit = QuantumCircuit(5)
    for _ in range(length):
        qubit = int(rng.integers(5))
        kind = rng.integers(4)
        if kind == 0:
            other = qubit + 1 if qubit < 4 else 3
            circuit.cx(qubit, other)
        elif kind == 1:
            circuit.sx(qubit)
        elif kind == 2:
            circuit.rz(int(rng.integers(4)) * np.pi / 2, qubit)
        else:
            circuit.x(qubit)
    circuit.measure_all()
    return circuit


def static_circuit(seed: int, length: int = 30) -> QuantumCircuit:
    """Return a random circuit, measured at its end, in the device's own gates."""
    circuit = jobs.random_circuit(DEVICE, seed, 4, length, dynamic=False)
    return circuit


def run(circuit: QuantumCircuit, seed: int, **wishes: object) -> tuple[dict, object]:
    params = jobs.sampler_params(
        [(circuit, None, SHOTS)], simulator={"seed_simulator": seed + SEED}
    )
    return jobs.run("sampler", DEVICE, params, simulation=Simulation(**wishes))


def compare(circuit: QuantumCircuit, method: str, seed: int) -> None:
    outcome, mine = run(circuit, 5 + seed, method=method)
    assert method in outcome["methods"]
    assert mine[0].metadata["simulation"]["method"] == method
    outcome, other = run(circuit, 1005 + seed, method="exact", noise="pauli")
    assert not {"stabilizer", "matrix_product_state"} & set(outcome["methods"])
    assert (
        "gate noise, twirled to Pauli channels" in (other[0].metadata["simulation"]["approximated"])
    )
    pair = (jobs.outcomes(result[0]) for result in (mine, other))
    assert jobs.same_distribution(*pair) > THRESHOLD


@pytest.mark.parametrize("seed", range(6))
def test_stabilizers_agree_with_density_matrices(seed: int) -> None:
    compare(clifford_circuit(seed + SEED), "stabilizer", seed)


@pytest.mark.usefixtures("independent")
@pytest.mark.parametrize("seed", range(4))
def test_matrix_product_states_agree_with_density_matrices(seed: int) -> None:
    compare(static_circuit(seed + SEED), "matrix_product_state", seed)


def test_stabilizers_without_stim_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stabilizer, "available", lambda: False)
    compare(clifford_circuit(77 + SEED), "stabilizer", 77)


ALL_GATES = ["h", "s", "sdg", "sx", "sxdg", "x", "y", "z", "cx", "cy", "cz", "ecr", "swap", "iswap"]
TURNS = ["rx", "ry", "rz", "p", "rxx", "ryy", "rzz"]


def every_gate(angles: np.ndarray, rng: np.random.Generator) -> QuantumCircuit:
    """Return a circuit of three qubits with every gate the approximations know."""
    circuit = QuantumCircuit(3)
    for name, angle in zip([*ALL_GATES, *TURNS] * 2, angles, strict=True):
        for qubit in range(3):
            circuit.h(qubit) if rng.integers(2) else circuit.s(qubit)
        width = 2 if name in ("cx", "cy", "cz", "ecr", "swap", "iswap", "rxx", "ryy", "rzz") else 1
        qubits = [int(qubit) for qubit in rng.permutation(3)[:width]]
        getattr(circuit, name)(*([angle] if name in TURNS else []), *qubits)
    return circuit


@pytest.mark.parametrize("seed", range(3))
def test_every_clifford_gate_means_the_same_to_stabilizers(seed: int) -> None:
    rng = np.random.default_rng([seed, 3])
    angles = rng.integers(4, size=2 * len([*ALL_GATES, *TURNS])) * np.pi / 2
    circuit = every_gate(angles, rng)
    expected = Statevector(circuit).probabilities()
    measured = circuit.copy()
    measured.measure_all()
    assert stabilizer.can_run(measured)
    bits = stabilizer.sample(
        measured, shots=SHOTS, noise=None, qubits=range(3), rng=np.random.default_rng(seed)
    )
    counts = np.bincount(bits @ [1, 2, 4], minlength=8)
    assert (counts[expected < 1e-12] == 0).all()
    likely = expected > 1e-12
    if likely.sum() > 1:
        assert stats.chisquare(counts[likely], SHOTS * expected[likely]).pvalue > THRESHOLD


def observables(width: int, rng: np.random.Generator) -> list[SparsePauliOp]:
    """Return observables of all sorts: single terms, and sums of terms measured together."""
    found = []
    for count in (1, 1, 3, 4):
        terms = [
            ("".join(rng.choice(list("IXYZ"), width)), rng.uniform(-1, 1)) for _ in range(count)
        ]
        found.append(SparsePauliOp.from_list(terms))
    found.append(SparsePauliOp(["Z" * width, "Z" + "I" * (width - 1)], [0.7, -0.4]))
    return found


def symmetric_noise() -> NoiseModel:
    """Return noise that is not made of Pauli operators, with equal errors of the readout."""
    model = NoiseModel(basis_gates=["cx", "sx", "rz", "x", "id"])
    one = thermal_relaxation_error(50, 40, 2)
    model.add_all_qubit_quantum_error(one, ["sx", "x"])
    model.add_all_qubit_quantum_error(one.tensor(one), "cx")
    model.add_all_qubit_readout_error(ReadoutError([[0.95, 0.05], [0.05, 0.95]]))
    return model


@pytest.mark.parametrize("seed", range(4))
def test_propagated_observables_agree_with_density_matrices(seed: int) -> None:
    rng = np.random.default_rng([seed, SEED])
    circuit = static_circuit(40 + seed + SEED).remove_final_measurements(inplace=False)
    precision = 0.01
    pub = (circuit, observables(circuit.num_qubits, rng), None, precision)
    results = []
    for at, wish in enumerate(
        (Simulation("pauli_propagation", "pauli"), Simulation("exact", "pauli"))
    ):
        params = jobs.estimator_params(
            [pub],
            simulator={"seed_simulator": 20 * seed + at + SEED, "noise_model": symmetric_noise()},
        )
        outcome, result = jobs.run("estimator", DEVICE, params, simulation=wish)
        assert outcome["status"] == "completed", outcome["reason"]
        assert ("pauli_propagation" in outcome["methods"]) == (at == 0)
        results.append(result[0].data)
    mine, other = results
    spread = np.hypot(mine.stds, other.stds)
    assert (abs(mine.evs - other.evs) <= SIGMAS * spread + 1e-4).all()
    # the errors claimed are those that the sampled values have
    assert np.allclose(mine.stds, other.stds, rtol=0.1, atol=1e-3)


@pytest.mark.parametrize("seed", range(2))
def test_every_gate_means_the_same_to_propagation(seed: int) -> None:
    rng = np.random.default_rng([seed, 4])
    angles = rng.uniform(-3, 3, size=2 * len([*ALL_GATES, *TURNS]))
    circuit = every_gate(angles, rng)
    wanted = [SparsePauliOp(label) for label in ("ZZI", "XIY", "IYZ", "ZZZ", "IIX")]
    params = jobs.estimator_params([(circuit, wanted, None, 0.001)])
    outcome, result = jobs.run(
        "estimator", "aer", params, simulation=Simulation("pauli_propagation")
    )
    assert outcome["methods"] == ["pauli_propagation"]
    expected = [Statevector(circuit).expectation_value(one).real for one in wanted]
    data = result[0].data
    assert (abs(data.evs - expected) <= SIGMAS * data.stds + 1e-6).all()


@pytest.mark.parametrize("bond", [4, 6])
def test_fidelity_is_estimated_from_what_this_circuit_s_truncation_threw_away(bond: int) -> None:
    rng = np.random.default_rng(bond)
    circuit = QuantumCircuit(12)
    for _ in range(5):
        for qubit in range(12):
            circuit.u(*rng.uniform(-3, 3, 3), qubit)
        for qubit in range(11):
            circuit.rzz(rng.uniform(1.0, 2.0), qubit, qubit + 1)
    measured = circuit.copy()
    measured.measure_all()
    plan = matrix_product_state.plan(measured, 100, 1, noisy=False, limit=60.0)
    assert plan.exact
    truncated = matrix_product_state.SamplingPlan(
        plan.order, plan.needed, bond, plan.seconds, plan.adjacent, plan.needed_seconds
    )
    estimates = [matrix_product_state.fidelity(measured, truncated) for _ in range(2)]
    prepared = matrix_product_state._state_preparation(measured, truncated)
    prepared.save_statevector()
    (experiment,) = matrix_product_state._run(prepared, bond)
    state = np.asarray(experiment.data.statevector)
    exact = Statevector(matrix_product_state._state_preparation(measured, truncated)).data
    true = abs(np.vdot(exact, state)) ** 2
    assert true < 0.999
    # the same each time, although Aer's log holds all earlier calls
    assert estimates[0] == pytest.approx(estimates[1])
    assert estimates[0] == pytest.approx(true, abs=0.1)
    assert matrix_product_state.fidelity(measured, plan) == 1


REPEATS = 20


def noisy_chain() -> QuantumCircuit:
    """Return a circuit in which one early error changes all later outcomes."""
    circuit = QuantumCircuit(5)
    for _ in range(12):
        circuit.sx(0)
        circuit.sx(0)
    circuit.rz(0.3, 0)
    for qubit in range(4):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    return circuit


def test_repeated_jobs_scatter_as_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shots of one realization share its errors, and the claims know it."""
    monkeypatch.setattr(matrix_product_state, "_MOST_REALIZATIONS", 32)
    model = NoiseModel(basis_gates=["cx", "sx", "rz", "x", "id"])
    model.add_all_qubit_quantum_error(thermal_relaxation_error(50, 40, 2), ["sx"])
    means, claimed = [], []
    values, errors = [], []
    bare = noisy_chain().remove_final_measurements(inplace=False)
    wish = Simulation("matrix_product_state")
    for seed in range(REPEATS):
        simulator = {"seed_simulator": 100 + seed + SEED, "noise_model": model}
        params = jobs.sampler_params([(noisy_chain(), None, SHOTS)], simulator=simulator)
        _, result = jobs.run("sampler", DEVICE, params, simulation=wish)
        how = result[0].metadata["simulation"]
        assert how["realizations"] == 32
        mean = float(result[0].data.meas.to_bool_array().mean(axis=0)[0])
        means.append(mean)
        claimed.append(mean * (1 - mean) / how["effective_shots"])
        params = jobs.estimator_params(
            [(bare, SparsePauliOp("ZIIII"), None, 1 / np.sqrt(SHOTS))], simulator=simulator
        )
        _, result = jobs.run("estimator", DEVICE, params, simulation=wish)
        values.append(float(result[0].data.evs))
        errors.append(float(result[0].data.stds))
    # far more than between independent shots
    assert np.mean(claimed) > 3 * np.mean(means) * (1 - np.mean(means)) / SHOTS
    assert np.mean(errors) > 1.7 / np.sqrt(SHOTS) * np.sqrt(1 - np.mean(values) ** 2)
    for found, expected in ((means, np.mean(claimed)), (values, np.mean(np.square(errors)))):
        statistic = (REPEATS - 1) * np.var(found, ddof=1) / expected
        assert THRESHOLD < stats.chi2.cdf(statistic, REPEATS - 1) < 1 - THRESHOLD
