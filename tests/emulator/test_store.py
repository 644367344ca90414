"""What was acknowledged is on disk; what cannot be written is refused whole and said plainly."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
import pytest
from emulator.store_child import body
from hypothesis import given, settings

from qsession_widgets.emulator.rules.lifecycle import MAX_ATTEMPTS
from qsession_widgets.emulator.rules.records import FINAL, EmulatedJob, EmulatedSession
from qsession_widgets.emulator.storage.database import FORMAT, StoreError
from qsession_widgets.emulator.storage.store import Store

CHILD = Path(__file__).with_name("store_child.py")
ROUNDS = 60

# Also NUL, quotes and halves of surrogate pairs: ids and tags come from outside.
texts = st.text(st.characters(exclude_categories=()), max_size=20)
times = st.floats(allow_nan=False, allow_infinity=False)
some_time = st.none() | times
sessions = st.builds(
    EmulatedSession,
    id=texts,
    backend=texts,
    mode=st.sampled_from(["dedicated", "batch"]),
    instance=texts,
    interactive_ttl=times,
    max_ttl=times,
    created=times,
    state=st.sampled_from(["open", "active", "inactive", "closed"]),
    state_reason=texts,
    accepting_jobs=st.booleans(),
    started_at=some_time,
    activated_at=some_time,
    closed_at=some_time,
    last_job_started=some_time,
    last_job_completed=some_time,
    timestamps=st.lists(st.tuples(texts, times), max_size=4).map(tuple),
    elapsed=times,
    user=texts,
    tags=st.lists(texts, max_size=3).map(tuple),
    load=st.just(False),
)
jobs = st.builds(
    EmulatedJob,
    id=texts,
    program_id=texts,
    backend=texts,
    instance=texts,
    created=times,
    session_id=st.none() | texts,
    status=st.sampled_from(["Queued", "Running", *sorted(FINAL)]),
    reason=st.none() | texts,
    reason_code=st.none() | st.integers(),
    started=some_time,
    finished=some_time,
    max_execution_time=times,
    qpu_seconds=times,
    attempts=st.integers(0, 9),
    load=st.none(),
    user=texts,
    tags=st.lists(texts, max_size=3).map(tuple),
    private=st.booleans(),
    calibration_id=st.none() | texts,
    cost=st.none() | st.integers(),
)


def job(name: str, **fields) -> EmulatedJob:
    return replace(EmulatedJob(name, "sampler", "ibm_fez", "crn", 0.0), **fields)


def session(name: str, **fields) -> EmulatedSession:
    return replace(EmulatedSession(name, "ibm_fez", "dedicated", "crn", 60.0, 600.0, 0.0), **fields)


def done(name: str, at: float, **fields) -> EmulatedJob:
    return job(name, status="Completed", finished=at, **fields)


# ------------------------------------------------------------------------------------------------
# What goes in comes out


@pytest.fixture(scope="module")
def shared_path(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("store") / "data.sqlite"


@settings(deadline=None, derandomize=True, database=None)
@given(st.lists(sessions, max_size=4), st.lists(jobs, max_size=4))
def test_every_field_of_every_record_comes_back(shared_path, some_sessions, some_jobs):
    shared_path.unlink(missing_ok=True)
    store = Store(shared_path)
    store.save(some_sessions, some_jobs)
    store.close()
    again = Store(shared_path)
    expected = ({s.id: s for s in some_sessions}, {j.id: j for j in some_jobs})
    assert again.load() == tuple(list(records.values()) for records in expected)
    again.close()


@settings(deadline=None, derandomize=True, database=None)
@given(texts, texts, texts, texts)
def test_every_text_comes_back(name, params, result, logs):
    store = Store()
    store.save(jobs=[job(name)], params={name: params})
    assert (store.params(name), store.result(name), store.logs(name)) == (params, None, None)
    store.save(results={name: result})
    store.save(logs={name: "to be replaced"})
    store.save(logs={name: logs})
    assert (store.params(name), store.result(name), store.logs(name)) == (params, result, logs)
    store.delete_job(name)
    assert (store.params(name), store.result(name), store.logs(name)) == (None, None, None)
    assert store.load() == ([], [])


def test_records_come_back_in_the_order_they_were_accepted_however_often_they_changed():
    store = Store()
    names = [f"{number:04}" for number in range(100)]
    random.Random(1).shuffle(names)
    for name in names:
        store.save([session(name)], [job(name)])
    for name in sorted(names):
        store.save([session(name, state="active")], [job(name, status="Running")])
    loaded_sessions, loaded_jobs = store.load()
    assert [record.id for record in loaded_sessions] == names
    assert [record.id for record in loaded_jobs] == names


def test_simulated_jobs_and_sessions_of_other_users_are_not_kept():
    store = Store()
    store.save(
        [session("theirs", load=True), session("mine")],
        [job("their job", load=5.0, session_id="theirs"), job("my job")],
    )
    loaded_sessions, loaded_jobs = store.load()
    assert [record.id for record in loaded_sessions] == ["mine"]
    assert [record.id for record in loaded_jobs] == ["my job"]


def test_fields_of_a_later_version_with_the_same_format_are_left_out(tmp_path):
    path = tmp_path / "data.sqlite"
    store = Store(path)
    store.save([session("s")], [job("j")])
    store.close()
    with sqlite3.connect(path) as raw:
        for table in ("sessions", "jobs"):
            raw.execute(f"UPDATE {table} SET record = json_set(record, '$.colour', 'blue')")
    raw.close()
    assert Store(path).load() == ([session("s")], [job("j")])


# ------------------------------------------------------------------------------------------------
# All or nothing


def test_a_text_of_a_job_that_was_deleted_meanwhile_is_dropped_and_the_rest_is_kept():
    store = Store()
    store.save(jobs=[job("gone"), job("j")], params={"gone": "p", "j": "p"})
    store.delete_job("gone")
    store.save(jobs=[job("j", status="Completed")], results={"gone": "r", "j": "r"})
    assert store.load()[1] == [job("j", status="Completed")]
    assert (store.result("j"), store.result("gone"), store.params("gone")) == ("r", None, None)


def test_a_save_that_breaks_off_changes_nothing():
    store = Store()
    store.save([session("s")], [job("j")])

    def records():
        yield job("j", status="Completed")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.save([session("s", state="active")], records())
    store._database.connection.execute(
        "CREATE TRIGGER t BEFORE INSERT ON texts BEGIN SELECT raise(FAIL, 'x'); END"
    )
    with pytest.raises(StoreError, match="nothing was changed"):
        store.save([session("s", state="active")], [job("j2")], results={"j": "r"})
    assert store.load() == ([session("s")], [job("j")])


def fill(store: Store) -> None:
    """Let the file grow no further, as on a full disk."""
    (pages,) = store._database.connection.execute("PRAGMA page_count").fetchone()
    store._database.connection.execute(f"PRAGMA max_page_count = {pages}").fetchone()


def test_a_full_disk_is_said_plainly_and_leaves_nothing_half_written(tmp_path):
    store = Store(tmp_path / "data.sqlite")
    store.save([session("s")], [job("j")], params={"j": "p"})
    fill(store)
    with pytest.raises(StoreError, match=r"no space left for .*data\.sqlite.* nothing was changed"):
        store.save(
            [session("s", state="active"), session("s2")],
            [job("j", status="Completed"), job("j2")],
            results={"j": "r" * 100_000},
        )
    assert store.load() == ([session("s")], [job("j")])
    assert store.result("j") is None
    store._database.connection.execute("PRAGMA max_page_count = 1000000").fetchone()
    store.save(jobs=[job("j", status="Completed")], results={"j": "r" * 100_000})
    store.close()
    assert Store(tmp_path / "data.sqlite").result("j") == "r" * 100_000


def test_a_file_that_may_not_grow_is_survived(tmp_path):
    # The operating system itself refuses here, through a limit on the size of files.
    program = """
        import resource, signal, sys
        from pathlib import Path
        from qsession_widgets.emulator.rules.records import EmulatedJob
        from qsession_widgets.emulator.storage.database import StoreError
        from qsession_widgets.emulator.storage.store import Store

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        store = Store(Path(sys.argv[1]))
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
        for number in range(1000):
            name = f"j{number}"
            try:
                job = EmulatedJob(name, "sampler", "b", "i", 0.0)
                store.save(jobs=[job], params={name: "p" * 5000})
            except StoreError as error:
                print("refused", number, error)
                break
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        store.save(jobs=[EmulatedJob("after", "sampler", "b", "i", 0.0)], params={"after": "p"})
        expected = [f"j{n}" for n in range(number)] + ["after"]
        print("kept", [job.id for job in store.load()[1]] == expected)
    """
    path = tmp_path / "data.sqlite"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), path],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.startswith("refused"), done.stderr
    assert "nothing was changed" in done.stdout
    assert done.stdout.endswith("kept True\n"), done.stdout + done.stderr
    assert Store(path).params("after") == "p"


# ------------------------------------------------------------------------------------------------
# Whose file it is


def test_a_second_emulator_on_the_same_data_gets_one_sentence(tmp_path):
    path = tmp_path / "data.sqlite"
    store = Store(path)
    program = f"""
        from pathlib import Path
        from qsession_widgets.emulator.storage.database import StoreError
        from qsession_widgets.emulator.storage.store import Store
        try:
            Store(Path({str(path)!r}))
        except StoreError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "data.sqlite is in use by another emulator" in done.stdout
    assert done.stdout.count("\n") == 1
    store.save(jobs=[job("still works")])
    store.close()
    Store(path).close()


def test_of_several_emulators_that_start_at_once_one_gets_the_data(tmp_path):
    program = """
        import sys
        from pathlib import Path
        from qsession_widgets.emulator.storage.database import StoreError
        from qsession_widgets.emulator.storage.store import Store
        print("ready", flush=True)
        sys.stdin.readline()
        try:
            store = Store(Path(sys.argv[1]))
        except StoreError as error:
            print("refused" if "in use" in str(error) else error, flush=True)
        else:
            print("works", flush=True)
        sys.stdin.readline()
    """
    for number in range(3):
        path = tmp_path / f"data{number}.sqlite"
        racers = [
            subprocess.Popen(
                [sys.executable, "-c", textwrap.dedent(program), path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(4)
        ]
        for racer in racers:
            assert racer.stdout.readline() == "ready\n"
        for racer in racers:
            racer.stdin.write("\n")
            racer.stdin.flush()
        answers = [racer.stdout.readline().strip() for racer in racers]
        for racer in racers:
            racer.communicate("\n", timeout=60)
        assert sorted(answers) == ["refused", "refused", "refused", "works"]


def test_data_of_a_newer_version_is_left_alone(tmp_path):
    path = tmp_path / "data.sqlite"
    Store(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute(f"PRAGMA user_version = {FORMAT + 1}")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=rf"newer version .*format {FORMAT + 1}.*up to {FORMAT}"):
        Store(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("record", ["{", "{}", "[]", "7"])
def test_a_damaged_record_is_said(tmp_path, record):
    path = tmp_path / "data.sqlite"
    store = Store(path)
    store.save([session("s")])
    store.close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE sessions SET record = ?", (record,))
    raw.close()
    store = Store(path)
    with pytest.raises(StoreError, match=r"data\.sqlite holds a record that is damaged"):
        store.load()
    store.close()


def test_a_file_of_another_program_is_left_alone(tmp_path):
    path = tmp_path / "bookmarks.sqlite"
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE bookmarks (url TEXT)")
    raw.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        Store(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    ["a letter to my aunt " * 100, "SQLite format 3\0" + "nonsense " * 500],
    ids=["text", "damaged"],
)
def test_a_file_that_is_no_database_is_left_alone(tmp_path, content):
    path = tmp_path / "data.sqlite"
    path.write_text(content)
    with pytest.raises(StoreError, match="damaged or not a data file"):
        Store(path)
    assert path.read_text() == content


def test_a_place_that_cannot_be_written_is_said_plainly(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file" / "data.sqlite"):
        with pytest.raises(StoreError, match=r"Cannot write the data file .*choose another place"):
            Store(path)


def test_only_the_owner_reads_the_data(tmp_path):
    path = tmp_path / "made" / "for" / "it" / "data.sqlite"
    store = Store(path)
    store.save(jobs=[job("j")])
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_after_close_the_sentence_is_still_a_sentence(tmp_path):
    store = Store(tmp_path / "data.sqlite")
    store.close()
    store.close()
    for use in (store.load, lambda: store.save(jobs=[job("j")]), lambda: store.params("j")):
        with pytest.raises(StoreError, match="Cannot use the data file"):
            use()


# ------------------------------------------------------------------------------------------------
# Retention


def test_prune_drops_what_ended_long_ago_and_a_session_with_all_its_jobs():
    store = Store()
    old = [done("old", 10.0), done("in the old session", 15.0, session_id="old")]
    kept = [
        done("recent", 100.0),
        job("queued"),
        done("early", 5.0, session_id="live"),
        done("early in a recent session", 5.0, session_id="recent"),
    ]
    store.save(
        [
            session("old", state="closed", closed_at=20.0),
            session("live"),
            session("recent", closed_at=90.0),
        ],
        old + kept,
        params={record.id: "p" for record in old + kept},
    )
    pruned = store.prune(50.0)
    assert pruned.sessions == ["old"]
    assert sorted(pruned.jobs) == ["in the old session", "old"]
    loaded_sessions, loaded_jobs = store.load()
    assert [record.id for record in loaded_sessions] == ["live", "recent"]
    assert loaded_jobs == kept
    assert store.params("old") is None
    assert store.params("early") == "p"
    assert store.prune(50.0) == ([], [])


def test_prune_keeps_to_a_number_of_jobs_and_of_bytes_and_drops_the_oldest_first():
    store = Store()
    for number in range(10):
        store.save(jobs=[done(f"j{number}", float(number))], params={f"j{number}": "x" * 1000})
    store.save(jobs=[job("queued")], params={"queued": "x" * 1000})
    assert store.prune(0.0, max_jobs=9).jobs == ["j0", "j1"]
    assert store.prune(0.0, max_bytes=6500).jobs == ["j2", "j3", "j4"]
    assert store.prune(0.0, max_bytes=6500).jobs == []
    assert store.prune(99.0, limit=3).jobs == ["j5", "j6", "j7"]
    assert store.prune(0.0, max_jobs=0).jobs == ["j8", "j9"]
    assert [record.id for record in store.load()[1]] == ["queued"]


def test_pruning_gives_space_back(tmp_path):
    path = tmp_path / "data.sqlite"
    store = Store(path)
    for number in range(50):
        store.save(jobs=[done(f"j{number}", 1.0)], params={f"j{number}": "x" * 50_000})
    store.close()
    before = path.stat().st_size
    store = Store(path)
    store.prune(2.0)
    store.close()
    assert path.stat().st_size < before / 10


# ------------------------------------------------------------------------------------------------
# Killed at any moment


def test_killed_at_any_moment_it_has_everything_it_acknowledged(tmp_path):
    path = tmp_path / "data.sqlite"
    rng = random.Random(2024)
    promised_jobs: dict[str, tuple[str, int]] = {}
    promised_sessions: dict[str, tuple[str, bool]] = {}
    running: dict[str, int] = {}  # at the last kill, with the number of attempts
    reruns = given_up = 0

    for number in range(ROUNDS):
        # Some are killed before they are ready, some soon after, some in the middle of much work.
        patience = rng.choice([rng.randrange(1, 12), rng.randrange(12, 150)])
        lines = []
        with subprocess.Popen(
            [sys.executable, CHILD, path, str(number)], stdout=subprocess.PIPE, text=True
        ) as child:
            for line in child.stdout:
                lines.append(line)
                if len(lines) == patience:
                    os.kill(child.pid, signal.SIGKILL)
                    break
            lines += child.stdout  # it may have acknowledged more before it died
        assert child.returncode == -signal.SIGKILL

        ready = False
        for line in lines:
            if not line.endswith("\n"):
                continue
            kind, *facts = json.loads(line)
            ready = ready or kind == "ready"
            if kind == "job":
                name, status, attempts = facts
                if name in running and not ready:
                    # What ran when the process died runs once more, or is given up and says so.
                    was = running.pop(name)
                    if status == "Running":
                        assert attempts == was + 1
                        reruns += 1
                    else:
                        assert (status, was) == ("Failed", MAX_ATTEMPTS)
                        given_up += 1
                assert promised_jobs.get(name, ("Queued", 0))[0] not in FINAL, "it ended twice"
                promised_jobs[name] = (status, attempts)
            elif kind == "session":
                promised_sessions[facts[0]] = tuple(facts[1:])
        assert not ready or not running, "a job that was running was forgotten"

        store = Store(path)
        stored_sessions, stored_jobs = store.load()
        check_promises(store, stored_sessions, stored_jobs, promised_jobs, promised_sessions)
        # What it had written and could not acknowledge any more counts as well from here on.
        promised_jobs = {record.id: (record.status, record.attempts) for record in stored_jobs}
        running = {
            record.id: record.attempts for record in stored_jobs if record.status == "Running"
        }
        store.close()

    assert len(promised_jobs) > ROUNDS
    assert reruns > ROUNDS / 2
    assert given_up


def check_promises(store, stored_sessions, stored_jobs, promised_jobs, promised_sessions) -> None:
    sessions_now = {record.id: record for record in stored_sessions}
    jobs_now = {record.id: record for record in stored_jobs}
    assert promised_jobs.keys() <= jobs_now.keys()
    assert promised_sessions.keys() <= sessions_now.keys()
    order = ["Queued", "Running"]
    for name, (status, attempts) in promised_jobs.items():
        record = jobs_now[name]
        if status in FINAL:
            assert (record.status, record.attempts) == (status, attempts)
        else:
            assert record.attempts >= attempts
            assert record.final or order.index(record.status) >= order.index(status)
    for name, (state, accepting) in promised_sessions.items():
        record = sessions_now[name]
        assert record.accepting_jobs <= accepting
        assert state != "closed" or record.state == "closed"
    for record in stored_jobs:
        assert store.params(record.id) == body("params", record.id), "accepted without its body"
        completed = record.status == "Completed"
        assert (store.result(record.id) is not None) == completed, "a job and its result are one"
        assert not completed or store.result(record.id) == body("result", record.id)
        if record.session_id and sessions_now[record.session_id].state == "closed":
            assert record.final
