"""``qsession run --resume``: a program that is run again takes up what it has already paid for."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from filelock import Timeout
from jupyter_core.paths import jupyter_data_dir

from ..emulator.process.run_command import Kept
from ..errors import UserError
from ..files import file_lock, private_folder
from ..registry.entries import LONGEST
from ..resume.choice import BARE, RESUME_VARIABLE, WORK_VARIABLE, named
from ..resume.records import mark

PROGRAMS = (".py", ".ipynb")


@contextlib.contextmanager
def kept_for(wanted: str, command: Sequence[str]) -> Iterator[Kept]:
    """Things a command shares with its next run: the emulator's records, and its own name.

    Parameters
    ----------
    wanted : str
        ``auto``, ``any``, or a run by its id, name or file.
    command : sequence of str
        The command and its arguments.

    Raises
    ------
    UserError
        There is no such run, or the same program is being run.
    """
    work = work_of(command)
    if wanted not in BARE:
        work = named(wanted).notebook or work
    name = f"run-{hashlib.sha256(work.encode()).hexdigest()[:12]}"
    folder = _folder() / name
    private_folder(folder)
    lock = file_lock(folder / "lock")
    try:
        lock.acquire()
    except Timeout:
        raise UserError(
            f"{shlex.join(command)} is being run with --resume already: wait for its end, or end "
            "it."
        ) from None
    try:
        os.utime(folder)
        _sweep()
        begun = time.time()
        variables = {WORK_VARIABLE: work, RESUME_VARIABLE: wanted}
        yield Kept(name, folder, variables, lambda status: _ended(work, begun, status))
    finally:
        lock.release()


def work_of(command: Sequence[str]) -> str:
    """The name by which runs of one program, or of one notebook, know each other."""
    program = Path(command[0]).name if command else ""
    for word in command[1:]:
        if word.endswith(PROGRAMS) and os.path.isfile(word):
            return f"qsession run {program} {os.path.abspath(word)}"
    return f"qsession run in {os.getcwd()}: {shlex.join([program, *command[1:]])}"


def _ended(work: str, begun: float, status: int) -> None:
    """Let a run whose command failed be one that did not finish, whatever its cells said."""
    if status != 0:
        mark(work, begun, well=False)


def _folder() -> Path:
    return Path(jupyter_data_dir()) / "qsession-runs"


def _sweep() -> None:
    """Remove what was kept for programs that were not run for long."""
    for folder in _folder().iterdir():
        with contextlib.suppress(OSError, Timeout):
            if folder.stat().st_mtime < time.time() - LONGEST:
                with file_lock(folder / "lock"):
                    shutil.rmtree(folder, ignore_errors=True)
