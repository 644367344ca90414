"""Durable store of accepted sessions, jobs and results, written before they are acknowledged.

`Store.save` is one transaction: a job is on disk with its
parameters or not at all, and it ends there together with its result. So a process that is killed at
any moment leaves every acknowledged job, result and session state behind. Simulated sessions and
jobs of other users are not written down; a new process makes new ones.

Texts are stored as they come. What clients send is compressed already, inside the JSON: packing it
again saves a quarter of the space and costs tens of milliseconds a megabyte.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

from ..rules.records import EmulatedJob, EmulatedSession
from .database import Database, StoreError

MAX_JOBS = 100_000
MAX_BYTES = 2 * 1024**3
"""More jobs, or more bytes of parameters, results and logs, and `Store.prune` drops the oldest."""

_PUT_SESSION = """
INSERT INTO sessions (id, ended, record) VALUES (?, ?, ?)
ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, record = excluded.record
"""
_PUT_JOB = """
INSERT INTO jobs (id, session, ended, record) VALUES (?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET ended = excluded.ended, record = excluded.record
"""
_PUT_TEXT = """
INSERT INTO texts (job, kind, size, text) SELECT id, ?, ?, ? FROM jobs WHERE id = ?
ON CONFLICT (job, kind) DO UPDATE SET size = excluded.size, text = excluded.text
"""
# What has ended, oldest first: sessions, which go with all their jobs, and jobs without a session.
_ENDED = """
SELECT * FROM (
    SELECT ended, id, 1 FROM sessions WHERE ended IS NOT NULL
    UNION ALL
    SELECT ended, id, 0 FROM jobs WHERE ended IS NOT NULL AND session IS NULL
) ORDER BY 1 LIMIT ?
"""


class Pruned(NamedTuple):
    """Ids of what `Store.prune` dropped; the jobs of these sessions are among the jobs."""

    sessions: list[str]
    jobs: list[str]


class Store:
    """Records and texts of one emulator. To be used from one thread.

    Parameters
    ----------
    path : Path, optional
        The file; made, with its folder, when it is not there, and readable only by its owner.
        Without one everything is in memory.
    power_safe : bool
        Whether an acknowledged change outlives not only the process but a power failure.

    Attributes
    ----------
    written : int
        Bytes of texts that this process has written.

    Raises
    ------
    StoreError
        The file is in use by another process, was written by a newer version, is damaged or
        something else altogether, or cannot be written.
    """

    def __init__(self, path: Path | None = None, *, power_safe: bool = False):
        self._database = Database(path, power_safe=power_safe)
        self._execute = self._database.connection.execute
        self.written = 0

    # ----------------------------------------------------------------------------------------------
    # Records

    def load(self) -> tuple[list[EmulatedSession], list[EmulatedJob]]:
        """All sessions and jobs, each in the order they were accepted.

        Raises
        ------
        StoreError
            One of them cannot be read.
        """
        with self._database.reading():
            sessions = self._execute("SELECT record FROM sessions ORDER BY n").fetchall()
            jobs = self._execute("SELECT record FROM jobs ORDER BY n").fetchall()
        try:
            return [_session(text) for (text,) in sessions], [_job(text) for (text,) in jobs]
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            raise StoreError(
                f"{self._database.path} holds a record that is damaged ({error!r}): move it away "
                "to start without it, or choose another place for the data."
            ) from error

    def save(
        self,
        sessions: Iterable[EmulatedSession] = (),
        jobs: Iterable[EmulatedJob] = (),
        *,
        params: Mapping[str, str] | None = None,
        results: Mapping[str, str] | None = None,
        logs: Mapping[str, str] | None = None,
    ) -> None:
        """Write down new and changed records, and texts by job id: all of it or nothing.

        A text of a job that is not there is dropped: the job was deleted before its result came.

        Raises
        ------
        StoreError
            It cannot be written: a full disk, for example. Nothing was changed.
        """
        session_rows = [
            (_key(session.id), session.closed_at, _text(session))
            for session in sessions
            if not session.load
        ]
        job_rows = [
            (_key(job.id), job.session_id and _key(job.session_id), job.finished, _text(job))
            for job in jobs
            if job.load is None
        ]
        text_rows = []
        for kind, texts in (("params", params), ("result", results), ("logs", logs)):
            for job_id, text in (texts or {}).items():
                data = text.encode("utf-8", "surrogatepass")
                text_rows.append((kind, len(data), data, _key(job_id)))
        if session_rows or job_rows or text_rows:
            many = self._database.connection.executemany
            with self._database.transaction():
                many(_PUT_SESSION, session_rows)
                many(_PUT_JOB, job_rows)
                many(_PUT_TEXT, text_rows)
            self.written += sum(size for _, size, _, _ in text_rows)

    def delete_job(self, job_id: str) -> None:
        """Remove a job and its texts, if it is there."""
        with self._database.transaction():
            self._execute("DELETE FROM jobs WHERE id = ?", (_key(job_id),))

    # ----------------------------------------------------------------------------------------------
    # Texts

    def params(self, job_id: str) -> str | None:
        """Parameters of a job, None when there are none."""
        return self._text_of(job_id, "params")

    def result(self, job_id: str) -> str | None:
        """Result of a job, None when there is none."""
        return self._text_of(job_id, "result")

    def logs(self, job_id: str) -> str | None:
        """Logs of a job, None when there are none."""
        return self._text_of(job_id, "logs")

    # ----------------------------------------------------------------------------------------------
    # Retention

    def prune(
        self,
        before: float,
        *,
        max_jobs: int = MAX_JOBS,
        max_bytes: int = MAX_BYTES,
        limit: int = 500,
    ) -> Pruned:
        """Drop what ended before a time, and the oldest of what ended when there is too much.

        A session goes with all its jobs; what has not ended stays.

        Parameters
        ----------
        before : float
            Service clock; usually now - `retention.RETENTION`.
        max_jobs, max_bytes : int
            How many jobs, and how many bytes of texts, may stay.
        limit : int
            How many sessions and jobs to drop at most, so that a call stays short. Call again when
            that many were dropped.
        """
        pruned = Pruned([], [])
        with self._database.transaction():
            execute = self._execute
            (jobs,) = execute("SELECT count(*) FROM jobs").fetchone()
            (size,) = execute("SELECT coalesce(sum(size), 0) FROM texts").fetchone()
            for ended, ident, is_session in execute(_ENDED, (limit,)).fetchall():
                if ended >= before and jobs <= max_jobs and size <= max_bytes:
                    break
                column = "session" if is_session else "id"
                gone = [
                    job_id
                    for (job_id,) in execute(f"SELECT id FROM jobs WHERE {column} = ?", (ident,))
                ]
                for job_id in gone:
                    (freed,) = execute(
                        "SELECT coalesce(sum(size), 0) FROM texts WHERE job = ?", (job_id,)
                    ).fetchone()
                    size -= freed
                jobs -= len(gone)
                execute(f"DELETE FROM jobs WHERE {column} = ?", (ident,))
                if is_session:
                    execute("DELETE FROM sessions WHERE id = ?", (ident,))
                    pruned.sessions.append(_id(ident))
                pruned.jobs.extend(map(_id, gone))
        if pruned.sessions or pruned.jobs:
            with self._database.reading():
                # As a script, because it frees a page a step and `execute` takes one step only.
                self._database.connection.executescript("PRAGMA incremental_vacuum(2000)")
        return pruned

    def close(self) -> None:
        """Let go of the file. Nothing is lost without it."""
        self._database.close()

    def _text_of(self, job_id: str, kind: str) -> str | None:
        with self._database.reading():
            row = self._execute(
                "SELECT text FROM texts WHERE job = ? AND kind = ?", (_key(job_id), kind)
            ).fetchone()
        return None if row is None else row[0].decode("utf-8", "surrogatepass")


# --------------------------------------------------------------------------------------------------
# Records as text


def _text(record: EmulatedSession | EmulatedJob) -> str:
    return json.dumps(record.__dict__, separators=(",", ":"))


def _session(text: str) -> EmulatedSession:
    values = _known(EmulatedSession, json.loads(text))
    values["timestamps"] = tuple((state, at) for state, at in values["timestamps"])
    values["tags"] = tuple(values["tags"])
    return EmulatedSession(**values)


def _job(text: str) -> EmulatedJob:
    values = _known(EmulatedJob, json.loads(text))
    for name, value in values.items():
        if isinstance(value, list):
            values[name] = tuple(value)
    return EmulatedJob(**values)


def _known(
    kind: type[EmulatedSession] | type[EmulatedJob], values: dict[str, Any]
) -> dict[str, Any]:
    """Leave out fields that later versions of the same data format may have added."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in values.items() if name in names}


def _key(ident: str) -> str:
    """Encode an id for SQLite; most stay as they are."""
    return json.dumps(ident)[1:-1]


def _id(key: str) -> str:
    ident: str = json.loads(f'"{key}"')
    return ident
