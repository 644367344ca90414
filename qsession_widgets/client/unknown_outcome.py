"""Requests that change something and whose answer is lost, or makes no sense: what became of them.

The outcome of a request is unknown when no answer came to it (the connection broke before or
within the answer, or the time was up), when the answer cannot be read, and when it was an error of
the service's own (status 5xx) or of a gateway that waited too long (408), which may come after the
effect. `settle` then looks at the service, before anything is said or sent again:

- a job is found by the random tag that its submit carried;
- a session has no tag: see `qsession_widgets.client.opening_outcome`;
- a session is ended when it takes no more jobs, a job when its status is final.

A conflict (409) is the service's word that the request is refused, and mostly for what is so
already: one look tells whether by the request itself. Any other refusal is taken at its word, but
for one of a request that was sent before, which may have had an effect all the same.

That it has not taken effect yet is no proof that it never will: what was given up by a gateway, or
by the client, may still be on its way. A request that makes something is looked for in the
background as long as that (`keep_asking`, `keep_looking`), also when it was sent again meanwhile.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ..deferred_output import NOTICES
from ..errors import OutcomeUnknown, ServiceError, Unreadable
from ..explanations import is_conflict, is_unknown, never_sent, was_given_up
from ..messages.outcomes import interrupted_end, took_effect, twin_job
from .rest import Answer, ServiceClient

logger = logging.getLogger(__name__)

T = TypeVar("T")

TAG = "qsession-"
"""Beginning of the tags of submits."""
MOST_TAGS = 8
"""Tags that the service takes of a job."""

PAUSES = (0.5, 1.0, 2.0)
"""Seconds between the sends of a request that, as looks have shown, had no effect."""
LOOK_PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0)
"""Seconds before each look at the service, while it does not answer."""
LOOK_TIMEOUT = 10.0
"""Seconds that one look may take."""
LATE = 1.0
"""Seconds after which a request that was not answered is looked for once more, before it is taken
for lost: it may still be on its way."""
GIVEN_UP = 10.0
"""Seconds for which one is looked for that a gateway or the client gave up, or that the user
interrupted, before it is sent again: the service may still be busy with it."""
ON_ITS_WAY = 100.0
"""Seconds after which a request takes effect no more: no gateway in wide use waits for longer."""
ASK_AGAIN = (1.0, 30.0)
"""Shortest and longest pause in seconds between the looks in the background."""
WHILE_ON_ITS_WAY = 4.0
"""Longest pause in seconds between those, as long as the request may take effect."""


@dataclass(frozen=True)
class Change(Generic[T]):
    """A request that changes something, and how to find out whether it did.

    Attributes
    ----------
    doing : str
        What it does, as in "close the session".
    send : callable
        Sends it once, and returns what was answered.
    look : callable
        Asks the service what is so: what `send` would have returned, or None where the request had
        no effect. Raises `ServiceError` when that is not answered either.
    understood : callable
        Whether an answer makes sense.
    creates : bool
        Whether it makes one more of something each time that it takes effect.
    meant : callable
        Whether what a look has found after a conflict is what the request was to bring about.
    """

    doing: str
    send: Callable[[], Any]
    look: Callable[[], T | None]
    understood: Callable[[Any], bool] = field(default=lambda _: True)
    creates: bool = False
    meant: Callable[[T], bool] = field(default=lambda _: True)


def settle(change: Change[T], again: Callable[[], object] = lambda: None) -> T:
    """Have something done, and know whether it was.

    Parameters
    ----------
    change : Change
        What.
    again : callable
        Is called before it is sent once more.

    Raises
    ------
    OutcomeUnknown
        The answer was lost, and the service does not say either what is so.
    Exception
        What `Change.send` raised, where the request had no effect.
    """
    sent = False
    for pause in (*PAUSES, None):
        try:
            answer: T = change.send()
            if change.understood(answer):
                return answer
            failure: Exception = ServiceError("The service's answer cannot be read.", status=200)
        except Exception as error:
            if never_sent(error) or not is_unknown(error):
                if (sent or is_conflict(error)) and (had := _look_despite(change, error)):
                    return had
                raise
            failure = error
        sent = True
        found = _find(change, failure)
        if found is not None:
            return found
        if pause is None:
            raise failure
        time.sleep(pause)
        again()
    raise AssertionError("the last turn returns or raises")


def _look_despite(change: Change[T], failure: Exception) -> T | None:
    """The effect of a request that was refused, if it had one; None also where nobody knows."""
    unclear: Exception = failure
    for pause in LOOK_PAUSES:
        time.sleep(pause)
        try:
            found = change.look()
        except ServiceError:
            return None
        except NotYetClear as error:
            unclear = error
        else:
            return found if found is not None and change.meant(found) else None
    raise unclear from failure


def _find(change: Change[T], failure: Exception) -> T | None:
    late = GIVEN_UP if change.creates and was_given_up(failure) else LATE
    unclear = OutcomeUnknown(change.doing)
    for pause in LOOK_PAUSES:
        time.sleep(pause)
        try:
            return look_for(change, late)
        except ServiceError as error:
            logger.debug("Whether to %s took effect is not answered: %s", change.doing, error)
        except NotYetClear as error:
            unclear = error
    raise unclear from failure


def look_for(change: Change[T], seconds: float) -> T | None:
    """Look until a request has had an effect, at the most for some seconds; None for none."""
    until = time.monotonic() + seconds
    while (found := change.look()) is None and (left := until - time.monotonic()) > 0:
        time.sleep(min(LATE, left))
    return found


class NotYetClear(OutcomeUnknown):
    """A look has found something that may be of another request under way: look again."""


def keep_asking(
    change: Change[T],
    told: Callable[[T | None], object],
    *,
    insist: bool = False,
    unclear: Callable[[OutcomeUnknown], object] = lambda _: None,
) -> threading.Thread:
    """Look on a thread until it is certain what became of a request; then tell it.

    That it had no effect is certain once it cannot be on its way any more.

    Parameters
    ----------
    change : Change
        The request.
    told : callable
        Is called once, with what `Change.look` found.
    insist : bool
        Whether to send the request again while it has had no effect; for one that may take effect
        twice without harm.
    unclear : callable
        Is called in place of `told` where no look can tell, with what it raised.
    """

    def ask() -> None:
        pause, until = ASK_AGAIN[0], time.monotonic() + ON_ITS_WAY
        while True:
            time.sleep(pause)
            late = time.monotonic() > until
            pause = min(2 * pause, ASK_AGAIN[1] if late else WHILE_ON_ITS_WAY)
            try:
                found = change.look()
                if found is None and insist:
                    change.send()
                    continue
            except ServiceError:
                continue
            except OutcomeUnknown as error:
                if isinstance(error, NotYetClear) and not late:
                    continue
                unclear(error)
                return
            if found is not None or late:
                told(found)
                return

    return _start(ask)


def look_on(change: Change[T], known: Callable[[T | None], object]) -> None:
    """Tell that a request to end something was interrupted; look, and tell what came of it.

    Parameters
    ----------
    change : Change
        The request.
    known : callable
        Is called with what was found, once it is certain.
    """

    def told(found: T | None) -> None:
        known(found)
        NOTICES.emit(took_effect(change.doing, found is not None))

    NOTICES.emit(interrupted_end(change.doing))
    keep_asking(change, told)


def keep_looking(look: Callable[[], object], over: Callable[[], object]) -> threading.Thread:
    """Look on a thread for what a request makes that was sent again, while it is on its way.

    Parameters
    ----------
    look : callable
        Looks, and does about it what there is to do; may raise `ServiceError`.
    over : callable
        Is called afterwards.
    """

    def watch() -> None:
        pause, until, late = ASK_AGAIN[0], time.monotonic() + ON_ITS_WAY, False
        while not late:
            time.sleep(pause)
            late = time.monotonic() > until
            pause = min(2 * pause, WHILE_ON_ITS_WAY)
            try:
                look()
            except ServiceError as error:
                logger.debug("What was sent twice is not answered: %s", error)
        over()

    return _start(watch)


def _start(target: Callable[[], None]) -> threading.Thread:
    # nobody waits for it at the process's end
    thread = threading.Thread(target=target, name="qsession-outcome", daemon=True)
    thread.start()
    return thread


# -------------------------------------------------------------------------------------------------
# Jobs


def new_tag() -> str:
    """A tag that no other submit has."""
    return TAG + secrets.token_hex(8)


def find_job(line: ServiceClient, tag: str) -> dict[str, Any] | None:
    """The job that a submit with this tag has left, as the service answers a submit.

    Where there are several, because a request that was given up arrived all the same, the first
    one that is not cancelled is taken, and the others are cancelled, and named.
    """
    jobs = line.jobs_tagged(tag).data["jobs"]
    if not jobs:
        return None

    def order(job: dict[str, Any]) -> tuple[bool, str, str]:
        return (_is_cancelled(job), str(job.get("created")), str(job["id"]))

    first = min(jobs, key=order)
    _cancel_others(line, jobs, str(first["id"]), set())
    return {"id": str(first["id"]), "backend": str(first.get("backend") or "")}


class JobTwins:
    """Other jobs that a submit has left which was sent again: they are cancelled, and named.

    Parameters
    ----------
    line : ServiceClient
        The service.
    tag : str
        The submit's tag.
    kept : str
        Id of the job that goes on; empty where the submit was replaced by one with another tag, so
        that none does.
    """

    def __init__(self, line: ServiceClient, tag: str, kept: str = ""):
        self._line = line
        self._tag = tag
        self._kept = kept
        self._told: set[str] = set()

    def look(self) -> None:
        """Look for them once.

        Raises
        ------
        ServiceError
            The service does not answer, or refuses to cancel one.
        """
        jobs = self._line.jobs_tagged(self._tag).data["jobs"]
        _cancel_others(self._line, jobs, self._kept, self._told)


def _cancel_others(
    line: ServiceClient, jobs: Collection[dict[str, Any]], kept: str, told: set[str]
) -> None:
    for job in jobs:
        job_id = str(job["id"])
        if job_id == kept or job_id in told or _is_cancelled(job):
            continue
        cancelled = is_pending(job)
        if cancelled:
            try:
                line.cancel_job(job_id)
            except ServiceError as error:
                if error.status is None or error.status >= 500:
                    # another look tries again
                    logger.warning("Job %s was accepted twice; its twin remains: %s", job_id, error)
                    continue
                # it has finished just now
                cancelled = False
        told.add(job_id)
        NOTICES.emit(twin_job(job_id, kept, cancelled=cancelled))


def _is_cancelled(job: dict[str, Any]) -> bool:
    return _status(job).startswith("Cancelled")


def cancel_job(line: ServiceClient, job_id: str) -> Change[Any]:
    """Cancel a job."""
    own = _asking(line)

    def look() -> Any:
        answer = own.job(job_id)
        return None if is_pending(answer.data) else answer

    def meant(answer: Any) -> bool:
        # one that has finished is final, too
        return _is_cancelled(answer.data)

    return Change(f"cancel job {job_id}", lambda: line.cancel_job(job_id), look, meant=meant)


def tag_job(line: ServiceClient, job_id: str, tags: Collection[str]) -> Change[Any]:
    """Give a job other tags."""
    own = _asking(line)

    def look() -> Any:
        answer = own.job(job_id)
        return answer if set(answer.data.get("tags") or ()) == set(tags) else None

    return Change(f"tag job {job_id}", lambda: line.tag_job(job_id, list(tags)), look)


def _asking(line: ServiceClient) -> ServiceClient:
    """A line for the looks, which wait no longer than each of them may take."""
    own = line.clone()
    own.timeout = min(line.timeout, LOOK_TIMEOUT)
    return own


def is_pending(job: dict[str, Any]) -> bool:
    """Check that a job, as the service describes it, is queued or running."""
    return _status(job).partition(" ")[0] in ("Queued", "Running")


def _status(job: dict[str, Any]) -> str:
    state = job.get("state")
    return str(state.get("status") if isinstance(state, dict) else job.get("status"))


# -------------------------------------------------------------------------------------------------
# Sessions


def end_session(line: ServiceClient, action: str, session_id: str) -> Change[Any]:
    """Close or cancel a session.

    Parameters
    ----------
    line : ServiceClient
        The service.
    action : {"close", "cancel"}
        Which of them.
    session_id : str
        The session.
    """
    ask = line.close_session if action == "close" else line.cancel_session
    own = _asking(line)

    def send() -> Answer:
        try:
            return ask(session_id)
        except ServiceError as error:
            if error.status == 404 and not is_gone():
                # of a gateway that does not find the service
                raise Unreadable(status=404) from error
            raise

    def is_gone() -> bool:
        try:
            own.session(session_id)
        except ServiceError as error:
            return error.status == 404
        return False

    def look() -> Answer | None:
        answer = own.session(session_id)
        data = answer.data
        if data.get("state") == "closed":
            return answer
        if data.get("accepting_jobs") is not False:
            # also where the field makes no sense: asking once more does no harm
            return None
        if action == "cancel" and any(map(_is_queued, own.jobs(session_id).data["jobs"])):
            return None
        return answer

    return Change(f"{action} the session", send, look)


def _is_queued(job: dict[str, Any]) -> bool:
    return _status(job) == "Queued"
