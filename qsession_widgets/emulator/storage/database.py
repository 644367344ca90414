"""One SQLite file with a write-ahead log, for one process at a time.

The log is not forced to the disk with each transaction: what was written is the operating system's
and outlives the process. Only a power failure can take the latest moments with it, and leaves
whole transactions even then. Forcing costs some milliseconds a transaction, at which the service
would answer nobody; who wants it says ``power_safe=True``.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, Timeout

from ...files import PRIVATE_FILE, file_lock, private_folder

FORMAT = 1
"""Version of the data format. A file with a higher one is left alone."""

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


class StoreError(Exception):
    """The data cannot be used or written; the message is one sentence for people."""


class Database:
    """The database file and its tables, with errors as sentences.

    Parameters
    ----------
    path : Path or None
        The file; see `store.Store`, also for errors. None for memory.
    power_safe : bool
        Whether each transaction is forced to the disk.

    Attributes
    ----------
    connection : sqlite3.Connection
        For use inside `transaction` or `reading`.
    """

    def __init__(self, path: Path | None, *, power_safe: bool):
        self.path = path
        self._lock = None if path is None else _locked(path)
        try:
            self.connection = sqlite3.connect(
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

    def close(self) -> None:
        """Let go of the file. Nothing is lost without it."""
        self.connection.close()
        self._unlock()

    # ----------------------------------------------------------------------------------------------
    # Opening

    def _open(self, power_safe: bool) -> None:
        execute = self.connection.execute
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
            with self.transaction():
                for statement in _TABLES.split(";"):
                    execute(statement)
                execute(f"PRAGMA application_id = {_APPLICATION}")
                execute(f"PRAGMA user_version = {FORMAT}")

    # ----------------------------------------------------------------------------------------------
    # Access

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is done in the block is done, or nothing of it.

        Raises
        ------
        StoreError
            It cannot be written.
        """
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            yield
            self.connection.execute("COMMIT")
        except BaseException as error:
            self._roll_back()
            if isinstance(error, sqlite3.Error):
                raise self._explained(error) from error
            raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Say in words what goes wrong in the block."""
        try:
            yield
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _roll_back(self) -> None:
        try:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        except sqlite3.Error:
            pass  # SQLite has rolled back by itself, or the connection is closed

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.__exit__(None, None, None)
            self._lock = None

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


def _locked(path: Path) -> BaseFileLock:
    """Make the file if need be, and keep other processes out until this one closes it or ends.

    With a lock of our own, because when several take SQLite's at once it may refuse them all.
    """
    lock = file_lock(path.with_name(path.name + ".lock"))
    try:
        private_folder(path.parent)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE))
        lock.acquire()
    except Timeout as error:
        raise StoreError(
            f"{path} is in use by another emulator: stop that one, or choose another place for "
            "the data."
        ) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StoreError(
            f"Cannot write the data file {path} ({reason}): choose another place for the data."
        ) from error
    return lock
