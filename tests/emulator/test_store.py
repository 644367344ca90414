"""What was acknowledged is on disk; what cannot be written is refused whole and said plainly."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import hypothesis.strategies as st
import pytest
from emulator.stored_records import done, job, jobs, session, sessions, texts
from hypothesis import given, settings

from qsession_widgets.emulator.storage.database import StoreError
from qsession_widgets.emulator.storage.store import Store

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
