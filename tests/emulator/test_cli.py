"""``qsession run`` and ``qsession emulator`` from a terminal."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from qsession_widgets.cli.main import main
from qsession_widgets.emulator.process import connection_file, launcher

QSESSION = [
    sys.executable,
    "-c",
    "import sys; from qsession_widgets.cli import main; sys.exit(main())",
]
WORK = """
from qiskit import QuantumCircuit
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_ibm_runtime import QiskitRuntimeService, SamplerV2, Session

service = QiskitRuntimeService()
backend = service.backend("ibm_manila")
circuit = QuantumCircuit(2, 2)
circuit.x(0)
circuit.measure([0, 1], [0, 1])
circuit = generate_preset_pass_manager(1, backend=backend).run(circuit)
with Session(backend) as session:
    counts = SamplerV2().run([circuit], shots=100).result()[0].data.c.get_counts()
print(max(counts, key=counts.get), session.details()["mode"], session.status())
"""
OUTCOME = "01 dedicated Closed"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Directories of this test's own, nothing of a service in the environment, nothing left."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    yield tmp_path
    for name in (connection_file.DEFAULT_NAME, "other", "class"):
        launcher.stop(name)


def qsession(*words: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    return subprocess.run([*QSESSION, *words], capture_output=True, text=True, timeout=90)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """The status and the only line of a command that is refused."""
    try:
        status = main(words)
    except SystemExit as exit:
        status = int(exit.code or 0)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1, said.err
    assert said.err.endswith(".\n")
    return status, said.err


def address(said: str) -> tuple[str, int]:
    """Where the emulator listens, or listened."""
    found = re.search(r"http://([\d.]+):(\d+)", said)
    assert found is not None, said
    return found[1], int(found[2])


def listens(where: tuple[str, int]) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(where, timeout=5):
        return True
    return False


# --------------------------------------------------------------------------------------------------
# run


def test_script_that_only_asks_for_the_service(place: Path) -> None:
    script = place / "script.py"
    script.write_text(WORK)
    done = qsession("run", "--workers", "1", "--", sys.executable, str(script))
    assert (done.returncode, done.stdout.strip()) == (0, OUTCOME), done.stderr
    # nobody takes it for IBM's, and nothing of it is left
    assert "finds an emulator" in done.stderr
    assert not listens(address(done.stderr))
    assert list((place / "tmp").glob("qsession-run-*")) == []
    assert not (place / "runtime").exists()
    assert not (place / "data").exists()


def test_notebook_that_only_asks_for_the_service(place: Path) -> None:
    import nbformat

    cells = [nbformat.v4.new_code_cell(part) for part in WORK.split("\n\n", 1)]
    notebook = place / "work.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), notebook)
    words = ["-m", "nbconvert", "--to", "notebook", "--execute", "--stdout", str(notebook)]
    done = qsession("run", "--workers", "1", "--", sys.executable, *words)
    assert done.returncode == 0, done.stderr
    executed = nbformat.reads(done.stdout, as_version=4)
    printed = [out.text for out in executed.cells[-1].outputs if out.get("name") == "stdout"]
    assert "".join(printed).strip() == OUTCOME


OUTLAST_ANOTHER = """
import os, time, urllib.request
from qsession_widgets.emulator import options
from qsession_widgets.emulator.process import connection_file, launcher

launcher.find_or_start(options.EmulatorOptions(workers=1, idle_exit=2), "another")
deadline = time.monotonic() + 90
while connection_file.read("another") and time.monotonic() < deadline:
    time.sleep(0.05)
print(connection_file.read("another"))
print(urllib.request.urlopen(os.environ["IAM_URL"] + "/openapi.json").status)
"""


def test_emulator_stays_while_its_command_is_busy_with_something_else() -> None:
    words = ["--workers", "1", "--idle-exit", "2", "--", sys.executable, "-c", OUTLAST_ANOTHER]
    done = qsession("run", *words)
    # one that was started later, and is as impatient, has ended
    assert (done.returncode, done.stdout) == (0, "None\n200\n"), done.stderr


def test_options_reach_the_emulator_and_the_status_comes_back() -> None:
    code = (
        "import json, os, sys, urllib.request as u;"
        "ask = u.Request(os.environ['IAM_URL'] + '/emulator/v1/status',"
        " headers={'Authorization': 'apikey ' + os.environ['QISKIT_IBM_TOKEN']});"
        "print(json.load(u.urlopen(ask))['plan']); print(sys.argv[1:]); sys.exit(7)"
    )
    words = ["--plan", "open", "--", sys.executable, "-c", code, "--plan", "--", "x"]
    done = qsession("run", *words)
    assert done.returncode == 7, done.stderr
    # what comes after the first -- is the command's, dashes and all
    assert done.stdout.split("\n")[:2] == ["open", "['--plan', '--', 'x']"]


@contextlib.contextmanager
def _waiting(code: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [*QSESSION, "run", "--", sys.executable, "-u", "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            yield child
        finally:
            if child.poll() is None:
                child.kill()


def test_interrupt_is_the_commands_to_answer() -> None:
    code = (
        "import os, threading\n"
        "try:\n"
        "    print('ready'); threading.Event().wait()\n"
        "except KeyboardInterrupt:\n"
        "    import urllib.request as u\n"
        "    print(u.urlopen(os.environ['IAM_URL'] + '/openapi.json').status)\n"
        "    os._exit(5)\n"
    )
    with _waiting(code) as child:
        os.killpg(child.pid, signal.SIGINT)
        out, said = child.communicate(timeout=60)
    # the emulator was still there, so that the command could close what it had opened
    assert (child.returncode, out) == (5, "200\n"), said
    assert "Traceback" not in said
    assert not listens(address(said))


def test_told_to_end_it_ends_the_command_and_the_emulator(place: Path) -> None:
    with _waiting("import threading; print('ready'); threading.Event().wait()") as child:
        child.terminate()
        _, said = child.communicate(timeout=60)
    assert child.returncode == 128 + signal.SIGTERM
    assert not listens(address(said))
    assert list((place / "tmp").glob("qsession-run-*")) == []


def test_command_that_a_signal_ended() -> None:
    done = qsession("run", "--", "sh", "-c", "kill -9 $$")
    assert done.returncode == 128 + signal.SIGKILL


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["run"], 1, "no command to run"),
        (["run", "--"], 1, "no command to run"),
        (["run", "python", "x.py"], 2, "after --: qsession run -- python x.py"),
        (["run", "--nothing", "--", "true"], 2, "There is no option --nothing"),
        (["run", "--plan", "gold", "--", "true"], 1, "There is no plan 'gold'"),
        (["run", "--speed", "fast", "--", "true"], 2, "--speed"),
        (["emulator"], 2, "ACTION"),
        (["emulator", "stat"], 2, "There is no stat: did you mean status?"),
        (["emulator", "start", "--itl", "3"], 2, "There is no option --itl: did you mean --ittl?"),
        (["emulator", "start", "--ittl", "abc"], 2, "'abc' is no duration"),
        (["emulator", "advance", "soon"], 2, "'soon' is no duration"),
        (["emulator", "start", "--plan", "gold"], 1, "There is no plan 'gold'"),
        (["emulator", "start", "--lanes", "0"], 1, "--lanes must be 1 or more"),
        (["emulator", "start", "now"], 2, "There is nothing to do with now"),
        (["emulator", "start", "--name", "../other"], 1, "An emulator is named with"),
        (["emulator", "serve", "--speed", "fast"], 2, "--speed"),
        (["emulator", "serve", "--name", "a b"], 1, "An emulator is named with"),
        (["emulator", "status"], 1, "No emulator is running"),
        (["emulator", "env", "--json"], 1, "No emulator is running"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    capsys: pytest.CaptureFixture[str], words: list[str], status: int, said: str
) -> None:
    found, sentence = refused(capsys, *words)
    assert found == status
    assert said in sentence


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("no-such-command", "There is no command 'no-such-command': check its name."),
        (os.sep, "cannot be run (Permission denied): give the name of a program."),
    ],
)
def test_command_that_is_none(
    capsys: pytest.CaptureFixture[str], place: Path, command: str, said: str
) -> None:
    before = dict(os.environ)
    assert main(["run", "--", command]) == 1
    assert capsys.readouterr().err.rstrip().endswith(said)
    assert os.environ == before
    assert list((place / "tmp").glob("qsession-run-*")) == []


# --------------------------------------------------------------------------------------------------
# emulator


def test_start_status_env_stop(capsys: pytest.CaptureFixture[str]) -> None:
    def answer(*words: str) -> str:
        assert main(["emulator", *words]) == 0
        return capsys.readouterr().out

    assert answer("stop") == "No emulator is running.\n"
    options = ["--plan", "open", "--instance", "class=premium", "--workers", "1"]
    started = json.loads(answer("start", *options, "--json"))
    assert set(started) == {"url", "api", "pid", "data"}
    # a second time, in words, it is found; and another one would be another
    assert answer("start", *options) == f"The emulator is running at {started['url']}.\n"
    assert "is running with --plan open" in refused(capsys, "emulator", "start")[1]

    status = json.loads(answer("status", "--json"))
    assert (status["plan"], status["pid"]) == ("open", started["pid"])
    text = answer("status")
    assert started["url"] in text
    assert "plan open" in text
    assert re.search(r"unused for: +\d+(\.\d)? m?s\n", text)

    variables = json.loads(answer("env", "--json"))
    assert variables["QISKIT_IBM_URL"] == started["api"]
    shell = subprocess.run(
        ["sh", "-c", answer("env") + "env"], capture_output=True, text=True, check=True, env={}
    )
    printed = set(shell.stdout.splitlines())
    assert {f"{name}={value}" for name, value in variables.items()} <= printed
    student = json.loads(answer("env", "--instance", "class", "--json"))
    assert student["QISKIT_IBM_TOKEN"] != variables["QISKIT_IBM_TOKEN"]
    assert "no instance 'nobody'" in refused(capsys, "emulator", "env", "--instance", "nobody")[1]

    assert json.loads(answer("stop", "--json")) == {"stopped": True}
    assert not listens(address(started["url"]))


def test_a_class_is_shown_what_goes_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    def answer(*words: str) -> str:
        assert main(["emulator", *words, "--name", "class"]) == 0
        return capsys.readouterr().out

    name = ("--name", "class")
    assert "named class is running" in refused(capsys, "emulator", "fault", *name)[1]
    options = ["--faults", "--speed", "0", "--workers", "1"]
    where = json.loads(answer("start", *options, "--json"))
    assert answer("fault") == "Nothing will go wrong.\n"
    words = ["--method", "POST", "--path", "/jobs", "--status", "503", "--code", "1999"]
    waiting = answer("fault", *words, "--delay", "0.5", "--times", "2")
    assert waiting == "1: POST /jobs: status 503, code 1999, 0.5 s late (2 times)\n"
    assert "would do nothing" in refused(capsys, "emulator", "fault", "--always", *name)[1]
    always = ("fault", "--drop", "--always", "--probability", "0.25", "--clear")
    assert answer(*always) == "2: *: drop (always, with probability 0.25)\n"
    assert json.loads(answer("fault", "--clear", "--json"))["faults"] == []

    before = json.loads(answer("advance", "0", "--json"))["now"]
    assert "clock says" in answer("advance", "1h")
    assert json.loads(answer("status", "--json"))["now"] == before + 3600
    assert "until qsession emulator resume" in answer("pause")
    assert json.loads(answer("resume", "--json")) == {"paused": False}
    answer("stop")
    assert not listens(address(where["url"]))

    answer("start", "--workers", "1")
    assert "started without --faults" in refused(capsys, "emulator", "pause", *name)[1]
    answer("stop")


def test_emulators_of_two_names_live_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("default", "other"):
        assert main(["emulator", "start", "--name", name, "--workers", "1", "--json"]) == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first["url"] != second["url"]
    assert first["data"] != second["data"]
    assert main(["emulator", "stop", "--name", "other"]) == 0
    assert listens(address(first["url"]))
    assert not listens(address(second["url"]))


def test_serve_in_the_terminal_until_it_is_interrupted(place: Path) -> None:
    words = ["emulator", "serve", "--json", "--name", "other", "--data-dir", str(place / "here")]
    with subprocess.Popen([*QSESSION, *words], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        where = json.loads(child.stdout.readline())
        assert (where["pid"], where["data"]) == (child.pid, str(place / "here"))
        with urllib.request.urlopen(where["url"] + "/openapi.json", timeout=30) as page:
            assert "emulated" in json.load(page)["info"]["title"]
        child.send_signal(signal.SIGINT)
        assert child.wait(30) == 0


def test_serve_on_a_used_port_or_data(place: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = qsession("emulator", "serve", "--port", port)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Port {port} of 127.0.0.1 cannot be used")
    assert done.stderr.count("\n") == 1
