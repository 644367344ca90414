"""The session manager: opens, reuses, attaches and ends the sessions of this kernel.

Magics and Python API alike take this way. It asks the service once for each thing and writes a
session's registry entry once; what came of a request is an `OpenResult`, without words.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ..client.connected_service import longest
from ..client.prices import price_problem
from ..client.selection import select_target
from ..deferred_output import NOTICES
from ..errors import ServiceError, UserError
from ..messages.left_behind import left_in_doubt, left_in_the_way
from ..messages.outcomes import capped, quota_warning
from ..messages.resume import opened_now, opens_later, taken_up
from ..monitoring.event_log import events_file
from ..options.open_options import OpenOptions
from ..registry.entries import forget
from ..registry.lookup import id_of as registered_id
from ..resume.choice import RESUME_VARIABLE, fits
from ..resume.runs import RUNS
from . import registration
from .binding import BINDING, Binding
from .crash_policy import apply_on_crash
from .exit_hooks import close_at_exit
from .job_mode import JobMode
from .policies import Policies
from .reuse import NameTaken, changes, match_open, still_open
from .run_ends import watch_ends

if TYPE_CHECKING:
    from ..client.selection import Target
    from ..registry.schema import RegistryEntry
    from ..resume.records import RunRecord
    from .live import LiveSession
    from .opening import OpenResult


class SessionManager:
    """Opens, reuses, attaches and ends sessions, and binds them.

    Parameters
    ----------
    binding : Binding
        The bound session and the others of this kernel.
    """

    def __init__(self, binding: Binding):
        self._binding = binding

    def open(
        self, options: OpenOptions, *, notebook: str = "", fall_back: bool = False
    ) -> OpenResult:
        """Bind the session that is requested: one that is open and fits, or else a new one.

        Parameters
        ----------
        options : OpenOptions
            The request.
        notebook : str
            Path of the notebook that opens it.
        fall_back : bool
            Whether a plan without sessions gives what ``options.fallback`` says, job mode or a
            batch; an error otherwise.

        Raises
        ------
        NoSessionsOnPlan
            The plan has no sessions, and there is no fallback.
        UserError
            Another session is in the way, the options make no sense, or the service refused.
        """
        if not options.resume and (usual := os.environ.get(RESUME_VARIABLE)):
            options = replace(options, resume=usual)
        found = RUNS.choose(options.resume, notebook)
        try:
            if (known := match_open(self._binding, options)) is not None:
                fits(found, known.target, options.resume)
                result = self._reuse(known, options)
            else:
                result = self._open(options, found, notebook, fall_back)
        except BaseException:
            RUNS.leave(found)
            raise
        RUNS.begin(
            found,
            notebook or os.environ.get("JPY_SESSION_NAME", ""),
            name=options.name,
            resume=options.resume,
        )
        watch_ends()
        said = [] if found is None else [taken_up(found.id, found.changed, found.jobs)]
        if result.outcome == "deferred":
            said.append(opens_later(options.word))
        if said:
            NOTICES.emit(" ".join(said))
        return replace(result, run=found)

    def _open(
        self, options: OpenOptions, found: RunRecord | None, notebook: str, fall_back: bool
    ) -> OpenResult:
        # after the imports that nothing but a service needs: they take about two seconds
        from .deferral import may_wait
        from .opening import defer, open_on_service

        if options.events:
            # before anything is opened that would have to be closed again
            events_file(options.events)
        target = select_target(
            options.service,
            options.backend,
            use_fractional_gates=options.use_fractional_gates,
            instance=options.instance,
            account=options.account,
            emulator_options=options.local or None,
        )
        try:
            fits(found, target, options.resume)
            resumed = self._left_behind(target, options, notebook)
            if resumed is None and found is not None:
                resumed = self._of_run(found, target, options, notebook)
        except BaseException:
            target.client.close()
            raise
        if resumed is not None:
            target.client.close()
            return resumed
        try:
            plan = target.info.plan
            left, limit = target.quota_left, options.max_time
            if warning := quota_warning(left, limit, options.word, longest(plan)):
                NOTICES.emit(warning)
            paid = found is not None or (bool(options.resume) and RUNS.more_to_take_up)
            if paid and may_wait(target, options):
                result = defer(target, options, self._open_deferred, notebook=notebook)
            else:
                result = open_on_service(target, options, notebook=notebook, fall_back=fall_back)
        except BaseException:
            target.client.close()
            raise
        if isinstance(result.bound, JobMode):
            self._binding.bind_job_mode(result.bound)
        elif result.outcome == "deferred":
            self._bind(result.bound)
        else:
            with self._set_up(result.bound):
                self._bind(result.bound)
        return result

    @contextmanager
    def _set_up(self, live: LiveSession) -> Iterator[None]:
        """Close a session that was just opened, where it cannot have all it was to have.

        It would cost, and no rule would end it.
        """
        from .opening import closed_if_unwatched

        try:
            with closed_if_unwatched(live.session, live.target, live.word):
                yield
        except BaseException:
            if live.guard is not None:
                live.guard.stop()
            if live.closed:
                forget(live.monitor.session_id)
            raise

    def _open_deferred(self, live: LiveSession) -> None:
        """Open a deferred session, with everything that it was to have from its opening on."""
        from .opening import open_deferred

        # for its id alone, too
        RUNS.goes_on()
        open_deferred(live)
        bound = self._binding.bound is live
        with self._set_up(live):
            live.set_policies()
            registration.register(live, bound=bound)
            apply_on_crash(live)
        asked, granted = live.options.max_time, live.monitor.snapshot.max_ttl
        NOTICES.emit(opened_now(live.word, live.target.backend.name, capped(asked, granted)))

    def attach(self, id_or_name: str, options: OpenOptions) -> OpenResult:
        """Bind a session that was opened elsewhere, by its id, a job's id, or its name.

        One that takes no more jobs is not bound, and can be looked at, like the jobs of job mode.

        Parameters
        ----------
        id_or_name : str
            A name is looked up in this kernel, then in the registry.
        options : OpenOptions
            Its name, its policies, and where to look for it.

        Raises
        ------
        UserError
            There is none.
        """
        wanted = self.resolve(id_or_name)
        if wanted != id_or_name and "name" not in options.given:
            options = replace(options, name=id_or_name, given=options.given | {"name"})
        live = self._binding.had(wanted)
        if live is None:
            from ..discovery.kept_jobs import kept_jobs
            from ..discovery.search import find
            from ..discovery.sources import endpoint_sources
            from .opening import OpenResult, attach_on_service

            if taken := self._binding.named(options.name) if options.name else None:
                raise NameTaken(taken, [("", wanted)])
            if options.events:
                events_file(options.events)
            places = endpoint_sources(
                "all" if options.service == "auto" else options.service,
                instance=options.instance,
                account=options.account,
                known=self._binding.services(),
                wanted=wanted,
            )
            if (group := kept_jobs(id_or_name)) is not None:
                from .look_back import look_back_at_jobs

                return look_back_at_jobs(self._binding, group, places, options)
            found = find(wanted, places)
            live = self._binding.had(found.session_id)
        if live is not None and live.usable:
            result = self._reuse(live, options, opens=False)
            if result.outcome == "deferred":
                NOTICES.emit(opens_later(live.word))
            return result
        live = live or attach_on_service(found, options)
        if not live.usable:
            from .look_back import look_back

            return look_back(self._binding, live)
        self._bind(live)
        if problem := price_problem():
            NOTICES.emit(problem)
        notebook = os.environ.get("JPY_SESSION_NAME", "")
        # what is taken up goes on in it
        RUNS.begin(None, notebook, name=options.name, resume=None)
        watch_ends()
        return OpenResult("attached", live, live.target, granted=live.monitor.snapshot.max_ttl)

    def _left_behind(
        self, target: Target, options: OpenOptions, notebook: str
    ) -> OpenResult | None:
        """Go on in the session that an earlier kernel of this notebook has left on the backend.

        A second one beside it would wait until it is deactivated, while both cost.

        Raises
        ------
        UserError
            It is not what is asked for, or the service does not say whether it is open.
        """
        if options.another or options.mode == "batch":
            return None
        from ..discovery.leftovers import leftovers
        from .opening import OpenResult, attach_on_service

        def in_doubt(entry: RegistryEntry) -> None:
            if entry.backend == target.backend.name:
                raise UserError(left_in_doubt(entry.backend, entry.session_id))

        for left in leftovers(target, notebook, in_doubt):
            raw, backend = left.raw, target.backend.name
            if raw.get("mode") == "batch" or raw.get("backend_name") != backend:
                continue
            if self._binding.with_id(left.entry.session_id) is not None:
                continue
            if options.max_time not in (None, raw.get("max_ttl")):
                raise UserError(left_in_the_way(backend, left.entry.session_id, options.word))
            live = attach_on_service(left.found(target), options, notebook=notebook)
            if self._goes_on(live, options):
                granted = live.monitor.snapshot.max_ttl
                return OpenResult("resumed", live, live.target, granted=granted)
        return None

    def _goes_on(self, live: LiveSession, options: OpenOptions) -> bool:
        """Bind a session that was left open, if it is still open once this kernel is known to it.

        Until then, the watchdog of the kernel that has crashed may have closed it.
        """
        live.request = options.request
        if options.max_jobs is not None:
            live.monitor.poller.list_jobs()
            live.jobs_before = frozenset(job.id for job in live.monitor.snapshot.jobs)
        self._bind(live)
        if still_open(self._binding, live):
            return True
        self._binding.unbind()
        forget(live.monitor.session_id)
        return False

    def _of_run(
        self, found: RunRecord, target: Target, options: OpenOptions, notebook: str
    ) -> OpenResult | None:
        """Go on in the last session of a run that is taken up, where it is still open.

        One on another backend, or of the other mode, is named once there is one here.

        Raises
        ------
        UserError
            It has another maximum time than is asked for.
        """
        from ..discovery.endpoints import Endpoint
        from ..discovery.search import FoundSession
        from .opening import OpenResult, attach_on_service

        for session_id in found.sessions()[:1]:
            try:
                raw = target.client.session(session_id).data
            except ServiceError:
                # it is not there any more, or the opening will say what is wrong
                return None
            same = (raw.get("mode") == "batch") == (options.mode == "batch")
            usable = raw.get("state") != "closed" and raw.get("accepting_jobs", True)
            fitting = same and usable and raw.get("backend_name") == target.backend.name
            if not fitting or options.another or self._binding.with_id(session_id) is not None:
                return None
            if options.max_time not in (None, raw.get("max_ttl")):
                raise UserError(left_in_the_way(raw["backend_name"], session_id, options.word))
            left = FoundSession(Endpoint.of(target.connected), raw)
            live = attach_on_service(left, options, notebook=notebook)
            if self._goes_on(live, options):
                return OpenResult("resumed", live, live.target, granted=raw.get("max_ttl"))
        return None

    def resolve(self, id_or_name: str) -> str:
        """The id that a name of this kernel's, or one in the registry, stands for; else itself."""
        live = self._binding.named(id_or_name)
        if live is not None:
            return live.monitor.session_id
        return registered_id(id_or_name) or id_or_name

    def end(self, live: LiveSession, action: str) -> str:
        """Close or cancel a session, unbind it, and say what came of it.

        Raises
        ------
        UserError
            The service refused or did not answer.
        """
        said = live.end(action)
        if live.closed:
            # as long as it has jobs, other processes need its entry to find it
            forget(live.monitor.session_id)
        if self._binding.bound is live:
            self._binding.unbind()
        return said

    def _reuse(self, live: LiveSession, options: OpenOptions, *, opens: bool = True) -> OpenResult:
        """Bind an open session, with the options of the request that an open one can change.

        One that is deferred is opened, unless more is to be taken up, or `opens` is False.
        """
        from .opening import OpenResult

        changed = changes(live, options)
        if changed:
            wanted = replace(live.options, **changed)
            Policies.of(wanted, live.target.info)
            if "events" in changed:
                events_file(wanted.events)
            live.options = wanted
            if "events" in changed or "say" in changed:
                live.report_anew()
            self._bind(live)
        else:
            self._binding.bind(live)
        if live.deferral is not None and (options.resume or not opens):
            return OpenResult("deferred", live, live.target)
        live.open()
        granted = live.monitor.snapshot.max_ttl
        return OpenResult("reused", live, live.target, tuple(changed), granted)

    def _bind(self, live: LiveSession) -> None:
        close_at_exit()
        live.set_policies()
        self._binding.bind(live)
        # its entry is written, by which the watchdog sees whether another kernel has it
        if live.deferral is None:
            apply_on_crash(live)


MANAGER = SessionManager(BINDING)
"""The kernel's session manager."""
