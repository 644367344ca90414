"""Which session a job belongs to; test_table.py asks it of primitives, in every way there is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from .cells import Notebook, wait_for
from .table import CIRCUITS, JOBS


def run(primitive: str, mode: str = "") -> str:
    """The code that runs a job of a primitive."""
    return f"{primitive}({mode}).run([{JOBS[primitive]}])"


WAYS: dict[str, list[list[str]]] = {
    "the same cell": [["%%session --service local --backend aer", "job = {run}"]],
    "a later cell": [["%%session --service local --backend aer", "pass"], ["job = {run}"]],
    "a cell with await": [
        ["%%session --service local --backend aer", "pass"],
        ["import asyncio", "await asyncio.sleep(0)", "job = {run}"],
    ],
    "the same cell, with await": [
        [
            "%%session --service local --backend aer",
            "import asyncio",
            "await asyncio.sleep(0)",
            "job = {run}",
        ]
    ],
    "an imported function": [
        ["%%session --service local --backend aer", "pass"],
        ["import elsewhere", "job = elsewhere.run_{primitive}(measured, flip, observable)"],
    ],
    "a task": [
        ["%%session --service local --backend aer", "pass"],
        [
            "import asyncio",
            "async def work():",
            "    return {run}",
            "job = await asyncio.create_task(work())",
        ],
    ],
    "asyncio.to_thread": [
        ["%%session --service local --backend aer", "pass"],
        ["import asyncio", "job = await asyncio.to_thread(lambda: {run})"],
    ],
    "a thread": [
        ["%%session --service local --backend aer", "pass"],
        [
            "import threading",
            "jobs = []",
            "thread = threading.Thread(target=lambda: jobs.append({run}))",
            "thread.start()",
            "thread.join()",
            "(job,) = jobs",
        ],
    ],
    "a thread pool": [
        ["%%session --service local --backend aer", "pass"],
        [
            "from concurrent.futures import ThreadPoolExecutor",
            "with ThreadPoolExecutor(1) as pool:",
            "    job = pool.submit(lambda: {run}).result()",
        ],
    ],
    "a pool older than the session": [
        [
            "from concurrent.futures import ThreadPoolExecutor",
            "pool = ThreadPoolExecutor(1)",
            "pool.submit(int).result()",
        ],
        ["%%session --service local --backend aer", "job = pool.submit(lambda: {run}).result()"],
        ["pool.shutdown()"],
    ],
}


@pytest.mark.parametrize("way", WAYS)
def test_primitives_join_the_bound_session(
    notebook: Notebook, module: Callable[[str, str], None], way: str
) -> None:
    imports = "\n".join(line for line in CIRCUITS.splitlines() if "runtime" in line)
    functions = (
        f"def run_{primitive}(measured, flip, observable):\n    return {run(primitive)}\n"
        for primitive in JOBS
    )
    module("elsewhere", "\n".join([imports, *functions]))
    notebook.good("import sys", "sys.modules.pop('elsewhere', None)", CIRCUITS)
    belong = {}
    for primitive in JOBS:
        for lines in WAYS[way]:
            filled = (
                line.replace("{run}", run(primitive)).replace("{primitive}", primitive)
                for line in lines
            )
            notebook.good(*filled)
        belong[primitive] = notebook["job"].session_id
    assert belong == dict.fromkeys(JOBS, notebook["session"].session_id)


def test_a_mode_that_is_passed_is_never_overridden(circuits: Notebook) -> None:
    for primitive in JOBS:
        ran = circuits.good(f"job = {run(primitive, 'mode=backend')}")
        assert circuits["job"].session_id is None, primitive
        assert "runs outside the session" in ran.said


def test_ones_own_session_wins_and_ours_is_back_afterwards(circuits: Notebook) -> None:
    circuits.good(
        "with Session(backend) as own:",
        f"    inside = {run('SamplerV2')}",
        f"    there = {run('EstimatorV2', 'mode=own')}",
        f"after = {run('SamplerV2')}",
    )
    own = circuits["own"].session_id
    assert circuits["inside"].session_id == own
    assert circuits["there"].session_id == own
    assert own != circuits["session"].session_id
    assert circuits["after"].session_id == circuits["session"].session_id
    later = circuits.good(f"later = {run(list(JOBS)[-1])}")
    assert circuits["later"].session_id == circuits["session"].session_id
    assert "outside" not in later.said


def test_without_a_session_a_primitive_says_what_it_lacks(circuits: Notebook) -> None:
    circuits.good("%session close")
    ran = circuits("SamplerV2()")
    assert "open one with %%session above a cell, or pass mode=backend" in ran.sentence()


def test_the_client_is_as_it_was_when_the_extension_is_gone(circuits: Notebook) -> None:
    circuits.good("%session close")
    circuits.good("%unload_ext qsession_widgets")
    ran = circuits("try:", "    SamplerV2()", "except ValueError as error:", "    print(error)")
    assert "%%session" not in ran.said
    circuits.good(f"job = {run('SamplerV2', 'mode=backend')}")
    assert circuits["job"].session_id is None


def test_a_session_that_was_closed_elsewhere_is_noticed_before_a_submit(
    circuits: Notebook, ask: Callable[..., Any]
) -> None:
    circuits.good("sampler = SamplerV2()")
    ask("PATCH", f"/sessions/{circuits['session'].session_id}", json={"accepting_jobs": False})
    ran = circuits("sampler.run([(measured,)])")
    # the service's refusal, or the monitor's notice, if that came first
    assert re.search(r"closed\b.*\. Open a new one with %%session", ran.sentence())
    wait_for(lambda: not circuits["session"].snapshot.accepting_jobs, "the monitor's notice")
    ran = circuits("SamplerV2().run([(measured,)])")
    assert "takes no more jobs" in ran.sentence()
    assert ask("GET", "/jobs")["jobs"] == []
    circuits.good("%%session --service local --backend aer", f"job = {run('SamplerV2')}")
    assert circuits["job"].session_id == circuits["session"].session_id


def test_an_error_in_ones_own_code_can_be_caught(circuits: Notebook) -> None:
    circuits.good("from qiskit_ibm_runtime.exceptions import IBMRuntimeError")
    circuits.good(
        "session.close()",
        "try:",
        f"    {run('SamplerV2')}",
        "except IBMRuntimeError as error:",
        "    caught = str(error)",
    )
    # ours, or the client's own in ours when it is quicker
    assert "takes no more jobs" in circuits["caught"] or "closed" in circuits["caught"]
