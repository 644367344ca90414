"""Cutting a circuit leaves its meaning alone."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.circuit import Clbit, Parameter
from qiskit.quantum_info import Statevector

from qsession_widgets.emulator.engine.simulation.compaction import active_qubits, compact


@pytest.mark.parametrize("seed", range(8))
def test_the_state_of_the_used_qubits_is_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    wide = QuantumCircuit(7, global_phase=0.4)
    used = sorted(rng.choice(7, size=3, replace=False).tolist())
    for _ in range(20):
        a, b = (int(qubit) for qubit in rng.choice(used, size=2, replace=False))
        wide.u(*rng.uniform(0, 6, 3), a)
        wide.cx(a, b)
        wide.barrier()
        wide.delay(10, int(rng.integers(7)))
    assert active_qubits(wide) <= set(used)
    narrow = compact(wide, used)
    assert narrow.num_qubits == 3
    idle = [qubit for qubit in range(7) if qubit not in used]
    full = Statevector(wide).data.reshape([2] * 7)
    # Axis k belongs to qubit 6 - k, and idle qubits stay in the ground state.
    place = tuple(0 if 6 - axis in idle else slice(None) for axis in range(7))
    np.testing.assert_allclose(Statevector(narrow).data, full[place].ravel(), atol=1e-12)


def test_idle_means_no_more_than_barriers_and_delays() -> None:
    circuit = QuantumCircuit(8, 2)
    circuit.barrier()
    circuit.delay(100, 0)
    circuit.measure(1, 1)
    circuit.reset(2)
    circuit.id(3)
    circuit.rz(0.1, 4)
    with circuit.if_test((0, 1)):
        circuit.barrier(range(8))
        with circuit.for_loop(range(2)):
            circuit.x(6)
    assert active_qubits(circuit) == {1, 2, 3, 4, 6}
    narrow = compact(circuit, [1, 2, 3, 4, 6])
    assert narrow.num_qubits == 5
    assert active_qubits(narrow) == set(range(5))
    (branch,) = (gate for gate in narrow.data if gate.name == "if_else")
    assert len(branch.qubits) == branch.operation.num_qubits
    # Once more over the result changes nothing.
    assert compact(narrow, range(5)) == narrow


def test_classical_bits_registers_and_parameters_are_kept() -> None:
    loose = Clbit()
    circuit = QuantumCircuit(4)
    circuit.add_bits([loose])
    first, second = ClassicalRegister(3, "first"), ClassicalRegister(bits=[loose], name="second")
    circuit.add_register(first, second)
    angle = Parameter("angle")
    circuit.rx(angle, 3)
    circuit.measure(3, first[2])
    circuit.metadata = {"kept": True}
    narrow = compact(circuit, [3])
    assert narrow.clbits == circuit.clbits
    assert narrow.cregs == circuit.cregs
    assert list(narrow.parameters) == [angle]
    assert narrow.metadata == {"kept": True}
    assert narrow.data[-1].clbits == (first[2],)


def test_order_follows_what_is_kept() -> None:
    circuit = QuantumCircuit(3)
    circuit.cx(2, 0)
    narrow = compact(circuit, [2, 0])
    assert [narrow.find_bit(qubit).index for qubit in narrow.data[0].qubits] == [0, 1]


def test_a_used_qubit_must_be_kept() -> None:
    circuit = QuantumCircuit(2)
    circuit.cx(0, 1)
    with pytest.raises(ValueError, match="'cx'"):
        compact(circuit, [0])


def test_the_original_is_left_alone() -> None:
    circuit = QuantumCircuit(3, 1)
    circuit.h(1)
    with circuit.if_test((0, 1)):
        circuit.x(1)
    before = circuit.copy()
    compact(circuit, [1])
    assert circuit == before
