"""The engine of the local emulator: one job's JSON in, its result JSON out, on Aer.

The process that imports this package pays for none of it: only workers import Qiskit.

``task``, ``failure``
    what goes in and what comes out: a task, its outcome, and the reason a job cannot run.
``job_decoder``
    turns the posted JSON into circuits and numbers, allowing only the types a job needs.
``devices``
    fake devices: gates, calibration, and noise for exactly the qubits and gates asked for.
``simulation``
    circuits to outcomes: ``compaction`` cuts a circuit to the qubits it uses, ``partition`` splits
    it into independent groups of qubits, ``single_qubit`` computes those of one qubit exactly,
    ``simulate`` runs the larger ones, ``sampling`` joins their outcomes, ``measurement`` turns
    observables into measured circuits, ``resource_limits`` checks memory before a run.
    What is too wide: ``method_choice`` chooses a method or refuses, ``pauli_noise`` twirls noise,
    ``stabilizer`` and ``matrix_product_state`` draw outcomes, called by ``approximate``;
    ``expectation`` measures observables, by ``light_cone`` and ``pauli_propagation``;
    ``approximation`` is what a result says of itself.
``programs``
    the programs of a job: ``sampler``, ``estimator``, ``executor``, ``noise_learner``.
    ``mitigation`` reads options as the client's own models, ``prepared`` runs its functions.
``workers``
    processes that run one job at a time: the pool, the loop inside one, the messages between.

A circuit may measure every qubit of a device and still be small: the client's newer primitives
submit such circuits, in which four qubits are entangled and 152 are turned by themselves and read
out. Qubits that nothing connects are independent, so each group is sampled alone, at the cost of
its own size, and the bits are put where the whole circuit would have put them. What has to fit into
memory is the largest group, not the circuit.
"""

from __future__ import annotations

from qsession_widgets.emulator.engine.task import ClockReading, Simulation, Task, TaskOutcome
from qsession_widgets.emulator.engine.workers.pool import WorkerPool

__all__ = ["ClockReading", "Simulation", "Task", "TaskOutcome", "WorkerPool"]
