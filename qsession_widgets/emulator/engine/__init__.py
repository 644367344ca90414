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
``device``, ``noise``, ``sources``
    what a fake device is: its gates, and its noise for exactly the qubits and gates asked for.
``islands``
    splits what is left into groups of qubits that have nothing to do with each other.
``sampling``
    samples the islands one by one and puts their outcomes together.
``singles``
    islands of one qubit: all at once and exactly, without the simulator.
``simulate``
    runs many circuits of larger islands in one simulator call and returns their outcomes.
``measurement``, ``outcomes``
    how observables become measured circuits, and outcomes become arrays and values.
``cluster``
    the same simulator calls on a Dask cluster.
``sizes``, ``memory``
    say before running whether the memory suffices, and which method would fit.

A circuit may measure every qubit of a device and still be small: the client's newer primitives
submit such circuits, in which four qubits are entangled and 152 are turned by themselves and read
out. Qubits that nothing connects are independent, so each island is sampled alone, at the cost of
its own size, and the bits are put where the whole circuit would have put them. What has to fit into
memory is the largest island, not the circuit.

The process that imports this package pays for none of it: only workers import Qiskit.
"""

from __future__ import annotations

from qsession_widgets.emulator.engine.contract import ClockReading, Outcome, Task
from qsession_widgets.emulator.engine.pool import WorkerPool

__all__ = ["ClockReading", "Outcome", "Task", "WorkerPool"]
