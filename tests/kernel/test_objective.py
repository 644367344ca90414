"""Values of results that the user's code reads, and values that it logs, with the real client."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from qiskit_ibm_runtime import RuntimeJobV2

from .cells import Notebook
from .table import CIRCUITS, JOBS

READ = "expectation value"
ESTIMATORS = [name for name in JOBS if name.startswith("Estimator")]
WAYS = {
    "the main thread": "found = job.result()",
    "a thread": (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(1) as pool:\n"
        "    found = pool.submit(job.result).result()"
    ),
    "a task": (
        "import asyncio\n"
        "async def work():\n"
        "    return await asyncio.to_thread(job.result)\n"
        "found = await asyncio.create_task(work())"
    ),
    "a job found by its id": "found = session.service.job(job.job_id()).result()",
}


def test_there_are_estimators_of_both_kinds() -> None:
    assert ESTIMATORS == ["EstimatorV2", "Estimator"]


@pytest.mark.parametrize("way", WAYS)
def test_a_result_that_is_read_is_recorded(circuits: Notebook, way: str) -> None:
    for estimator in ESTIMATORS:
        circuits.good(f"job = {estimator}().run([(flip, observable)])", *WAYS[way].splitlines())
        point = circuits["session"].snapshot.points[-1]
        data = circuits["found"][0].data
        assert (point.series, point.job_id) == (READ, circuits["job"].job_id())
        assert (point.value, point.error) == (float(data.evs), float(data.stds))
        (record,) = [j for j in circuits["session"].snapshot.jobs if j.id == point.job_id]
        # the service's clock is known to a second
        assert point.time > record.created - 1.0
        # read once more, it is the same value
        circuits.good("again = job.result()")
    assert len(circuits["session"].snapshot.points) == len(ESTIMATORS)


def test_a_job_tells_what_was_asked_and_its_result_what_was_measured(circuits: Notebook) -> None:
    circuits.good(
        "both = measured.copy()",
        "",
        "jobs = [SamplerV2().run([(measured, None, 100), (both, None, 100)]),",
        "        Sampler().run([measured], shots=200)]",
        "jobs += [EstimatorV2().run([(flip, observable)], precision=0.25),",
        "         Estimator().run([(flip, observable)], precision=0.25)]",
    )
    cell = circuits.shell.execution_count - 1
    # a snapshot orders jobs by times of two clocks
    known = {job.id: job for job in circuits["session"].snapshot.jobs}
    found = [known[job.job_id()] for job in circuits["jobs"]]
    asked = [(job.program, job.pubs, job.shots, job.precision) for job in found]
    assert asked == [
        ("sampler", 2, 100, None),
        ("sampler", 1, 200, None),
        ("estimator", 1, None, 0.25),
        ("estimator", 1, None, 0.25),
    ]
    assert [(job.cell, job.line) for job in found] == [(cell, line) for line in (3, 4, 5, 6)]
    circuits.good("for job in jobs:", "    job.result()")
    known = {job.id: job for job in circuits["session"].snapshot.jobs}
    tops = [known[job.id].top_counts for job in found]
    assert tops == [(("1", 100),), (("1", 200),), (), ()]
    # one that another kernel has sent: the list names its program only, its result tells the rest
    circuits.good(
        "there = Session.from_id(session.session_id, session.service)",
        "strange = Sampler(mode=there).run([measured], shots=50)",
        "wanted = strange.job_id()",
        "seen = session.wait_for(lambda s: any(j.id == wanted for j in s.jobs))",
    )
    (job,) = [job for job in circuits["seen"].jobs if job.id == circuits["wanted"]]
    assert (job.program, job.pubs, job.shots, job.cell) == ("executor", None, None, None)
    circuits.good("strange.result()")
    (job,) = [j for j in circuits["session"].snapshot.jobs if j.id == job.id]
    assert (job.program, job.pubs, job.shots) == ("sampler", 1, 50)
    assert job.top_counts == (("1", 50),)
    circuits.good("table = session.to_dataframe()")
    assert sorted(circuits["table"]["shots"].dropna()) == [50, 100, 200]


def test_of_several_pubs_the_first_is_recorded_and_of_a_sampler_nothing(
    circuits: Notebook,
) -> None:
    circuits.good(
        "EstimatorV2().run([(flip, [[observable], [-observable]]), (flip, -observable)]).result()",
        "SamplerV2().run([measured]).result()",
    )
    (point,) = circuits["session"].snapshot.points
    assert point.value == pytest.approx(-1.0)


def test_a_read_costs_the_same_requests_and_gives_the_clients_own_object(
    circuits: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    circuits.good("job = EstimatorV2().run([(flip, observable)])", "job.wait_for_final_state()")
    job = circuits["job"]
    asked: list[str] = []
    decoded: list[object] = []
    for name in ("job_get", "job_results", "job_state"):
        original = getattr(job._api_client, name, None)
        if original is not None:

            def counted(*args: Any, _name: str = name, _call: Any = original, **more: Any) -> Any:
                asked.append(_name)
                return _call(*args, **more)

            monkeypatch.setattr(job._api_client, name, counted)

    class Decoder:
        @staticmethod
        def is_applicable(_result: object) -> bool:
            return True

        @staticmethod
        def decode(result: str) -> object:
            decoded.append(original_decoder.decode(result))
            return decoded[-1]

    (original_decoder,) = job._result_decoders
    read = job.result(decoder=Decoder)
    with_recording, asked[:] = list(asked), []
    assert read is decoded[-1]
    (point,) = circuits["session"].snapshot.points
    assert point.job_id == job.job_id()
    # as the class has it without the seam
    RuntimeJobV2.result.__wrapped__(job)
    assert with_recording == asked
    assert asked


def test_errors_pass_and_a_later_read_is_recorded(
    circuits: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    circuits.good("job = EstimatorV2().run([(flip, observable)])")
    lost = ConnectionError("the answer was lost")

    def fail(**_asked: object) -> None:
        raise lost

    with monkeypatch.context() as patch:
        patch.setattr(circuits["job"]._api_client, "job_results", fail)
        assert circuits("job.result()").error is lost
    assert circuits["session"].snapshot.points == ()
    circuits.good("job.result()")
    assert len(circuits["session"].snapshot.points) == 1


def test_logged_values_are_in_metrics_exports_and_receipt_after_the_end(
    circuits: Notebook, tmp_path: Path
) -> None:
    circuits.good(
        "for step in range(3):",
        "    job = EstimatorV2().run([(flip, observable)])",
        "    value = job.result()[0].data.evs",
        "    session.log(step=step, energy=(value + step, 0.25), gradient=0.5)",
        "%session close",
    )
    session = circuits["session"]
    table = session.metrics()
    assert list(table["series"]) == [READ, "energy", "gradient"] * 3
    assert str(table["time"].dt.tz) == "UTC"
    energies = table[table["series"] == "energy"]
    assert list(energies["step"]) == [0, 1, 2]
    assert list(energies["job_id"]) == [job.id for job in session.snapshot.jobs]
    assert list(energies["error"]) == [0.25] * 3
    ran = circuits.good("%session receipt")
    (shown,) = ran.displayed
    for text in (shown["text/plain"], shown["text/html"]):
        assert "latest 1.00 ± 0.25 · best (minimum) -1.00 ± 0.25 (picked from noise" in text
        assert "latest 0.5 · best (minimum) 0.5 · 3 points" in text
    ran = circuits.good(f"%session export {tmp_path}/x.csv")
    assert ran.out.strip() == f"Written to {tmp_path}/x.csv and {tmp_path}/x_metrics.csv."
    circuits.good(f"%session export {tmp_path}/x.json")
    points = json.loads((tmp_path / "x.json").read_text())["points"]
    assert [point["value"] for point in points] == list(table["value"])


def test_without_a_job_a_value_has_none_and_bad_input_is_one_sentence(circuits: Notebook) -> None:
    circuits.good("session.log(energy=1)")
    (point,) = circuits["session"].snapshot.points
    assert point.job_id is None
    assert "only finite numbers" in circuits("session.log(energy=float('nan'))").sentence()
    assert "needs a series" in circuits("session.log()").sentence()
    assert circuits["session"].snapshot.points == (point,)


def test_job_mode_has_the_values_in_its_receipt(
    notebook: Notebook, account: Callable[[str | None], None]
) -> None:
    account("bob")
    notebook.good(CIRCUITS)
    notebook.good(
        "%%session --backend aer",
        "job = EstimatorV2().run([(flip, observable)])",
        "job.result()",
    )
    (shown,) = notebook.good("%session receipt").displayed
    assert f"{READ} latest -1" in shown["text/plain"]


def test_the_client_is_as_it_was_when_the_extension_is_gone(circuits: Notebook) -> None:
    assert hasattr(RuntimeJobV2.result, "__wrapped__")
    circuits.good("%unload_ext qsession_widgets")
    assert not hasattr(RuntimeJobV2.result, "__wrapped__")
