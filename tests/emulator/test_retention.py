"""Nothing grows for ever: what ended long ago goes, and so do data that nobody uses any more."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from emulator.conftest import Api

from qsession_widgets.emulator.options import EmulatorOptions
from qsession_widgets.emulator.process import launcher
from qsession_widgets.emulator.process.connection_file import Connection, data_directory
from qsession_widgets.emulator.rules.records import EmulatedJob
from qsession_widgets.emulator.storage.retention import (
    DATABASE,
    GROWTH,
    RETENTION,
    Retention,
    clear_abandoned,
)
from qsession_widgets.emulator.storage.store import Store
from qsession_widgets.files import file_lock

MANY = 1200
"""More than are dropped in one go."""


def ended(ident: str, at: float, instance: str = "") -> EmulatedJob:
    return EmulatedJob(
        ident, "sampler", "aer", instance, at, status="Completed", started=at, finished=at
    )


@pytest.fixture
def stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """What an emulator that has ended left behind."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    connection = launcher.find_or_start(EmulatorOptions(workers=1))
    launcher.stop()
    return connection


def test_all_that_is_too_old_goes_however_much_it_is(stopped: Connection) -> None:
    store = Store(Path(stopped.data) / DATABASE)
    month_ago = time.time() - RETENTION - 60
    store.save(jobs=[ended(f"old-{n}", month_ago, stopped.crn) for n in range(MANY)])
    store.save(jobs=[ended("recent", time.time() - 60, stopped.crn)])
    store.close()
    abandoned = data_directory("rehearsal")
    abandoned.mkdir()
    abandoned.joinpath(DATABASE).touch()
    os.utime(abandoned / DATABASE, (month_ago, month_ago))

    api = Api(launcher.find_or_start(EmulatorOptions(workers=1)))
    try:
        assert [job["id"] for job in api.get("/jobs")["jobs"]] == ["recent"]
        assert not (abandoned / DATABASE).exists()
    finally:
        api.http.close()
        launcher.stop()


def test_it_is_looked_after_again_when_much_was_written() -> None:
    store = Store()
    retention = Retention(store)
    store.save(jobs=[ended(f"j{n}", float(n)) for n in range(MANY)])
    slices = 0
    while retention.due:
        retention.from_disk(MANY - 100)
        slices += 1
    assert slices == 4
    assert len(store.load()[1]) == 100
    store.save(params={f"j{MANY - 1}": "x" * (GROWTH - 1)})
    assert not retention.due
    store.save(params={f"j{MANY - 1}": "x"})
    assert retention.due


def test_data_that_nobody_uses_go_and_keys_stay(tmp_path: Path) -> None:
    month_ago = time.time() - RETENTION - 60
    for name in ("own", "used", "old", "recent"):
        folder = tmp_path / name
        folder.mkdir()
        for file in (DATABASE, f"{DATABASE}-wal", "identity.json"):
            folder.joinpath(file).touch()
            os.utime(folder / file, (month_ago, month_ago))
    tmp_path.joinpath("recent", f"{DATABASE}-wal").touch()
    with file_lock(tmp_path / "used" / "lock"):
        clear_abandoned(tmp_path, tmp_path / "own")
    left = {path.parent.name for path in tmp_path.glob(f"*/{DATABASE}*")}
    assert left == {"own", "used", "recent"}
    assert tmp_path.joinpath("old", "identity.json").exists()
