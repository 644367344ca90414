"""One submit: whether it was paid for by the run that is taken up, and what becomes of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ..client.decode import STATUSES
from ..client.job_outcome import find_job
from ..client.rest import ServiceClient
from ..client.unknown_outcome import ON_ITS_WAY
from ..deferred_output import NOTICES
from ..errors import ServiceError
from ..messages import resume as words
from .records import AskedJob, Key

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from .fingerprint import Fingerprint
    from .place import Place

SECOND_LOOK = 1.0
"""Seconds until the second look at the service for such a submit."""

Given = Mapping[str, Any]


@dataclass
class Taken:
    """Everything that is taken up of an earlier run.

    Attributes
    ----------
    asked : dict
        What was asked for there.
    any_calibration : bool
        Whether jobs from before the device's last calibration are taken, too.
    used : set
        Which of it was asked for again.
    told : set of str
        Reasons that were told already.
    unsaid : str
        A sentence that is told with the next job that is handed back.
    """

    asked: dict[Key, AskedJob] = field(default_factory=dict)
    any_calibration: bool = False
    used: set[Key] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    unsaid: str = ""

    @property
    def more(self) -> bool:
        """True if something of it was not asked for again yet."""
        return len(self.used) < len(self.asked)

    def handed_back(self) -> None:
        """Say what was to be told with the next job."""
        if self.unsaid:
            sentence, self.unsaid = self.unsaid, ""
            NOTICES.emit(sentence)

    def tell(self, reason: str, job_id: str) -> None:
        """Say, once for each reason, why a job that was paid for is sent anew."""
        if reason not in self.told:
            self.told.add(reason)
            NOTICES.emit(words.not_taken_up(job_id, reason))

    def tell_almost(self, parts: Mapping[str, Any]) -> None:
        """Say, once, what differs where a call asks for almost the same as one that was paid."""
        if "almost" in self.told or not self.more:
            return
        for key, asked in self.asked.items():
            if key in self.used or not asked.parts:
                continue
            if (sentence := words.almost(parts, asked.parts)) is not None:
                self.told.add("almost")
                NOTICES.emit(sentence)
                return


class _Run(Protocol):
    """The run of this process, as an asking needs it."""

    reused: dict[str, dict[str, Any]]
    taken: Taken | None

    def fingerprint(
        self, program: str, params: Any, place: Place, given: Given
    ) -> Fingerprint | None:
        """The fingerprint of parameters at a place; None where there is none."""

    def write(self, key: Key, **fields: Any) -> None:
        """Record something about what was asked for."""

    def give_back(self, key: Key) -> None:
        """Let a turn of a fingerprint be taken again."""


class Asking:
    """One submit: whether it was paid for, and what becomes of it.

    Parameters
    ----------
    runs : Runs
        Of this process.
    key : tuple of (str, int)
        What is asked for.
    parts : Fingerprint
        Its fingerprint.
    place : Place
        Where.
    given : mapping
        Arguments of the client library's submit.
    """

    def __init__(self, runs: _Run, key: Key, asked_for: Fingerprint, place: Place, given: Given):
        self._runs = runs
        self._key = key
        self._asked_for = asked_for
        self._place = place
        self._given = given
        self._anew = False

    def paid(self, line: ServiceClient) -> dict[str, Any] | None:
        """The job that was paid for, as the service answers a submit; None where there is none."""
        taken = self._runs.taken
        if taken is None:
            return None
        then = taken.asked.get(self._key)
        if then is None:
            taken.tell_almost(self._asked_for.parts)
            return None
        taken.used.add(self._key)
        self._anew = True
        try:
            job_id = then.job or _find(line, then)
            if not job_id:
                # its kernel died before the service had accepted it
                return None
            reason, row = self._check(line, job_id, then)
        except ServiceError as error:
            job_id = then.job
            reason, row = ("gone" if error.status == 404 else "unanswered"), {}
        except Exception as error:
            # an answer that makes no sense
            logger.warning("A job that was paid for cannot be compared: %r", error)
            job_id, reason, row = then.job, "unreadable", {}
        if reason:
            taken.tell(reason, job_id)
            return None
        taken.handed_back()
        self._runs.reused[job_id] = row
        self._runs.write(
            self._key, job=job_id, session=then.session, calibration=then.calibration, at=then.at
        )
        return {"id": job_id, "backend": str(row.get("backend") or self._place.facts["device"])}

    def _check(
        self, line: ServiceClient, job_id: str, then: AskedJob
    ) -> tuple[str, dict[str, Any]]:
        """Check a job by what the service has stored; why it is not taken up, empty for nothing."""
        row: dict[str, Any] = line.job_with_params(job_id).data
        params = row.pop("params", None)
        state = row.get("state") or {}
        word = str(state.get("status") or row.get("status") or "").lower()
        if row.get("private"):
            return "private", row
        if STATUSES.get(word) not in ("queued", "running", "done"):
            return "failed", row
        if row.get("backend") not in (None, self._given.get("backend_name")):
            return "differs", row
        program = str((row.get("program") or {}).get("id", ""))
        stored = self._runs.fingerprint(program, params or {}, self._place, self._given)
        if stored is None:
            return "unreadable", row
        if stored.value != self._key[0]:
            return "differs", row
        now = self._place.calibration(current=True)
        if not now or then.calibration != now:
            assert self._runs.taken is not None
            if not self._runs.taken.any_calibration:
                return "calibration" if now and then.calibration else "uncalibrated", row
            NOTICES.emit(words.older_calibration(job_id))
        return "", row

    def goes_to(self, session_id: str | None) -> None:
        """Take note of the session that was opened for it."""
        self._given = {**self._given, "session_id": session_id}

    def sending(self, tag: str | None) -> None:
        """Record, before it is sent, that it is."""
        first = self._key[1] == 0
        self._runs.write(
            self._key,
            tags=[tag] if tag else [],
            session=str(self._given.get("session_id") or ""),
            backend=str(self._place.facts["device"]),
            calibration=self._place.calibration(current=False),
            at=round(time.time(), 3),
            **({"parts": self._asked_for.parts, "where": self._place.where} if first else {}),
            **({"anew": True} if self._anew else {}),
        )

    def accepted(self, job_id: str) -> None:
        """Record the job that came of it."""
        self._runs.write(self._key, job=job_id)

    def refused(self) -> None:
        """Let the same be asked for again in its place."""
        self._runs.give_back(self._key)


def _find(line: ServiceClient, then: AskedJob) -> str:
    """The id of a job by the tags of its submits; empty where none was accepted."""
    for number in range(2):
        for tag in then.tags:
            if (found := find_job(line, tag)) is not None:
                return str(found["id"])
        if number or time.time() - then.at > ON_ITS_WAY:
            break
        time.sleep(SECOND_LOOK)
    return ""
