"""``qsession run``: programs as people have them, which name accounts of their own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

QSESSION = [
    sys.executable,
    "-c",
    "import sys; from qsession_widgets.cli import main; sys.exit(main())",
]
SAY = "print(service.active_account()['url'], len(service.backends()), flush=True)\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of this test's own, with an account saved in it."""
    saved = tmp_path / ".qiskit" / "qiskit-ibm.json"
    saved.parent.mkdir()
    account = {"channel": "ibm_quantum_platform", "token": "the-users-own", "instance": "mine"}
    saved.write_text(json.dumps({"work": account}))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    return tmp_path


def run(home: Path, program: str, *words: str, python: tuple[str, ...] = ()) -> tuple[str, str]:
    """What a program says under ``qsession run``, on both streams."""
    script = home / "script.py"
    script.write_text(program)
    command = [*QSESSION, "run", "--workers", "1", *words, "--", sys.executable, *python]
    done = subprocess.run([*command, str(script)], capture_output=True, text=True, timeout=120)
    return done.stdout, done.stderr


LOCAL = """
from qiskit import QuantumCircuit
from qiskit_ibm_runtime import SamplerV2
from qsession_widgets import open_session

circuit = QuantumCircuit(1)
circuit.measure_all()
with open_session("fake_manila", service="local"):
    SamplerV2().run([circuit], shots=9).result()
"""


def test_a_program_that_asks_for_the_local_emulator_has_the_one_of_its_run(home: Path) -> None:
    _, said = run(home, LOCAL)
    *_, last = said.splitlines()
    assert last.startswith("qsession run: 1 session, 1 job, "), said
    assert not list((home / "runtime").glob("qsession-emulator*.json")), "another one runs on"


TWIRLED = """
from qiskit import QuantumCircuit
from qiskit_ibm_runtime import QiskitRuntimeService, SamplerV2
from qiskit_ibm_runtime.exceptions import IBMInputValueError
from qiskit_ibm_runtime.executor_sampler import Sampler

circuit = QuantumCircuit(1)
circuit.measure_all()
backend = QiskitRuntimeService().backend("fake_manila")
SamplerV2(backend, options={"execution": {"init_qubits": False}}).run([circuit], shots=9).result()
waiting = QuantumCircuit(1)
waiting.delay(64, 0, "us")
waiting.measure_all()
for primitive in (SamplerV2(backend), Sampler(backend)):
    try:
        primitive.run([waiting])
    except IBMInputValueError as error:
        print(error)
"""


def test_what_is_not_exact_or_would_lose_a_unit_is_said(home: Path) -> None:
    out, said = run(home, TWIRLED, "--noise", "pauli")
    assert out.count("Circuit 0 of this job has a delay of 64 us, and") == 2, said
    *_, how, options, last = said.splitlines()
    assert how.startswith("qsession run: 1 of 1 job not exact. Simulated by ")
    assert how.endswith("gate noise twirled to Pauli channels.")
    assert options == "qsession run: options without effect here: execution.init_qubits."
    assert last.startswith("qsession run: 0 sessions, 1 job, ")


STRICT = """
from qiskit import QuantumCircuit
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_ibm_runtime import QiskitRuntimeService, SamplerV2

service = QiskitRuntimeService()
circuit = QuantumCircuit(100)
circuit.h(0)
for qubit in range(99):
    circuit.cx(qubit, qubit + 1)
circuit.measure_all()
wide = service.backend("ibm_fez")
ready = generate_preset_pass_manager(1, backend=wide, seed_transpiler=1).run(circuit)
one = QuantumCircuit(1)
one.measure_all()
for backend, sent, options in (
    (wide, ready, {}),
    (service.backend("fake_manila"), one, {"execution": {"init_qubits": False}}),
    (service.backend("fake_manila"), one, {}),
):
    job = SamplerV2(backend, options=options).run([sent], shots=9)
    job.wait_for_final_state()
    print(repr(job.error_message()))
"""


def test_strict_refuses_what_is_not_exact_and_options_without_effect(home: Path) -> None:
    out, said = run(home, STRICT, "--strict")
    wide, without_effect, exact = out.splitlines()
    assert "--strict refuses an approximation such as twirled noise" in wide, said
    assert "execution.init_qubits = False has no effect" in without_effect
    assert "--strict refuses such a job: leave the option out" in without_effect
    assert exact == "None"
    assert said.splitlines()[-1].startswith("qsession run: 0 sessions, 3 jobs, ")
    assert "not exact" not in said


EXPLICIT = [
    'channel="ibm_quantum_platform", token=os.environ["QISKIT_IBM_TOKEN"]',
    'channel="ibm_quantum_platform", token="not-a-key", instance="crn:v1:some:instance::"',
    'channel="ibm_cloud", token="not-a-key", instance="an instance of mine"',
    'name="work"',
    'token="not-a-key", region="eu-de", plans_preference=["premium"], tags=["mine"]',
    'token="not-a-key", url="https://quantum.cloud.ibm.com"',
    'filename=os.path.expanduser("~/.qiskit/qiskit-ibm.json"), name="work"',
    'instance="an instance of mine"',
    '"ibm_quantum_platform", "not-a-key"',
]


def test_accounts_that_a_program_names_are_the_emulator(home: Path) -> None:
    program = "import os\nfrom qiskit_ibm_runtime import QiskitRuntimeService\n"
    for arguments in EXPLICIT:
        program += f"service = QiskitRuntimeService({arguments})\n{SAY}"
    out, said = run(home, program)
    lines = out.splitlines()
    assert len(lines) == len(EXPLICIT), said
    assert all(re.match(r"http://127\.0\.0\.1:\d+/", line) for line in lines)
    lines = [line for line in said.splitlines() if "reaches the emulator" in line]
    assert len(lines) == len(EXPLICIT), said
    assert lines[0] == (
        "qsession run: channel=, token= of QiskitRuntimeService in script.py line 3 are not used: "
        "it reaches the emulator."
    )
    assert "the-users-own" not in said
    assert "not-a-key" not in said


def test_instance_of_the_emulator_is_kept(home: Path) -> None:
    program = "from qiskit_ibm_runtime import QiskitRuntimeService\n"
    program += "service = QiskitRuntimeService(instance='alice')\n"
    program += "print(service.instances()[1]['crn'] == service.active_instance())\n"
    out, said = run(home, program, "--instance", "alice=open")
    assert out == "True\n", said
    assert "not used" not in said


def test_old_client_gets_one_sentence(home: Path) -> None:
    program = "import qiskit_ibm_runtime\n"
    program += "qiskit_ibm_runtime.__version__ = '0.49.1'\n"
    program += "qiskit_ibm_runtime.QiskitRuntimeService()\n"
    _, said = run(home, program)
    assert "Traceback" not in said
    (line,) = (line for line in said.splitlines() if "0.49.1" in line)
    assert line.endswith("install 0.50 or newer with pip install -U qiskit-ibm-runtime.")


def test_local_mode_stays_local(home: Path) -> None:
    program = "from qiskit_ibm_runtime import QiskitRuntimeService\n"
    program += "print(type(QiskitRuntimeService(channel='local')).__name__)\n"
    out, said = run(home, program)
    assert out == "QiskitRuntimeLocalService\n", said


def test_saved_account_is_the_runs_own(home: Path) -> None:
    saved = home / ".qiskit" / "qiskit-ibm.json"
    before = saved.read_text()
    other = home / "other.json"
    program = f"""
import os
from qiskit_ibm_runtime import QiskitRuntimeService
token = os.environ["QISKIT_IBM_TOKEN"]
QiskitRuntimeService.save_account(token=token, overwrite=True, set_as_default=True)
QiskitRuntimeService.save_account(token=token, name="work", overwrite=True, filename={str(other)!r})
print(sorted(QiskitRuntimeService.saved_accounts()))
service = QiskitRuntimeService()
{SAY}"""
    out, said = run(home, program)
    assert len(out.splitlines()) == 2, said
    assert "work" not in out.splitlines()[0]
    assert saved.read_text() == before
    assert not other.exists()
    assert "the run's own account file" in said


def test_sitecustomize_of_the_user_still_runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "mine").mkdir()
    (home / "mine" / "sitecustomize.py").write_text("import sys\nsys.mine = 'here'\n")
    monkeypatch.setenv("PYTHONPATH", str(home / "mine"))
    out, said = run(home, "import sys\nprint(sys.mine)\n")
    assert out == "here\n", said


# --------------------------------------------------------------------------------------------------
# What cannot be led to the emulator


def test_isolated_python_cannot_reach_ibm(home: Path) -> None:
    program = """
import time
from qiskit_ibm_runtime import QiskitRuntimeService
time.sleep = lambda seconds: None  # between the client's own repetitions
try:
    QiskitRuntimeService(channel="ibm_quantum_platform", token="not-a-key").backends()
except Exception as error:
    print(type(error).__name__, "Refused by qsession run" in str(error))
else:
    print("reached something")
"""
    out, said = run(home, program, python=("-I",))
    # it is not led anywhere, and what it wants of IBM is refused on this machine
    assert "reached something" not in out or "was refused" in said
    assert re.search(r"a request to [\w.]*\bcloud\.ibm\.com was refused", said), (out, said)


def test_any_key_is_taken_below_the_runs_path_only(home: Path) -> None:
    program = """
import os, urllib.error, urllib.parse, urllib.request
body = urllib.parse.urlencode({
    "grant_type": "urn:ibm:params:oauth:grant-type:apikey", "apikey": "the-users-own",
}).encode()
base = os.environ["IAM_URL"]
root = base.rpartition("/")[0]
for address in (base, root, root + "/" + 32 * "0"):
    try:
        print(urllib.request.urlopen(address + "/identity/token", body).status)
    except urllib.error.HTTPError as error:
        print(error.code)
headers = {"Authorization": "apikey the-users-own", "Service-CRN": "crn:of:another"}
request = urllib.request.Request(os.environ["QISKIT_IBM_URL"] + "/backends", headers=headers)
print(urllib.request.urlopen(request).status)
"""
    out, said = run(home, program)
    assert out.split() == ["200", "401", "404", "200"], said


# --------------------------------------------------------------------------------------------------
# The end

WORK = """
from qiskit import QuantumCircuit
from qiskit_ibm_runtime import QiskitRuntimeService, SamplerV2, Session

backend = QiskitRuntimeService().backend("aer")
circuit = QuantumCircuit(1)
circuit.measure_all()
session = Session(backend)
SamplerV2(mode=session).run([circuit], shots=100).result()
SamplerV2(mode=backend).run([circuit], shots=100).result()
"""


def test_last_line_says_what_was_done(home: Path) -> None:
    _, said = run(home, WORK + "session.close()\n")
    assert re.fullmatch(
        r"qsession run: 1 session, 2 jobs, [\d.]+ m?s of usage; on IBM about [\d.]+ s of a device, "
        r"\$\d+\.\d\d; nothing left open\.",
        said.splitlines()[-1],
    ), said


def test_last_line_says_what_was_left_open(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QSESSION_PRICE", "$30/min")
    _, said = run(home, WORK + "raise RuntimeError('half way')\n")
    assert "half way" in said
    last = said.splitlines()[-1]
    found = re.search(r"left open: session [\w-]+ on aer, which IBM would charge for up to", last)
    assert found, last
    # the interactive timeout of the plan, at the user's own price
    dollars = re.search(r"more, \$([\d.]+)\. Close it", last)
    assert dollars is not None, last
    assert 25 < float(dollars[1]) <= 30


def test_device_of_one_run(home: Path) -> None:
    program = """
from qiskit_ibm_runtime import QiskitRuntimeService
service = QiskitRuntimeService()
backend = service.backend("ibm_mine")
print(backend.num_qubits, [b.name for b in service.backends(name="ibm_mine")])
print(backend.configuration().description)
"""
    out, said = run(home, program, "--device", "ibm_mine=fake_sherbrooke")
    assert out.splitlines() == [
        "127 ['ibm_mine']",
        "Emulated on this machine from the data of fake_sherbrooke, calibrated 2025-02-26.",
    ], said
    _, said = run(home, program, "--device", "ibm_mine=fake_nowhere")
    assert "There is no device 'fake_nowhere'" in said


def test_environment_holds_no_key_of_the_user(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QISKIT_IBM_TOKEN", "the-users-own")
    out, _ = run(home, "import os\nprint('the-users-own' in str(dict(os.environ)))\n")
    assert out == "False\n"
    assert os.environ["QISKIT_IBM_TOKEN"] == "the-users-own"


LOOP = """
import sys
from qiskit import QuantumCircuit
from qiskit_ibm_runtime import SamplerV2
from qsession_widgets import open_session

circuit = QuantumCircuit(1)
circuit.measure_all()
with open_session("aer") as session:
    jobs = [SamplerV2().run([circuit], shots=shots) for shots in range(1, {last})]
    print("jobs:", *(job.job_id() for job in jobs if job.result()))
raise SystemExit({status})
"""


def test_a_program_that_failed_takes_up_its_jobs_when_it_is_run_again(home: Path) -> None:
    def jobs(last: int, status: int, *words: str) -> tuple[list[str], str]:
        out, said = run(home, LOOP.format(last=last, status=status), "--resume", *words)
        (line,) = (line for line in out.splitlines() if line.startswith("jobs: "))
        return line.split()[1:], out + said

    first, said = jobs(3, 3)
    assert "Nothing to resume" in said
    again, said = jobs(4, 0)
    assert (again[:2], len(again)) == (first, 3)
    # the jobs of the run before are its own
    assert "qsession run: 1 session, 1 job, " in said
    named = re.search(r"Takes up (run-\w+)", said)
    assert named is not None
    finished, _ = jobs(3, 0)
    assert not set(finished) & set(again), "one that came to its end is not taken up"
    assert jobs(3, 0, named[1])[0] == first
