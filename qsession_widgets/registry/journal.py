"""Journals of sessions: what only their kernels know of them, for a later one.

The service keeps jobs, times and results; that a job has a label, PUBs, shots and a cell, and which
values were read or logged, it does not. A journal is a file for each session, and for each group of
jobs of job mode, beside its registry entry: one JSON object a line, its owner's alone, kept for two
weeks. It holds neither circuits nor results, but for the first value and the most frequent outcomes
that the panel shows.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from ..files import PRIVATE_FILE, parse_json, private_folder
from ..model import SeriesPoint
from .entries import LONGEST, MOST_RETIRED, file_name, folder

MOST_BYTES = 8_000_000
"""Size of a journal from which on nothing is added."""

OF_JOB = (
    *("program", "pubs", "shots", "precision", "executions"),
    *("cell", "line", "label", "top_counts"),
)
"""Fields of `JobRecord` that a journal keeps."""

GROUP = "jobs-"
"""Beginning of the ids of groups of jobs in job mode, which no service knows."""

_begun: set[str] = set()


def new_group() -> str:
    """An id for a group of jobs that belong to no session."""
    return GROUP + uuid4().hex


def group_of(job_id: str) -> str | None:
    """The id of the group that a job of job mode belongs to; None without one."""
    line = json.dumps({"job": job_id})[:-1]
    for path in _files(f"{GROUP}*.jsonl"):
        with contextlib.suppress(OSError, ValueError):
            if line in path.read_text(encoding="utf-8"):
                return path.stem
    return None


@dataclass(frozen=True)
class Journal:
    """Notes that the kernels of a session made of it.

    Attributes
    ----------
    jobs : dict
        Fields of `JobRecord`, by the job's id.
    points : tuple of SeriesPoint
        Values of series, in the order of recording.
    """

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    points: tuple[SeriesPoint, ...] = ()


def add_job(session_id: str, job_id: str, facts: Mapping[str, Any]) -> None:
    """Keep fields of a job; empty ones, and others than `OF_JOB`, are left out."""
    kept = {name: facts[name] for name in OF_JOB if facts.get(name)}
    if kept:
        _append(session_id, [{"job": job_id, **kept}])


def add_points(session_id: str, points: Iterable[SeriesPoint]) -> None:
    """Keep values of series."""
    _append(session_id, [{k: v for k, v in asdict(p).items() if v is not None} for p in points])


def read(session_id: str) -> Journal:
    """Read the notes on a session: empty without any, and less lines that make no sense."""
    journal, points = Journal(), []
    try:
        lines = _file(session_id).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return journal
    for line in lines:
        # a process may have died in the middle of one
        with contextlib.suppress(ValueError, TypeError, AttributeError):
            found = parse_json(line)
            if "job" in found:
                facts = {name: found[name] for name in OF_JOB if name in found}
                if "top_counts" in facts:
                    facts["top_counts"] = tuple((str(b), int(n)) for b, n in facts["top_counts"])
                journal.jobs.setdefault(str(found["job"]), {}).update(facts)
            else:
                points.append(SeriesPoint(**found))
    return Journal(journal.jobs, tuple(points))


def remove(but: Collection[str] = ()) -> None:
    """Remove all journals, but those of some sessions."""
    kept = {_file(session_id).name for session_id in but}
    for path in _files():
        if path.name not in kept:
            path.unlink(missing_ok=True)


def _append(session_id: str, found: Iterable[Mapping[str, Any]]) -> None:
    text = "".join(json.dumps(one) + "\n" for one in found)
    # a session that is not open yet has none
    if not session_id or not text:
        return
    path = _file(session_id)
    with contextlib.suppress(OSError):
        if session_id not in _begun:
            _begun.add(session_id)
            private_folder(path.parent)
            _sweep()
        # in one piece: several kernels may have the session
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE_FILE)
        try:
            if os.fstat(descriptor).st_size < MOST_BYTES:
                os.write(descriptor, text.encode())
        finally:
            os.close(descriptor)


def _sweep() -> None:
    """Remove journals that are too old, and the oldest of too many."""
    known = sorted(((path.stat().st_mtime, path) for path in _files()), reverse=True)
    for at, (changed, path) in enumerate(known):
        if at >= MOST_RETIRED or changed < time.time() - LONGEST:
            path.unlink(missing_ok=True)


def _files(pattern: str = "*.jsonl") -> list[Path]:
    return list((folder() / "journals").glob(pattern))


def _file(session_id: str) -> Path:
    return folder() / "journals" / f"{file_name(session_id)}.jsonl"
