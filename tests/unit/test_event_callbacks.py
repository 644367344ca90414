"""Callbacks for events: on the loop where there is one, and harmless when they fail."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from qsession_widgets.deferred_output import NOTICES
from qsession_widgets.errors import UserError
from qsession_widgets.monitoring.event_callbacks import EventCallbacks

from ..support.waiting import wait_for

DONE = {"event": "job_done", "job": "a"}
CLOSED = {"event": "closed"}


def test_each_is_called_for_its_own_kind_until_it_is_taken_off() -> None:
    callbacks, done, every = EventCallbacks(), list[Any](), list[Any]()
    remove = callbacks.add("job_done", done.append)
    callbacks.add("*", every.append)
    callbacks.tell(DONE)
    callbacks.tell(CLOSED)
    wait_for(lambda: len(every) == 2, "the first two")
    remove()
    remove()
    callbacks.tell(DONE)
    wait_for(lambda: len(every) == 3, "the third")
    assert done == [DONE]
    assert every == [DONE, CLOSED, DONE]


def test_where_a_loop_runs_in_the_main_thread_it_is_called_there() -> None:
    callbacks, threads = EventCallbacks(), list[threading.Thread]()

    async def cell() -> None:
        called = asyncio.Event()

        def note(_event: dict[str, Any]) -> None:
            threads.append(threading.current_thread())
            called.set()

        callbacks.add("closed", note)
        await asyncio.to_thread(callbacks.tell, CLOSED)
        await called.wait()

    asyncio.run(cell())
    assert threads == [threading.main_thread()]
    # its loop is over now
    callbacks.tell(CLOSED)
    wait_for(lambda: len(threads) == 2, "the call on a thread of its own")
    assert threads[1] not in (threading.main_thread(), threading.current_thread())


def test_one_may_wait_for_what_the_teller_holds() -> None:
    # as a request of the session's does: it is told of events under locks of the monitor's
    callbacks, lock, order = EventCallbacks(), threading.Lock(), list[str]()

    def ends_the_session(event: dict[str, Any]) -> None:
        with lock:
            order.append(event["event"])

    callbacks.add("*", ends_the_session)
    with lock:
        callbacks.tell(DONE)
        callbacks.tell(CLOSED)
        assert order == []
    wait_for(lambda: order == ["job_done", "closed"], "the calls, in order")


def test_what_one_raises_is_told_once_and_keeps_no_other_from_being_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    callbacks, told, called = EventCallbacks(), list[str](), list[Any]()
    monkeypatch.setattr(NOTICES, "emit", told.append)

    def fails(event: dict[str, Any]) -> None:
        raise KeyError(event["event"])

    callbacks.add("closed", fails)
    callbacks.add("closed", called.append)
    callbacks.tell(CLOSED)
    callbacks.tell(CLOSED)
    wait_for(lambda: called == [CLOSED, CLOSED], "the other's calls")
    assert told == [
        "The callback fails failed for the event closed (KeyError: 'closed'). It stays added; if "
        "it fails again, that is not told."
    ]


def test_an_event_that_does_not_exist_is_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"no event 'jobdone'\. Did you mean job_done"):
        EventCallbacks().add("jobdone", print)
    with pytest.raises(UserError, match="is a function, not 3"):
        EventCallbacks().add("closed", 3)  # type: ignore[arg-type]
