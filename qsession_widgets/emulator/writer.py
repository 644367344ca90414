"""Writes down what changed, together with the texts that belong to it, in one transaction.

What cannot be written is kept and written with the next change, so that disk and memory agree again
as soon as the disk allows it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from .engine import Outcome
from .ledger import Changes, Ledger
from .store import Store, StoreError

log = logging.getLogger(__name__)


class Writer:
    """What is to be written.

    Parameters
    ----------
    store : Store
        Where it is written.
    """

    def __init__(self, store: Store):
        self.store = store
        self.problem: str | None = None
        self._changes = Changes()
        self._params: dict[str, str] = {}
        self._results: dict[str, str] = {}
        self._logs: dict[str, str] = {}

    def add_params(self, job_id: str, text: str) -> None:
        """Write the parameters of a job with its record."""
        self._params[job_id] = text

    def drop_params(self, job_id: str) -> None:
        """Do not write them after all: the job was refused."""
        self._params.pop(job_id, None)

    def add_outcome(self, job_id: str, outcome: Outcome) -> None:
        """Write what became of a job with its record."""
        if outcome.result is not None:
            self._results[job_id] = outcome.result
        text = "\n".join(filter(None, [*outcome.warnings, outcome.logs]))
        if text:
            self._logs[job_id] = text

    def write(self, changes: Changes, ledger: Ledger) -> None:
        """Write the records that changed, and the texts; `problem` says afterwards why not."""
        self._changes.sessions.update(changes.sessions)
        self._changes.jobs.update(changes.jobs)
        if not (self._changes.sessions or self._changes.jobs):
            return
        sessions, jobs = ledger.sessions, ledger.jobs
        try:
            self.store.save(
                [sessions[ident] for ident in self._changes.sessions if ident in sessions],
                [jobs[ident] for ident in self._changes.jobs if ident in jobs],
                params=_only(self._params, jobs),
                results=_only(self._results, jobs),
                logs=_only(self._logs, jobs),
            )
        except StoreError as error:
            self.problem = str(error)
            log.error("%s", error)
            return
        self.problem = None
        self._changes = Changes()
        for texts in (self._params, self._results, self._logs):
            texts.clear()


def _only(texts: dict[str, str], known: Mapping[str, object]) -> dict[str, str]:
    return {ident: text for ident, text in texts.items() if ident in known}
