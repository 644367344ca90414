"""Sampling islands apart gives what the whole circuit would have given."""

from __future__ import annotations

import copy
import itertools
import os
from typing import Any

import numpy as np
import pytest
from engine import jobs
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Parameter
from qiskit.circuit.classical import expr
from qiskit.circuit.library import IGate, U1Gate, U2Gate, U3Gate
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError, amplitude_damping_error, depolarizing_error
from scipy import stats

from qsession_widgets.emulator.engine.devices import device
from qsession_widgets.emulator.engine.devices.noise_source import DeviceNoise, Noise, OwnNoise
from qsession_widgets.emulator.engine.simulation import single_qubit
from qsession_widgets.emulator.engine.simulation.partition import split

ERROR_RATE = 1e-3
"""With a correct engine, and seeds drawn anew, this part of the runs of this file would fail."""

COMPARISONS = 20
THRESHOLD = ERROR_RATE / COMPARISONS
SEED = int(os.environ.get("QSESSION_TEST_SEED", "0"))


def parts(circuit: QuantumCircuit, joined: Any = ()) -> list[tuple[int, ...]]:
    return sorted(island.qubits for island in split(circuit, joined))


# --- What belongs together --------------------------------------------------------------------


def test_gates_join_and_barriers_do_not() -> None:
    circuit = QuantumCircuit(6, 6)
    circuit.cx(4, 1)
    circuit.barrier()
    circuit.h(0)
    circuit.ccx(1, 2, 4)
    circuit.delay(10, 3)
    circuit.measure(range(6), range(6))
    circuit.barrier(range(3))
    assert parts(circuit) == [(0,), (1, 2, 4), (3,), (5,)]
    assert parts(circuit, [(0, 5)]) == [(0, 5), (1, 2, 4), (3,)]
    largest = split(circuit)[0]
    assert largest.qubits == largest.clbits == (1, 2, 4)
    placed = largest.placed((1, 2, 4))
    assert [placed.find_bit(bit).index for bit in placed.data[0].qubits] == [2, 0]
    assert dict(placed.count_ops()) == {"cx": 1, "ccx": 1, "measure": 3}
    assert placed.clbits == circuit.clbits


def test_a_classical_bit_joins_those_who_write_it() -> None:
    circuit = QuantumCircuit(3, 2)
    circuit.measure([0, 2], [1, 1])
    circuit.measure(1, 0)
    assert parts(circuit) == [(0, 2), (1,)]


def feed_forward(kind: str) -> QuantumCircuit:
    read, other = ClassicalRegister(2, "read"), ClassicalRegister(1, "other")
    circuit = QuantumCircuit(QuantumRegister(5, "q"), read, other)
    circuit.h([0, 3])
    circuit.measure([0, 1], read)
    circuit.measure(3, other[0])
    if kind == "bit":
        with circuit.if_test((read[0], 1)):
            circuit.x(2)
    elif kind == "register":
        with circuit.if_test((read, 1)):
            circuit.x(2)
    elif kind == "expression":
        with circuit.if_test(expr.equal(read, 1)):
            circuit.x(2)
    elif kind == "switch":
        with circuit.switch(read) as case, case(1):
            circuit.x(2)
    elif kind == "inner":
        with circuit.if_test((read[0], 1)), circuit.if_test((other, 0)):
            circuit.x(2)
    elif kind == "store":
        circuit.store(expr.lift(other[0]), expr.lift(read[0]))
    elif kind == "variable":
        circuit.add_var("v", expr.lift(False))
    circuit.x(4)
    return circuit


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("none", [(0,), (1,), (3,), (4,)]),
        ("bit", [(0, 2), (1,), (3,), (4,)]),
        ("register", [(0, 1, 2), (3,), (4,)]),
        ("expression", [(0, 1, 2), (3,), (4,)]),
        ("switch", [(0, 1, 2), (3,), (4,)]),
        ("inner", [(0, 2, 3), (1,), (4,)]),
        ("store", [(0, 1, 2, 3, 4)]),
        ("variable", [(0, 1, 2, 3, 4)]),
    ],
)
def test_feed_forward_joins(kind: str, expected: list[tuple[int, ...]]) -> None:
    assert parts(feed_forward(kind)) == expected


def test_what_is_not_understood_joins_everything() -> None:
    circuit = QuantumCircuit(3)
    circuit.initialize([0, 1], 1)
    assert parts(circuit) == [(1,)]
    circuit.save_state()
    assert parts(circuit) == [(0, 1, 2)]


def test_errors_of_several_readouts_join() -> None:
    model = NoiseModel()
    model.add_readout_error(ReadoutError(np.full((4, 4), 0.25)), [7, 2])
    assert OwnNoise(model, (2, 3, 7)).joined == ((2, 0),)


# --- Islands of one qubit ---------------------------------------------------------------------


def one_qubit_circuit(rng: np.random.Generator, width: int) -> QuantumCircuit:
    """Return random gates on each qubit, with numbers, parameters and expressions for angles."""
    angles = [Parameter(f"a{at}") for at in range(4)]
    circuit = QuantumCircuit(width, width)

    def angle() -> Any:
        first, second = (angles[at] for at in rng.choice(4, 2, replace=False))
        return [rng.uniform(0, 6), first, 2 * first - second + 0.3][int(rng.integers(3))]

    fixed = ["id", "x", "y", "z", "h", "s", "sdg", "sx", "sxdg", "t", "tdg", "reset"]
    older = {"u1": U1Gate, "u2": U2Gate, "u3": U3Gate}
    for qubit in range(width):
        for _ in range(int(rng.integers(3, 12))):
            name = str(rng.choice([*fixed, *older, "rx", "ry", "rz", "p", "u", "delay"]))
            if name in fixed:
                getattr(circuit, name)(qubit)
            elif name in older:
                circuit.append(older[name](*(angle() for _ in range(int(name[1])))), [qubit])
            elif name == "delay":
                circuit.delay(int(rng.integers(1, 10)) * 10000, qubit)
            else:
                count = 3 if name == "u" else 1
                getattr(circuit, name)(*(angle() for _ in range(count)), qubit)
    for at in angles:
        circuit.rz(at, 0)
    circuit.sx(0)
    circuit.measure(range(width), rng.permutation(width).tolist())
    return circuit


def own_noise() -> NoiseModel:
    model = NoiseModel()
    model.add_all_qubit_quantum_error(amplitude_damping_error(0.2), ["sx", "u", "reset", "measure"])
    model.add_all_qubit_quantum_error(amplitude_damping_error(0.1), ["delay"])
    model.add_quantum_error(depolarizing_error(0.3, 1), "sx", [1])
    model.add_quantum_error(depolarizing_error(0.1, 1), "rz", [0])
    model.add_all_qubit_readout_error(ReadoutError([[0.9, 0.1], [0.25, 0.75]]))
    model.add_readout_error(ReadoutError([[0.8, 0.2], [0.05, 0.95]]), [2])
    return model


NOISES: dict[str, Noise] = {
    "ideal": DeviceNoise(device.find("aer"), (0, 1, 2)),
    "fake_manila": DeviceNoise(device.find("fake_manila"), (4, 1, 3)),
    "fake_manila, executor": DeviceNoise(device.find("fake_manila"), (4, 1, 3), "target"),
    "fake_fractional": DeviceNoise(device.find("fake_fractional"), (2, 0, 4)),
    "fake_london": DeviceNoise(device.find("fake_london"), (1, 4, 2)),
    "own": OwnNoise(own_noise(), (0, 1, 2)),
}


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("seed", range(3))
def test_probabilities_are_the_simulators(name: str, seed: int) -> None:
    noise = NOISES[name]
    rng = np.random.default_rng([seed, SEED])
    circuit = one_qubit_circuit(rng, 3)
    sets = rng.uniform(-4, 4, (4, circuit.num_parameters))
    alone, others = single_qubit.part(circuit, split(circuit), noise)
    assert alone is not None
    assert not others
    ours = alone.probabilities(sets)
    assert ours.shape == (4, 3)
    measured = {
        circuit.find_bit(gate.clbits[0]).index: circuit.find_bit(gate.qubits[0]).index
        for gate in circuit.data
        if gate.name == "measure"
    }
    for row, values in zip(ours, sets, strict=True):
        bound = circuit.assign_parameters(values)
        # A measurement's own noise comes before it, and the state must be looked at in between.
        shown = bound.remove_final_measurements(inplace=False)
        model = copy.deepcopy(noise.model((0, 1, 2), [bound]))
        for qubit in range(3):
            error = None if model is None else _error_of(model, "measure", qubit)
            if error is not None:
                shown.append(IGate(label="as_measured"), [qubit])
                model.add_quantum_error(error, "as_measured", [qubit])
            shown.save_probabilities([qubit], label=str(qubit))
        result = AerSimulator(method="density_matrix").run(shown, noise_model=model).result()
        for clbit, likely in zip(alone.clbits, row, strict=True):
            qubit = measured[int(clbit)]
            true = result.data()[str(qubit)]
            readout = noise.readout(qubit)
            expected = true if readout is None else true @ readout
            assert likely == pytest.approx(expected[1], abs=1e-9)


def _error_of(model: NoiseModel, name: str, qubit: int) -> Any:
    local = model._local_quantum_errors.get(name, {}).get((qubit,))
    return model._default_quantum_errors.get(name) if local is None else local


def test_what_only_the_simulator_can_do_is_left_to_it() -> None:
    circuit = QuantumCircuit(4, 5)
    circuit.measure(0, 0)
    circuit.measure(0, 1)
    circuit.unitary([[0, 1], [1, 0]], 1)
    circuit.measure(1, 2)
    circuit.cx(2, 3)
    circuit.measure(2, 3)
    alone, others = single_qubit.part(circuit, split(circuit), NOISES["ideal"])
    assert alone is None
    assert sorted(island.qubits for island in others) == [(0,), (1,), (2, 3)]


# --- Put together again -----------------------------------------------------------------------


def everything_measured(*angles: Any) -> QuantumCircuit:
    """Return two entangled qubits of five, the others turned by themselves, in two registers."""
    low, high = ClassicalRegister(2, "low"), ClassicalRegister(3, "high")
    circuit = QuantumCircuit(QuantumRegister(5, "q"), low, high)
    for qubit in range(5):
        circuit.sx(qubit)
        circuit.rz(angles[qubit % len(angles)], qubit)
        circuit.sx(qubit)
    circuit.cx(2, 3)
    circuit.barrier()
    circuit.measure([3, 0, 2, 4, 1], [*low, *high])
    return circuit


def test_a_measured_device_gives_the_joint_distribution_of_local_mode() -> None:
    circuit = everything_measured(0.4, 1.1, 2.0)
    assert parts(circuit) == [(0,), (1,), (2, 3), (4,)]
    shots = 20000
    params = jobs.sampler_params([(circuit, None, shots)], simulator={"seed_simulator": 21 + SEED})
    ours = jobs.completed("sampler", "fake_manila", params)[0]
    theirs = jobs.upstream_sampler("fake_manila", [circuit], shots, seed=4 + SEED)[0]
    assert list(ours.data) == list(theirs.data) == ["low", "high"]
    for register in ours.data:
        assert ours.data[register].array.shape == theirs.data[register].array.shape
        mine, other = (result.data[register].get_counts() for result in (ours, theirs))
        assert jobs.same_distribution(mine, other) > THRESHOLD
    assert jobs.same_distribution(jobs.outcomes(ours), jobs.outcomes(theirs)) > THRESHOLD


def test_parameter_sets_of_islands() -> None:
    angles = [Parameter("first"), Parameter("second")]
    circuit = everything_measured(angles[0], angles[1] - angles[0])
    values = np.random.default_rng(SEED).uniform(0, 6, (2, 2, 2))
    params = jobs.sampler_params([(circuit, values, 5000)], simulator={"seed_simulator": 6 + SEED})
    ours = jobs.completed("sampler", "fake_manila", params)[0]
    theirs = jobs.upstream_sampler("fake_manila", [(circuit, values)], 5000, seed=9 + SEED)[0]
    assert ours.data.shape == theirs.data.shape == (2, 2)
    for place in np.ndindex(2, 2):
        for register in ("low", "high"):
            both = (result.data[register][place].get_counts() for result in (ours, theirs))
            assert jobs.same_distribution(*both) > THRESHOLD


def test_equal_islands_are_independent() -> None:
    circuit = QuantumCircuit(6)
    for first in (0, 2):
        circuit.h(first)
        circuit.cx(first, first + 1)
    circuit.h([4, 5])
    circuit.measure_all()
    params = jobs.sampler_params([(circuit, None, 4000)], simulator={"seed_simulator": 3 + SEED})
    bits = jobs.completed("sampler", "aer", params)[0].data.meas.to_bool_array(order="little")
    assert (bits[:, 0] == bits[:, 1]).all()
    assert (bits[:, 2] == bits[:, 3]).all()
    for a, b in itertools.combinations((0, 2, 4, 5), 2):
        table = [
            [int(((bits[:, a] == x) & (bits[:, b] == y)).sum()) for y in (0, 1)] for x in (0, 1)
        ]
        assert stats.chi2_contingency(table, correction=False).pvalue > THRESHOLD


def test_feed_forward_inside_an_island() -> None:
    circuit = QuantumCircuit(4, 4)
    circuit.h([0, 2])
    circuit.measure([0, 2], [0, 2])
    for control, target in ((0, 1), (2, 3)):
        with circuit.if_test((control, 1)):
            circuit.x(target)
    circuit.measure([1, 3], [1, 3])
    params = jobs.sampler_params([(circuit, None, 2000)], simulator={"seed_simulator": 3 + SEED})
    counts = jobs.completed("sampler", "aer", params)[0].data.c.get_counts()
    assert set(counts) == {"0000", "0011", "1100", "1111"}
    assert stats.chisquare(list(counts.values())).pvalue > THRESHOLD


def test_expectation_values_over_islands() -> None:
    circuit = everything_measured(0.4, 1.1, 2.0).remove_final_measurements(inplace=False)
    operator = SparsePauliOp(
        ["ZZZZZ", "IXXII", "XIIIX", "IZZII", "IIIIY"], [1.0, 0.5, 1.0, 1.0, 2.0]
    )
    pub = (circuit, operator, None, 0.01)
    params = jobs.estimator_params([pub], simulator={"seed_simulator": 5 + SEED})
    ours = jobs.completed("estimator", "fake_manila", params)[0].data
    theirs = jobs.upstream_estimator("fake_manila", [pub], seed=9 + SEED)[0].data
    sigmas = stats.norm.isf(THRESHOLD / 2)
    assert abs(ours.evs - theirs.evs) < sigmas * np.hypot(ours.stds, theirs.stds)
    # Upstream adds up the errors of the terms, which is the most their sum can have.
    assert ours.stds < 1.1 * theirs.stds


def test_seeds() -> None:
    circuit = everything_measured(0.4, 1.1)

    def outcome(seed: int) -> Any:
        params = jobs.sampler_params([(circuit, None, 300)], simulator={"seed_simulator": seed})
        data = jobs.completed("sampler", "fake_manila", params)[0].data
        return np.concatenate([data.low.array, data.high.array], axis=1)

    assert (outcome(1) == outcome(1)).all()
    assert (outcome(1) != outcome(2)).any(axis=0).all()


def test_memory_is_counted_by_island_and_the_largest_is_named() -> None:
    circuit = QuantumCircuit(60)
    circuit.h(range(60))
    circuit.measure_all()
    assert jobs.completed("sampler", "aer", jobs.sampler_params([(circuit, None, 5)]))
    circuit = QuantumCircuit(60)
    circuit.rx(0.3, range(60))
    for layer in range(20):
        for qubit in (*range(3), *range(10, 50)):
            circuit.cx(qubit, qubit + 1)
        circuit.rx(0.1 + layer, range(60))
    circuit.measure_all()
    outcome, _ = jobs.run("sampler", "aer", jobs.sampler_params([(circuit, None, 5)]))
    assert outcome["status"] == "failed"
    assert "41 of its 60 qubits" in outcome["reason"]
