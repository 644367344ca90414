"""Wide circuits run by themselves, say how, and are refused at once where nothing fits."""

from __future__ import annotations

import numpy as np
import pytest
from engine import jobs
from engine.test_agreement import ERROR_RATE
from engine.wide_circuits import (
    DEVICE,
    ansatz,
    correlation,
    ghz,
    ising,
    scrambling,
    signs,
    transpiled,
)
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer.noise import NoiseModel, PauliLindbladError, depolarizing_error
from qiskit_ibm_runtime.executor_estimator.prepare import prepare
from qiskit_ibm_runtime.options_models import EstimatorOptions
from qiskit_ibm_runtime.quantum_program import QuantumProgram
from scipy import stats

from qsession_widgets.emulator.engine.devices import device, noise
from qsession_widgets.emulator.engine.devices.noise_source import OwnNoise
from qsession_widgets.emulator.engine.failure import JobFailure
from qsession_widgets.emulator.engine.programs import pubs as engine_pubs
from qsession_widgets.emulator.engine.simulation import (
    early_refusal,
    light_cone,
    matrix_product_state,
    pauli_propagation,
)
from qsession_widgets.emulator.engine.simulation.compaction import active_qubits
from qsession_widgets.emulator.engine.simulation.job_run import JobRun
from qsession_widgets.emulator.engine.task import Simulation

SHOTS = 4096
COMPARISONS = 250
NO_NOISE = Simulation(noise="none")
SIGMAS = float(stats.norm.isf(ERROR_RATE / COMPARISONS / 2))


def sampled(circuit: QuantumCircuit, **wishes: object) -> tuple[dict, object]:
    params = jobs.sampler_params([(circuit, None, SHOTS)], simulator={"seed_simulator": 7})
    return jobs.run("sampler", DEVICE, params, simulation=Simulation(**wishes))


def test_a_ghz_state_of_a_hundred_qubits_is_correlated_as_its_noise_says() -> None:
    """Two methods that have nothing in common agree: stabilizers, and Pauli propagation."""
    outcome, result = sampled(ghz(100))
    assert outcome["methods"] == ["stabilizer"]
    assert result[0].metadata["simulation"] == {
        "method": "stabilizer",
        "approximated": ["gate noise, twirled to Pauli channels"],
        "noise": "twirled to Pauli channels",
    }
    bits = signs(result[0])
    assert bits.shape == (SHOTS, 100)
    circuit = ghz(100, measured=False)
    observables = [correlation(circuit, 100, (0, other)) for other in range(1, 100)]
    params = jobs.estimator_params(
        [(circuit, observables, None, 1 / 64)], level=0, simulator={"seed_simulator": 8}
    )
    outcome, result = jobs.run("estimator", DEVICE, params)
    assert "pauli_propagation" in outcome["methods"]
    values, errors = result[0].data.evs, result[0].data.stds
    counted = (bits[:, :1] * bits[:, 1:]).mean(axis=0)
    spread = np.hypot(errors, np.sqrt((1 - counted**2) / SHOTS))
    assert (abs(values - counted) < SIGMAS * spread).all()
    assert values[0] > 0.9
    assert values[:15].min() > 0.7
    assert values[:5].mean() > values[10:15].mean()
    # a gate of the chain is broken, and nothing beyond it is correlated
    assert abs(values[50:]).max() < 0.1


def test_the_ghz_state_without_noise_is_perfect() -> None:
    outcome, result = sampled(ghz(100), noise="none")
    assert outcome["approximations"] == []
    assert "simulation" not in result[0].metadata
    bits = signs(result[0])
    assert (bits == bits[:, :1]).all()
    assert abs(bits[:, 0].mean()) < SIGMAS / np.sqrt(SHOTS)


def test_an_ansatz_of_127_qubits_runs_as_a_matrix_product_state() -> None:
    outcome, result = sampled(ansatz(2))
    assert outcome["methods"] == ["matrix_product_state"]
    how = result[0].metadata["simulation"]
    assert how["method"] == "matrix_product_state"
    assert how["bond_dimension"] == 4
    assert how["fidelity"] == 1
    assert 32 <= how["realizations"] < how["effective_shots"] <= SHOTS
    assert signs(result[0]).shape == (SHOTS, 127)
    (sentence,) = outcome["approximations"]
    for said in ("matrix product states of bond dimension 4", "noise realizations", "fidelity 1"):
        assert said in sentence
    assert f"approximated: {sentence}" in outcome["logs"]


def test_a_deeper_ansatz_is_refused_by_its_fidelity_unless_less_is_accepted() -> None:
    outcome, result = sampled(ansatz(10))
    assert result is None
    assert "an estimated fidelity of" in outcome["reason"]
    for said in ("0.99 is asked for", "--local-precision-limit", "estimated by EstimatorV2"):
        assert said in outcome["reason"]


def test_the_estimated_time_counts_gates_on_one_qubit() -> None:
    chain = QuantumCircuit(60)
    chain.cz(range(59), range(1, 60))
    turned = chain.copy()
    for _ in range(2000):
        turned.rx(0.3, range(60))
    few, many = (
        matrix_product_state.plan(circuit, SHOTS, 1, True, 60.0) for circuit in (chain, turned)
    )
    assert few.fits
    assert many.needed_seconds > 30 + few.needed_seconds
    # with every realization that there must be it would take longer than there is time
    turned.compose(turned, inplace=True)
    assert not matrix_product_state.plan(turned, SHOTS, 1, True, 60.0).fits


def test_a_fidelity_below_the_default_is_accepted_when_asked_for() -> None:
    circuit = ansatz(3)
    plan = "qsession_widgets.emulator.engine.simulation.matrix_product_state._LARGEST_BOND"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, 4)
        outcome, _ = sampled(circuit)
        assert "truncated to a bond dimension of 4" in outcome["reason"]
        outcome, result = sampled(circuit, precision_limit=1.0)
    how = result[0].metadata["simulation"]
    assert 0 < how["fidelity"] < 0.99
    assert "state, truncated" in how["approximated"]


def _lindblad(rate: float) -> NoiseModel:
    pairs = ["IX", "IY", "IZ", "XI", "YI", "ZI", "XX", "YY", "ZZ"]
    model = NoiseModel(basis_gates=["cz", "sx", "rz", "x"])
    model.add_all_qubit_quantum_error(PauliLindbladError(pairs, [rate] * len(pairs)), "cz")
    return model


@pytest.mark.parametrize(("rate", "expected"), [(0.0, 4.547), (4e-4, 3.930)])
def test_a_transverse_ising_chain_of_a_hundred_qubits(rate: float, expected: float) -> None:
    circuit = ising()
    assert circuit.count_ops()["cz"] == 1188
    layout = circuit.layout.final_index_layout()
    source = OwnNoise(_lindblad(rate), tuple(range(circuit.num_qubits))) if rate else None
    index = {qubit: at for at, qubit in enumerate(circuit.qubits)}
    steps = light_cone.backwards(circuit)
    total = bound = 0.0
    for first in range(0, 91, 9):
        pair = (layout[first], layout[first + 1])
        cone, reached = light_cone.cut(steps, pair)
        assert len(reached) < 30
        prepared = pauli_propagation.prepare(cone, index, source.twirled if source else None)
        value, off = prepared.value(pair, 20_000, 1e-5)
        total += value
        bound += off
    assert bound < 0.01
    assert total == pytest.approx(expected, abs=0.0005 + bound)


def test_ten_observables_on_a_hundred_qubits() -> None:
    circuit = ising()
    observables = [correlation(circuit, 100, (at, at + 1)) for at in range(0, 90, 9)]
    summed = correlation(circuit, 100, *((at, at + 1) for at in range(0, 90, 9)))
    pubs = [(circuit, [*observables, summed], None, 1 / 64)]
    params = jobs.estimator_params(pubs, level=0, simulator={"seed_simulator": 3})
    outcome, result = jobs.run("estimator", DEVICE, params)
    assert outcome["methods"] == ["pauli_propagation"]
    how = result[0].metadata["simulation"]
    assert how["bound"] < 0.01
    assert "gate noise, twirled to Pauli channels" in how["approximated"]
    values, errors = result[0].data.evs, result[0].data.stds
    assert np.allclose(errors[:-1], np.sqrt((1 - values[:-1] ** 2) / SHOTS), rtol=0.02)
    # terms far apart are measured together and do not depend on each other
    together = np.sqrt((errors[:-1] ** 2).sum())
    assert errors[-1] == pytest.approx(together, rel=0.15)
    assert abs(values[-1] - values[:-1].sum()) < SIGMAS * np.hypot(errors[-1], together)
    assert outcome["executions"] == SHOTS
    # where no level is asked for, errors of the readout are corrected, at the cost of shot noise
    params = jobs.estimator_params(pubs, simulator={"seed_simulator": 3})
    outcome, result = jobs.run("estimator", DEVICE, params)
    assert outcome["methods"] == ["pauli_propagation"]
    assert result[0].data.evs[-1] > values[-1]
    assert (result[0].data.stds > errors).all()


def test_the_readout_of_a_hundred_qubits_is_corrected_by_default() -> None:
    circuit = ising()
    observables = [correlation(circuit, 100, (at, at + 1)) for at in range(0, 90, 9)]
    pubs = [(circuit, observables, None, 1 / 64)]
    found = {}
    for level in (0, None):
        params = jobs.estimator_params(pubs, level=level, simulator={"seed_simulator": 3})
        outcome, result = jobs.run("estimator", DEVICE, params)
        assert outcome["methods"] == ["pauli_propagation"]
        found[level] = result[0]
    raw, corrected = found[0].data, found[None].data
    assert found[None].metadata["num_randomizations"] == 32
    # Both readout errors of a pair shrink its value; the corrected ones err accordingly more.
    assert corrected.evs.sum() > raw.evs.sum()
    assert (corrected.stds > raw.stds).all()
    # The calibration, and one basis.
    assert outcome["executions"] == 2 * SHOTS


def test_values_on_a_hundred_qubits_are_extrapolated_to_no_noise() -> None:
    circuit = ising()
    observables = [correlation(circuit, 100, (at, at + 1)) for at in (0, 45)]
    pubs = [(circuit, observables, None, 1 / 64)]
    ideal = jobs.run("estimator", DEVICE, jobs.estimator_params(pubs, level=0), simulation=NO_NOISE)
    params = jobs.estimator_params(pubs, level=2, simulator={"seed_simulator": 3})
    outcome, result = jobs.run("estimator", DEVICE, params)
    assert outcome["methods"] == ["pauli_propagation"]
    data, wanted = result[0].data, ideal[1][0].data.evs
    assert (abs(data.evs - wanted) < SIGMAS * np.hypot(data.stds, 1 / 64) + 0.03).all()
    assert (np.diff(data.evs_noise_factors, axis=1) < 0).all()
    assert set(result[0].metadata["resilience"]["zne"]["extrapolators"]) <= {
        "exponential",
        "linear",
    }
    # one basis at three noise factors, and the calibration
    assert outcome["executions"] == 4 * SHOTS


def test_the_noise_of_wide_jobs_is_cancelled_and_amplified() -> None:
    """PEC and PEA; a Clifford circuit's ends, 59 gates apart, are correlated without noise."""
    circuit = ghz(60, measured=False)
    pubs = [(circuit, correlation(circuit, 60, (0, 59)), None, 0.001)]
    noise_model = NoiseModel(basis_gates=["cz", "sx", "rz", "x"])
    noise_model.add_all_qubit_quantum_error(depolarizing_error(0.005, 2), "cz")
    simulator = {"seed_simulator": 3, "noise_model": noise_model}
    for resilience, error in (
        ({"pec_mitigation": True}, 0.01),
        ({"zne_mitigation": True, "zne": {"amplifier": "pea"}}, 0.2),
    ):
        params = jobs.estimator_params(pubs, level=1, resilience=resilience, simulator=simulator)
        outcome, result = jobs.run("estimator", DEVICE, params)
        assert outcome["methods"] == ["pauli_propagation"]
        data = result[0].data
        assert data.stds < error
        assert abs(data.evs - 1) < SIGMAS * data.stds
    assert (data.evs_noise_factors < 0.9).all()
    assert (np.diff(data.evs_noise_factors) < -0.1).all()
    # The device's own noise is more than its limit lets PEC undo, and then a job says how much.
    for pec, said in (({}, "PEC undoes"), ({"max_overhead": None}, "times its shots")):
        resilience = {"pec_mitigation": True, "pec": pec}
        params = jobs.estimator_params(pubs, level=1, resilience=resilience)
        outcome, _ = jobs.run("estimator", DEVICE, params)
        assert said in " ".join([outcome["reason"] or "", *outcome["warnings"]])


def test_what_fits_nothing_is_refused_before_any_noise_is_computed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def computed(*_: object) -> None:
        raise AssertionError("noise was computed")

    for name in ("gate_channel", "twirled_gate", "readout_error"):
        monkeypatch.setattr(noise, name, computed)
    circuit = scrambling()
    measured = circuit.copy()
    measured.measure_all()
    angle = Parameter("angle")
    posed = circuit.copy()
    posed.rz(angle, 3)
    program = QuantumProgram(SHOTS)
    program.append_circuit_item(measured)
    reasons = []
    observable = correlation(circuit, 70, (10, 11))
    for kind, params in (
        ("sampler", jobs.sampler_params([(measured, None, SHOTS)])),
        ("estimator", jobs.estimator_params([(circuit, observable)], level=0)),
        ("estimator", jobs.estimator_params([(posed, observable, [0.1])], level=2)),
        ("executor", jobs.executor_params(program)),
    ):
        # its beginning and end only: the whole takes a second to be cut and taken apart
        looked_at = pytest.MonkeyPatch()
        looked_at.setattr(engine_pubs.CircuitFacts, "cut", computed)
        outcome, _ = jobs.run(kind, DEVICE, params, memory_limit=8 << 30)
        looked_at.undo()
        assert outcome["status"] == "failed"
        reason = outcome["reason"]
        assert "70" in reason
        for said in ("bond dimension", "Clifford", "connected qubits exactly", "EstimatorV2"):
            assert said in reason
        assert "\n" not in reason
        reasons.append(reason)
    # the same where the whole circuit is looked at
    monkeypatch.setattr(early_refusal, "check", lambda *_: None)
    params = jobs.sampler_params([(measured, None, SHOTS)])
    outcome, _ = jobs.run("sampler", DEVICE, params, memory_limit=8 << 30)
    assert reasons[0] == outcome["reason"]


def test_a_look_at_its_beginning_refuses_no_circuit_that_runs() -> None:
    """Long and wide, with little entanglement, Clifford gates only, or a narrow light cone."""
    chain, clifford = QuantumCircuit(60), QuantumCircuit(60)
    for layer in range(40):
        for qubit in range(60):
            chain.rx(0.3, qubit)
            clifford.sx(qubit)
        clifford.cz(range(59), range(1, 60))
        if layer < 5:
            chain.cz(range(59), range(1, 60))
        chain.barrier()
        clifford.barrier()
    deep = scrambling()
    fez = device.find(DEVICE)
    active = active_qubits(deep)
    idle = next(qubit for qubit in range(deep.num_qubits) if qubit not in active)
    label = SparsePauliOp.from_sparse_list([("Z", [idle], 1)], deep.num_qubits).paulis[0].to_label()
    for circuit, term in ((chain, None), (clifford, None), (deep, label)):
        circuit = circuit.copy()
        if term is None:
            circuit = transpiled(circuit)
            circuit.measure_active()
        assert len(circuit.data) > 2000
        early_refusal.check(JobRun(fez, {}), circuit, active, np.zeros((1, 0)), term)
    with pytest.raises(JobFailure):
        early_refusal.check(JobRun(fez, {}), deep, active, np.zeros((1, 0)), "Z" * deep.num_qubits)


def test_angles_in_single_precision_are_quarter_turns() -> None:
    """So the client draws those of twirling, PEC and PEA."""
    rotated = ghz(60, measured=False).copy()
    places = rotated.layout.final_index_layout()
    for at, angle in zip(places, (np.pi, np.pi / 2, 3 * np.pi / 2), strict=False):
        rotated.rz(float(np.float32(angle)), at)
    rotated.measure_active()
    outcome, _ = sampled(rotated, noise="none")
    assert outcome["methods"] == ["stabilizer"]


def test_strict_refuses_what_is_not_exact() -> None:
    outcome, _ = sampled(ghz(100), strict=True)
    assert "--strict refuses an approximation such as twirled noise" in outcome["reason"]
    assert sampled(ghz(100), strict=True, noise="none")[1] is not None
    outcome, _ = sampled(ghz(100), noise="device")
    assert "--local-noise device" in outcome["reason"]


@pytest.mark.parametrize("kind", ["delay", "reset", "middle"])
def test_twirling_is_refused_where_decay_matters(kind: str) -> None:
    circuit = QuantumCircuit(60, 60)
    circuit.h(0)
    for qubit in range(59):
        circuit.cx(qubit, qubit + 1)
    if kind == "delay":
        circuit.delay(1000, 5, unit="dt")
    elif kind == "reset":
        circuit.reset(5)
    else:
        circuit.measure(5, 5)
        circuit.x(5)
    circuit.measure(range(60), range(60))
    outcome, _ = sampled(transpiled(circuit))
    assert "the decay towards the ground state matters" in outcome["reason"]


def test_programs_of_the_client_side_primitives_run_wide() -> None:
    program = QuantumProgram(SHOTS)
    program.append_circuit_item(ghz(60))
    result = jobs.through_executor(program, DEVICE)
    bits = np.asarray(result[0]["meas"])
    assert bits.shape == (SHOTS, 60)
    assert np.mean(bits[:, 0] == bits[:, 1]) > 0.9


def test_wide_randomizations_by_the_thousand_are_refused_before_they_are_drawn() -> None:
    """So PEC of the client-side estimator is, which asks for the outcomes of each."""
    options = EstimatorOptions()
    options.twirling.enable_gates = True
    options.twirling.num_randomizations = 6400
    circuit = ghz(60, measured=False)
    program, _ = prepare([(circuit, correlation(circuit, 60, (0, 1)))], options, precision=0.02)
    outcome, _ = jobs.run("executor", DEVICE, jobs.executor_params(program))
    assert outcome["reason"].startswith("6,400 randomizations of a circuit of 60 connected")
    assert "EstimatorV2" in outcome["reason"]


def test_the_device_of_a_matrix_product_state_may_hold_several_wide_islands() -> None:
    """What is measured together is drawn together: islands are wide, or of one qubit."""
    circuit = QuantumCircuit(100)
    for start in (0, 45):
        circuit.ry(0.7, start)
        for qubit in range(start, start + 39):
            circuit.cx(qubit, qubit + 1)
    circuit.x(95)
    circuit.measure_all()
    outcome, result = sampled(transpiled(circuit))
    assert set(outcome["methods"]) == {"matrix_product_state", "density_matrix"}
    bits = signs(result[0])
    assert bits[:, 95].mean() < -0.9
    for start in (0, 45):
        assert (bits[:, start] * bits[:, start + 1]).mean() > 0.8
        assert bits[:, start].mean() == pytest.approx(np.cos(0.7), abs=0.1)
    assert abs((bits[:, 0] * bits[:, 45]).mean() - bits[:, 0].mean() * bits[:, 45].mean()) < 0.1


def test_twirled_noise_is_the_diagonal_of_the_device_s_channels() -> None:
    from qiskit.quantum_info import PTM

    fez = device.find(DEVICE)
    for place in (("cz", (0, 1)), ("cz", (3, 2)), ("sx", (7,)), ("reset", (4,))):
        for flavour in ("calibration", "target"):
            channel = noise.gate_channel(fez, place, flavour)
            factors = noise.twirled_gate(fez, place, flavour)
            if channel is None:
                assert factors is None
            else:
                assert np.allclose(factors, np.diagonal(PTM(channel).data).real, atol=1e-12)
