"""The run of this process: what it has asked for, and what it takes up of an earlier one."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import fork_safety
from ..client.decode import STATUSES
from ..client.rest import ServiceClient
from ..client.unknown_outcome import ON_ITS_WAY, find_job
from ..deferred_output import NOTICES
from ..errors import ServiceError, UserError
from ..messages import resume as words
from .choice import BARE, last_of, named, place_of_work
from .records import Asked, Key, RunFile, RunRecord, lock

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
    """

    asked: dict[Key, Asked] = field(default_factory=dict)
    any_calibration: bool = False
    used: set[Key] = field(default_factory=set)
    told: set[str] = field(default_factory=set)


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

    def __init__(self, runs: Runs, key: Key, asked_for: Fingerprint, place: Place, given: Given):
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
            self._runs.tell_almost(self._asked_for.parts)
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
            self._runs.tell(reason, job_id)
            return None
        self._runs.reused[job_id] = row
        self._runs.write(
            self._key, job=job_id, session=then.session, calibration=then.calibration, at=then.at
        )
        return {"id": job_id, "backend": str(row.get("backend") or self._place.facts["device"])}

    def _check(self, line: ServiceClient, job_id: str, then: Asked) -> tuple[str, dict[str, Any]]:
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


class Runs:
    """The run of a process: everything it has asked for, and the run that it takes up.

    Attributes
    ----------
    reused : dict
        Jobs that were taken up, by id, with the service's fields of each.
    taken : Taken or None
        What is taken up; None without a resume.
    """

    def __init__(self) -> None:
        self._file: RunFile | None = None
        self._process = os.getpid()
        self._lock = fork_safety.lock()
        self._turns: Counter[str] = Counter()
        self._free: dict[str, list[int]] = {}
        self._unmarked = False
        self._failed = self._block_failed = False
        self._locks: dict[str, Any] = {}
        self._prints: Any = None
        self.reused: dict[str, dict[str, Any]] = {}
        self.taken: Taken | None = None

    @property
    def record(self) -> RunRecord | None:
        """The run of this process."""
        return None if self._file is None else self._file.record

    @property
    def more_to_take_up(self) -> bool:
        """True if something of an earlier run was not asked for again yet."""
        return self.taken is not None and len(self.taken.used) < len(self.taken.asked)

    def choose(self, resume: str, notebook: str) -> RunRecord | None:
        """The run that a resume takes up, kept from other processes; None for nothing.

        Parameters
        ----------
        resume : str
            ``auto``, ``any``, or the id, name or file of a run; empty for none.
        notebook : str
            Path of the notebook.

        Raises
        ------
        UserError
            There is no such run, another process is at it, or it holds no jobs.
        """
        if not resume or os.getpid() != self._process:
            return None
        current = self.record
        # the same cell again, after its error, takes up what it has itself asked for
        again = current if self._failed else None
        if resume in BARE:
            if again is not None:
                return again
            work = place_of_work(notebook)
            found, finished = last_of(work, current) if work else (None, False)
            if found is None:
                if self.taken is None:
                    NOTICES.emit(words.nothing_to_take_up(finished, bool(work)))
                return None
        else:
            found = named(resume)
            if current is not None and found.id in (current.id, *current.taken):
                return again
        if found.id not in self._locks:
            held = lock(found.id)
            if held is None:
                raise UserError(
                    f"The run {found.id} is under way in another kernel, which goes on with it: "
                    "wait for its end, or end it. Leave --resume out to send everything anew."
                )
            self._locks[found.id] = held
        return found

    def leave(self, found: RunRecord | None) -> None:
        """Leave a run, which was chosen and not taken up, to other processes."""
        if found is not None and (held := self._locks.pop(found.id, None)) is not None:
            held.release()

    def begin(
        self, found: RunRecord | None, notebook: str, *, name: str = "", resume: str = ""
    ) -> None:
        """Begin a run, or go on with it, with what it takes up.

        Parameters
        ----------
        found : RunRecord or None
            The run that is taken up, as `choose` has found it.
        notebook : str
            Path of the notebook.
        name : str
            Name of the session, by which the run can be named.
        resume : str
            As of `choose`: with ``any``, jobs from before the device's last calibration are taken,
            too; when it is empty, nothing is taken up any more.
        """
        if os.getpid() != self._process:
            return
        with self._lock:
            if not resume:
                self.taken = None
            if self._file is not None and found is self._file.record:
                self._file = None
                self._turns.clear()
                self._free.clear()
                self.taken = None
            if self._file is None:
                self._file = RunFile(place_of_work(notebook))
                self._failed = self._unmarked = False
            if name:
                self._file.rename(name)
            if found is not None:
                self._take_up(found, self._file)
            if self.taken is not None:
                self.taken.any_calibration |= resume == "any"

    def _take_up(self, found: RunRecord, file: RunFile) -> None:
        self.taken = self.taken or Taken()
        self.taken.asked.update(found.asked)
        # a resumed run has the jobs of the one before, so that a third one finds them here
        lines = [
            {"print": fingerprint, "turn": turn, **asked.to_json()}
            for (fingerprint, turn), asked in found.asked.items()
        ]
        file.write({"taken": found.id}, *lines)

    def ask(self, program: str, given: Given, place: Callable[[], Place]) -> Asking | None:
        """A submit that is about to be sent; None for one that can neither be kept nor taken up."""
        if self._file is None or os.getpid() != self._process:
            return None
        if given.get("private"):
            self.tell("private", "")
            return None
        try:
            where = place()
            asked_for = self.fingerprint(program, given.get("params") or {}, where, given)
        except ServiceError:
            return None
        except Exception as error:
            # it can be sent all the same
            logger.warning("A job has no fingerprint: %r", error)
            return None
        if asked_for is None:
            return None
        self.goes_on()
        with self._lock:
            free = self._free.get(asked_for.value)
            turn = min(free) if free else self._turns[asked_for.value]
            if free:
                free.remove(turn)
            else:
                self._turns[asked_for.value] += 1
        return Asking(self, (asked_for.value, turn), asked_for, where, given)

    def goes_on(self) -> None:
        """Record, before it is asked for, that there is more to come after a cell that ended well.

        A kernel that is killed from then on has not finished, whatever it waits for.
        """
        with self._lock:
            if self._file is None or os.getpid() != self._process:
                return
            self._unmarked, self._block_failed = True, False
            if self._file.record.finished:
                self._file.write({"ended": False})

    def fingerprint(
        self, program: str, params: Any, place: Place, given: Given
    ) -> Fingerprint | None:
        """The fingerprint of parameters at a place; None where there is none."""
        from .fingerprint import Fingerprints
        from .hasher import Unfingerprintable

        self._prints = self._prints or Fingerprints()
        # of the client's own options, those that decide about the result
        chosen = {name: given.get(name) for name in ("image", "calibration_id", "backend_name")}
        try:
            found: Fingerprint = self._prints.of(program, params, {**place.facts, **chosen})
        except Unfingerprintable:
            return None
        return found

    def reset(self) -> None:
        """Forget the run, and leave it to other processes."""
        for held in self._locks.values():
            held.release()
        if self._file is not None:
            self._file.release()
        self.__init__()  # type: ignore[misc]

    def write(self, key: Key, **fields: Any) -> None:
        """Record something about what was asked for."""
        try:
            with self._lock:
                if self._file is not None:
                    self._file.write({"print": key[0], "turn": key[1], **fields})
        except Exception as error:
            # no job is lost to its caller for that
            logger.warning("A job cannot be recorded: %r", error)

    def give_back(self, key: Key) -> None:
        """Let a turn of a fingerprint be taken again, by whoever asks for the same next."""
        with self._lock:
            self._free.setdefault(key[0], []).append(key[1])
            if self.taken is not None:
                self.taken.used.discard(key)

    def tell(self, reason: str, job_id: str) -> None:
        """Say, once for each reason, why a job that was paid for is sent anew."""
        if self.taken is not None and reason not in self.taken.told:
            self.taken.told.add(reason)
            NOTICES.emit(words.not_taken_up(job_id, reason))

    def tell_almost(self, parts: Mapping[str, Any]) -> None:
        """Say, once, what differs where a call asks for almost the same as one that was paid."""
        taken = self.taken
        if taken is None or "almost" in taken.told or len(taken.used) == len(taken.asked):
            return
        for key, asked in taken.asked.items():
            if key in taken.used or not asked.parts:
                continue
            if (sentence := words.almost(parts, asked.parts)) is not None:
                taken.told.add("almost")
                NOTICES.emit(sentence)
                return

    def failed_block(self) -> None:
        """Remember that an error has left a session's block, or ``sys.exit(1)`` the script."""
        self._block_failed = True

    def script_ended(self, well: bool) -> None:
        """A script is over; not well where an error, or ``sys.exit(1)``, ended it or its block."""
        self.ended(well and not self._block_failed)

    def ended(self, well: bool) -> None:
        """A cell, or the script, is over; remembered where it has asked for something."""
        with self._lock:
            if self._file is None or not self._unmarked or os.getpid() != self._process:
                return
            self._unmarked = False
            self._failed = not well
            self._file.write({"ended": well})


def _find(line: ServiceClient, then: Asked) -> str:
    """The id of a job by the tags of its submits; empty where none was accepted."""
    for number in range(2):
        for tag in then.tags:
            if (found := find_job(line, tag)) is not None:
                return str(found["id"])
        if number or time.time() - then.at > ON_ITS_WAY:
            break
        time.sleep(SECOND_LOOK)
    return ""


RUNS = Runs()
"""The run of this process."""
