"""Everything that is open, on every service, as one document with a revision.

Pages ask for the document and are told when it has changed. While pages ask, each service has one
`Watch`, whatever the number of pages; when none has asked for a minute, nobody is asked any more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from traitlets import Float
from traitlets.config import LoggingConfigurable

from ..client.prices import configure
from ..client.rest import ServiceClient
from ..errors import UserError
from ..model import EndResult, SessionSnapshot
from ..options.configuration import configured
from ..registry.entries import notes, sweep
from ..registry.lookup import Noted
from ..registry.processes import living
from ..registry.schema import RegistryEntry
from ..registry.watchers import share
from .concurrency import in_thread
from .history import History
from .owners import Kernel, Owners
from .poller import Poller, either
from .serializers import Kept, complete, facts
from .service_list import ServiceList, ServiceSource, find_sources, unreadable_account
from .service_watcher import ServiceWatcher

T = TypeVar("T")

LONGEST_WAIT = 25.0
TICK = 0.5
"""Seconds between two looks at what is on this machine: accounts, emulators, notes, kernels."""

SOON = 0.05
"""Seconds for which changes are gathered."""

ACCOUNT_REMOVED = (
    "The account was removed and its service is not asked any more: save it again to see, and to "
    "end, what is open."
)
EMULATOR_ENDED = (
    "This emulator has ended: its sessions wait on disk until it is started again, by the next "
    "%%session --service local."
)

MISSED = 3600.0
"""Seconds for which the sessions of an emulator that has ended are shown; they cost nothing."""


class NotFound(LookupError):
    """There is no such service or workload; the text is a sentence."""


class SessionsOverview(LoggingConfigurable):
    """Overview of everything that is open, for all pages of a server.

    Parameters
    ----------
    settings : mapping
        The web application's settings.
    """

    interest = Float(
        60.0, help="Seconds after the last question of a page for which services are asked."
    ).tag(config=True)
    slow_after = Float(
        8.0, help="Seconds without an answer after which a service is called slow."
    ).tag(config=True)

    pause = Float(
        1.0, help="How much longer than usual to wait between two questions to a service."
    ).tag(config=True)

    def __init__(self, settings: Mapping[str, Any], **kwargs: Any):
        super().__init__(**kwargs)
        self.openers = Owners(settings)
        # a page that knew an earlier server must not take this one's revisions for that one's
        self.revision = int(time.time() * 1000)
        self._pollers: dict[str, Poller] = {}
        self._notes: dict[str, RegistryEntry] = {}
        self._kernels: dict[str, Kernel] = {}
        self._opened_by: dict[str, list[dict[str, Any]]] = {}
        self._known: dict[str, Any] = {}
        self._kept: Kept = {}
        self.history = History()
        self._asked = float("-inf")
        self._waiting = 0
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
            self._waiting += 1
            try:
                await either(self._next, min(wait, LONGEST_WAIT))
            finally:
                self._waiting -= 1
                self._asked = time.monotonic()
        return complete(self._known, self._watches, self.revision)

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
    ) -> tuple[EndResult, SessionSnapshot]:
        """Close or cancel a workload, or cancel a job of it; see `detail` for errors.

        Returns
        -------
        tuple of (EndResult, SessionSnapshot)
            The result, and the workload after it.
        """
        self._be_interested()
        await self._first.wait()
        watch = self._watch(key)
        if watch.health.absent is not None:
            raise UserError(watch.health.absent)
        try:
            result, snapshot = await in_thread(watch.command, session_id, action, job_id)
        except KeyError:
            raise _no_workload(session_id, watch) from None
        self._renew()
        return result, snapshot

    async def ask(self, key: str, question: Callable[[ServiceClient], T]) -> T:
        """Ask a service something else; see `detail` for errors."""
        self._be_interested()
        await self._first.wait()
        return await in_thread(self._watch(key).ask, question)

    def source(self, key: str) -> ServiceSource | None:
        """The service that a key names; None where there is none."""
        return self._pollers[key].watch.source if key in self._pollers else None

    async def delete_history(self) -> int:
        """Delete what is kept of ended sessions; of how many."""
        gone = await in_thread(self.history.delete)
        self._renew()
        return gone

    def kind(self, key: str) -> str:
        """Which service a key names: ``ibm``, or ``local`` for an emulator; for sentences."""
        poller = self._pollers.get(key)
        return "local" if poller is None else poller.watch.info.where

    def _watch(self, key: str) -> ServiceWatcher:
        if key not in self._pollers:
            raise NotFound(f"There is no service {key!r} here.")
        return self._pollers[key].watch

    @property
    def _watches(self) -> dict[str, ServiceWatcher]:
        return {key: poller.watch for key, poller in self._pollers.items()}

    # ---------------------------------------------------------------------------------------------
    # While somebody is interested

    def _be_interested(self, *, new: bool = False) -> None:
        self._asked = time.monotonic()
        if new:
            for poller in self._pollers.values():
                poller.watch.hurry()
                poller.wake()
        if self._running is None or self._running.done():
            # what this machine tells is known in a moment, and was not looked at since
            self._first.clear()
            self._loop = asyncio.get_running_loop()
            self._running = asyncio.create_task(self._run())

    def _interested(self) -> bool:
        return self._waiting > 0 or time.monotonic() - self._asked < self.interest

    async def _run(self) -> None:
        try:
            await in_thread(sweep)
            await in_thread(self._take_price)
            while self._interested():
                await self._take_turn()
        finally:
            # whatever happened, a page must not wait for it for ever
            self._first.set()

    def _take_price(self) -> None:
        try:
            configure(configured().get("price", ""))
        except UserError as error:
            self.log.warning("%s", error)

    async def _take_turn(self) -> None:
        try:
            await self._look_around()
        except Exception:
            # what is known of the services is worth showing all the same
            self.log.exception("Notes and kernels could not be read")
        shown = self._shown()
        for key, poller in self._pollers.items():
            poller.idle = key not in shown
            poller.go()
        self._renew()
        self._first.set()
        until = time.monotonic() + TICK
        while (left := until - time.monotonic()) > 0:
            await either(self._poke, left)
            await asyncio.sleep(SOON)
            self._poke.clear()
            self._renew()

    def _changed(self) -> None:
        """Something may be new; from any thread."""
        loop = self._loop
        # the server may be ending, and its loop with it
        with suppress(RuntimeError):
            if loop is not None:
                loop.call_soon_threadsafe(self._poke.set)

    async def _look_around(self) -> None:
        """See what there is on this machine."""
        shown = [
            watch.source.noted
            for watch in self._watches.values()
            if watch.source.noted is not None
            # of what cannot be asked any more, what is over is of no use
            and (watch.anything_open if watch.health.absent else watch.snapshots())
        ]
        found, said, sharers = await in_thread(_on_this_machine, shown)
        self._take_sources(found)
        for watch in self._watches.values():
            watch.sharers = sharers
        fresh = [note for session_id, note in said.items() if session_id not in self._notes]
        listed = {
            snapshot.session_id
            for watch in self._watches.values()
            for snapshot in watch.snapshots()
        }
        # what is known of a session stays when its kernel has taken its note away
        kept = {one: note for one, note in self._notes.items() if one in listed}
        self._notes = {**kept, **said}
        entries = self._notes.values()
        others = {one.kernel_id for entry in entries for one in entry.others}
        self._kernels = await self.openers.kernels(others | {entry.kernel_id for entry in entries})
        self._opened_by = await in_thread(self._describe_openers)
        ended = [
            (snapshot, self._notes.get(snapshot.session_id))
            for watch in self._shown().values()
            for snapshot in watch.snapshots()
            if snapshot.state == "closed"
        ]
        await in_thread(self.history.update, ended)
        for poller in self._pollers.values():
            url, instance = poller.watch.place
            opened = [
                note.session_id
                for note in fresh
                if note.url == url and note.instance in ("", instance)
            ]
            if opened:
                poller.watch.hurry(opened)
                poller.wake()

    def _describe_openers(self) -> dict[str, list[dict[str, Any]]]:
        return {
            session_id: [self.openers.describe(one, self._kernels) for one in living(note)]
            for session_id, note in self._notes.items()
        }

    def _take_sources(self, found: ServiceList) -> None:
        present = {source.key: source for source in found.sources}
        for key, source in present.items():
            known = self._pollers.get(key)
            same = known is not None and known.watch.source.fingerprint == source.fingerprint
            if known is not None and (same or source.absent):
                known.watch.health.absent = source.absent or None
                known.seen = time.monotonic()
                continue
            if known is not None:
                known.stop()
            self._add(source)
        if found.trouble and "ibm" not in self._pollers:
            self._add(unreadable_account())
        for key in [key for key in self._pollers if key not in present]:
            watch = self._pollers[key].watch
            if watch.source.noted is not None:
                # there is neither a note nor anything to show
                self._pollers.pop(key).stop()
                continue
            account = bool(watch.source.account)
            watch.health.absent = (found.trouble or ACCOUNT_REMOVED) if account else EMULATOR_ENDED
            gone_for = time.monotonic() - self._pollers[key].seen
            lasting = account or gone_for < MISSED
            if not ((watch.anything_open and lasting) or (account and found.trouble)):
                self._pollers.pop(key).stop()

    def _add(self, source: ServiceSource) -> None:
        watch = ServiceWatcher(source, self._changed, self.slow_after, self.pause)
        watch.health.absent = source.absent or None
        self._pollers[source.key] = Poller(watch, self._interested)

    # ---------------------------------------------------------------------------------------------
    # The document

    def _renew(self) -> None:
        """Give the document a new revision if a fact in it is new."""
        new = facts(
            self._shown(),
            self._notes,
            self._opened_by,
            self._kernels,
            self._kept,
            self.history.spent,
        )
        if new != self._known:
            self._known = new
            self.revision += 1
            self._next.set()
            self._next = asyncio.Event()

    def _shown(self) -> dict[str, ServiceWatcher]:
        """The watches, without those whose place another one watches already."""
        watches = self._watches
        default = watches.get("ibm")
        seen: set[tuple[tuple[str, str], str]] = set()
        shown: dict[str, ServiceWatcher] = {}
        # an emulator goes before an account that leads to it, and that before what notes name
        for key in sorted(watches, key=lambda key: (bool(watches[key].source.account), key)):
            watch = watches[key]
            where = (watch.place, watch.owner_key)
            if watch.place[0] and where in seen:
                continue
            if watch.source.noted is not None and default is not None:
                untold = not default.place[0] and not default.health.problem
                if untold and watch.owner_key == default.owner_key:
                    # it may be the account's own instance, which is known once it has answered
                    continue
            seen.add(where)
            shown[key] = watch
        return {key: watch for key, watch in watches.items() if key in shown}


def _on_this_machine(shown: list[Noted]) -> tuple[ServiceList, dict[str, RegistryEntry], int]:
    said = notes()
    return find_sources(said.values(), shown), said, share()


def _no_workload(session_id: str, watch: ServiceWatcher) -> NotFound:
    return NotFound(f"There is no session or batch {session_id!r} on {watch.info.label}.")
