"""A class: an emulator that other machines reach by TLS, with a key for each student."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import certifi
import pytest
from emulator.classroom import NAME, Classroom
from qiskit import QuantumCircuit
from qiskit_ibm_runtime.executor_sampler import Sampler
from support.certificates import Authority

from qsession_widgets import UserError, open_session
from qsession_widgets.cli import main
from qsession_widgets.client import joined
from qsession_widgets.client.selection import choose, joined_client
from qsession_widgets.emulator.http.auth import Identity
from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.process import launcher, listening
from qsession_widgets.emulator.process.connection_file import Connection, EmulatorError
from qsession_widgets.emulator.process.listening import CannotListen, Listening
from qsession_widgets.errors import ServiceError
from qsession_widgets.magics.actions import act
from qsession_widgets.resume.runs import RUNS
from qsession_widgets.server.service_list import find_sources
from qsession_widgets.sessions.binding import BINDING


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Classroom]:
    folder = tmp_path_factory.mktemp("class")
    authority = Authority(folder)
    certificate, key = authority.sign()
    where = Listening(tls_cert=certificate, tls_key=key).checked()
    options = EmulatorOptions(faults=True, workers=1, seed=1)
    room = Classroom(launcher.find_or_start(options, NAME, listening=where), authority, folder)
    yield room
    for http in room.opened:
        http.close()
    launcher.stop(NAME)


def test_each_student_has_a_key_and_sees_nothing_of_the_others(
    classroom: Classroom, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = classroom.invite("Ana", "Ben")
    ana, ben = (classroom.student(key) for key in keys.values())
    token = ana.http.post(
        "/identity/token",
        data={
            "grant_type": "urn:ibm:params:oauth:grant-type:apikey",
            "apikey": keys["Ana"],
        },
    ).json()["access_token"]
    ana.http.headers["Authorization"] = f"Bearer {token}"
    session = ana.open_session()
    ana.wait(ana.submit(session_id=session))
    assert ana.get("/emulator/v1/status")["options"]["instances"] == []
    owner = classroom.teacher()
    owner.fault("/queue", paused=True)
    job = ana.submit(session_id=session)

    assert ben.get("/workloads")["workloads"] == []
    assert ben.get("/jobs")["jobs"] == []
    for path in (f"/sessions/{session}", f"/jobs/{job}", f"/jobs/{job}/results"):
        assert ben.refused("GET", path)[0] == 404
    assert ben.refused("DELETE", f"/sessions/{session}/close")[0] == 404
    assert ben.refused("POST", f"/jobs/{job}/cancel")[0] == 404
    ben.http.headers["Service-CRN"] = ana.crn
    assert ben.refused("GET", "/jobs")[0] == 404
    for method, path in (("GET", "users"), ("DELETE", "users/Ana"), ("POST", "users")):
        body = {"json": {"count": 1}} if method == "POST" else {}
        assert ben.refused(method, f"/emulator/v1/{path}", **body)[0] == 403
    assert ben.refused("POST", "/emulator/v1/faults/queue", json={"paused": False})[0] == 403

    main(["emulator", "users", "--name", NAME, "--json"])
    said = capsys.readouterr().out.splitlines()
    listed = {user["name"]: user for user in map(json.loads, filter("{".__lt__, said))}
    assert (listed["Ana"]["open_sessions"], listed["Ana"]["jobs"]) == (1, 2)
    assert (listed["Ben"]["sessions"], listed["Ben"]["jobs"]) == (0, 0)

    assert main(["emulator", "revoke", "Ana", "--name", NAME]) == 0
    assert "1 sessions and 1 jobs were cancelled" in capsys.readouterr().out
    assert ana.refused("GET", "/jobs")[0] == 401
    ana.http.headers["Authorization"] = f"apikey {keys['Ana']}"
    assert ana.refused("GET", "/jobs")[0] == 401
    owner.http.headers["Service-CRN"] = ana.crn
    assert owner.get(f"/sessions/{session}")["state"] == "closed"
    owner.fault("/queue", paused=False)
    assert main(["emulator", "revoke", "Ana", "--name", NAME]) == 1

    # a lost key is replaced: the work is where it was, and the old tokens stay ended
    again = classroom.student(classroom.invite("Ana")["Ana"])
    assert len(again.get("/jobs")["jobs"]) == 2
    ana.http.headers["Authorization"] = f"Bearer {token}"
    assert ana.refused("GET", "/jobs")[0] == 401


def test_no_key_is_kept_or_printed(
    classroom: Classroom, capsys: pytest.CaptureFixture[str]
) -> None:
    (key,) = classroom.invite("Cy").values()
    (written,) = classroom.folder.glob("Cy-*.csv")
    for words in (["users"], ["status"], ["list"]):
        main(["emulator", *words, *([] if words == ["list"] else ["--name", NAME])])
    said = capsys.readouterr()
    kept = "".join(
        path.read_text("utf-8", "replace")
        for path in (
            Path(classroom.connection.data) / "identity.json",
            launcher.connection_file(NAME),
            launcher.log_file(NAME),
        )
    )
    assert "Cy" in kept
    for text in (said.out, said.err, kept):
        assert key not in text
    # and the file is not overwritten, with keys in it
    words = ["invite", "--count", "1", "--csv", str(written), "--name", NAME]
    assert main(["emulator", *words]) == 1
    assert "is there already" in capsys.readouterr().err
    more = classroom.folder / "more.csv"
    words = ["invite", "--count", "1", "--csv", str(more), "--name", NAME]
    assert main(["emulator", *words]) == 0
    assert "student-01" in more.read_text("utf-8")


def test_users_are_there_again_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "identity.json"
    first = Identity.load(path, {"default": "premium"})
    keys = first.invite(["Ana", "Ben"], 1, "open")
    assert list(keys) == ["Ana", "Ben", "student-01"]
    first.revoke("Ben")
    again = Identity.load(path, {"default": "premium"})
    assert again.user_of_key(keys["Ana"]) == "Ana"
    assert again.user_of_key(keys["Ben"]) is None
    # an instance without a key is nobody's, also for an empty one
    assert again.user_of_key("") is None
    assert {one.name: one.plan for one in again.instances.values()}["Ana"] == "open"
    first._path = tmp_path / "missing" / "identity.json"
    with pytest.raises(OSError, match="missing"):
        first.invite(["Dee"], 0, "open")
    assert "Dee" not in first.invited


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"tls_cert": "cert"}, "go together"),
        ({"host": "0.0.0.0"}, "everybody on the way could read keys"),
        ({"host": ""}, "everybody on the way could read keys"),
        ({"public_url": "http://lab.example.org"}, "could read students' keys"),
        ({"public_url": "lab.example.org:8443"}, "is an address such as"),
        ({"public_url": "https://ana:secret@lab.example.org"}, "no user name"),
    ],
)
def test_what_makes_no_sense_is_refused(words: dict[str, str], said: str) -> None:
    with pytest.raises(CannotListen, match=said) as refused:
        replace(Listening(), **words).checked()
    assert "secret" not in str(refused.value)


def test_certificates_are_looked_at_before_anybody_comes(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.sign()
    other = authority.sign()[1]
    for files, said in (
        ((certificate, other), "does not belong"),
        ((certificate, str(tmp_path / "missing")), "cannot be read: No such file"),
        ((key, certificate), "which file is which"),
    ):
        with pytest.raises(CannotListen, match=said):
            listening.tls_context(Listening(tls_cert=files[0], tls_key=files[1]))
    for host, files, problem in (
        ("localhost", (certificate, key), ""),
        ("lab.example.org", (certificate, key), "not valid for 'lab.example.org'"),
        ("localhost", authority.sign(days=-1), "expired"),
    ):
        where = Listening(tls_cert=files[0], tls_key=files[1])
        verdict = listening.judge(listening.tls_context(where), where, host)
        assert problem in verdict.problem
        assert bool(problem) == bool(verdict.problem)
        assert not verdict.trusted
    # one file with both, as some programs want it, is not handed to students
    both = tmp_path / "both.pem"
    both.write_bytes(Path(key).read_bytes() + Path(certificate).read_bytes())
    assert listening.shown(certificate, tmp_path) == certificate
    shown = Path(listening.shown(str(both), tmp_path))
    assert shown.read_bytes() == Path(certificate).read_bytes()


def test_an_emulator_that_listens_elsewhere_is_not_taken_for_what_is_asked(
    classroom: Classroom,
) -> None:
    certificate, key = classroom.connection.listening[1::2]
    same = Listening(tls_cert=certificate, tls_key=key)
    for where in (Listening(), same):
        assert launcher.find_or_start(None, NAME, listening=where) == classroom.connection
    for words in ({"host": "0.0.0.0"}, {"port": 8443}, {"public_url": "https://lab.example.org"}):
        with pytest.raises(EmulatorError, match="not what was asked for"):
            launcher.find_or_start(None, NAME, listening=replace(same, **words))


def test_keys_whose_answer_is_lost_are_good_for_nobody(
    classroom: Classroom, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    classroom.invite("Gus")
    names, keys = classroom.folder / "lost.txt", classroom.folder / "lost.csv"
    names.write_text("Hal\nIda", "utf-8")
    words = ["invite", "--name", NAME, "--names", str(names), "--csv", str(keys)]
    usual, lost = Connection.request, ["POST"]

    def request(self: Connection, method: str, path: str, *words: Any, **options: Any) -> Any:
        answer = usual(self, method, path, *words, **options)
        if method in lost and path.startswith("/emulator/v1/users"):
            raise TimeoutError("timed out")
        return answer

    monkeypatch.setattr(Connection, "request", request)
    for methods, said in (
        (["POST"], "no key that it may have made is good"),
        (["POST", "DELETE"], "revoke USER ends each"),
        (["GET"], "The emulator does not answer"),
    ):
        lost[:] = methods
        capsys.readouterr()
        assert main(["emulator", *words]) == 1
        printed = capsys.readouterr().err
        assert said in printed
        assert printed.count("\n") == 1
        assert not keys.exists()
        lost.clear()
        users = {
            user["name"]: user for user in classroom.teacher().get("/emulator/v1/users")["users"]
        }
        assert not users["Gus"]["revoked"]
        for name in ("Hal", "Ida"):
            if methods == ["POST"]:
                assert users[name]["revoked"]
            elif not users[name]["revoked"]:
                assert main(["emulator", "revoke", name, "--name", NAME]) == 0
    assert len(classroom.invite("Hal", "Ida")) == 2


def test_a_link_is_in_no_command_line(
    classroom: Classroom, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert main(["emulator", "page", "--name", NAME]) == 0
    (address,) = opened
    link = capsys.readouterr().out.splitlines()[0]
    ticket = link.partition("#")[2]
    assert ticket not in address
    file = Path(url2pathname(urlsplit(address).path))
    assert link in file.read_text("utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.fixture
def _unpatched() -> Iterator[None]:
    """Leaves the client library as it was: a session binds what other tests take for its own."""
    yield
    BINDING.set_aside()
    BINDING.__init__()  # type: ignore[misc]
    RUNS.reset()


@pytest.mark.usefixtures("_unpatched")
def test_students_join_once_and_use_it_by_name(
    classroom: Classroom,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # as on a machine whose settings name other authorities
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "student"))
    keys = classroom.invite("Eva", "Finn")
    url, ca = classroom.connection.public_url, ["--ca", str(classroom.authority.file)]
    eva, finn = keys.values()
    closed = urlsplit(classroom.connection.url)
    for words, said in (
        ([url, eva], "is not trusted here"),
        ([url, "qs_wrong", *ca], "does not know this key"),
        ([url, classroom.connection.key, *ca], "This key is of the owner"),
        (["lab.example.org", eva], "is no address"),
        ([eva, url], "is no address"),
        (["http://lab.example.org", eva], "could read your key"),
        (["https://127.0.0.1:1", eva], "Nothing answers"),
        ([f"https://localhost:{closed.port}", eva], "does not answer by TLS"),
        ([url, eva, "--name", "ibm"], "cannot be named"),
        ([url, eva, "--ca", str(tmp_path / "none")], "No such file"),
    ):
        assert main(["join", *words]) == 1
        printed = capsys.readouterr().err
        assert said in printed
        assert printed.count("\n") == 1
        assert eva not in printed
    assert main(["join", url, eva, *ca]) == 0
    assert eva not in capsys.readouterr().out
    assert main(["join", url, finn, *ca]) == 1
    assert "which you have joined" in capsys.readouterr().err
    for words in (
        [url, "--name", "class", *ca, eva],
        [url, eva, finn],
        [eva, url],
        [url, "--x", eva],
    ):
        with pytest.raises(UserError) as refused:
            act(["join", *words], lambda _: None)
        assert "qs_" not in str(refused.value)
        assert "take it out before anybody sees" in capsys.readouterr().out
    act(["join", url, "--name", "finns", *ca, finn], lambda _: None)
    assert "take it out before anybody sees" in capsys.readouterr().out
    folder = tmp_path / "student" / "qsession-services"
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert eva not in repr(joined.everyone())
    assert {"joined:class", "joined:finns"} <= {one.key for one in find_sources().sources}

    with open_session("aer", service="class") as session:
        assert session.snapshot.service.label == "class (emulator) · no charge"
        circuit = QuantumCircuit(1)
        circuit.measure_all()
        counts = Sampler().run([circuit], shots=10).result()[0].data.meas.get_counts()
        assert counts == {"0": 10}
        ident = session.snapshot.session_id
        assert main(["list", "--service", "class", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["id"] == ident
        for words in (["show", ident], ["cancel", ident]):
            assert main([*words, "--service", "finns"]) == 1
            assert "There is no session" in capsys.readouterr().err
    assert main(["list", "--service", "class"]) == 0
    assert "No session is open" in capsys.readouterr().out

    assert main(["emulator", "revoke", "Eva", "--name", NAME]) == 0
    with pytest.raises(UserError, match="does not know your key any more"):
        choose("class")
    line = joined_client(joined.find("finns"))
    for name in ("class", "finns"):
        assert main(["leave", name]) == 0
    # what is open can still be ended, which takes the certificate and no key of theirs
    assert line.workloads().data["workloads"] == []
    (left,) = folder.iterdir()
    assert left.read_bytes() == classroom.authority.file.read_bytes()
    left.unlink()
    with pytest.raises(ServiceError, match="cannot be reached: Could not find a suitable TLS CA"):
        line.workloads()
    line.close()
    assert main(["leave", "class"]) == 1
    with pytest.raises(UserError, match="choose auto, ibm or local"):
        open_session("aer", service="class")
