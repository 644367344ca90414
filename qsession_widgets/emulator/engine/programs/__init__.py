"""The programs a job can name, and the one way to run them."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable
from typing import Any

from qsession_widgets.emulator.engine.devices import device
from qsession_widgets.emulator.engine.failure import (
    INTERNAL_ERROR,
    INVALID_BODY,
    JobFailure,
    out_of_memory,
)
from qsession_widgets.emulator.engine.programs import (
    estimator,
    executor,
    noise_learner,
    sampler,
)
from qsession_widgets.emulator.engine.simulation import cluster
from qsession_widgets.emulator.engine.simulation.job_run import JobRun
from qsession_widgets.emulator.engine.task import IDEAL, ClockReading, Simulation

PROGRAMS: dict[str, Callable[[JobRun, str], str]] = {
    "sampler": sampler.run,
    "estimator": estimator.run,
    "executor": executor.run,
    "noise-learner": noise_learner.run,
}
"""By the name that a job gives.

Each takes the job and its posted parameters as JSON text, and returns the result as JSON text that
the client decodes. It raises `JobFailure` when the job cannot be run as posted.
"""


def run(
    head: dict[str, Any],
    params: str,
    *,
    memory_limit: int | None,
    on_planned: Callable[[int], object] = lambda executions: None,
) -> tuple[dict[str, Any], str]:
    """Run one job to its end, whatever it does.

    Parameters
    ----------
    head : dict
        What `WorkerPool` says of the job: ``program_id``, ``backend``, ``options``, and where there
        are any ``cluster`` and ``clock``.
    params : str
        The posted parameters as JSON text.
    memory_limit : int or None
        Bytes the job may use.
    on_planned : callable, optional
        Takes the executions that the job will have, once they are known: before it is simulated.

    Returns
    -------
    tuple
        The outcome without its result, and the result's JSON text, empty if there is none.
    """
    started = time.perf_counter()
    result, failure = "", None
    job = JobRun(device.Device("none", 0), dict(head["options"]), memory_limit)
    job.on_planned = on_planned
    job.clock = ClockReading(*head.get("clock", job.clock))
    job.simulation = Simulation(*head.get("simulation", job.simulation))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            program = PROGRAMS.get(head["program_id"])
            if program is None:
                raise JobFailure(
                    f"The local emulator cannot run the program {head['program_id']!r}; it runs "
                    f"{', '.join(PROGRAMS)}.",
                    INVALID_BODY,
                )
            job.device = device.find(head["backend"])
            if address := head.get("cluster"):
                job.cluster = cluster.connect(address)
                job.note(f"simulated on the Dask cluster at {address}")
            result = program(job, params)
        except JobFailure as error:
            failure = error
        except MemoryError:
            failure = out_of_memory()
        except Exception as error:
            failure = JobFailure(
                f"The job could not be run ({type(error).__name__}): {str(error)[:400]}",
                INTERNAL_ERROR,
            )
    lines = [f"backend {job.device.name}, program {head['program_id']}", *job.log]
    lines += [f"approximated: {sentence}" for sentence in job.approximations]
    lines += [f"warning: {sentence}" for sentence in job.warnings]
    lines += sorted({f"warning: {w.message}" for w in caught if _worth_telling(w)})
    lines.append(
        f"{job.executions} executions, {job.seconds:.4f} s in the simulator, "
        f"{time.perf_counter() - started:.4f} s in all"
    )
    if failure is not None:
        lines.append(f"failed: {failure.reason}")
    outcome = {
        "status": "completed" if failure is None else "failed",
        "reason": failure.reason if failure else None,
        "reason_code": failure.code if failure else None,
        "execution_seconds": job.seconds,
        "executions": job.executions,
        "warnings": job.warnings,
        "methods": job.methods,
        "approximations": job.approximations,
        "no_effect": job.no_effect,
        "logs": "\n".join(lines) + "\n",
    }
    return outcome, result if failure is None else ""


def _worth_telling(warning: warnings.WarningMessage) -> bool:
    return not issubclass(warning.category, (DeprecationWarning, PendingDeprecationWarning))


def warm_up() -> None:
    """Run one small job, so that the first real one finds everything imported and started."""
    from qiskit import QuantumCircuit
    from qiskit_ibm_runtime import RuntimeEncoder

    circuit = QuantumCircuit(1)
    circuit.measure_all()
    params = json.dumps({"pubs": [(circuit, None, 1)]}, cls=RuntimeEncoder)
    head = {"program_id": "sampler", "backend": IDEAL, "options": {}}
    run(head, params, memory_limit=None)
