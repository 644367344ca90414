"""Everything that is open, on every service, as one document with a revision.

Pages ask for the document and are told when it has changed. While pages ask, each service has one
`Watch`, whatever the number of pages; when none has asked for a minute, nobody is asked any more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from traitlets import Float
from traitlets.config import Configurable

from ..errors import UserError
from ..orphans import Note, forget, notes
from ..snapshot import SCHEMA_VERSION, SessionSnapshot
from .openers import Kernel, Openers, events
from .sources import Found, find_sources
from .threads import in_thread
from .watch import Watch

MOST_JOBS = 20
"""Jobs of a workload that the overview holds."""

LONGEST_WAIT = 25.0
TICK = 0.5
"""Seconds between two looks at what is on this machine: accounts, emulators, notes, kernels."""

SOON = 0.05
"""Seconds for which changes are gathered."""

MOVING = ("answered_at", "clock_offset", "poll_interval")
"""What every answer of a service changes: no reason to wake a page, but told as it is."""


class NotFound(LookupError):
    """There is no such service or workload; the text is a sentence."""


class Overview(Configurable):
    """What is open, for all pages of a server.

    Parameters
    ----------
    settings : mapping
        The web application's settings.
    """

    interest = Float(
        60.0, help="Seconds after the last question of a page for which services are asked."
    ).tag(config=True)
    patience = Float(
        8.0, help="Seconds without an answer after which a service is called slow."
    ).tag(config=True)

    def __init__(self, settings: Mapping[str, Any], **kwargs: Any):
        super().__init__(**kwargs)
        self.openers = Openers(settings)
        # a page that knew an earlier server must not take this one's revisions for that one's
        self.revision = int(time.time() * 1000)
        self._watches: dict[str, Watch] = {}
        self._turns: dict[str, asyncio.Task[None]] = {}
        self._wakers: dict[str, asyncio.Event] = {}
        self._notes: dict[str, Note] = {}
        self._kernels: dict[str, Kernel] = {}
        self._trouble = ""
        self._known: dict[str, Any] = {}
        self._asked = float("-inf")
        self._running: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._poke = asyncio.Event()
        self._next: asyncio.Event = asyncio.Event()
        self._first: asyncio.Event = asyncio.Event()

    # ---------------------------------------------------------------------------------------------
    # For pages

    async def answer(self, since: int | None, wait: float) -> dict[str, Any]:
        """The document; when it is what the page has already, once it has changed.

        Parameters
        ----------
        since : int or None
            The revision that the page has.
        wait : float
            Seconds to wait for another one, at most.
        """
        self._be_interested(new=since is None)
        await self._first.wait()
        if since == self.revision and wait > 0:
            # whoever waits is interested to the end
            self._asked = time.monotonic() + min(wait, LONGEST_WAIT)
            waiting = asyncio.ensure_future(self._next.wait())
            await asyncio.wait([waiting], timeout=min(wait, LONGEST_WAIT))
            waiting.cancel()
        return self._document()

    async def detail(self, key: str, session_id: str) -> SessionSnapshot:
        """One workload with all its jobs.

        Raises
        ------
        NotFound
            There is none.
        UserError, ServiceError
            The service refused or does not answer.
        """
        self._be_interested()
        await self._first.wait()
        watch = self._watch(key)
        try:
            return await in_thread(watch.detail, session_id)
        except KeyError:
            raise _no_workload(session_id, watch) from None

    async def command(
        self, key: str, session_id: str, action: str, job_id: str | None = None
    ) -> tuple[str, SessionSnapshot]:
        """Close or cancel a workload, or cancel a job of it; see `detail` for errors.

        Returns
        -------
        tuple of (str, SessionSnapshot)
            What came of it, in words, and what is known of the workload then.
        """
        self._be_interested()
        await self._first.wait()
        watch = self._watch(key)
        if watch.absent is not None:
            raise UserError(watch.absent)
        try:
            said, snapshot = await in_thread(watch.command, session_id, action, job_id)
        except KeyError:
            raise _no_workload(session_id, watch) from None
        self._renew()
        return said, snapshot

    def _watch(self, key: str) -> Watch:
        if key not in self._watches:
            raise NotFound(f"There is no service {key!r} here.")
        return self._watches[key]

    # ---------------------------------------------------------------------------------------------
    # While somebody is interested

    def _be_interested(self, *, new: bool = False) -> None:
        now = time.monotonic()
        self._asked = max(self._asked, now)
        if new:
            for key, watch in self._watches.items():
                watch.hurry()
                self._wake(key)
        if self._running is None or self._running.done():
            self._loop = asyncio.get_running_loop()
            self._running = asyncio.create_task(self._run())

    @property
    def _interested(self) -> bool:
        return time.monotonic() - self._asked < self.interest

    async def _run(self) -> None:
        while self._interested:
            self._poke.clear()
            await self._look_around()
            for key in self._watches:
                if key not in self._turns or self._turns[key].done():
                    self._turns[key] = asyncio.create_task(self._take_turns(key))
            self._renew()
            self._first.set()
            await _either(self._poke, TICK)
            await asyncio.sleep(SOON)
            self._renew()

    async def _take_turns(self, key: str) -> None:
        """Let a watch ask its service, for as long as somebody is interested."""
        waker = self._wakers.setdefault(key, asyncio.Event())
        while self._interested:
            watch = self._watches.get(key)
            if watch is None or watch.absent is not None:
                return
            waker.clear()
            pause = await in_thread(watch.turn)
            await _either(waker, min(pause, self.interest))

    def _changed(self) -> None:
        """Something may be new; from any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._poke.set)

    def _wake(self, key: str) -> None:
        if key in self._wakers:
            self._wakers[key].set()

    async def _look_around(self) -> None:
        found, said = await in_thread(lambda: (find_sources(), notes()))
        self._take_sources(found)
        fresh = {note.url for key, note in said.items() if key not in self._notes}
        # what is known of a session stays when its kernel has taken its note away
        self._notes.update(said)
        self._kernels = await self.openers.kernels({n.kernel_id for n in self._notes.values()})
        for key, watch in self._watches.items():
            if watch.place[0] in fresh:
                watch.hurry()
                self._wake(key)

    def _take_sources(self, found: Found) -> None:
        self._trouble = found.trouble
        present = {source.key: source for source in found.sources}
        for key, source in present.items():
            known = self._watches.get(key)
            if known is None or known.source.fingerprint != source.fingerprint:
                self._watches[key] = Watch(source, self._changed, self.patience)
                self._wake(key)
            elif known.absent is not None:
                known.absent = None
        for key, watch in list(self._watches.items()):
            if key in present:
                continue
            if watch.anything_open:
                watch.absent = self._absence(watch)
            else:
                del self._watches[key]

    def _absence(self, watch: Watch) -> str:
        if watch.source.account:
            return self._trouble or (
                "The account was removed, so the service is not asked any more: save it again to "
                "see and to end what is open."
            )
        return "The local emulator has ended: its sessions wait on disk until it is started again."

    # ---------------------------------------------------------------------------------------------
    # The document

    def _renew(self) -> None:
        """Give the document a new revision if a fact in it is new."""
        new = self._facts()
        if new != self._known:
            self._known = new
            self.revision += 1
            self._next.set()
            self._next = asyncio.Event()

    def _shown(self) -> dict[str, Watch]:
        """The watches, without an account that turns out to be an emulator shown already."""
        places = {watch.place for watch in self._watches.values() if not watch.source.account}
        return {
            key: watch
            for key, watch in self._watches.items()
            if not (watch.source.account and watch.place in places)
        }

    def _facts(self) -> dict[str, Any]:
        services, workloads = [], []
        kernels: dict[str, Any] = {}
        listed: set[str] = set()
        for key, watch in self._shown().items():
            problem, since = watch.problem, watch.problem_since
            services.append(
                {
                    "key": key,
                    "info": asdict(watch.info),
                    "problem": problem,
                    "problem_since": since,
                    "account": watch.source.account,
                }
            )
            for snapshot in watch.snapshots():
                note = self._notes.get(snapshot.session_id)
                listed.add(snapshot.session_id)
                facts = to_json(snapshot)
                for name in MOVING:
                    del facts[name]
                if not snapshot.usage_final:
                    del facts["usage_seconds"]
                if problem is not None:
                    facts["problem"], facts["problem_since"] = problem, since
                if note is not None:
                    facts["name"], facts["notebook"] = note.name, note.notebook
                workloads.append(
                    {
                        "service": key,
                        "snapshot": facts,
                        "opened_by": note and self.openers.describe(note, self._kernels),
                        "events": events(note) if note else [],
                    }
                )
        for kernel_id, kernel in self._kernels.items():
            kernels[kernel_id] = kernel.to_json()
        return {"services": services, "workloads": workloads, "kernels": kernels}

    def _document(self) -> dict[str, Any]:
        moving = {
            (key, snapshot.session_id): snapshot
            for key, watch in self._watches.items()
            for snapshot in watch.snapshots()
        }
        now = time.time()
        services = []
        for service in self._known.get("services", ()):
            watch = self._watches[service["key"]]
            services.append(
                {**service, "clock_offset": watch.clock.offset, "answered_at": watch.answered_at}
            )
        workloads = []
        for workload in self._known.get("workloads", ()):
            facts = workload["snapshot"]
            snapshot = moving[workload["service"], facts["session_id"]]
            fresh = {name: getattr(snapshot, name) for name in (*MOVING, "usage_seconds")}
            workloads.append({**workload, "snapshot": {**facts, **fresh}})
        return {
            "schema": SCHEMA_VERSION,
            "revision": self.revision,
            "now": now,
            "services": services,
            "workloads": workloads,
            "kernels": self._known.get("kernels", {}),
        }


def to_json(snapshot: SessionSnapshot, most_jobs: int | None = MOST_JOBS) -> dict[str, Any]:
    """A snapshot with its newest jobs, and the counts of all."""
    facts = snapshot.facts()
    jobs = snapshot.jobs if most_jobs is None else snapshot.jobs[-most_jobs:]
    return {**facts, "jobs": [asdict(job) for job in jobs]}


def _no_workload(session_id: str, watch: Watch) -> NotFound:
    return NotFound(f"There is no session or batch {session_id!r} on {watch.info.label}.")


async def _either(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, but only so long."""
    waiting = asyncio.ensure_future(event.wait())
    await asyncio.wait([waiting], timeout=seconds)
    waiting.cancel()


__all__ = ["NotFound", "Overview", "forget", "to_json"]
