"""Whose file the store is, and what it says of one that it cannot use."""

from __future__ import annotations

import sqlite3
import stat
import subprocess
import sys
import textwrap

import pytest
from emulator.stored_records import job, session

from qsession_widgets.emulator.storage.database import FORMAT, StoreError
from qsession_widgets.emulator.storage.store import Store


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
