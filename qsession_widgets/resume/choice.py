"""Which run a resume takes up: the one that is named, or the last one of the notebook."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from ..client.private_api import account_instance, backend_instance
from ..errors import UserError
from ..explanations import nearest
from ..files import parse_json
from ..messages.resume import run_list
from .records import NewerRecord, RunRecord, read, recorded

if TYPE_CHECKING:
    from ..client.selection import Target

OLDEST = 24 * 3600.0
"""Seconds since something happened in a run after which it must be named."""

BARE = ("auto", "any")
"""Values of ``--resume`` that name no run."""

WORK_VARIABLE = "QSESSION_NOTEBOOK"
"""Environment variable with the path by which runs of one notebook or script know each other."""
RESUME_VARIABLE = "QSESSION_RESUME"
"""Environment variable with the value of ``--resume`` for sessions that give none."""


def place_of_work(notebook: str) -> str:
    """The path by which runs of one notebook or script know each other; empty when unknown."""
    known = os.environ.get(WORK_VARIABLE) or notebook or os.environ.get("JPY_SESSION_NAME")
    if known:
        return known
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    # of a kernel's, or of IPython's, it is theirs and not the user's
    return os.path.abspath(script) if script and not in_shell() else ""


def in_shell() -> bool:
    """Tell whether this is a kernel, or IPython, and no script."""
    shell = sys.modules.get("IPython.core.interactiveshell")
    return shell is not None and bool(shell.InteractiveShell.initialized())


def runs() -> list[RunRecord]:
    """Every run that can be read, the one in which something happened last first."""
    found = []
    for _, _, path in recorded():
        try:
            found.append(read(path))
        except (OSError, ValueError, NewerRecord):
            continue
    return found


def last_of(notebook: str, current: RunRecord | None = None) -> tuple[RunRecord | None, bool]:
    """The last run of a notebook, if it did not finish; and whether there is one that did.

    Parameters
    ----------
    notebook : str
        Its path.
    current : RunRecord, optional
        The run of this process, which does not count.

    Raises
    ------
    NewerRecord
        A later version of this package has recorded it.
    """
    taken = set() if current is None else {current.id, *current.taken}
    for _, changed, path in recorded():
        if changed < time.time() - OLDEST:
            break
        try:
            record = read(path)
        except NewerRecord:
            if _is_of(path, notebook):
                raise
            continue
        except (OSError, ValueError):
            continue
        taken.update(record.taken)
        if record.notebook != notebook or not record.asked or record.id in taken:
            continue
        return (None, True) if record.finished else (record, False)
    return None, False


def named(wanted: str, taken: Collection[str] = ()) -> RunRecord:
    """The run of an id, a name, or a file.

    Parameters
    ----------
    wanted : str
        Which.
    taken : collection of str
        Ids of runs that are meant by a name only where no other has it.

    Raises
    ------
    UserError
        There is none, or it holds no jobs.
    """
    found = _find(wanted, taken)
    if not found.jobs:
        raise UserError(
            f"The run {found.id} holds no jobs, so that there is nothing to take up: leave "
            f"--resume out, or name another one that {run_list(in_shell())} lists."
        )
    return found


def run_begun(wanted: str) -> str | None:
    """The id of the run that is meant by an id or its first four characters; None without one.

    Raises
    ------
    UserError
        Several begin so.
    """
    known = [run_id for run_id, _, _ in recorded()]
    if wanted in known:
        return wanted
    begin = f"run-{wanted.removeprefix('run-')}"
    found = [run_id for run_id in known if run_id.startswith(begin)] if begin[7:] else []
    if found[1:]:
        raise UserError(f"{wanted!r} is how several runs begin: {', '.join(found)}. Write more.")
    return found[0] if found else None


def _find(wanted: str, taken: Collection[str]) -> RunRecord:
    path = Path(wanted)
    if path.suffix == ".jsonl":
        try:
            return read(path)
        except NewerRecord:
            raise
        except (OSError, ValueError):
            raise UserError(
                f"{wanted} is no record of a run that can be read: name a run that "
                f"{run_list(in_shell())} lists."
            ) from None
    for run_id, _, where in recorded():
        if run_id == wanted:
            try:
                return read(where)
            except NewerRecord:
                raise
            except (OSError, ValueError):
                raise UserError(
                    f"The record of the run {wanted} cannot be read: %session forget {wanted} "
                    "removes it."
                ) from None
    known = sorted(runs(), key=lambda record: record.id in taken)
    for record in known:
        if record.name == wanted or record.notebook == wanted:
            return record
    if (begun := run_begun(wanted)) is not None and begun != wanted:
        return _find(begun, taken)
    for record in known:
        ids = {item for asked in record.asked.values() for item in (asked.session, asked.job)}
        if wanted in ids:
            raise UserError(
                f"{wanted} is a session or a job, and no run: it belongs to {record.id}, which "
                f"--resume {record.id} takes up."
            )
    close = nearest(wanted, [record.id for record in known] + [record.name for record in known])
    there = f"did you mean {close}?" if close else f"{run_list(in_shell())} lists what there is."
    raise UserError(f"There is no run {wanted!r}: {there}")


def fits(found: RunRecord | None, target: Target, resume: str) -> None:
    """Refuse a run that was named and holds nothing for a device, before anything is opened.

    Raises
    ------
    UserError
        All its jobs ran elsewhere.
    """
    if found is None or resume in BARE:
        return
    here = {
        "kind": target.info.kind,
        "instance": backend_instance(target.backend)
        or account_instance(target.connected.service)
        or "",
        "device": target.backend.name,
    }
    places = [asked.where for asked in found.asked.values() if asked.where]
    if not places or here in places:
        return
    there = places[-1]
    if there.get("kind") != here["kind"]:
        names = {"local": "the emulator", "ibm": "IBM"}
        what = f"on {names.get(there.get('kind', ''), 'another service')}"
        do = "a result never goes from one to the other"
    elif there.get("instance") != here["instance"]:
        what = "in another account or instance"
        do = "--instance and --account say which one is meant"
    else:
        what = f"on {there.get('device')}"
        do = f"--backend {there.get('device')} goes on there"
    raise UserError(
        f"The jobs of the run {found.id} ran {what}, and not on {here['device']} here: {do}. Leave "
        "--resume out to send everything anew."
    )


def _is_of(path: Path, notebook: str) -> bool:
    """Check whether a record of a later version is a notebook's."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            header = parse_json(file.readline())
    except (OSError, ValueError):
        return False
    return isinstance(header, dict) and header.get("notebook") == notebook
