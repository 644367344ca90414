"""What users of the client library, and of notebook tools like this one, have asked for.

Each test is named after the thread it answers: ``QIR`` is Qiskit/qiskit-ibm-runtime. One real
kernel runs them all, against the emulator.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .cells import wait_for
from .conftest import CIRCUITS
from .fresh import Kernel, running_kernel

NOTEBOOK = {"JPY_SESSION_NAME": "/home/ada/requests.ipynb"}
LOAD = "%load_ext qsession_widgets"
OPEN = "%%session --service local --backend aer"
SUBMIT = "job = SamplerV2().run([(measured,)])"
RUN = f"{SUBMIT}\n_ = job.result()"

Ask = Callable[..., Any]


@pytest.fixture(scope="module")
def kernel(emulator: object) -> Iterator[Kernel]:
    with running_kernel(NOTEBOOK) as kernel:
        kernel.run(CIRCUITS)
        yield kernel


@pytest.fixture
def run(kernel: Kernel, ask: Ask) -> Iterator[Callable[[str], str]]:
    """Runs a cell, and gives what it printed, tracebacks included."""
    kernel.run(LOAD)
    yield lambda cell: kernel.run(cell)[0]
    kernel.run("%unload_ext qsession_widgets")
    kernel.run("from qsession_widgets.sessions.binding import BINDING; BINDING.__init__()")


def _only(ask: Ask) -> dict[str, Any]:
    (listed,) = ask("GET", "/workloads")["workloads"]
    return dict(ask("GET", f"/sessions/{listed['id']}"))


def _advance(ask: Ask, seconds: float) -> None:
    ask("POST", "/emulator/v1/faults/clock", json={"advance": seconds})


def _let_it_idle_out(run: Callable[[str], str], ask: Ask) -> None:
    run(f"{OPEN}\n{RUN}")
    wait_for(lambda: _only(ask)["last_job_completed"], "the job's end")
    _advance(ask, 61)
    wait_for(lambda: _only(ask)["state"] == "inactive", "the interactive timeout")


def test_orphaned_sessions_are_listed_and_closed__QIR_963(
    run: Callable[[str], str], ask: Ask
) -> None:
    orphan = ask("POST", "/sessions", json={"mode": "dedicated", "backend": "aer"})["id"]
    assert orphan in run("print(get_ipython().run_line_magic('session', 'list'))")
    assert "Session closed." in run(f"%session close {orphan}")
    assert _only(ask)["state"] == "closed"


def test_the_interactive_timeout_is_no_surprise__QIR_1847(
    run: Callable[[str], str], ask: Ask, tmp_path: Path
) -> None:
    path = tmp_path / "events.jsonl"
    run(f"{OPEN} --events {path}\n{RUN}")
    _advance(ask, 61)
    wait_for(lambda: "deactivated" in path.read_text(), "the event")
    event = json.loads(path.read_text().splitlines()[-1])
    assert "the next job goes through the normal queue" in event["text"]


def test_paused_time_is_not_billed__documentation_2129(run: Callable[[str], str], ask: Ask) -> None:
    count = (
        "session._live.monitor.poll()\nfrom qsession_widgets.model import usage\n"
        "print(usage(session.snapshot, session._live.monitor.now()).total)"
    )
    _let_it_idle_out(run, ask)
    before, shown_before = _only(ask)["elapsed_time"], float(run(count))
    _advance(ask, 1000)
    after, shown = _only(ask)["elapsed_time"], float(run(count))
    assert before == after < 200
    # the job counts as on a device, which takes two seconds at least
    assert after < shown < after + 10
    assert shown == pytest.approx(shown_before, abs=1.0)


def test_a_notebook_without_close_ends_its_session__QIR_917(ask: Ask) -> None:
    with running_kernel(NOTEBOOK) as kernel:
        kernel.run(f"{LOAD}\n{CIRCUITS}")
        kernel.run(f"{OPEN}\n{RUN}")
        assert _only(ask)["state"] == "active"
    assert _only(ask)["state"] == "closed"


def test_close_and_cancel_say_what_becomes_of_jobs__QIR_1008(
    run: Callable[[str], str], ask: Ask
) -> None:
    ask("POST", "/emulator/v1/faults/queue", json={"paused": True})
    run(f"{OPEN}\n{SUBMIT}")
    assert "no more jobs are accepted; 1 job finishes first." in run("%session close")
    run(f"{OPEN}\n{SUBMIT}")
    assert "Session cancelled: 1 queued job cancelled." in run("%session cancel")
    ask("POST", "/emulator/v1/faults/queue", json={"paused": False})


def test_jobs_outside_the_session_are_reported__QIR_1428(run: Callable[[str], str]) -> None:
    run(f"{OPEN}\nearly = SamplerV2(mode=backend)")
    said = run("job = early.run([(measured,)])")
    assert re.search(r"Cell \[\d+\], line 1: this sampler job runs outside the session", said)


def test_an_expired_session_is_noticed_before_the_job_is_sent__QIR_648(
    run: Callable[[str], str], ask: Ask
) -> None:
    run(f"{OPEN} --max-time 60\n{RUN}")
    _advance(ask, 61)
    wait_for(lambda: _only(ask)["state"] == "closed", "the maximum time")
    sent = len(ask("GET", "/jobs")["jobs"])
    said = run(SUBMIT)
    assert "takes no more jobs: its maximum time is over. Open a new one with %%session" in said
    assert "Traceback" not in said
    assert len(ask("GET", "/jobs")["jobs"]) == sent


def test_a_session_outlives_its_kernel_and_is_taken_over__QIR_581_sparkmagic_387_430(
    run: Callable[[str], str], ask: Ask
) -> None:
    with running_kernel(NOTEBOOK) as first:
        first.run(f"{LOAD}\n{CIRCUITS}")
        first.run(f"{OPEN}\n{SUBMIT}")
        first.manager.signal_kernel(9)
        wait_for(lambda: not first.manager.is_alive(), "the kernel's end")
    left = _only(ask)["id"]
    for cell in ("%session close", "from qiskit_ibm_runtime import SamplerV2\nSamplerV2()"):
        said = run(cell)
        assert "This notebook may have left one open before: %session list shows it" in said
        assert f"%session attach {left} takes it up" in said
    said = run(f"{OPEN} --another\npass")
    assert "An earlier kernel of this notebook left a session open on aer" in said
    run("%session close")
    (job,) = ask("GET", "/jobs", params={"session_id": left})["jobs"]
    assert "Attached to the session on aer" in run(f"%session attach {job['id']}")
    run(RUN)
    assert len(ask("GET", "/jobs", params={"session_id": left})["jobs"]) == 2


def test_never_started_and_deactivated_are_told_apart__QIR_1119(
    run: Callable[[str], str], ask: Ask
) -> None:
    ask("POST", "/sessions", json={"mode": "dedicated", "backend": "fake_manila"})
    run(f"{OPEN}\n{RUN}")
    _advance(ask, 61)
    listed = "print(get_ipython().run_line_magic('session', 'list'))"
    wait_for(lambda: "Deactivated" in run(listed), "the interactive timeout")
    assert "Open, no job yet" in run(listed)


def test_usage_is_known_and_adds_up__QIR_1912_2270(run: Callable[[str], str], ask: Ask) -> None:
    run(f"{OPEN}\n{RUN}")
    run("%session close")
    shown = run(
        "session._live.monitor.settle()\nfrom qsession_widgets.model import usage\n"
        "u = usage(session.snapshot, session._live.monitor.now())\n"
        "print(u.final, u.total, u.qpu + u.classical + u.idle, session.snapshot.usage_seconds)"
    )
    final, total, parts, stated = shown.split()
    assert final == "True"
    assert float(total) == pytest.approx(float(parts))
    assert float(stated) == pytest.approx(_only(ask)["elapsed_time"], abs=0.01)
    # the job as on a device, which takes two seconds at least
    assert float(total) > 2.0


def test_a_maximum_time_that_cannot_be_says_what_can__QIR_1114_475(
    run: Callable[[str], str], ask: Ask
) -> None:
    assert 'write seconds (90) or days, hours, minutes and seconds ("2h 30m"' in run(
        f"{OPEN} --max-time 1h30\npass"
    )
    assert "at most 28800 seconds" in run(f"{OPEN} --max-time 9h\npass")
    assert ask("GET", "/workloads")["workloads"] == []


def test_nobody_has_to_wait_in_result_to_hear_of_the_end__QIR_509_523(
    run: Callable[[str], str], tmp_path: Path
) -> None:
    path = tmp_path / "events.jsonl"
    run(f"{OPEN} --events {path}\n{SUBMIT}")
    wait_for(lambda: "job_done" in path.read_text(), "the event")


def test_a_wrong_id_is_one_sentence__QIR_2398(run: Callable[[str], str]) -> None:
    for action in ("attach", "close", "cancel"):
        said = run(f"%session {action} 00000000-0000-4000-8000-000000000000")
        assert "There is no session, batch or job '00000000-0000-4000-8000-000000000000'" in said
        assert "Traceback" not in said


def test_an_error_says_what_it_means_and_what_helps__QIR_1168(
    run: Callable[[str], str], ask: Ask
) -> None:
    fault = {"method": "POST", "path": "/jobs", "status": 400, "code": 1517, "message": "Not ISA."}
    ask("POST", "/emulator/v1/faults", json=fault)
    said = run(f"{OPEN}\n{SUBMIT}")
    assert "a circuit uses gates or qubits the backend does not have. Transpile it" in said
    assert "The service said: Not ISA. (code 1517)" in said
    assert "Trace id: " in said
    said = run("session.service.job('no-such-job')")
    assert "What this means: there is no such job. Check the id" in said


def test_zombies_end_by_themselves_or_all_at_once__pangeo_cloud_federation_658(
    run: Callable[[str], str], ask: Ask
) -> None:
    run(f"{OPEN} --idle-close 1s --on-exit leave\npass")
    wait_for(lambda: _only(ask)["state"] == "closed", "the guard")
    for mode in ("dedicated", "batch"):
        ask("POST", "/sessions", json={"mode": mode, "backend": "aer"})
    said = run("%session close --all --everywhere --yes")
    assert "Session closed." in said
    assert "Batch closed." in said
    states = {item["status"] for item in ask("GET", "/workloads")["workloads"]}
    assert not states & {"pending", "in_progress"}


def test_an_interrupt_is_not_swallowed__ipython_14889(kernel: Kernel, run: Any, ask: Ask) -> None:
    request = kernel.start(
        f"{OPEN}\nimport threading\nprint('waiting', flush=True)\nthreading.Event().wait(60)"
    )
    error = ""
    for message in kernel.messages(request):
        if message["msg_type"] == "stream" and "waiting" in message["content"]["text"]:
            kernel.manager.interrupt_kernel()
        elif message["msg_type"] == "error":
            error = message["content"]["ename"]
    assert error == "KeyboardInterrupt"
    assert _only(ask)["state"] == "open"
