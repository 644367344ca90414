"""The run of this process: what it has asked for, and what it takes up of an earlier one."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain, count
from typing import TYPE_CHECKING, Any

from .. import fork_safety
from ..deferred_output import NOTICES
from ..errors import ServiceError, UserError
from ..messages import resume as words
from .asking import Asking, Given, Taken
from .choice import BARE, in_shell, last_of, named, place_of_work
from .records import Key, RunFile, RunRecord, lock

logger = logging.getLogger(__name__)

if TYPE_CHECKING:
    from .fingerprint import Fingerprint
    from .place import Place


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
        self._resumes = False
        self._of_cell: list[Key] = []
        self._of_failed: dict[str, list[Key]] = {}
        self._again: list[Key] = []
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
        return self.taken is not None and self.taken.more

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
                    NOTICES.emit(words.nothing_to_take_up(finished, bool(work), in_shell()))
                return None
        else:
            found = named(resume, () if current is None else (current.id, *current.taken))
            if current is not None and found.id == current.id:
                return current
            if current is not None and found.id in current.taken:
                if again is None:
                    NOTICES.emit(words.taken_already(found.id))
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
        self, found: RunRecord | None, notebook: str, *, name: str = "", resume: str | None = ""
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
            too; when it is empty, nothing is taken up any more. None for no change.
        """
        if os.getpid() != self._process:
            return
        with self._lock:
            if resume is not None:
                self._resumes = bool(resume)
            if not self._resumes:
                self._keep_from_others()
                self.taken = None
                self._of_failed.clear()
            if self._file is not None and found is self._file.record:
                self._file = None
                self._turns.clear()
                self._free.clear()
                self._of_failed.clear()
                self._again = []
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
        left: dict[str, Iterator[int]] = {}
        lines = []
        # what was asked for here without taking it up has had its turns already
        for (fingerprint, _), asked in sorted(found.asked.items(), key=lambda item: item[0]):
            turn = next(left.setdefault(fingerprint, self._turns_to_come(fingerprint)))
            self.taken.asked[fingerprint, turn] = asked
            # a resumed run has the jobs of the one before, so that a third one finds them here
            lines.append({"print": fingerprint, "turn": turn, **asked.to_json()})
        # nor are those taken up again that it has itself taken up
        file.write(*({"taken": run_id} for run_id in (*found.taken, found.id)), *lines)

    def _turns_to_come(self, fingerprint: str) -> Iterator[int]:
        return chain(sorted(self._free.get(fingerprint, ())), count(self._turns[fingerprint]))

    def ask(self, program: str, given: Given, place: Callable[[], Place]) -> Asking | None:
        """A submit that is about to be sent; None for one that can neither be kept nor taken up."""
        if self._file is None or os.getpid() != self._process:
            return None
        if given.get("private"):
            if self.taken is not None:
                self.taken.tell("private", "")
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
            key = asked_for.value, turn
            self._of_cell.append(key)
        return Asking(self, key, asked_for, where, given)

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
            self._free_again(key)
            if key in self._of_cell:
                self._of_cell.remove(key)

    def _free_again(self, key: Key) -> None:
        self._free.setdefault(key[0], []).append(key[1])
        if self.taken is not None:
            self.taken.used.discard(key)

    def failed_block(self) -> None:
        """Remember that an error has left a session's block, or ``sys.exit(1)`` the script."""
        self._block_failed = True

    def script_ended(self, well: bool) -> None:
        """A script is over; not well where an error, or ``sys.exit(1)``, ended it or its block."""
        self.ended(well and not self._block_failed)

    def cell_begins(self, cell: str) -> None:
        """A cell is about to run, which may be one that has failed before.

        Parameters
        ----------
        cell : str
            Its id, or its text.
        """
        with self._lock:
            self._of_cell, self._again = [], []
            if self.taken is not None:
                self.taken.unsaid = ""
            if self._file is None or os.getpid() != self._process:
                return
            if not (keys := self._of_failed.pop(cell, [])):
                return
            self._again = keys
            self.taken = self.taken or Taken()
            for key in keys:
                self.taken.asked[key] = self._file.record.asked[key]
                self._free_again(key)
            self.taken.unsaid = words.cell_again(len(keys))

    def _keep_from_others(self) -> list[Key]:
        """Take away from all what a cell that is run again has not asked for; what that is."""
        left = [key for key in self._again if key[1] in self._free.get(key[0], ())]
        self._again = []
        for key in left:
            self._free[key[0]].remove(key[1])
            if self.taken is not None:
                self.taken.asked.pop(key, None)
        return left

    def ended(self, well: bool, cell: str = "") -> None:
        """A cell, or the script, is over; remembered where it has asked for something.

        Parameters
        ----------
        well : bool
            Whether it came to its end.
        cell : str
            The cell, as of `cell_begins`: if it failed, and `--resume` is in force, it gets its
            jobs when it is run again.
        """
        with self._lock:
            if self._file is None or os.getpid() != self._process:
                return
            left = self._keep_from_others()
            keys = [key for key in self._of_cell if key in self._file.record.asked]
            # one that has asked for nothing may have been edited for a look at something
            kept = left if well and not keys else [] if well else [*keys, *left]
            if cell and kept and self._resumes:
                self._of_failed[cell] = kept
            if not self._unmarked:
                return
            self._unmarked = False
            self._failed = not well
            self._file.write({"ended": well})


RUNS = Runs()
"""The run of this process."""
