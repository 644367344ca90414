"""Requests that change something and whose answer is lost, or makes no sense: what became of them.

The outcome of a request is unknown when no answer came to it (the connection broke before or
within the answer, or the time was up), when the answer cannot be read, and when it was an error of
the service's own (status 5xx), which may come after the effect. `settle` then looks at the service,
before anything is said or sent again:

- a job is found by the random tag that its submit carried;
- a session has no tag: one is taken for the requested one only where it was opened while the
  request was under way, for this user, with this backend, mode and maximum time, holds no jobs,
  is known to nobody else here, and is the only one;
- a session is ended when it takes no more jobs, a job when its status is final.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ..errors import OutcomeUnknown, ServiceError
from ..explanations import is_unknown, never_sent
from .decode import read_time
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
ASK_AGAIN = (1.0, 30.0)
"""Shortest and longest pause in seconds between the looks in the background."""
CLOCK_MARGIN = 2.0
"""Seconds by which the whole seconds of two ``Date`` headers may mislead."""


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
    """

    doing: str
    send: Callable[[], Any]
    look: Callable[[], T | None]
    understood: Callable[[Any], bool] = field(default=lambda _: True)


def settle(change: Change[T]) -> T:
    """Have something done, and know whether it was.

    Raises
    ------
    OutcomeUnknown
        The answer was lost, and the service does not say either what is so.
    Exception
        What `Change.send` raised, where the request had no effect.
    """
    for pause in (*PAUSES, None):
        try:
            answer: T = change.send()
            if change.understood(answer):
                return answer
            failure: Exception = ServiceError("The service's answer cannot be read.", status=200)
        except Exception as error:
            if never_sent(error) or not is_unknown(error):
                raise
            failure = error
        found = _find(change, failure)
        if found is not None:
            return found
        if pause is None:
            raise failure
        time.sleep(pause)
    raise AssertionError("the last turn returns or raises")


def _find(change: Change[T], failure: Exception) -> T | None:
    for pause in LOOK_PAUSES:
        time.sleep(pause)
        try:
            found = change.look()
            if found is None:
                time.sleep(LATE)
                found = change.look()
            return found
        except ServiceError as error:
            logger.debug("Whether to %s took effect is not answered: %s", change.doing, error)
    raise OutcomeUnknown(change.doing) from failure


def keep_asking(
    change: Change[T], told: Callable[[T | None], object], *, insist: bool = False
) -> threading.Thread:
    """Look on a thread until the service says what became of a request; then tell it.

    Parameters
    ----------
    change : Change
        The request.
    told : callable
        Is called once, with what `Change.look` found.
    insist : bool
        Whether to send the request again while it has had no effect; for one that may take effect
        twice without harm.
    """

    def ask() -> None:
        pause = ASK_AGAIN[0]
        while True:
            time.sleep(pause)
            pause = min(2 * pause, ASK_AGAIN[1])
            try:
                found = change.look()
                if found is None and insist:
                    change.send()
                    continue
            except ServiceError:
                continue
            except OutcomeUnknown as error:
                logger.warning("%s", error)
                return
            told(found)
            return

    # nobody waits for it at the process's end
    thread = threading.Thread(target=ask, name="qsession-outcome", daemon=True)
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
    one is taken, and the others, which nobody else can mean, are cancelled.
    """
    jobs = line.jobs_tagged(tag).data["jobs"]
    if not jobs:
        return None
    first, *others = sorted(jobs, key=lambda job: (str(job.get("created")), str(job["id"])))
    for job in others:
        try:
            line.cancel_job(str(job["id"]))
        except ServiceError as error:
            logger.warning("Job %s was submitted twice; its twin remains: %s", job["id"], error)
    return {"id": str(first["id"]), "backend": str(first.get("backend") or "")}


def cancel_job(line: ServiceClient, job_id: str) -> Change[Any]:
    """Cancel a job."""
    own = _asking(line)

    def look() -> Any:
        answer = own.job(job_id)
        return None if is_pending(answer.data) else answer

    return Change(f"cancel job {job_id}", lambda: line.cancel_job(job_id), look)


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
    state = job.get("state")
    status = str(state.get("status") if isinstance(state, dict) else job.get("status"))
    return status.partition(" ")[0] in ("Queued", "Running")


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
    send = line.close_session if action == "close" else line.cancel_session
    own = _asking(line)

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

    return Change(f"{action} the session", lambda: send(session_id), look)


def _is_queued(job: dict[str, Any]) -> bool:
    state = job.get("state")
    return (state.get("status") if isinstance(state, dict) else job.get("status")) == "Queued"


class Opening:
    """A session that is being opened: what was there before, so that the new one can be told.

    Parameters
    ----------
    line : ServiceClient
        The service.
    backend, mode : str
        What is asked for; the mode as the service names it, ``dedicated`` or ``batch``.
    max_time : int or None
        Maximum time in seconds; None for the plan's.
    claimed : callable
        Whether a session of this id is known here: to this kernel, or by an entry of another's.
    earlier : tuple of (float, collection of str), optional
        `begun` and `before` of a request that was sent earlier; the service is asked without it.

    Attributes
    ----------
    begun : float or None
        When it was about to be sent, by the service's clock; None when unknown.
    before : collection of str
        Ids of the sessions that were there.
    """

    def __init__(
        self,
        line: ServiceClient,
        backend: str,
        mode: str,
        max_time: int | None,
        claimed: Callable[[str], bool],
        earlier: tuple[float, Collection[str]] | None = None,
    ):
        self._line = line
        self._backend = backend
        self._mode = mode
        self._max_time = max_time
        self._claimed = claimed
        self.before: Collection[str] = ()
        self.begun: float | None = None
        self._failed_at: float | None = None
        if earlier is not None:
            self.begun, self.before = earlier
            return
        try:
            known = self._listed()
        except ServiceError:
            # the request itself will tell what is wrong, or the looks after it
            return
        self.before = {str(item["id"]) for item in known.data["workloads"] if "id" in item}
        self.begun = known.date

    def look(self) -> dict[str, Any] | None:
        """The session that was opened, as the service answers the request.

        Raises
        ------
        ServiceError
            The service does not say.
        SeveralSessions
            There is more than one that it can be.
        """
        if self._failed_at is None:
            self._failed_at = time.monotonic()
        listed = self._listed()
        if self.begun is None:
            # nothing is known of the time before the request: any session may be older
            raise ServiceError("The service did not answer before the request.")
        ended = None
        if listed.date is not None:
            ended = listed.date - (time.monotonic() - self._failed_at)
        found = self._among(listed, ended)
        if len(found) > 1:
            raise SeveralSessions(found)
        return {"id": found[0]} if found else None

    def candidates(self, ended: float) -> list[str]:
        """Ids of the sessions that it may have opened, until a time of the service's clock."""
        return self._among(self._listed(), ended)

    def _among(self, listed: Answer, ended: float | None) -> list[str]:
        return [
            str(item["id"])
            for item in listed.data["workloads"]
            if "id" in item and self._may_be(item, ended) and self._fits(str(item["id"]))
        ]

    def _listed(self) -> Answer:
        mode = "batch" if self._mode == "batch" else "session"
        return self._line.workloads(mode=mode, user="me", sort="-createdAt", limit=50)

    def _may_be(self, item: dict[str, Any], ended: float | None) -> bool:
        session_id, created = str(item["id"]), read_time(item.get("created"))
        if session_id in self.before or self._claimed(session_id):
            return False
        if item.get("backend") != self._backend or created is None:
            return False
        begun = self.begun or 0.0
        return begun - CLOCK_MARGIN <= created and (
            ended is None or created <= ended + CLOCK_MARGIN
        )

    def _fits(self, session_id: str) -> bool:
        """Check that a session is as it was asked for, and that it has no jobs yet."""
        data = self._line.session(session_id).data
        if data.get("state") != "open" or not data.get("accepting_jobs", True):
            return False
        if self._max_time is not None and data.get("max_ttl") not in (None, self._max_time):
            return False
        return not self._line.jobs(session_id, limit=1).data["jobs"]


class SeveralSessions(OutcomeUnknown):
    """More than one session was opened while a request was under way.

    Attributes
    ----------
    session_ids : list of str
        Which; one of them may be the requested one.
    """

    def __init__(self, session_ids: list[str]):
        super().__init__("open the session")
        self.session_ids = session_ids

    def __str__(self) -> str:
        which = ", ".join(self.session_ids)
        return (
            f"The answer to the request was lost, and several sessions were opened meanwhile: "
            f"{which}. One of them may be yours: none was taken up, and none closed. %session list "
            "shows them; %session attach ID goes on in one, %session close ID ends it."
        )
