"""Every way to build a primitive, in every way a cell can run, on every line of ipykernel."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from qsession_widgets.emulator.process.connection_file import Connection

from .fresh import Kernel, running_kernel
from .lines import LINES, of_line
from .table import COLUMNS, EXPECTED, IMPOSSIBLE, JOBS, MODULE, OPEN, preparation


@pytest.fixture(scope="module", params=LINES)
def kernel(
    request: pytest.FixtureRequest, emulator: Connection, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Kernel]]:
    """A kernel of a line of ipykernel in which a session is bound, and another one open."""
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "elsewhere.py").write_text(MODULE, encoding="utf-8")
    with running_kernel(of_line(request.param)) as kernel:
        cells = [
            "%load_ext qsession_widgets",
            preparation(str(folder)),
            *(column.before for column in COLUMNS.values() if column.before),
            OPEN + "other = Session(backend)",
        ]
        for cell in cells:
            printed, error = kernel.run(cell)
            assert not error, printed
        version, _ = kernel.run("import ipykernel; print(ipykernel.__version__)")
        assert version.startswith(request.param + ".")
        yield request.param, kernel


@pytest.mark.parametrize("column", COLUMNS)
def test_a_primitive_belongs_to_what_it_should(kernel: tuple[str, Kernel], column: str) -> None:
    line, running = kernel
    way = COLUMNS[column]
    subshell = running.new_subshell() if way.subshell else None
    if way.subshell and subshell is None:
        assert (column, line) in IMPOSSIBLE
        return
    assert (column, line) not in IMPOSSIBLE
    printed, error = running.run(way.cell, subshell)
    assert not error, printed
    printed, _ = running.run("print(json.dumps(found))")
    assert _told(printed) == EXPECTED


def test_jobs_go_where_their_primitive_belongs(kernel: tuple[str, Kernel]) -> None:
    _, running = kernel
    jobs = ", ".join(f"{name!r}: {name}().run([{pub}])" for name, pub in JOBS.items())
    for wrapped in (
        "jobs = send()",
        "await asyncio.sleep(0)\njobs = await asyncio.to_thread(send)",
        "jobs = in_thread(send)",
    ):
        printed, error = running.run(
            f"import asyncio\nsend = lambda: {{{jobs}}}\n{wrapped}\n"
            "for job in jobs.values(): job.result()\n"
            "inside = {name: job.session_id == session.session_id for name, job in jobs.items()}"
        )
        assert not error, printed
        # in a cell of its own: a line printed after a thread was waited for may be heard too late
        printed, _ = running.run("print(json.dumps(inside))")
        assert _told(printed) == dict.fromkeys(JOBS, True)


def test_another_process_has_no_session_and_says_so(kernel: tuple[str, Kernel]) -> None:
    _, running = kernel
    printed, error = running.run(
        "import multiprocessing\n"
        "from concurrent.futures import ProcessPoolExecutor\n"
        "spawn = multiprocessing.get_context('spawn')\n"
        "with ProcessPoolExecutor(1, mp_context=spawn) as processes:\n"
        "    print(processes.submit(elsewhere.try_to_build).result())"
    )
    assert not error, printed
    # a log of the process may stand before it
    assert printed.splitlines()[-1] == "A backend or session must be specified."


def _told(printed: str) -> object:
    """The JSON among lines that a kernel prints, which tells of jobs in between, too."""
    (line,) = [line for line in printed.splitlines() if line.startswith("{")]
    return json.loads(line)
