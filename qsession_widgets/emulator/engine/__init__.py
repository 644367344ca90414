"""The engine of the local emulator: one job's JSON in, its result JSON out, on Aer.

How a job becomes counts, module by module:

``pool``
    keeps worker processes warm, gives each job to one, and replaces a worker that was killed or
    died.
``frames``
    the messages between the two processes.
``worker``
    the loop inside a worker process: read a job, run its program, answer.
``decode``
    turns the posted JSON into circuits and numbers, allowing only the types a job needs.
``programs``
    what each program does: ``sampler``, ``estimator``, ``executor``.
``compaction``
    cuts a circuit to the qubits it uses.
``device``, ``noise``
    what a fake device is: its gates, and its noise for exactly those qubits and gates.
``simulate``
    runs many compacted circuits in one simulator call and returns their outcomes.
``measurement``, ``outcomes``
    how observables become measured circuits, and outcomes become arrays and values.
``cluster``
    the same simulator calls on a Dask cluster.
``sizes``
    says before running whether the memory suffices, and which method would fit.

The process that imports this package pays for none of it: only workers import Qiskit.
"""

from __future__ import annotations

from qsession_widgets.emulator.engine.contract import Outcome, Task
from qsession_widgets.emulator.engine.pool import WorkerPool

__all__ = ["Outcome", "Task", "WorkerPool"]
