"""Write changed records together with their texts, in one transaction.

What cannot be written is kept and tried again, so that disk and memory agree again as soon as the
disk allows it; until then texts are read from here.
"""

from __future__ import annotations

import logging

from ..engine.task import TaskOutcome
from ..rules.state import Changes, ServiceState
from .database import StoreError
from .store import Store

log = logging.getLogger(__name__)


class Writer:
    """Pending writes of records and texts.

    Parameters
    ----------
    store : Store
        Where it is written.
    state : ServiceState
        The records.

    Attributes
    ----------
    problem : str or None
        Why the latest change could not be written, in one sentence; None when it was.
    """

    def __init__(self, store: Store, state: ServiceState):
        self.problem: str | None = None
        self._store = store
        self._state = state
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

    def add_outcome(self, job_id: str, outcome: TaskOutcome) -> None:
        """Write what became of a job with its record."""
        if outcome.result is not None:
            self._results[job_id] = outcome.result
        if outcome.logs:
            self._logs[job_id] = outcome.logs

    def result(self, job_id: str) -> str | None:
        """The result of a job, None when there is none, empty when it was dropped.

        Raises
        ------
        StoreError
            It cannot be read.
        """
        waiting = self._results.get(job_id)
        return self._store.result(job_id) if waiting is None else waiting

    def logs(self, job_id: str) -> str | None:
        """The log of a job; see `result`."""
        waiting = self._logs.get(job_id)
        return self._store.logs(job_id) if waiting is None else waiting

    def drop_result(self, job_id: str) -> None:
        """Keep the result of a job no longer."""
        self._results[job_id] = ""
        self.write(Changes(jobs={job_id: None}))

    def write(self, changes: Changes) -> None:
        """Write the records that changed, and the texts; `problem` says afterwards why not."""
        self._changes.add_records(changes)
        if not (self._changes.sessions or self._changes.jobs):
            return
        sessions, jobs = self._state.sessions, self._state.jobs
        try:
            self._store.save(
                [sessions[ident] for ident in self._changes.sessions if ident in sessions],
                [jobs[ident] for ident in self._changes.jobs if ident in jobs],
                params=self._of_known(self._params),
                results=self._of_known(self._results),
                logs=self._of_known(self._logs),
            )
        except StoreError as error:
            if self.problem != str(error):
                log.error("%s", error)
            self.problem = str(error)
            return
        self.problem = None
        self._changes = Changes()
        for texts in (self._params, self._results, self._logs):
            texts.clear()

    def try_again(self) -> None:
        """Write what could not be written before, if there is any."""
        if self.problem is not None:
            self.write(Changes())

    def _of_known(self, texts: dict[str, str]) -> dict[str, str]:
        return {ident: text for ident, text in texts.items() if ident in self._state.jobs}
