"""Jobs that were paid for, and whether they are taken up or sent anew."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from qsession_widgets.client.rest import Answer, ServiceClient
from qsession_widgets.errors import ServiceError
from qsession_widgets.resume import place
from qsession_widgets.resume.choice import runs
from qsession_widgets.resume.place import Place
from qsession_widgets.resume.records import RunFile, recorded
from qsession_widgets.resume.runs import RUNS

from .cells import Notebook
from .resuming import RESUME, Ask, accepted, end_with


def test_a_job_that_is_no_use_is_sent_anew(work: Notebook, ask: Ask) -> None:
    end_with(work, "sampler = SamplerV2()", "before = loop(3)")
    (first, _), (second, _), _ = work["before"]
    ask("DELETE", f"/jobs/{first}")
    ran = work.good(RESUME, "after = loop(3)")
    assert f"Job {first} is not at the service any more, and is sent anew." in ran.out
    ids = [job for job, _ in work["after"]]
    assert ids[1:] == [job for job, _ in work["before"]][1:]
    assert ids[0] != first
    assert second in ids


def test_what_is_not_over_is_waited_for_and_what_was_cancelled_is_sent_anew(
    work: Notebook, ask: Ask
) -> None:
    ask("POST", "/emulator/v1/faults/queue", json={"paused": True})
    asks = "jobs = [SamplerV2().run([(turned(), [n])], shots=64) for n in range(2)]"
    end_with(work, asks)
    waiting, cancelled = (job.job_id() for job in work["jobs"])
    work.good("jobs[1].cancel()")
    ran = work.good(RESUME, asks, "seen = [str(job.status()) for job in jobs]")
    first, second = (job.job_id() for job in work["jobs"])
    assert (first, work["seen"][0]) == (waiting, "QUEUED")
    assert f"Job {cancelled} failed or was cancelled in that run, and is sent anew." in ran.out
    assert second != cancelled
    ask("POST", "/emulator/v1/faults/queue", json={"paused": False})
    work.good("found = [job.result()[0].data.meas.num_shots for job in jobs]")
    assert work["found"] == [64, 64]
    assert accepted(ask) == 3


def test_a_service_that_does_not_answer_is_sent_a_job_anew(work: Notebook, ask: Ask) -> None:
    end_with(work, "before = loop(1)")
    silent = {"method": "GET", "path": "/jobs/*", "status": 403, "times": None}
    ask("POST", "/emulator/v1/faults", json=silent)
    ran = work.good(RESUME, "job = SamplerV2().run([(turned(), [0.0])], shots=64)")
    ask("DELETE", "/emulator/v1/faults")
    assert "could not be asked for, as the service did not answer, and is sent anew" in ran.out
    assert accepted(ask) == 2


def test_each_setting_of_the_emulator_is_part_of_what_is_asked_for(
    work: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(name: str) -> Callable[..., Any]:
        asked = ServiceClient.emulator

        def status(client: ServiceClient, *path: Any, **more: Any) -> Any:
            answer = asked(client, *path, **more)
            if isinstance(options := answer.data.get("options"), dict):
                options[name] = "another"
            return answer

        return status

    real = place._data
    end_with(work, "before = loop(1)")
    for number, name in enumerate(("method", "noise", "precision_limit", "seed", "data"), 2):
        work.good("%session close")
        with monkeypatch.context() as patched:
            if name == "data":
                patched.setattr(place, "_data", lambda *asked: [real(*asked), "another"])
            else:
                patched.setattr(ServiceClient, "emulator", changed(name))
            said = work(f"{RESUME} any", "loop(1)", "raise ZeroDivisionError").out
        assert "the service, instance, device or its settings differ" in said, name
        assert accepted(ask) == number
    work.good("%session close")
    work.good(f"{RESUME} any", "after = loop(1)")
    assert work["after"] == work["before"], "the same again"


def test_a_private_job_is_sent_anew(work: Notebook, ask: Ask) -> None:
    lines = (
        "sampler = SamplerV2()",
        "sampler.options.environment.private = True",
        "job = sampler.run([(turned(), [0.1])], shots=64)",
    )
    end_with(work, "loop(1)", *lines)
    first = work["job"].job_id()
    assert "The job of this call is private, so that" in work.good(RESUME, "loop(1)", *lines).out
    assert work["job"].job_id() != first
    assert accepted(ask) == 3


def test_a_result_is_believed_only_where_what_is_stored_agrees(work: Notebook, ask: Ask) -> None:
    run_id = end_with(work, "before = loop(2)")
    (path,) = (path for known, _, path in recorded() if known == run_id)
    (one, _), (other, _) = work["before"]
    text = path.read_text()
    path.write_text(text.replace(one, "X").replace(other, one).replace("X", other))
    ran = work.good(RESUME, "after = loop(2)")
    assert "is stored with other parameters than this call has, and is sent anew" in ran.out
    assert not {one, other} & {job for job, _ in work["after"]}
    assert accepted(ask) == 4


def test_a_device_that_did_not_tell_its_calibration_is_asked_again(
    work: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qsession_widgets.resume.place.UNANSWERED_SECONDS", 0.0)
    real, asked = place._data, []

    def data(line: Any, name: str, kind: str) -> Any:
        asked.append(kind)
        # in the order of the questions: what the fingerprint needs, then the calibration
        if asked.count("properties") == 2:
            raise ServiceError("The service cannot be reached.")
        return real(line, name, kind)

    monkeypatch.setattr(place, "_data", data)
    end_with(work, "before = loop(3)")
    assert asked.count("properties") == 3
    monkeypatch.undo()
    monkeypatch.setenv("QSESSION_NOTEBOOK", "/nowhere/calibration.ipynb")
    record = runs()[0]
    assert [bool(one.calibration) for one in record.asked.values()] == [False, True, True]


def test_no_job_is_lost_because_it_cannot_be_recorded_or_compared(
    work: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.good("import numpy")
    end_with(work, "before = loop(2, shots=numpy.int64(64))")
    monkeypatch.setattr(ServiceClient, "job_with_params", lambda *_: Answer([], None, 0.0, 0.0))
    ran = work(RESUME, "after = loop(2)", "raise ZeroDivisionError")
    assert "cannot be compared with this call, and is sent anew" in ran.out
    assert accepted(ask) == 4
    plain = RESUME.removesuffix(" --resume")
    monkeypatch.setattr(RunFile, "write", lambda *_: 1 / 0)
    work.good(plain, "loop(2)")
    monkeypatch.setattr(RUNS, "fingerprint", lambda *_: 1 / 0)
    work.good(plain, "loop(2)")
    assert accepted(ask) == 8


def test_a_call_that_almost_fits_says_what_differs(work: Notebook) -> None:
    end_with(work, "loop(1)")
    assert "shots 4\u202f096, were 64" in work.good(RESUME, "loop(1, shots=4096)").out
    end_with(work, "loop(1)")
    ran = work.good(
        RESUME,
        "circuit = turned()",
        "circuit.sx(0)",
        "sampler = SamplerV2()",
        "job = sampler.run([(circuit, [0.0])], shots=64)",
    )
    assert "transpiled differently: set seed_transpiler" in ran.out
    # a damaged record
    run_id = end_with(work, "loop(1)")
    (path,) = (path for known, _, path in recorded() if known == run_id)
    path.write_text(re.sub(r'"shots": \d+', '"shots": {"x": [64]}', path.read_text()))
    assert "Nothing of that run" not in work.good(RESUME, "loop(1, shots=4095)").out


def test_a_calibration_since_is_told_and_taken_only_when_any_is(
    work: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_with(work, "before = loop(1)")
    monkeypatch.setattr(Place, "calibration", lambda *_, **__: "since")
    ran = work(RESUME, "loop(1)", "raise ZeroDivisionError")
    assert "ran before the device was calibrated anew, and is sent anew" in ran.out
    monkeypatch.setattr(Place, "calibration", lambda *_, **__: "")
    end_with(work, "loop(1)")
    ran = work(RESUME, "loop(1)", "raise ZeroDivisionError")
    assert "not known whether it was calibrated anew since, and is sent anew" in ran.out
    assert accepted(ask) == 4
    monkeypatch.setattr(Place, "calibration", lambda *_, **__: "since")
    run_id = end_with(work, "before = loop(1)")
    monkeypatch.setattr(Place, "calibration", lambda *_, **__: "later")
    ran = work.good(f"{RESUME} any", "after = loop(1)")
    assert run_id in ran.out
    assert "it is taken up all the same" in ran.out
    assert work["after"] == work["before"]


def test_a_calibration_between_two_cells_of_one_session_counts(
    work: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, seen, clock = place._data, ["then"], [0.0]

    def data(line: Any, name: str, kind: str) -> Any:
        found = real(line, name, kind)
        return found if kind == "configuration" else {"last_update_date": seen[0]}

    monkeypatch.setattr(place, "_data", data)
    monkeypatch.setattr(place, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    # the data that a fingerprint has of an emulator's device are those of its start
    monkeypatch.setattr(Place, "_simulated", lambda *_: {})
    end_with(work, "before = loop(2)")
    work.good(RESUME, "after = loop(1)")
    assert work["after"] == work["before"][:1]
    seen[0], clock[0] = "since", 61.0
    ran = work.good("after = loop(2, begin=1)")
    assert "ran before the device was calibrated anew, and is sent anew" in ran.out
    assert accepted(ask) == 3
