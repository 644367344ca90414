"""Registry entries that a kernel and the Jupyter server change at the same time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qsession_widgets.model import ServiceInfo, SessionSnapshot
from qsession_widgets.platform_support import process_runs, process_start
from qsession_widgets.registry import entries, history, openings
from qsession_widgets.registry.lookup import noted_as
from qsession_widgets.registry.processes import holders, is_orphan, living, transfer
from qsession_widgets.registry.schema import Holder, RegistryEntry

CHANGES = 300

CHANGER = """
import sys
from pathlib import Path
from qsession_widgets.registry import entries

folder, change, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
entries.folder = lambda: folder
print("ready", flush=True)
sys.stdin.readline()
for number in range(1, count + 1):
    if change == "kernel":
        entries.add_event("s", "stray", f"job {number} runs outside of it")
    else:
        entries.rename("s", f"/home/ada/{number}.ipynb")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(entries, "folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def entry(folder: Path) -> RegistryEntry:
    made = RegistryEntry("s", "http://127.0.0.1:1", "/home/ada/0.ipynb", os.getpid())
    entries.write("s", lambda _old: made)
    return made


@pytest.fixture
def changer(folder: Path) -> Callable[[str], subprocess.Popen[str]]:
    """Starts a process that changes the entry of the session ``s`` once it is told to begin."""

    def start(change: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", CHANGER, str(folder), change, str(CHANGES)]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    return start


@pytest.mark.usefixtures("entry")
def test_no_change_of_a_kernel_or_the_server_is_lost(
    changer: Callable[[str], subprocess.Popen[str]],
) -> None:
    processes = [changer("kernel"), changer("server")]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("begin\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)
        assert process.returncode == 0
    found = entries.notes()["s"]
    assert found.events[-1].seq == CHANGES, "as many events as the kernel has added"
    assert found.notebook == f"/home/ada/{CHANGES}.ipynb", "what the server wrote last"


@pytest.mark.usefixtures("entry")
def test_an_entry_is_written_whole_and_for_its_owner_only(folder: Path) -> None:
    (path,) = folder.glob("*.json")
    assert path.stat().st_mode & 0o777 == 0o600
    assert not [name for name in os.listdir(folder) if name.startswith(".s")]


@pytest.mark.usefixtures("entry")
@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000], ids=len)
def test_an_entry_that_is_damaged_hides_no_other(folder: Path, text: str) -> None:
    (folder / "a.json").write_text(text)
    assert list(entries.notes()) == ["s"]


@pytest.mark.usefixtures("entry")
def test_a_sweep_takes_what_is_old_and_leaves_the_lock(folder: Path) -> None:
    (folder / "registry.lock").touch()
    for path in folder.iterdir():
        os.utime(path, (0, 0))
    entries.sweep()
    assert [path.name for path in folder.iterdir()] == ["registry.lock"]


def named(session_id: str, opened_at: float) -> None:
    entry = RegistryEntry(session_id, "", "", os.getpid(), name="vqe", opened_at=opened_at)
    entries.write(session_id, lambda _old: entry)


def test_a_name_outlives_its_session_and_means_one_that_is_open_first(folder: Path) -> None:
    for session_id, opened_at in (("ended", 3.0), ("open", 1.0), ("earlier", 2.0)):
        named(session_id, opened_at)
    entries.forget("ended")
    entries.forget("earlier")
    assert set(entries.notes()) == {"open"}
    assert set(entries.retired()) == {"ended", "earlier"}
    assert [entry.session_id for entry in noted_as("vqe")] == ["open", "ended", "earlier"]
    # taken up again, it is there once
    named("ended", 4.0)
    assert [entry.session_id for entry in noted_as("vqe")] == ["ended", "open", "earlier"]


def test_retired_entries_are_swept_too(folder: Path) -> None:
    named("old", 1.0)
    entries.forget("old")
    (path,) = (folder / "retired").glob("*.json")
    os.utime(path, (0, 0))
    named("new", 2.0)
    entries.forget("new")
    assert set(entries.retired()) == {"new"}


@pytest.mark.usefixtures("entry")
def test_an_entry_without_a_name_is_removed(folder: Path) -> None:
    entries.forget("s")
    assert entries.notes() == entries.retired() == {}


def test_sessions_that_were_opened_cost_the_next_opening_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openings, "folder", lambda: tmp_path)
    asked: dict[str, Any] = {"backend": "aer", "mode": "dedicated", "max_time": None}
    keys = []
    for number in range(3):
        keys.append(openings.note(**asked, url="u", instance="i", begun=1.0, before=[]))
        assert [one.key for one in openings.pending()] == keys[-1:]
        openings.made(keys[-1], f"s{number}")
    monkeypatch.setattr(openings, "read", None)  # nothing is read but the one that is asked for
    assert openings.is_made("s0")
    assert openings.is_made("s0", key=keys[1])
    assert not openings.is_made("s0", key=keys[0])
    assert not openings.is_made("s3")
    os.utime(next(tmp_path.rglob("s1")), (1, 1))
    openings.made("", "s4")
    assert openings.is_made("s0")
    assert not openings.is_made("s1"), "the old ones are dropped"


def test_a_process_runs_or_does_not() -> None:
    assert process_runs(os.getpid())
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    assert process_runs(ended.pid, since=2**40)
    ended.wait()
    assert not process_runs(ended.pid)


def test_a_kernel_that_lives_holds_a_session_whose_first_kernel_is_gone() -> None:
    gone, lives = 2**22 + 1, os.getpid()
    entry = RegistryEntry("s", "http://127.0.0.1", "", gone)
    assert holders(entry) == ()
    assert holders(replace(entry, others=(Holder(gone + 1), Holder(lives)))) == (lives,)
    assert holders(replace(entry, process=lives)) == (lives,)
    # what runs on another machine is not known here
    assert holders(replace(entry, host="elsewhere")) == (gone,)
    assert holders(replace(entry, others=(Holder(gone + 1, host="elsewhere"),))) == (gone + 1,)


def test_a_kernel_that_lives_is_known_by_its_start_whatever_the_clock_says() -> None:
    lives = os.getpid()
    start, yesterday = process_start(lives), time.time() - 86400
    entry = RegistryEntry("s", "http://127.0.0.1", "", lives, opened_at=yesterday)
    # one that began after it was written down is another process, unless a clock was set
    assert holders(entry) == ()
    assert holders(replace(entry, start=start)) == (lives,)
    assert holders(replace(entry, start="another")) == ()
    second = Holder(lives, attached_at=yesterday, start=start)
    assert holders(replace(entry, process=2**22 + 1, others=(second,))) == (lives,)


def test_the_start_of_a_process_is_its_own() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        start = process_start(process.pid)
        assert start == process_start(process.pid)
        assert start not in ("", process_start(os.getpid()))
        if hasattr(signal, "SIGSTOP"):
            os.kill(process.pid, signal.SIGSTOP)
        assert process_start(process.pid) == start
        process.kill()
    assert process_start(process.pid) == ""


def test_a_process_that_started_later_is_another_one() -> None:
    assert not process_runs(os.getpid(), since=1.0)


def test_a_process_that_nobody_waited_for_does_not_run() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert ended.stdout is not None
    # the pipe's end comes with the process's
    ended.stdout.read()
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    assert not process_runs(ended.pid)
    ended.wait()
    ended.stdout.close()


def test_a_session_that_two_kernels_have_is_an_orphan_when_both_are_gone(folder: Path) -> None:
    gone, lives = 2**22 + 1, os.getpid()
    second = Holder(lives, "/home/ada/qaoa.ipynb", "k2", on_exit="leave")
    entry = RegistryEntry("s", "http://127.0.0.1", "/home/ada/vqe.ipynb", gone, others=(second,))
    assert not is_orphan(entry)
    (only,) = living(entry)
    assert (only.notebook, only.kernel_id, only.on_exit) == ("/home/ada/qaoa.ipynb", "k2", "leave")
    both = replace(entry, process=lives)
    assert [one.notebook for one in living(both)] == [entry.notebook, "/home/ada/qaoa.ipynb"]
    assert is_orphan(replace(entry, others=(Holder(gone),)))
    assert living(replace(entry, others=())) == [replace(entry, others=())]
    entries.write("s", lambda _old: entry)
    assert entries.notes() == {"s": entry}
    entries.tell_bound("s")
    assert entries.notes()["s"].others[0].bound
    assert not entries.notes()["s"].bound


def test_a_kernel_that_ends_hands_its_session_to_those_that_live(folder: Path) -> None:
    gone, lives = 2**22 + 1, os.getpid()
    second = Holder(lives, "/home/ada/qaoa.ipynb", "k2", on_exit="last", bound=True)
    others = (Holder(gone), second, Holder(7, host="elsewhere"))
    entry = RegistryEntry("s", "http://127.0.0.1", "/home/ada/vqe.ipynb", 42, others=others)
    assert not transfer("s", 42, closes=True)
    entries.write("s", lambda _old: entry)
    assert transfer("s", 42, closes=True)
    left = entries.notes()["s"]
    assert (left.process, left.notebook, left.kernel_id) == (lives, "/home/ada/qaoa.ipynb", "k2")
    assert left.bound
    assert left.last_closes
    assert left.others == (Holder(7, host="elsewhere"),)
    # what runs on another machine is not known to be gone
    assert transfer("s", lives, closes=False)
    assert entries.notes()["s"].last_closes
    assert not transfer("s", 7, closes=True)
    assert entries.notes()["s"].process == 7


def ended(session_id: str, final: bool = True, **fields: Any) -> SessionSnapshot:
    """A session that used 25 s at $1.60 a second."""
    times = {"opened_at": 100.0, "started_at": 110.0, "closed_at": 135.0, "answered_at": 140.0}
    info = ServiceInfo("ibm", "IBM Quantum", plan="payg", price_per_second=1.6)
    used = {"active_periods": ((110.0, 135.0),), "usage_seconds": 25.0, "usage_final": final}
    known = {**times, **used, **fields}
    return SessionSnapshot(session_id, "dedicated", "ibm_fez", info, state="closed", **known)


@pytest.mark.usefixtures("folder")
def test_what_has_ended_is_kept_once_with_its_name_and_its_cost() -> None:
    named("vqe-1", 1.0)
    history.record(ended("vqe-1", final=False, usage_seconds=None))
    entries.forget("vqe-1")
    history.record(ended("vqe-1"))
    # neither an estimate nor another price takes the place of final figures
    history.record(ended("vqe-1", final=False, usage_seconds=99.0))
    history.record(replace(ended("vqe-1"), service=ServiceInfo("ibm", "IBM Quantum")))
    history.record(ended("elsewhere", closed_at=150.0, clock_offset=10.0))
    found = history.history()
    assert list(found) == ["elsewhere", "vqe-1"]
    assert entries.notes() == {}
    entry = found["vqe-1"]
    assert (entry.name, entry.ended["cost"], entry.ended["final"]) == ("vqe", 40.0, True)
    assert entry.ended["snapshot"]["service"]["price_per_second"] == 1.6
    assert found["elsewhere"].ended["at"] == 140.0
    # its own kernel knows the user's price, and a faster clock does not date it back
    mine = replace(ended("x").service, price_per_second=0.65, speed=60.0)
    cheap = replace(ended("vqe-1"), service=mine)
    history.record(replace(cheap, answered_at=9e4, clock_offset=8e4), by_kernel=True)
    again = history.history()["vqe-1"].ended
    assert (again["cost"], again["at"]) == (16.25, entry.ended["at"])
    assert [one.session_id for one in noted_as("vqe")] == ["vqe-1"]
    # without a price it is not known what it cost, unless the plan is free or nothing was used
    free = ServiceInfo("ibm", "IBM Quantum", plan="open")
    unknown = replace(free, plan="x")
    for name, info, used in (("u", unknown, 25.0), ("o", free, 25.0), ("n", unknown, 0.0)):
        history.record(replace(ended(name), service=info, usage_seconds=used))
    costs = {one: entry.ended["cost"] for one, entry in history.history().items()}
    assert (costs["u"], costs["o"], costs["n"]) == (None, 0.0, 0.0)


def test_the_history_is_its_owners_and_can_be_deleted_for_good(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named("open", 1.0)
    for at in range(4):
        history.record(ended(f"s{at}"))
    (path, *_) = (folder / "retired").glob("*.json")
    assert path.stat().st_mode & 0o777 == 0o600
    monkeypatch.setattr(entries, "MOST_RETIRED", 2)
    entries.sweep()
    assert len(history.history()) == 2
    assert history.delete_history() == 2
    assert (history.history(), set(entries.notes())) == ({}, {"open"})
    # what the service lists still is not recorded again
    history.record(ended("s0"))
    assert history.history() == {}
    history.record(ended("later", closed_at=time.time() + 60))
    assert list(history.history()) == ["later"]
