"""Jobs for the bound session's backend that run outside of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .cells import Notebook, wait_for
from .conftest import CIRCUITS

LOCAL = "%%session --service local --backend aer"


def test_a_primitive_built_before_the_session_is_reported_with_cell_and_line(
    circuits: Notebook, ask: Callable[..., Any]
) -> None:
    circuits.good("%session close")
    circuits.good("early = SamplerV2(mode=backend)")
    circuits.good(LOCAL, "pass")
    ran = circuits.good("# one", "", "job = early.run([(measured,)])")
    number = circuits.shell.execution_count - 1
    line = ran.out.splitlines()[0]
    assert line.startswith(f"Cell [{number}], line 3: this sampler job runs outside")
    assert circuits["job"].job_id() in line
    assert "outside the session bound on aer, through the normal queue" in line
    session = circuits["session"]
    (job,) = session.snapshot.jobs
    assert job.stray
    circuits["job"].result()
    wait_for(lambda: session.snapshot.jobs[0].status == "done", "the stray's end")
    assert session.snapshot.jobs[0].stray
    assert session.snapshot.pending() == ()


def test_a_line_is_reported_once_and_every_job_is_marked(circuits: Notebook) -> None:
    ran = circuits.good(
        "for _ in range(3):",
        "    SamplerV2(mode=backend).run([(measured,)])",
        "Estimator(mode=backend).run([(flip, observable)])",
    )
    first, second = ran.out.splitlines()[:2]
    assert ", line 2: this sampler job" in first
    assert ", line 3: this estimator job" in second, "whatever program runs it"
    assert [job.stray for job in circuits["session"].snapshot.jobs] == [True] * 4


def test_a_module_is_named_with_the_cell_that_called_it(
    circuits: Notebook, module: Callable[[str, str], None]
) -> None:
    module("straying", "def send(sampler, circuit):\n    return sampler.run([(circuit,)])\n")
    ran = circuits.good("import straying", "straying.send(SamplerV2(mode=backend), measured)")
    number = circuits.shell.execution_count - 1
    assert ran.out.startswith(f"straying.py, line 2 (from cell [{number}], line 2): ")


def test_a_strict_session_refuses_a_stray_before_it_is_sent(
    notebook: Notebook, ask: Callable[..., Any]
) -> None:
    notebook.good(CIRCUITS)
    notebook.good(f"{LOCAL} --strict", "pass")
    ran = notebook("SamplerV2(mode=backend).run([(measured,)])", "reached = True")
    assert (
        "would run outside the session bound on aer and was not sent (--strict)" in ran.sentence()
    )
    assert "reached" not in notebook
    assert ask("GET", "/jobs")["jobs"] == []
    notebook.good("job = SamplerV2().run([(measured,)])")
    assert notebook["job"].session_id == notebook["session"].session_id


def test_what_is_meant_for_elsewhere_is_no_stray(circuits: Notebook) -> None:
    ran = circuits.good(
        "other = session.service.backend('fake_manila')",
        "from qiskit import transpile",
        "SamplerV2(mode=other).run([(transpile(measured, other),)])",
        "with Session(backend) as own:",
        "    SamplerV2().run([(measured,)])",
        "SamplerV2().run([(measured,)])",
    )
    assert "outside" not in ran.said
    assert [job.stray for job in circuits["session"].snapshot.jobs] == [False]


def test_after_the_session_nothing_is_a_stray(circuits: Notebook) -> None:
    circuits.good("%session close")
    ran = circuits.good("SamplerV2(mode=backend).run([(measured,)])")
    assert "outside" not in ran.said
