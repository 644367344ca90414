"""What the emulator has accepted, on disk before it is acknowledged.

One SQLite file with a write-ahead log. `Store.save` is one transaction: a job is on disk with its
parameters or not at all, and it ends there together with its result. So a process that is killed at
any moment leaves every acknowledged job, result and session state behind. Simulated sessions and
jobs of other users are not written down; a new process makes new ones.

The log is not forced to the disk with each transaction: what was written is the operating system's
and outlives the process. Only a power failure can take the latest moments with it, and leaves
whole transactions even then. Forcing costs some milliseconds a transaction, at which the service
would answer nobody; who wants it says ``power_safe=True``.

Texts are stored as they come. What clients send is compressed already, inside the JSON: packing it
again saves a quarter of the space and costs tens of milliseconds a megabyte.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

from .locking import Busy, FileLock
from .records import Job, Session

FORMAT = 1
"""Version of the data format. A file with a higher one is left alone."""

RETENTION = 30 * 86400.0
"""How long to keep what has ended, in seconds; for `Store.prune`."""

MAX_JOBS = 100_000
MAX_BYTES = 2 * 1024**3
"""More jobs, or more bytes of parameters, results and logs, and `Store.prune` drops the oldest."""

_APPLICATION = 0x71736573  # tells our files from other people's
_TABLES = """
CREATE TABLE sessions (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, ended REAL, record TEXT NOT NULL);
CREATE TABLE jobs (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, session TEXT, ended REAL, record TEXT NOT NULL);
CREATE TABLE texts (
    job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE, kind TEXT NOT NULL,
    size INTEGER NOT NULL, text BLOB NOT NULL, UNIQUE (job, kind));
CREATE INDEX ended_sessions ON sessions (ended);
CREATE INDEX ended_jobs ON jobs (ended);
CREATE INDEX jobs_of ON jobs (session);
CREATE INDEX sizes ON texts (size);
"""
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


class StoreError(Exception):
    """The data cannot be used or written; the message is one sentence for people."""


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

    Raises
    ------
    StoreError
        The file is in use by another process, was written by a newer version, is damaged or
        something else altogether, or cannot be written.
    """

    def __init__(self, path: Path | None = None, *, power_safe: bool = False):
        self.path = path
        self._lock = None if path is None else _locked(path)
        try:
            self._connection = sqlite3.connect(
                ":memory:" if path is None else path, timeout=0.5, isolation_level=None
            )
        except sqlite3.Error as error:
            self._unlock()
            raise self._explained(error) from error
        try:
            self._open(power_safe)
        except BaseException as error:
            self.close()
            if isinstance(error, sqlite3.Error):
                raise self._explained(error) from error
            raise

    # ----------------------------------------------------------------------------------------------
    # Records

    def load(self) -> tuple[list[Session], list[Job]]:
        """All sessions and jobs, each in the order they were accepted."""
        with self._reading():
            sessions = self._connection.execute("SELECT record FROM sessions ORDER BY n").fetchall()
            jobs = self._connection.execute("SELECT record FROM jobs ORDER BY n").fetchall()
        return [_session(record) for (record,) in sessions], [_job(record) for (record,) in jobs]

    def save(
        self,
        sessions: Iterable[Session] = (),
        jobs: Iterable[Job] = (),
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
            with self._transaction():
                self._connection.executemany(_PUT_SESSION, session_rows)
                self._connection.executemany(_PUT_JOB, job_rows)
                self._connection.executemany(_PUT_TEXT, text_rows)

    def delete_job(self, job_id: str) -> None:
        """Remove a job and its texts, if it is there."""
        with self._transaction():
            self._connection.execute("DELETE FROM jobs WHERE id = ?", (_key(job_id),))

    # ----------------------------------------------------------------------------------------------
    # Texts

    def put_params(self, job_id: str, text: str) -> None:
        """Keep the parameters of a job, if it is there."""
        self.save(params={job_id: text})

    def params(self, job_id: str) -> str | None:
        """Parameters of a job, None when there are none."""
        return self._text_of(job_id, "params")

    def put_result(self, job_id: str, text: str) -> None:
        """Keep the result of a job, if it is there."""
        self.save(results={job_id: text})

    def result(self, job_id: str) -> str | None:
        """Result of a job, None when there is none."""
        return self._text_of(job_id, "result")

    def put_logs(self, job_id: str, text: str) -> None:
        """Keep the logs of a job in place of earlier ones, if it is there."""
        self.save(logs={job_id: text})

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
            Service clock; usually now - `RETENTION`.
        max_jobs, max_bytes : int
            How many jobs, and how many bytes of texts, may stay.
        limit : int
            How many sessions and jobs to drop at most, so that a call stays short. Call again when
            that many were dropped.
        """
        pruned = Pruned([], [])
        with self._transaction():
            execute = self._connection.execute
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
            with self._reading():
                # As a script, because it frees a page a step and `execute` takes one step only.
                self._connection.executescript("PRAGMA incremental_vacuum(2000)")
        return pruned

    def close(self) -> None:
        """Let go of the file. Nothing is lost without it."""
        self._connection.close()
        self._unlock()

    # ----------------------------------------------------------------------------------------------
    # Opening

    def _open(self, power_safe: bool) -> None:
        execute = self._connection.execute
        (version,) = execute("PRAGMA user_version").fetchone()
        (application,) = execute("PRAGMA application_id").fetchone()
        (tables,) = execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and application != _APPLICATION:
            raise StoreError(
                f"{self.path} is a database of another program: choose another place for the data."
            )
        if version > FORMAT:
            raise StoreError(
                f"{self.path} was written by a newer version of qsession-widgets (data format "
                f"{version}, this one knows up to {FORMAT}): upgrade it, or choose another place "
                "for the data."
            )
        # Nobody else comes in, so the index of the log can stay in memory.
        execute("PRAGMA locking_mode = EXCLUSIVE")
        execute("PRAGMA auto_vacuum = INCREMENTAL")
        execute("PRAGMA journal_mode = WAL")
        execute(f"PRAGMA synchronous = {'FULL' if power_safe else 'NORMAL'}")
        execute("PRAGMA foreign_keys = ON")
        execute("PRAGMA journal_size_limit = 67108864")
        if not tables:
            with self._transaction():
                for statement in _TABLES.split(";"):
                    execute(statement)
                execute(f"PRAGMA application_id = {_APPLICATION}")
                execute(f"PRAGMA user_version = {FORMAT}")

    # ----------------------------------------------------------------------------------------------
    # Access

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except BaseException as error:
            self._roll_back()
            if isinstance(error, sqlite3.Error):
                raise self._explained(error) from error
            raise

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _roll_back(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            pass  # SQLite has rolled back by itself, or the connection is closed

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.__exit__(None, None, None)
            self._lock = None

    def _text_of(self, job_id: str, kind: str) -> str | None:
        with self._reading():
            row = self._connection.execute(
                "SELECT text FROM texts WHERE job = ? AND kind = ?", (_key(job_id), kind)
            ).fetchone()
        return None if row is None else row[0].decode("utf-8", "surrogatepass")

    def _explained(self, error: sqlite3.Error) -> StoreError:
        reason = str(error)
        if "locked" in reason:
            return StoreError(
                f"{self.path} is in use by another program: stop that one, or choose another "
                "place for the data."
            )
        if "full" in reason:
            return StoreError(
                f"There is no space left for {self.path}: free some and try again; nothing was "
                "changed."
            )
        if "not a database" in reason or "malformed" in reason:
            return StoreError(
                f"{self.path} is damaged or not a data file of the emulator ({reason}): move it "
                "away to start without it, or choose another place for the data."
            )
        return StoreError(f"Cannot use the data file {self.path} ({reason}); nothing was changed.")


# --------------------------------------------------------------------------------------------------
# The file


def _locked(path: Path) -> FileLock:
    """Make the file if need be, and keep other processes out until this one closes it or ends.

    With a lock of our own, because when several take SQLite's at once it may refuse them all.
    """
    lock = FileLock(path.with_name(path.name + ".lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        lock.__enter__()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StoreError(
            f"Cannot write the data file {path} ({reason}): choose another place for the data."
        ) from error
    except Busy as error:
        raise StoreError(
            f"{path} is in use by another emulator: stop that one, or choose another place for "
            "the data."
        ) from error
    return lock


# --------------------------------------------------------------------------------------------------
# Records as text


def _text(record: Session | Job) -> str:
    return json.dumps(record.__dict__, separators=(",", ":"))


def _session(text: str) -> Session:
    values = _known(Session, json.loads(text))
    values["timestamps"] = tuple((state, at) for state, at in values["timestamps"])
    values["tags"] = tuple(values["tags"])
    return Session(**values)


def _job(text: str) -> Job:
    values = _known(Job, json.loads(text))
    values["tags"] = tuple(values["tags"])
    return Job(**values)


def _known(kind: type[Session] | type[Job], values: dict[str, Any]) -> dict[str, Any]:
    """Leave out fields that later versions of the same data format may have added."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in values.items() if name in names}


def _key(ident: str) -> str:
    """Write an id in a way that SQLite takes, whatever is in it; most stay as they are."""
    return json.dumps(ident)[1:-1]


def _id(key: str) -> str:
    ident: str = json.loads(f'"{key}"')
    return ident
