"""A bit that was read once may be written again: by a branch, a loop, or a value that is stored."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from engine import jobs
from qiskit import QuantumCircuit
from qiskit.circuit.classical import expr

from qsession_widgets.emulator.engine.devices import device
from qsession_widgets.emulator.engine.devices.noise_source import DeviceNoise
from qsession_widgets.emulator.engine.simulation import single_qubit
from qsession_widgets.emulator.engine.simulation.partition import split


def read(prepare: str) -> QuantumCircuit:
    """Return a qubit that is prepared by a gate and read."""
    circuit = QuantumCircuit(1, 1)
    getattr(circuit, prepare)(0)
    circuit.measure(0, 0)
    return circuit


def read_again_in_a_branch() -> QuantumCircuit:
    circuit = read("h")
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)
        circuit.measure(0, 0)
    return circuit


def repeated_until_zero() -> QuantumCircuit:
    circuit = read("h")
    with circuit.while_loop((circuit.clbits[0], 1)):
        circuit.h(0)
        circuit.measure(0, 0)
    return circuit


def repeated_until_zero_beside_others() -> QuantumCircuit:
    circuit = QuantumCircuit(3, 3)
    circuit.compose(repeated_until_zero(), [0], [0], inplace=True)
    circuit.x(1)
    circuit.measure([1, 2], [1, 2])
    return circuit


def read_again_for_each_of_a_loop() -> QuantumCircuit:
    circuit = read("x")
    with circuit.for_loop(range(3)):
        circuit.x(0)
        circuit.measure(0, 0)
    return circuit


def read_again_in_a_case() -> QuantumCircuit:
    circuit = read("h")
    with circuit.switch(circuit.clbits[0]) as case, case(True):
        circuit.x(0)
        circuit.measure(0, 0)
    return circuit


def written_over() -> QuantumCircuit:
    circuit = read("x")
    circuit.store(circuit.clbits[0], expr.lift(False))
    return circuit


@pytest.mark.parametrize(
    ("circuit", "counts"),
    [
        (read_again_in_a_branch, {"0": 200}),
        (repeated_until_zero, {"0": 200}),
        (repeated_until_zero_beside_others, {"010": 200}),
        (read_again_for_each_of_a_loop, {"0": 200}),
        (read_again_in_a_case, {"0": 200}),
        (written_over, {"0": 200}),
    ],
)
def test_a_bit_that_is_written_again_is_what_it_was_written_last(
    circuit: Callable[[], QuantumCircuit], counts: dict[str, int]
) -> None:
    params = jobs.sampler_params([(circuit(), None, 200)])
    assert jobs.outcomes(jobs.completed("sampler", "aer", params)[0]) == counts


def test_what_happens_after_a_reading_without_writing_it_again_changes_nothing() -> None:
    circuit = read("x")
    circuit.x(0)
    circuit.delay(100, 0, unit="dt")
    circuit.reset(0)
    noise = DeviceNoise(device.find("aer"), (0,))
    alone, others = single_qubit.part(circuit, split(circuit), noise)
    assert alone is not None
    assert not others
    np.testing.assert_allclose(alone.probabilities(np.zeros((1, 0))), [[1.0]])
