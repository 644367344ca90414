"""Emulators of one's own, started by the options of the cell."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from qsession_widgets.client.emulators import emulator_name
from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.process import launcher
from qsession_widgets.options.parsing import parse_open

from .cells import Notebook, wait_for
from .conftest import CIRCUITS

FAST = "--service local --backend aer --local-speed 20 --local-ittl 30 --local-max-ttl 900 "
FAST += "--local-workers 1"


@pytest.fixture(scope="module", autouse=True)
def _rehearsals_end(emulator: object) -> Iterator[None]:
    yield
    for options in (FAST, FAST + " --local-plan open"):
        launcher.stop(emulator_name(EmulatorOptions(**parse_open(options).local)), 60)


def test_the_emulator_is_started_as_the_cell_asks(notebook: Notebook) -> None:
    notebook.good(CIRCUITS)
    notebook.good(f"%%session {FAST}", "SamplerV2().run([(measured,)]).result()")
    session = notebook["session"]
    assert session.snapshot.interactive_ttl == 30
    assert session.snapshot.max_ttl == 900
    assert session.snapshot.service.speed == 20
    assert "20 times as fast" in session.snapshot.service.label
    # thirty seconds of its time pass while we wait
    wait_for(lambda: session.snapshot.state == "inactive", "the interactive timeout")
    ran = notebook.good(f"%%session {FAST}", "job = SamplerV2().run([(measured,)])")
    assert "goes on" in ran.out
    assert notebook["job"].session_id == session.session_id
    notebook.good("job.result()")
    # an emulator keeps its sessions, and the cell starts it again
    launcher.stop(emulator_name(EmulatorOptions(**parse_open(FAST).local)), 60)
    assert "the local emulator does not answer" in notebook("%session close").sentence()
    ran = notebook.good(f"%%session {FAST}", "job = SamplerV2().run([(measured,)])")
    assert "goes on" in ran.out
    assert notebook["job"].session_id == session.session_id


def test_a_plan_without_sessions_can_be_rehearsed(notebook: Notebook) -> None:
    notebook.good(CIRCUITS)
    ran = notebook.good(
        f"%%session {FAST} --local-plan open", "job = SamplerV2().run([(measured,)])"
    )
    assert "This plan has no sessions" in ran.out
    assert notebook["job"].session_id is None


def test_the_emulators_options_are_refused_for_ibm(notebook: Notebook) -> None:
    sentence = notebook("%%session --service ibm --local-speed 2", "pass").sentence()
    assert "--local-speed is for the local emulator: leave it out" in sentence
    sentence = notebook("%%session --account work --local-speed 2", "pass").sentence()
    assert "--account would be IBM's, and the local emulator is asked for as well" in sentence
