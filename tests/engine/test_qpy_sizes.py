"""Sizes that circuits declare in blocks and definitions, which are counted before they are made."""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Callable

import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, qpy
from qiskit.circuit import (
    AnnotatedOperation,
    ControlModifier,
    InverseModifier,
    Parameter,
    ParameterVector,
)
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import MCXGate, PauliEvolutionGate, SGate, XGate
from qiskit.qpy.common import QPY_VERSION
from qiskit.quantum_info import SparsePauliOp

from qsession_widgets.emulator.engine.failure import JobFailure
from qsession_widgets.emulator.engine.qpy_sizes import check_qpy

QUBITS, BITS = 0x1234, 0x0567
VERSIONS = range(13, QPY_VERSION + 1)
each_version = pytest.mark.parametrize("version", VERSIONS)


def header(qubits: int, bits: int) -> bytes:
    """A circuit's global phase, as its header tells of it, and its sizes."""
    return struct.pack("!cHII", b"f", 8, qubits, bits)


def written(circuit: QuantumCircuit, version: int) -> bytes:
    data = io.BytesIO()
    qpy.dump(circuit, data, version=version)
    return data.getvalue()


def of_every_kind() -> QuantumCircuit:
    """A circuit with what the format has parts for."""
    qubits, ones = QuantumRegister(QUBITS, "q"), ClassicalRegister(1, "one")
    circuit = QuantumCircuit(qubits, ClassicalRegister(BITS, "c"), ones, metadata={"a": [1, 2]})
    p, v, w = Parameter("p"), ParameterVector("v", 5), Parameter("w")
    circuit.global_phase = p + 1
    flag = circuit.add_var("flag", expr.lift(True))
    number = circuit.add_var("number", expr.lift(7, types.Uint(8)))
    circuit.rz(v[2], 1)
    circuit.ry(v[0] * v[3] + math.pi * p - p.sin(), 2)
    circuit.rx((p + v[1]).subs({v[1]: 2 * w}), 3)
    circuit.rx((p * 2).subs({p: v[4]}), 0)
    pair = QuantumCircuit(2, name="pair")
    pair.cx(0, 1)
    circuit.append(pair.to_gate().control(1), [0, 1, 2])
    circuit.append(MCXGate(3, ctrl_state=2), [0, 1, 2, 3])
    circuit.append(XGate().control(2, annotated=True), [0, 1, 2])
    circuit.append(AnnotatedOperation(SGate(), [InverseModifier(), ControlModifier(1)]), [0, 1])
    circuit.append(PauliEvolutionGate(SparsePauliOp(["XX", "ZZ"], [1, 2]), time=p), [0, 1])
    circuit.delay(100, 0)
    circuit.measure([0, 1], [0, 1])
    with circuit.if_test(expr.logic_and(flag, expr.less(number, 9))), circuit.for_loop(range(3)):
        circuit.x(1)
    with circuit.switch(ones) as case, case(case.DEFAULT):
        circuit.z(2)
    circuit.store(flag, expr.lift(False))
    return circuit


def with_block() -> QuantumCircuit:
    circuit = of_every_kind()
    body = QuantumCircuit(QUBITS, BITS, name="zz")
    body.x(0)
    circuit.if_test((circuit.clbits[0], 1), body, range(QUBITS), range(BITS))
    return circuit


def with_definition() -> QuantumCircuit:
    circuit = of_every_kind()
    circuit.append(
        QuantumCircuit(QUBITS, BITS, name="zz").to_instruction(), range(QUBITS), range(BITS)
    )
    return circuit


@each_version
@pytest.mark.parametrize("circuit", [with_block, with_definition])
def test_a_size_within_a_circuit_is_found_behind_all_else(
    circuit: Callable[[], QuantumCircuit], version: int
) -> None:
    data = written(circuit(), version)
    check_qpy(data)
    before, counts, after = data.partition(header(QUBITS, BITS))
    assert counts
    with pytest.raises(JobFailure, match="more than 100,000 qubits and bits"):
        check_qpy(before + header(1, 10**9) + after)


@each_version
def test_blocks_are_counted_in_sum(version: int) -> None:
    circuit = QuantumCircuit(7, 3)
    for _ in range(12):
        body = QuantumCircuit(7, 2, name="zz")
        circuit.if_test((circuit.clbits[0], 1), body, range(7), range(2))
    data = written(circuit, version)
    blocks = data.replace(header(7, 2), header(99_000, 2))
    with pytest.raises(JobFailure, match="declare more than 1,000,000 qubits and bits in all"):
        check_qpy(blocks)


@each_version
def test_a_parameter_vector_is_not_made_of_any_length(version: int) -> None:
    circuit = QuantumCircuit(1)
    circuit.rx(2 * ParameterVector("v", 0x1234)[3], 0)
    data = written(circuit, version)
    with pytest.raises(JobFailure, match="parameter vector with more than 100,000 elements"):
        check_qpy(data.replace(struct.pack("!Q", 0x1234), struct.pack("!Q", 10**9)))


def test_a_register_that_is_a_range_is_not_made_of_any_length() -> None:
    circuit = QuantumCircuit(QuantumRegister(0x1234, "zz"))
    before, size, after = written(circuit, QPY_VERSION).rpartition(struct.pack("!IH", 0x1234, 2))
    assert size
    with pytest.raises(JobFailure, match="more than 100,000 qubits and bits"):
        check_qpy(before + struct.pack("!IH", 10**9, 2) + after)


def test_what_is_damaged_is_left_to_the_reader() -> None:
    data = written(with_block(), QPY_VERSION)
    for end in range(0, len(data), 997):
        check_qpy(data[:end])
