"""Requests that change something and whose answer is lost, or makes no sense: what became of them.

The outcome of a request is unknown when no answer came to it (the connection broke before or
within the answer, or the time was up), when the answer cannot be read, and when it was an error of
the service's own (status 5xx) or of a gateway that waited too long (408), which may come after the
effect. `settle` then looks at the service, before anything is said or sent again:

- a job is found by the random tag that its submit carried: see
  `qsession_widgets.client.job_outcome`;
- a session has no tag: see `qsession_widgets.client.opening_outcome`;
- a session is ended when it takes no more jobs: see `qsession_widgets.client.end_outcome`;
- a job is ended when its status is final.

A conflict (409) is the service's word that the request is refused, and mostly for what is so
already: one look tells whether by the request itself. Any other refusal is taken at its word, but
for one of a request that was sent before, which may have had an effect all the same.

Where the service knows no such session or job any more, there is no end to ask for: after some such
answers that is told, and the asking is over.

That it has not taken effect yet is no proof that it never will: what was given up by a gateway, or
by the client, may still be on its way. A request that makes something is looked for in the
background as long as that (`keep_asking`, `keep_looking`), also when it was sent again meanwhile.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from ..deferred_output import NOTICES
from ..errors import OutcomeUnknown, ServiceError
from ..explanations import is_conflict, is_unknown, never_sent, was_given_up
from ..messages.lost_answers import interrupted_end, no_longer_known, took_effect
from .absence import Absence

logger = logging.getLogger(__name__)

T = TypeVar("T")

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
    about : {"session", "job"}
        What it is about.
    meant : callable
        Whether what a look has found after a conflict is what the request was to bring about.
    """

    doing: str
    send: Callable[[], Any]
    look: Callable[[], T | None]
    understood: Callable[[Any], bool] = field(default=lambda _: True)
    creates: bool = False
    about: str = "session"
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
    gone: Callable[[], object] = lambda: None,
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
    gone : callable
        Is called in place of `told` where the service does not know any more what the request,
        which makes nothing, was about; that is said.
    """
    absence = Absence()

    def ask() -> None:
        pause, until = ASK_AGAIN[0], time.monotonic() + ON_ITS_WAY
        while True:
            time.sleep(pause)
            late = time.monotonic() > until
            pause = min(2 * pause, ASK_AGAIN[1] if late else WHILE_ON_ITS_WAY)
            try:
                found = change.look()
                absence.told()
                if found is None and insist:
                    change.send()
                    continue
            except ServiceError as error:
                if absence.told(error) and not change.creates:
                    gone()
                    NOTICES.emit(no_longer_known(change.doing, change.about))
                    return
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
    keep_asking(change, told, gone=lambda: known(None))


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
