"""The ``qsession`` command: what is typed wrong, and whoever stops listening."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qsession_widgets.cli.main import main
from qsession_widgets.discovery import fan_out
from qsession_widgets.emulator.process.connection_file import Connection

from .cells import Notebook, wait_for
from .conftest import CIRCUITS
from .test_watch import COMMAND


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["lst"], "'lst' is no action: did you mean list? qsession --help lists what there is."),
        (["frobnicate"], "'frobnicate' is no action: choose one of list, show"),
        (["list", "--servcie", "local"], "There is no option --servcie: did you mean --service?"),
        (["--hlep"], "There is no option --hlep: did you mean --help?"),
        (["receipt", "--lst"], "There is no option --lst: did you mean --last?"),
        (["list", "--service", "loc"], "'loc' does not exist: did you mean local?"),
        (["list", "here"], "There is nothing to do with here."),
        (["show"], "qsession show needs to know which: qsession show ID."),
        (["close"], "qsession close needs to know which: qsession close ID, or --all."),
    ],
)
def test_a_command_that_cannot_be_read_is_one_sentence(
    capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert sentence in said
    assert said.count("\n") == 1


def test_without_a_word_it_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "list open sessions and batches" in capsys.readouterr().out
    assert main(["help"]) == 0


def test_a_name_and_all_of_them_can_be_closed(
    notebook: Notebook, ask: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    notebook.good("%%session --service local --backend aer --name vqe", "pass")
    assert main(["close", "vqe"]) == 0
    assert capsys.readouterr().out == "Session closed.\n"
    assert notebook["session"].wait_for(timeout=20).state == "closed"
    assert main(["show", "vqe"]) == 0
    assert re.search(r"^Name +vqe$", capsys.readouterr().out, re.MULTILINE)
    opened = ask("POST", "/sessions", json={"mode": "batch", "backend": "aer"})["id"]
    assert main(["close", "--all", "--json"]) == 1
    assert "This ends 1 session or batch, with 0 pending jobs" in capsys.readouterr().err
    assert ask("GET", f"/sessions/{opened}")["state"] == "open"
    assert main(["close", "--all", "--json", "--yes"]) == 0
    assert json.loads(capsys.readouterr().out) == {"id": opened, "said": "Batch closed."}
    assert main(["close", "--all"]) == 0
    assert "No session is open" in capsys.readouterr().out


def test_a_terminal_says_what_is_still_to_come_as_the_notebook_does(
    notebook: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook.good(CIRCUITS)
    notebook.good(
        "%%session --service local --backend aer --expect 10 --budget '$900'",
        "for _ in range(3):\n    SamplerV2().run([measured], shots=10).result()",
    )
    session = notebook["session"]
    wait_for(lambda: not session.snapshot.pending(), "the last job's end")
    assert main(["receipt", "--json", session.session_id]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["expected_jobs"], told["budget_dollars"]) == (10, 900.0)
    assert told["forecast"]["to_come"]["jobs"] == 7
    for command in ("show", "forecast"):
        assert main([command, session.session_id]) == 0
        assert re.search(r"^To come +7 jobs: ", capsys.readouterr().out, re.MULTILINE), command


def test_several_are_meant_by_how_their_ids_begin(
    circuits: Notebook, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook, run = circuits, "job = SamplerV2().run([measured], shots=10)"
    notebook.good(run)
    here, job = notebook["session"].session_id, notebook["job"].job_id()
    notebook.good("%%batch --service local --backend aer --name there", run)
    there = notebook["session"].session_id
    # random ids share seven of their characters once in a lifetime
    begun = [here[:7], there[:7]]
    assert main(["show", "--json", *begun, "nothing-1"]) == 1
    said = capsys.readouterr()
    assert [json.loads(line)["session_id"] for line in said.out.splitlines()] == [here, there]
    assert "nothing-1: There is no session" in said.err
    assert said.err.endswith("1 of 3 could not be done.\n")
    assert main(["receipt", "--json", job[:-1]]) == 0
    assert json.loads(capsys.readouterr().out)["session_id"] == here
    # of ids of jobs, the first characters are the time at which they were created
    assert main(["close", job[:4]]) == 1
    assert f"{job[:4]!r} is how several ids begin: " in capsys.readouterr().err
    assert begun[0] in notebook.good(f"%session use {begun[0]}").out
    assert "Session clos" in notebook.good(f"%session close {begun[0]}").out
    assert main(["cancel", begun[1]]) == 0
    assert "Batch cancelled" in capsys.readouterr().out
    assert len(notebook.good("%session receipt " + " ".join(begun)).displayed) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk to write to")
def test_a_full_disk_is_a_sentence(ask: Callable[..., Any]) -> None:
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [*COMMAND, "list"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert ran.returncode == 1
    assert ran.stderr == "What was to be printed cannot be written: No space left on device.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe there does not tell")
@pytest.mark.parametrize(
    "words", ["--help", "price show", "emulator list", "emulator start --help"]
)
def test_a_reader_who_has_heard_enough_is_no_error(words: str) -> None:
    """As in ``qsession ... | head -1``: the other end of the pipe is closed already."""
    heard, said = os.pipe()
    os.close(heard)
    ran = subprocess.run(
        [*COMMAND, *words.split()], stdout=said, stderr=subprocess.PIPE, text=True, timeout=60
    )
    os.close(said)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("qsession re", "receipt"),
        ("qsession list --serv", "--service"),
        ("qsession list --service l", "local"),
        ("qsession emulator start --job-t", "--job-time"),
        ("qsession emulator device ad", "add"),
    ],
)
def test_a_shell_is_told_what_may_come_next(tmp_path: Path, line: str, word: str) -> None:
    told = tmp_path / "told"
    asked = {"_ARGCOMPLETE": "1", "_ARGCOMPLETE_STDOUT_FILENAME": str(told)}
    asked |= {"COMP_LINE": line, "COMP_POINT": str(len(line)), "_ARGCOMPLETE_IFS": " "}
    ran = subprocess.run(COMMAND, env={**os.environ, **asked}, capture_output=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert word in told.read_text().split()


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe there does not tell")
def test_a_watch_ends_when_nobody_reads_it(ask: Callable[..., Any]) -> None:
    opened = ask("POST", "/sessions", json={"mode": "dedicated", "backend": "aer"})["id"]
    watching = subprocess.Popen([*COMMAND, "watch", opened], stdout=subprocess.PIPE)
    assert watching.stdout is not None
    watching.stdout.readline()
    watching.stdout.close()
    assert watching.wait(timeout=60) == 0


@pytest.mark.parametrize("columns", [40, 60])
def test_tables_fit_the_terminal(
    notebook: Notebook,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    columns: int,
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["list"]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= columns
    notebook.good("%%session --service local --backend aer --name narrow", "pass")
    for words in (
        *(["list"], ["show", "narrow"], ["receipt", "narrow"]),
        *(["emulator", "list"], ["emulator", "status"]),
    ):
        assert main(words) == 0
        said = capsys.readouterr().out
        assert max(map(len, said.splitlines())) <= columns, said
        assert words[0] == "emulator" or notebook["session"].session_id in said.split()


def test_a_terminal_with_another_runtime_directory_is_told_where_the_emulator_is(
    ask: Callable[..., Any],
    account: Callable[[str | None], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    session_id = ask("POST", "/sessions", json={"mode": "dedicated", "backend": "aer"})["id"]
    folder = os.environ["JUPYTER_RUNTIME_DIR"]
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    for words in (["show", session_id], ["close", session_id], ["list"], ["close", "--all"]):
        assert main(words) == 1
        said = capsys.readouterr()
        assert "No session is open" not in said.out + said.err
        assert f"with JUPYTER_RUNTIME_DIR={folder} it is found here" in said.err
    account(None)
    assert main(["close", session_id]) == 0
    assert ask("GET", f"/sessions/{session_id}")["state"] == "closed"


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="no process can be stopped here")
def test_an_emulator_that_hangs_is_named_once(
    ask: Callable[..., Any],
    emulator: Connection,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session_id = ask("POST", "/sessions", json={"mode": "dedicated", "backend": "aer"})["id"]
    monkeypatch.setattr(fan_out, "TIMEOUT", 1.0)
    monkeypatch.setattr(Connection.status, "__defaults__", (1.0,))
    os.kill(emulator.pid, signal.SIGSTOP)
    try:
        assert main(["close", session_id]) == 1
    finally:
        os.kill(emulator.pid, signal.SIGCONT)
    assert capsys.readouterr().err.count("does not answer") == 1
