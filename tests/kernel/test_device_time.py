"""The time and cost of an emulated session are a device's, through the real client and emulator."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from qsession_widgets.cli.main import main
from qsession_widgets.model import usage
from qsession_widgets.views.receipt import to_json, to_text

from .cells import Notebook
from .conftest import CIRCUITS


def test_a_session_uses_what_its_jobs_would_on_a_device(
    notebook: Notebook, ask: Callable[..., Any]
) -> None:
    """4096 shots are 2 s + 0.35 ms each, however long the simulator and its worker take."""
    notebook.good(CIRCUITS)
    notebook.good(
        "%%session --service local --backend aer",
        "for shots in (4096, 1000):",
        "    SamplerV2().run([(measured,)], shots=shots).result()",
        "session.close()",
    )
    session = notebook["session"]
    snapshot = session.wait_for(timeout=120)
    assert [job.device_seconds for job in snapshot.jobs] == pytest.approx([3.4336, 2.35], abs=1e-3)
    # what is counted before a job is sent is what the emulator ran
    assert [job.executions for job in snapshot.jobs] == [4096, 1000]
    spent = usage(snapshot, snapshot.answered_at)
    assert spent.qpu == pytest.approx(5.7836, abs=2e-3)
    assert (spent.classical, spent.final, spent.estimated) == (0.0, True, True)
    # beyond the device's time only the time between the jobs as it was, and up to the close
    first, second = snapshot.jobs
    assert first.finished is not None
    assert second.started is not None
    assert second.finished is not None
    assert snapshot.closed_at is not None
    own = second.started - first.finished + snapshot.closed_at - second.finished
    assert spent.idle == pytest.approx(own, abs=0.01)
    written = to_json(snapshot)
    assert written["cost"] == pytest.approx(0.8 * spent.total, abs=0.01)
    # the service's own figures go by its own clock
    answer = ask("GET", f"/sessions/{session.session_id}")
    assert answer["emulator"]["device_seconds"] == pytest.approx(5.7836, abs=2e-3)
    assert answer["elapsed_time"] == pytest.approx(
        spent.idle + answer["emulator"]["busy_seconds"], abs=0.01
    )
    assert "IBM's estimate of 2 s and 0.35 ms per execution" in " ".join(to_text(snapshot).split())


def test_what_is_counted_before_a_job_is_sent_is_what_the_emulator_runs(
    circuits: Notebook,
) -> None:
    """Extrapolation, twirling and the calibration of readout among them, in both estimators."""
    circuits.good(
        "from qiskit_ibm_runtime import EstimatorV2",
        "from qiskit_ibm_runtime.executor_estimator import Estimator",
        "from qiskit import QuantumCircuit",
        "from qiskit.quantum_info import SparsePauliOp",
        "plain = QuantumCircuit(2)",
        "plain.sx(0)",
        "plain.rz(1, 0)",
        "plain.sx(0)",
        "plain.cz(0, 1)",
        "zx = [SparsePauliOp(['IZ', 'IX'])]",
        "for Kind in (EstimatorV2, Estimator):",
        "    for level in (0, 1, 2):",
        "        estimator = Kind()",
        "        estimator.options.resilience_level = level",
        "        estimator.run([(plain, zx)], precision=0.1).result()",
        "session.close()",
    )
    jobs = circuits["session"].wait_for(timeout=120).jobs
    # 100 shots in two bases; two randomizations of 64 each, and two to learn the readout by
    assert [job.executions for job in jobs] == [200, 384, 896] * 2
    expected = [2 + 0.00035 * (job.executions or 0) for job in jobs]
    assert [job.device_seconds for job in jobs] == pytest.approx(expected, abs=1e-3)


def test_the_magic_the_method_and_the_terminal_forecast_the_same(
    circuits: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    circuits.good("SamplerV2().run([(measured,)], shots=1000).result()", "session.close()")
    circuits["session"].wait_for(timeout=120)
    asked = "--plan payg --queue-wait 2m"
    shown = circuits.good(f"%session forecast {asked}").value.to_json()
    assert circuits.good("session.forecast(plan='payg', queue_wait=120).to_json()").value == shown
    # 2.35 s, of which 1.5 to 3.5 s are shown, at $1.60, after two minutes in the queue
    assert shown["batch"]["cost"] == pytest.approx([2.40, 5.60])
    seconds = [120 + 2.35 / 1.5, 120 + 2.35 * 1.5]
    assert shown["session"]["seconds"] == pytest.approx(seconds, abs=0.01)
    capsys.readouterr()
    wanted = ["forecast", circuits["session"].session_id, *asked.split(), "--json"]
    assert main([*wanted, "--service", "local"]) == 0
    assert json.loads(capsys.readouterr().out) == shown
