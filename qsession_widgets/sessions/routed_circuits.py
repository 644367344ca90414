"""Says once a session that a transpiler has spread a circuit over more qubits than it was made of.

Routing moves states over qubits that the circuit did not have. A device does not mind; a simulation
takes about twice as long for each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from ..delay_units import circuits_of
from ..messages.notices import routed
from .callsite import given_pubs

if TYPE_CHECKING:
    from ..model import JobRecord, SessionSnapshot
    from ..monitoring.monitor import Monitor

LONG_SECONDS = 2.0
"""A job that took less is nothing to speak of."""
MOST_JOBS = 5
"""So many short jobs are followed: the others will be short, too."""
MOST_LOOKS = 20
"""So many jobs have their circuits looked at, which takes a millisecond for a thousand gates."""


class RoutedCircuits:
    """Follows the first jobs of a group whose circuits act on more qubits than they need.

    Parameters
    ----------
    monitor : Monitor
        Their monitor; only one of an emulator is followed.
    tell : callable
        Takes the kind of the event, the sentence and the event's further fields.
    """

    def __init__(self, monitor: Monitor, tell: Callable[..., None]):
        self._monitor = monitor
        self._tell = tell
        self._jobs: dict[str, tuple[int, int]] = {}
        self._looks = 0
        self._unsubscribe: Callable[[], None] | None = None
        self._open = monitor.snapshot.service.kind == "local"

    def submitted(self, job_id: str, inputs: Mapping[str, Any]) -> None:
        """Look at the circuits of a job that was sent."""
        if not self._open or self._looks == MOST_LOOKS or len(self._jobs) == MOST_JOBS:
            return
        self._looks += 1
        pubs = inputs if "pubs" in inputs else {"pubs": given_pubs()}
        widths = map(excess, circuits_of(pubs))
        found = [width for width in widths if width is not None]
        if not found:
            return
        self._jobs[job_id] = max(found)
        if self._unsubscribe is None:
            self._unsubscribe = self._monitor.subscribe(self._follow)

    def _follow(self, snapshot: SessionSnapshot) -> None:
        over = [job for job in snapshot.jobs if job.id in self._jobs and _ran(job) is not None]
        long = [job for job in over if (_ran(job) or 0.0) >= LONG_SECONDS]
        if not long and len(over) < MOST_JOBS:
            return
        self._open = False
        if self._unsubscribe is not None:
            self._unsubscribe()
        if long:
            job = long[0]
            qubits, needed = self._jobs[job.id]
            said = routed(job.id, qubits, needed, _ran(job) or 0.0)
            self._tell("routed", said, job=job.id, qubits=qubits, needed=needed)


def excess(circuit: Any) -> tuple[int, int] | None:
    """Numbers of qubits that a circuit's simulation has, and that it was made of; None if fewer.

    Parameters
    ----------
    circuit : QuantumCircuit
        Transpiled, for a circuit without a layout was not routed.
    """
    if getattr(circuit, "layout", None) is None:
        return None
    needed = len(circuit.layout.initial_index_layout(filter_ancillas=True))
    qubits = _largest_island(circuit)
    return (qubits, needed) if qubits > needed else None


def _largest_island(circuit: Any) -> int:
    """The most qubits that operations connect; islands of a circuit are simulated apart."""
    index = {qubit: number for number, qubit in enumerate(circuit.qubits)}
    touched: set[int] = set()
    pairs: list[tuple[int, int]] = []
    for instruction in circuit.data:
        if instruction.name not in ("barrier", "delay"):
            qubits = [index[qubit] for qubit in instruction.qubits]
            touched.update(qubits)
            pairs += pairwise(qubits)
    if not touched:
        return 0
    ends = np.array(pairs, dtype=int).reshape(-1, 2)
    links = coo_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(len(index),) * 2)
    _, islands = connected_components(links, directed=False)
    return int(np.bincount(islands[sorted(touched)]).max())


def _ran(job: JobRecord) -> float | None:
    """Seconds that an exactly simulated job took; None for others, and until it is over."""
    if job.status != "done" or job.method != "exact" or not job.exact:
        return None
    if job.started is None or job.finished is None:
        return None
    return job.finished - job.started
