"""Cells whose jobs are taken up by the next run, and what is counted of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qsession_widgets.resume.records import RunRecord, read, recorded
from qsession_widgets.resume.runs import RUNS

from .cells import Notebook

Ask = Callable[..., Any]

RESUME = "%%session --service local --backend aer --resume"
BUILD = """
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit_ibm_runtime import SamplerV2
def turned():
    circuit = QuantumCircuit(1)
    circuit.sx(0)
    circuit.rz(Parameter("angle"), 0)
    circuit.sx(0)
    circuit.measure_all()
    return circuit
def loop(last, shots=64, begin=0):
    sampler, found = SamplerV2(), []
    for number in range(begin, last):
        job = sampler.run([(turned(), [number / 10])], shots=shots)
        found.append((job.job_id(), job.result()[0].data.meas.get_counts()))
    return found
"""


def read_run(run_id: str) -> RunRecord:
    """A run, as it stands in its file."""
    (path,) = (path for known, _, path in recorded() if known == run_id)
    return read(path)


def accepted(ask: Ask) -> int:
    """How many jobs the service has accepted since the test began."""
    return len(ask("GET", "/jobs")["jobs"])


def end_with(work: Notebook, *lines: str) -> str:
    """Run a cell that fails in the end; the run's id."""
    assert isinstance(work(RESUME, *lines, "raise ZeroDivisionError").error, ZeroDivisionError)
    record = RUNS.record
    assert record is not None
    RUNS.reset()
    return record.id
