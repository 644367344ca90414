"""Refuses what fits no way of simulation after a look at the circuit's beginning and end.

The whole of a long circuit takes longer to be cut and taken apart than anybody should wait for a
refusal. What is refused here is what `method_choice.choose` would refuse; what is left is looked at
there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import CircuitInstruction, QuantumCircuit
from qiskit.quantum_info import Pauli
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from qsession_widgets.emulator.engine.simulation import (
    matrix_product_state,
    method_choice,
    pauli_propagation,
    stabilizer,
)
from qsession_widgets.emulator.engine.simulation.job_run import JobRun
from qsession_widgets.emulator.engine.simulation.matrix_product_state import HOPELESS, Between
from qsession_widgets.emulator.engine.simulation.resource_limits import (
    available_memory,
    memory_needed,
)

_SHORT = 2000
"""Instructions of circuits that are chosen a method for in a moment, and of the first look."""

_MARGIN = 4
"""Log2 of the bond dimension beyond the largest one, because a circuit's beginning may be put into
another order than the whole."""

_WIDE_CONE = 10
"""Qubits of a light cone up to which it is simulated exactly."""


def check(
    job: JobRun,
    circuit: QuantumCircuit,
    active: Collection[int],
    values: NDArray[np.float64],
    label: str | None = None,
) -> None:
    """Refuse a circuit that no method fits.

    Parameters
    ----------
    job : JobRun
        With its wishes and limits; it uses the device's noise.
    circuit : QuantumCircuit
        As posted.
    active : collection of int
        The qubits on which something happens.
    values : ndarray
        Its parameter sets, shape ``(…, parameters)``.
    label : str, optional
        A term of the observables, if the circuit is not sampled but means are asked for.

    Raises
    ------
    JobFailure
        If nothing fits, saying what would.
    """
    if not _in_question(job, circuit, active):
        return
    index = {qubit: at for at, qubit in enumerate(circuit.qubits)}
    measured = _measured_last(circuit, index)
    if measured is None:
        return
    quarters = values / (np.pi / 2)
    turned = bool((np.abs(quarters - np.round(quarters)) > stabilizer.TOLERANCE).any())
    pairs: list[Between] = []
    for part in _parts(circuit):
        pairs += matrix_product_state.gates_between(part, index)
        turned = turned or not all(stabilizer.may_be_clifford(each) for each in part)
        island = _largest(circuit.num_qubits, pairs)
        inside = [pair for pair in pairs if pair[0][0] in island]
        if turned and matrix_product_state.entangles_beyond(
            circuit.num_qubits, inside, HOPELESS + _MARGIN
        ):
            break
    else:
        return
    if not _too_large(job, len(island)) or (label is None and island.isdisjoint(measured)):
        return
    if label is not None and not _outgrows(circuit, index, values, label):
        return
    if len(island) < len(active):
        island = _largest(
            circuit.num_qubits, matrix_product_state.gates_between(circuit.data, index)
        )
    raise method_choice.refusal(
        job,
        circuit,
        len(island),
        len(active),
        [
            method_choice.memory_reason(job, len(island)),
            method_choice.NO_CLIFFORD,
            method_choice.bond_reason(HOPELESS),
        ],
    )


def largest_island(circuit: QuantumCircuit) -> int:
    """Return how many qubits gates connect at most."""
    index = {qubit: at for at, qubit in enumerate(circuit.qubits)}
    pairs = matrix_product_state.gates_between(circuit.data, index)
    return len(_largest(circuit.num_qubits, pairs))


def _in_question(job: JobRun, circuit: QuantumCircuit, active: Collection[int]) -> bool:
    """True if a circuit of gates may be refused that is long and wide enough to look at first."""
    wishes = job.simulation
    if wishes.method != "auto" or job.options.get("method", "automatic") != "automatic":
        return False
    if wishes.noise == "device" and not job.device.ideal:
        return False
    return (
        len(circuit.data) > _SHORT
        and _too_large(job, len(active))
        and all(
            name in ("measure", "barrier") or pauli_propagation.knows(name)
            for name in circuit.count_ops()
        )
    )


def _too_large(job: JobRun, qubits: int) -> bool:
    precision = job.options.get("precision", "double")
    return memory_needed(qubits, "statevector", precision) > available_memory(job.memory_limit)


def _measured_last(circuit: QuantumCircuit, index: Mapping[object, int]) -> set[int] | None:
    """Return the qubits that a circuit measures at its end, None if it measures before."""
    left = circuit.count_ops().get("measure", 0)
    measured: set[int] = set()
    at = len(circuit.data)
    while left:
        at -= 1
        instruction = circuit.data[at]
        if instruction.name == "barrier":
            continue
        if instruction.name != "measure":
            return None
        measured.add(index[instruction.qubits[0]])
        left -= 1
    return measured


def _parts(circuit: QuantumCircuit) -> Iterator[Sequence[CircuitInstruction]]:
    """Yield a circuit's instructions in parts, each as long as all before it."""
    start, stop = 0, _SHORT
    while start < len(circuit.data):
        yield circuit.data[start:stop]
        start, stop = stop, 2 * stop


def _largest(width: int, pairs: Sequence[Between]) -> set[int]:
    """Return the most qubits that gates connect."""
    edges = [(qubits[0], qubit) for qubits, _ in pairs for qubit in qubits[1:]]
    rows, columns = np.array(edges or [(0, 0)]).T
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(width, width))
    _, group = connected_components(graph, directed=False)
    return set(np.flatnonzero(group == np.bincount(group).argmax()).tolist())


def _outgrows(
    circuit: QuantumCircuit,
    index: Mapping[object, int],
    values: NDArray[np.float64],
    label: str,
) -> bool:
    """True if a term, carried back through the circuit's end alone, becomes too many operators."""
    pauli = Pauli(label)
    qubits = np.flatnonzero(pauli.x | pauli.z).tolist()
    if not qubits:
        return False
    end = circuit.copy_empty_like()
    for instruction in _cone(circuit, qubits):
        end._append(instruction)
    if end.parameters:
        first = values.reshape(-1, len(circuit.parameters))[0]
        known = dict(zip(circuit.parameters, first, strict=True))
        end = end.assign_parameters({name: known[name] for name in end.parameters})
    for qubit in qubits:
        if pauli.x[qubit]:
            if pauli.z[qubit]:
                end.sdg(qubit)
            end.h(qubit)
    reached = {qubit for instruction in end.data for qubit in instruction.qubits}
    return len(reached) > _WIDE_CONE and pauli_propagation.outgrows(end.data, index, qubits)


def _cone(circuit: QuantumCircuit, qubits: Sequence[int]) -> list[CircuitInstruction]:
    """Return the last gates of a light cone."""
    reached = {circuit.qubits[qubit] for qubit in qubits}
    kept: list[CircuitInstruction] = []
    for stop in range(len(circuit.data), 0, -_SHORT):
        for instruction in reversed(circuit.data[max(stop - _SHORT, 0) : stop]):
            if instruction.name in ("measure", "barrier"):
                continue
            at = instruction.qubits
            if not reached.isdisjoint(at):
                reached.update(at)
                kept.append(instruction)
        if len(kept) > _SHORT:
            break
    kept.reverse()
    return kept
