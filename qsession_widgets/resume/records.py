"""Records of runs: a file for each, with fingerprints of what was asked for and the jobs' ids.

A run is what one kernel does for one notebook, or one process for one script. Its file holds a line
of JSON for each thing that happened: a line that a crash has cut in half is skipped, and nothing
before it is lost. The files are for their owner only, and hold neither circuits nor results nor
keys. They survive the process, not a power failure.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, Timeout

from ..deferred_output import NOTICES
from ..errors import UserError
from ..files import PRIVATE_FILE, file_lock, parse_json, private_folder, write_atomically
from ..messages.resume import record_full
from ..registry.entries import LONGEST, folder

VERSION = 1
"""Version of the files; those of a later one are not read."""
MOST_RUNS = 100
"""Files that are kept, the newest."""
MOST_BYTES = 20 << 20
"""Size of all files together, beyond which the oldest are removed."""
MOST_JOBS = 10_000
"""Jobs of a run, after which no more are recorded."""

Key = tuple[str, int]
"""A fingerprint, and how often the same was asked for before."""


class NewerRecord(UserError):
    """A run was recorded by a later version of this package."""


@dataclass
class AskedJob:
    """One thing that was asked for.

    Attributes
    ----------
    job : str
        Id of its job; empty while unknown.
    tags : list of str
        Random tags that its submits carried, by which the service finds a job whose id is unknown.
    session : str
        The session it belongs to; empty in job mode.
    backend : str
        Name of the backend.
    calibration : str
        When the backend was calibrated last, as the service writes it; empty when unknown.
    at : float
        When it was asked for first, in seconds since the epoch.
    parts : dict
        Of `qsession_widgets.resume.fingerprint.Fingerprint`.
    where : dict
        Kind of service, instance and device, of the first with a fingerprint.
    """

    job: str = ""
    tags: list[str] = field(default_factory=list)
    session: str = ""
    backend: str = ""
    calibration: str = ""
    at: float = 0.0
    parts: dict[str, Any] = field(default_factory=dict)
    where: dict[str, str] = field(default_factory=dict)

    @property
    def readable(self) -> bool:
        """True if every field is what it should be, as it is unless a file was damaged."""
        kinds: dict[str, Any] = {name: type(value) for name, value in vars(AskedJob()).items()}
        kinds["at"] = (int, float)
        return all(isinstance(value, kinds[name]) for name, value in vars(self).items())

    def to_json(self) -> dict[str, Any]:
        """The fields that say something."""
        return {name: value for name, value in vars(self).items() if value}


@dataclass
class RunRecord:
    """A run, as it stands in its file.

    Attributes
    ----------
    id : str
        Its id.
    notebook : str
        Path of the notebook or script; empty when unknown.
    name : str
        The name of its last session that had one.
    begun, changed : float
        When it began, and when something happened last, in seconds since the epoch.
    asked : dict
        What was asked for.
    taken : list of str
        Ids of the runs whose jobs it has taken up.
    finished : bool
        Whether nothing was asked for after its last cell that ended well.
    """

    id: str
    notebook: str = ""
    name: str = ""
    begun: float = 0.0
    changed: float = 0.0
    asked: dict[Key, AskedJob] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    finished: bool = False

    @property
    def jobs(self) -> int:
        """Number of its jobs, as far as is known."""
        return sum(1 for asked in self.asked.values() if asked.job or asked.tags)

    def sessions(self) -> list[str]:
        """Ids of its sessions, the last one first."""
        last = sorted(self.asked.values(), key=lambda asked: -asked.at)
        return list(dict.fromkeys(asked.session for asked in last if asked.session))

    def take(self, line: Mapping[str, Any]) -> None:
        """Take in a line of the file."""
        if "print" in line:
            key = (str(line["print"]), int(line["turn"]))
            known = self.asked.setdefault(key, AskedJob())
            if line.get("anew"):
                # what there was of it could not be taken up
                known.job, known.tags = "", []
            for name in ("job", "session", "backend", "calibration", "at", "parts", "where"):
                if name in line:
                    setattr(known, name, line[name])
            known.tags += [tag for tag in line.get("tags", ()) if tag not in known.tags]
            self.finished = False
        elif "ended" in line:
            self.finished = bool(line["ended"])
        elif "taken" in line:
            self.taken.append(str(line["taken"]))
        self.name = str(line.get("name", self.name))


class RunFile:
    """The file of a run that is under way in this process.

    Parameters
    ----------
    notebook : str
        Path of the notebook or script; empty when unknown.

    Attributes
    ----------
    record : RunRecord
        Its content.
    """

    def __init__(self, notebook: str):
        self.record = RunRecord(f"run-{secrets.token_hex(4)}", notebook, begun=time.time())
        self._told_full = False
        self._created = self._torn = False
        self._lock: BaseFileLock | None = None

    def write(self, *lines: Mapping[str, Any]) -> None:
        """Append lines, each as a whole; nothing happens where the file cannot be written."""
        kept = [line for line in lines if self._has_room(line)]
        self.record.changed = time.time()
        if not kept:
            return
        with contextlib.suppress(OSError):
            if not self._created:
                self._create()
            text = "".join(json.dumps(line) + "\n" for line in kept)
            if self._torn:
                # the disk was full: what follows is no part of the line that was cut in half
                text = "\n" + text
            flags = os.O_WRONLY | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
            descriptor = os.open(_file(self.record.id), flags)
            try:
                self._torn = True
                self._torn = os.write(descriptor, text.encode()) < len(text)
            finally:
                os.close(descriptor)

    def _has_room(self, line: Mapping[str, Any]) -> bool:
        """Take in a line, unless it is about one job too many."""
        asked = self.record.asked
        full = len(asked) >= MOST_JOBS and "print" in line
        if full and (line["print"], line["turn"]) not in asked:
            if not self._told_full:
                self._told_full = True
                NOTICES.emit(record_full(MOST_JOBS))
            return False
        self.record.take(line)
        return True

    def _create(self) -> None:
        private_folder(_folder())
        sweep()
        record = self.record
        self._lock = self._lock or lock(record.id)
        header = {
            "version": VERSION,
            "run": record.id,
            "notebook": record.notebook,
            "name": record.name,
            "begun": record.begun,
            "process": os.getpid(),
            "host": socket.gethostname(),
        }
        write_atomically(_file(record.id), json.dumps(header) + "\n", mode=PRIVATE_FILE)
        self._created = True

    def rename(self, name: str) -> None:
        """Record the name of a session, by which the run can be named."""
        if self._created and name != self.record.name:
            self.write({"name": name})
        self.record.name = name

    def release(self) -> None:
        """Let others take it up."""
        if self._lock is not None:
            self._lock.release()


def lock(run_id: str) -> BaseFileLock | None:
    """Keep a run for this process, until it ends; None where another one has it."""
    held = file_lock(_folder() / f"{run_id}.lock")
    try:
        private_folder(_folder())
        held.acquire()
    except Timeout:
        return None
    except (OSError, NotImplementedError):
        # a folder without locks: nobody is kept from anything
        pass
    return held


def read(path: Path) -> RunRecord:
    """Read a run from its file.

    Raises
    ------
    NewerRecord
        A later version of this package has written it.
    ValueError
        It is no such file.
    OSError
        It cannot be read.
    """
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = _lines(file)
        header = next(lines, {})
        if not isinstance(header.get("version"), int) or "run" not in header:
            raise ValueError("no run")
        if header["version"] > VERSION:
            raise NewerRecord(
                f"The run {header['run']} was recorded by a newer version of qsession-widgets, and "
                "was left as it is: pip install --upgrade qsession-widgets reads it, or leave "
                "--resume out to send everything anew."
            )
        record = RunRecord(
            str(header["run"]),
            str(header.get("notebook", "")),
            str(header.get("name", "")),
            begun=_number(header.get("begun")),
        )
        for line in lines:
            with contextlib.suppress(KeyError, TypeError, ValueError, OverflowError):
                record.take(line)
        for key in [key for key, asked in record.asked.items() if not asked.readable]:
            del record.asked[key]
    record.changed = path.stat().st_mtime
    return record


def _number(value: Any) -> float:
    with contextlib.suppress(TypeError, OverflowError):
        return float(value) if math.isfinite(value) else 0.0
    return 0.0


def _lines(file: Any) -> Iterator[dict[str, Any]]:
    for text in file:
        try:
            line = parse_json(text)
        except ValueError:
            # cut in half when its process was killed
            continue
        if isinstance(line, dict):
            yield line


def recorded() -> Iterator[tuple[str, float, Path]]:
    """Every recorded run: id, when something happened last, and file; the newest first."""
    found = []
    with contextlib.suppress(OSError):
        for path in _folder().glob("*.jsonl"):
            with contextlib.suppress(OSError):
                found.append((path.stem, path.stat().st_mtime, path))
    yield from sorted(found, key=lambda one: -one[1])


def sweep() -> None:
    """Remove runs that nobody will take up any more, and the oldest of too many."""
    too_old = time.time() - LONGEST
    size = 0
    for number, (run_id, changed, path) in enumerate(list(recorded())):
        with contextlib.suppress(OSError):
            size += path.stat().st_size
        if changed < too_old or number >= MOST_RUNS or size > MOST_BYTES:
            forget(run_id)


def mark(notebook: str, since: float, *, well: bool) -> None:
    """Record how the runs of a notebook ended in which something happened since a moment."""
    for _, changed, path in recorded():
        if changed < since:
            return
        with contextlib.suppress(OSError, ValueError, NewerRecord):
            if read(path).notebook == notebook:
                with open(path, "a", encoding="utf-8") as file:
                    # it may end with a line that was cut in half
                    file.write("\n" + json.dumps({"ended": well}) + "\n")


def forget(run_id: str) -> bool:
    """Remove a run; False where a process is at it, or it is not there."""
    if not _file(run_id).exists() or (held := lock(run_id)) is None:
        return False
    with contextlib.suppress(OSError):
        _file(run_id).unlink()
    held.release()
    with contextlib.suppress(OSError):
        (_folder() / f"{run_id}.lock").unlink()
    return True


def _folder() -> Path:
    return folder() / "runs"


def _file(run_id: str) -> Path:
    return _folder() / f"{run_id}.jsonl"
