"""Wide circuits of little entanglement: matrix product states with sampled noise realizations.

Aer evolves one state per realization of the Pauli noise; from each state many outcomes are drawn
here, all at once, which Aer does one by one. Outcomes of one realization share its errors, so they
are not independent: what is drawn says which realization each outcome belongs to.

How large a state must be is known beforehand: a gate on two qubits at most doubles (or, where it
is none of CX, CZ, RZZ and their kin, quadruples) the bond dimension of the bonds it crosses. Where
that is more than time allows, the state is truncated, and its fidelity estimated from what
truncation threw away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import CircuitInstruction, QuantumCircuit
from qiskit_aer import AerSimulator
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import reverse_cuthill_mckee

from qsession_widgets.emulator.engine.failure import INTERNAL_ERROR, JobFailure
from qsession_widgets.emulator.engine.simulation.compaction import compact
from qsession_widgets.emulator.engine.simulation.pauli_noise import PauliNoise

_RANK_TWO = frozenset(
    {"cx", "cy", "cz", "ch", "ecr", "rzz", "rxx", "ryy", "rzx", "cp", "crz", "crx"}
)
"""Gates of operator Schmidt rank two."""

_GATE_SECONDS = 2e-5
_GATE_SECONDS_PER_CUBE = 3e-8
_ALONE_SECONDS = 9e-6
"""Measured: what a gate on two qubits takes, and what it takes more per bond dimension cubed; what
one on a single qubit takes. With these, and those below, the processor's time of circuits of 100 to
127 qubits with bond dimensions of 4 to 16 is estimated within a factor of two."""

_UNSIMULATED = frozenset({"measure", "barrier", "delay"})
"""Instructions that are left out of a state's preparation."""

_STATE_SECONDS = 5e-3
_SITE_SECONDS = 2e-5
_DRAW_SECONDS = 4e-9
"""Measured: what fetching a state takes; drawing at one site, per call and per amplitude."""

_LARGEST_BOND = 256
_SMALLEST_BOND = 8
HOPELESS = 12
"""Log2 of the bond dimension from which on no truncated state is worth trying."""

_FEWEST_REALIZATIONS = 32
_FEWEST_OF_SEVERAL = 8
_MOST_REALIZATIONS = 512
_REALIZATION_SECONDS = 4.0
"""Time that decides how many realizations are drawn, and the limits of their number."""

_BATCH_BYTES = 1 << 28
"""Memory that states wait in to be drawn from."""

Between = tuple[list[int], int]
"""The qubits of a gate, and by how many bits it enlarges the bonds it crosses."""


@dataclass(frozen=True)
class SamplingPlan:
    """Settings for a circuit as a matrix product state.

    Attributes
    ----------
    order : tuple of int
        The circuit's qubit at each site.
    needed : int
        Log2 of the bond dimension that is enough without truncation.
    bond_dimension : int
        What is used.
    seconds : float
        Estimated time of one state.
    adjacent : bool
        Whether all gates act on neighbouring sites; if not, Aer swaps sites on the way, and
        ``needed`` is an estimate.
    needed_seconds : float
        Estimated time of all outcomes without truncation.
    complete : bool
        Whether the whole circuit was looked at; if not, ``needed`` is what a part of it needs.
    fits : bool
        Whether it is worth trying.
    """

    order: tuple[int, ...]
    needed: int
    bond_dimension: int
    seconds: float
    adjacent: bool
    needed_seconds: float
    complete: bool = True
    fits: bool = True

    @property
    def exact(self) -> bool:
        """True if nothing is truncated, whatever the angles."""
        return self.adjacent and self.bond_dimension >= 1 << self.needed

    def realizations(self, shots: int, sets: int, noisy: bool) -> int:
        """Return how many realizations of the noise to draw for each of some parameter sets."""
        if not noisy:
            return 1
        once = total_seconds(len(self.order), self.bond_dimension, self.seconds, 0, 1)
        affordable = _REALIZATION_SECONDS / (sets * once)
        fewest = _fewest(sets)
        return min(shots, max(fewest, min(int(affordable), _MOST_REALIZATIONS)))


def plan(circuit: QuantumCircuit, shots: int, sets: int, noisy: bool, limit: float) -> SamplingPlan:
    """Plan a circuit that is measured at its end.

    Parameters
    ----------
    circuit : QuantumCircuit
        Its parameters may be unbound.
    shots, sets : int
        Outcomes for each of so many parameter sets.
    noisy : bool
        Whether realizations of noise must be drawn.
    limit : float
        Seconds it may take.
    """
    pairs = gates_between(circuit.data, {qubit: at for at, qubit in enumerate(circuit.qubits)})
    alone = _ALONE_SECONDS * sum(
        len(instruction.qubits) == 1 and instruction.name not in _UNSIMULATED
        for instruction in circuit.data
    )
    order = _sites(circuit.num_qubits, pairs)
    adjacent = True
    place = {qubit: site for site, qubit in enumerate(order)}
    bits = [0] * max(len(order) - 1, 1)
    crossed: list[tuple[int, ...]] = []
    for low, high in _grown(bits, place, pairs):
        adjacent = adjacent and high - low == 1
        crossed.append(tuple(bits[low:high]))
        if max(crossed[-1]) > HOPELESS:
            return SamplingPlan(order, HOPELESS, 0, 0.0, adjacent, 0.0, complete=False, fits=False)
    needed = max(bits)
    realizations = min(shots, _fewest(sets)) if noisy else 1

    def limited(bond: int) -> tuple[float, float]:
        seconds = alone + sum(
            _GATE_SECONDS + _GATE_SECONDS_PER_CUBE * min(1 << bit, bond) ** 3
            for passed in crossed
            for bit in passed
        )
        total = sets * total_seconds(len(order), bond, seconds, shots, realizations)
        return seconds, total

    everything = limited(1 << needed)[1]
    bond = min(1 << needed, _LARGEST_BOND)
    while True:
        seconds, total = limited(bond)
        if total <= limit:
            return SamplingPlan(order, needed, bond, seconds, adjacent, everything)
        if bond <= _SMALLEST_BOND:
            return SamplingPlan(order, needed, bond, seconds, adjacent, everything, fits=False)
        bond //= 2


def _fewest(sets: int) -> int:
    """Return how many realizations each of some parameter sets has at least."""
    return max(_FEWEST_REALIZATIONS // sets, _FEWEST_OF_SEVERAL)


def total_seconds(
    sites: int, bond_dimension: int, state_seconds: float, shots: int, realizations: int
) -> float:
    """Estimate how long it takes to draw outcomes from some states."""
    per_state = state_seconds + _STATE_SECONDS + sites * _SITE_SECONDS
    return per_state * realizations + sites * shots * bond_dimension**2 * 2 * _DRAW_SECONDS


def entangles_beyond(width: int, pairs: Sequence[Between], needed: int) -> bool:
    """True if gates on several of some qubits need a bond dimension of more than ``2**needed``."""
    order = _sites(width, pairs)
    bits = [0] * max(width - 1, 1)
    place = {qubit: site for site, qubit in enumerate(order)}
    return any(max(bits[low:high]) > needed for low, high in _grown(bits, place, pairs))


def _grown(
    bits: list[int], place: Mapping[int, int], pairs: Sequence[Between]
) -> Iterator[tuple[int, int]]:
    """Let each gate enlarge the bonds it crosses, and yield the range of those bonds."""
    for qubits, rank in pairs:
        sites = [place[qubit] for qubit in qubits]
        low, high = min(sites), max(sites)
        for bond in range(low, high):
            left = bits[bond - 1] if bond else 0
            right = bits[bond + 1] if bond + 1 < len(bits) else 0
            bits[bond] = min(bits[bond] + rank, left + 1, right + 1)
        yield low, high


def gates_between(
    instructions: Iterable[CircuitInstruction], index: Mapping[Any, int]
) -> list[Between]:
    """Return the gates on several qubits.

    Parameters
    ----------
    instructions : iterable of CircuitInstruction
        Of a circuit.
    index : Mapping
        The number of each qubit.
    """
    return [
        (
            [index[qubit] for qubit in instruction.qubits],
            1 if instruction.name in _RANK_TWO else 2 * (len(instruction.qubits) // 2),
        )
        for instruction in instructions
        if len(instruction.qubits) > 1 and instruction.name != "barrier"
    ]


def _sites(width: int, pairs: Sequence[Between]) -> tuple[int, ...]:
    """Return an order of the qubits that keeps gates local."""
    edges = {edge for qubits, _ in pairs for edge in pairwise(qubits)}
    rows, columns = np.array(sorted(edges) or [(0, 0)]).T
    both = (np.concatenate([rows, columns]), np.concatenate([columns, rows]))
    graph = coo_matrix((np.ones(len(both[0])), both), shape=(width, width)).tocsr()
    order = reverse_cuthill_mckee(graph, symmetric_mode=True)
    return tuple(int(qubit) for qubit in order)


def fidelity(circuit: QuantumCircuit, chosen: SamplingPlan) -> float:
    """Estimate the fidelity of a circuit's truncated state, without noise.

    Each truncation keeps a part of the state's norm; the product of those parts is the estimate.

    Parameters
    ----------
    circuit : QuantumCircuit
        Its parameters bound.
    chosen : SamplingPlan
        Of this circuit.
    """
    if chosen.exact:
        return 1.0
    prepared = _state_preparation(circuit, chosen)
    prepared.save_amplitudes([0])
    kept = 1.0
    for thrown_away in _truncations(prepared, chosen.bond_dimension):
        kept *= max(0.0, 1.0 - thrown_away)
    return 1.0 if kept > 1 - 1e-9 else kept


_logged = 0
"""Length of what Aer's log of truncations holds from earlier calls, which it never forgets."""


def _truncations(circuit: QuantumCircuit, bond_dimension: int) -> list[float]:
    global _logged
    (experiment,) = _run(circuit, bond_dimension, mps_log_data=True, max_parallel_threads=1)
    log = str((experiment.metadata or {}).get("MPS_log_data", ""))
    if len(log) <= _logged:
        raise JobFailure("Aer's log of truncations is incomplete.", INTERNAL_ERROR)
    new = log[_logged:]
    _logged = len(log) - 1
    return [float(value) for value in re.findall(r"discarded_value=([-+.0-9e]+)", new)]


def _run(circuit: QuantumCircuit, bond_dimension: int, **options: Any) -> Any:
    settings = {
        "shots": 1,
        "method": "matrix_product_state",
        "matrix_product_state_max_bond_dimension": bond_dimension,
        **options,
    }
    result = AerSimulator().run(circuit, **settings).result()
    if not result.success:
        raise JobFailure(f"Aer could not run this job: {result.status}"[:450], INTERNAL_ERROR)
    return result.results


def _state_preparation(circuit: QuantumCircuit, chosen: SamplingPlan) -> QuantumCircuit:
    """Return the circuit on its sites, without measurements."""
    placed = compact(circuit, chosen.order)
    prepared = QuantumCircuit(placed.qubits)
    for instruction in placed.data:
        if instruction.name not in _UNSIMULATED:
            prepared._append(instruction)
    return prepared


def sample(
    circuit: QuantumCircuit,
    chosen: SamplingPlan,
    *,
    shots: int,
    realizations: int,
    noise: PauliNoise | None,
    qubits: Sequence[int],
    options: dict[str, Any],
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Draw outcomes of a circuit that is measured at its end.

    Parameters
    ----------
    circuit : QuantumCircuit
        Its parameters bound.
    chosen : SamplingPlan
        Of this circuit.
    shots, realizations : int
        How many outcomes, and from how many states.
    noise : PauliNoise or None
        By the numbers in ``qubits``.
    qubits : sequence of int
        The noise's number of each qubit of the circuit.
    options : dict
        Aer options such as ``max_parallel_threads``.
    rng : Generator
        For everything that is drawn.

    Returns
    -------
    ndarray
        Shape ``(shots, classical bits)``; outcomes of one realization stand together, as
        `realization_of` tells.
    """
    prepared = _state_preparation(circuit, chosen)
    sites = [qubits[qubit] for qubit in chosen.order]
    model = None if noise is None else noise.model(sites, [prepared])
    prepared.save_matrix_product_state(pershot=True)
    site_of = {qubit: site for site, qubit in enumerate(chosen.order)}
    index = {qubit: at for at, qubit in enumerate(circuit.qubits)}
    clbit = {bit: at for at, bit in enumerate(circuit.clbits)}
    measured = [
        (index[instruction.qubits[0]], clbit[instruction.clbits[0]])
        for instruction in circuit.data
        if instruction.name == "measure"
    ]
    bits = np.zeros((shots, circuit.num_clbits), dtype=np.uint8)
    sizes = np.bincount(realization_of(shots, realizations), minlength=realizations)
    per_state = len(sites) * 2 * chosen.bond_dimension**2 * 16
    batch = max(1, _BATCH_BYTES // per_state)
    row = 0
    for first in range(0, realizations, batch):
        count = min(batch, realizations - first) if model is not None else realizations
        settings = {**options, "seed_simulator": int(rng.integers(1 << 31))}
        if model is not None:
            settings |= {"noise_model": model, "shots": count}
        (experiment,) = _run(prepared, chosen.bond_dimension, **settings)
        states = experiment.data.matrix_product_state
        for at in range(count):
            size = int(sizes[first + at])
            drawn = _draw(states[at if model is not None else 0], size, rng)
            for qubit, bit in measured:
                bits[row : row + size, bit] = drawn[:, site_of[qubit]]
            row += size
        if model is None:
            break
    if noise is not None:
        for qubit, bit in measured:
            bits[:, bit] = noise.misread(bits[:, bit], qubits[qubit], rng)
    return bits


def realization_of(shots: int, realizations: int) -> NDArray[np.intp]:
    """Return which realization each outcome belongs to, shape ``(shots,)``."""
    return np.arange(shots) * realizations // shots


def _draw(state: Any, shots: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw outcomes of all sites of a state, site after site.

    Everything right of a site is an isometry, so that the vector which an outcome so far leaves
    on the bond holds all that the next site's probabilities depend on.
    """
    tensors, weights = state
    drawn = np.empty((shots, len(tensors)), dtype=np.uint8)
    vectors = np.ones((shots, 1), dtype=complex)
    for site, (zero, one) in enumerate(tensors):
        if site < len(weights):
            zero, one = zero * weights[site], one * weights[site]
        of_zero, of_one = vectors @ zero, vectors @ one
        norms = [np.einsum("ij,ij->i", v.conj(), v).real for v in (of_zero, of_one)]
        ones = rng.random(shots) * (norms[0] + norms[1]) < norms[1]
        drawn[:, site] = ones
        length = np.sqrt(np.where(ones, norms[1], norms[0]))
        vectors = np.where(ones[:, None], of_one, of_zero) / length[:, None]
    return drawn
