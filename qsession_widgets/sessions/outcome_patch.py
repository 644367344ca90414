"""The client library's requests that change something, each with an outcome that is known.

While a session is bound, these methods of the library's ``RuntimeClient`` go through
`qsession_widgets.client.unknown_outcome.settle`: ``program_run``, ``create_session``,
``close_session``, ``cancel_session``, ``job_cancel`` and ``update_tags``. What the service accepted
although its answer was lost is returned as if the answer had come. ``tests/unit/test_client.py``
fails when one of them is gone.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import os
from collections import deque
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import requests

from ..client.end_outcome import end_session
from ..client.job_outcome import MOST_TAGS, JobTwins, cancel_job, find_job, new_tag, tag_job
from ..client.opening_outcome import Opening, SessionTwins
from ..client.rest import ServiceClient
from ..client.transport import ClientTransport
from ..client.unknown_outcome import LOOK_TIMEOUT, Change, keep_asking, look_on, settle
from ..client.untagged_jobs import UntaggedSubmit
from ..deferred_output import NOTICES
from ..errors import OutcomeUnknown, ServiceError
from ..messages import lost_answers
from ..model import UnknownRequest
from ..registry import openings, submits
from ..registry.entries import entry_of
from ..resume.asking import Asking
from .job_facts import asks_for_the_same, primitive_of
from .lost_requests import LostAnswer, LostRequests, Request, nothing

EndAction = Literal["close", "cancel"]

MOST_JOBS = 1000
"""Jobs and sessions of this kernel that are remembered, so that none is taken for another's."""


class OutcomePatch:
    """Replaces the methods.

    Parameters
    ----------
    claimed : callable
        Whether a session of this id is known here: to this kernel, or by an entry of another's.
    unknown : callable
        Is told the session and the request whose outcome is not known; returns what is called once
        it is.
    recorded : callable
        Takes the id of a session that is ended and how, and returns a context for the request, in
        which the reason for the end is written down.
    ask : callable
        Takes the program and the arguments of a submit; gives its `Asking`, or None where it is
        neither recorded nor taken up.
    before : callable
        Takes the id of the session of a submit that is not paid for, and the backend's name, and
        returns that id: another one where it was opened now. May raise to refuse the submit.
    """

    def __init__(
        self,
        claimed: Callable[[str], bool],
        unknown: Callable[[str, UnknownRequest], Callable[[], object]],
        recorded: Callable[[str, EndAction], AbstractContextManager[None]] = lambda *_: (
            nullcontext()
        ),
        ask: Callable[[str, dict[str, Any]], Asking | None] = lambda _program, _given: None,
        before: Callable[[str | None, str], str | None] = lambda session_id, _backend: session_id,
    ):
        self._claimed = claimed
        self._unknown = unknown
        self._recorded = recorded
        self._ask = ask
        self._before = before
        self._transport = ClientTransport()
        self._originals: dict[str, Callable[..., Any]] = {}
        self._requests = LostRequests()
        self._got: deque[str] = deque(maxlen=MOST_JOBS)
        self._untagged: list[dict[str, Any]] = []

    def install(self) -> None:
        """Put them in."""
        if self._originals:
            return
        # the module that defines it has another name since 0.51
        from qiskit_ibm_runtime.qiskit_runtime_service import RuntimeClient

        self._transport.install()
        for name, made in (
            ("program_run", self._submits),
            ("create_session", self._opens),
            ("close_session", self._ends("close")),
            ("cancel_session", self._ends("cancel")),
            ("job_cancel", self._cancels_job),
            ("update_tags", self._tags_job),
        ):
            original = self._originals[name] = getattr(RuntimeClient, name)
            setattr(RuntimeClient, name, functools.wraps(original)(made(original)))

    def remove(self) -> None:
        """Take them out again."""
        from qiskit_ibm_runtime.qiskit_runtime_service import RuntimeClient

        for name, original in self._originals.items():
            setattr(RuntimeClient, name, original)
        self._originals = {}
        self._transport.remove()

    # ---------------------------------------------------------------------------------------------
    # Submits and openings

    def _is_known(self, session_id: str, key: str) -> bool:
        made = openings.is_made(session_id, key=key)
        return made or session_id in self._got or self._claimed(session_id)

    def _submits(self, original: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(original)

        def program_run(client: Any, *args: Any, **kwargs: Any) -> Any:
            given = signature.bind(client, *args, **kwargs).arguments
            given.pop(next(iter(signature.parameters)))
            asking = self._ask(str(given["program_id"]), dict(given))
            try:
                return submit(client, given, asking)
            except BaseException:
                # an interrupt, too, while what was paid for is looked up or the session is opened
                if asking is not None:
                    asking.refused()
                raise

        def submit(client: Any, given: dict[str, Any], asking: Asking | None) -> Any:
            primitive = primitive_of(str(given["program_id"]), given.get("params") or {})
            if asking is not None and (paid := asking.paid(_line(client))) is not None:
                self._got.append(paid["id"])
                return paid
            session_id = self._before(given.get("session_id"), str(given.get("backend_name") or ""))
            if session_id != given.get("session_id"):
                given["session_id"] = session_id
                if asking is not None:
                    asking.goes_to(session_id)
            tags = list(given.get("job_tags") or ())
            key = new_tag()
            tag = key if len(tags) < MOST_TAGS else None
            line = _line(client)
            doing = f"submit the {primitive} job"
            more = ""
            look: Callable[[], dict[str, Any] | None]
            if tag is None:
                untagged = UntaggedSubmit(
                    line, doing, session_id, tags, self._got.__contains__, self._told_same(given)
                )
                look = untagged.look
                self._untagged.append(given)
            else:
                more = lost_answers.how_to_find_job(tag)
                look = functools.partial(find_job, line, tag)
                given["job_tags"] = [*tags, tag]

            def same() -> str:
                asked = {**given, "job_tags": tags}
                return _fingerprint(line.base_url, str(client._instance), asked)

            def send() -> Any:
                if asking is not None:
                    asking.sending(tag)
                submits.note(
                    key,
                    session_id=session_id or "",
                    backend=str(given.get("backend_name") or ""),
                    primitive=primitive,
                    url=line.base_url,
                    instance=client._instance or "",
                    untagged=None if tag is not None else _marks(tags, given, untagged),
                )
                return original(client, **given)

            def twins(kept: str) -> Callable[[], object]:
                return untagged.look_for_twins if tag is None else JobTwins(line, tag, kept).look

            request = Request(
                Change(doing, send, look, _is_job, creates=True),
                same,
                more,
                functools.partial(lost_answers.job_found, primitive),
                lambda _: submits.settle(key),
                twins,
                lambda: self._unknown(session_id or "", "submit"),
            )
            try:
                accepted = self._requests.send(request)
                if accepted["id"] in self._got:
                    # one whose answer was lost, which a resume has taken up meanwhile
                    accepted = self._requests.send(request)
            finally:
                self._untagged = [one for one in self._untagged if one is not given]
            if asking is not None:
                asking.accepted(accepted["id"])
            self._got.append(accepted["id"])
            return accepted

        return program_run

    def _told_same(self, given: dict[str, Any]) -> Callable[[dict[str, Any]], bool | None]:
        """Tell whether a job asks for the same as a submit, and as no other that is under way."""

        def same(row: dict[str, Any]) -> bool | None:
            others = [one for one in self._untagged if one is not given]
            if any(asks_for_the_same(row, one) is not False for one in others):
                return None
            return asks_for_the_same(row, given)

        return same

    def _opens(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def create_session(
            client: Any,
            backend: str | None = None,
            instance: str | None = None,
            max_time: int | None = None,
            mode: str | None = None,
            **fields: Any,
        ) -> Any:
            line = _line(client)
            asked = (str(backend), mode or "dedicated", max_time)
            word = "batch" if mode == "batch" else "session"
            about: dict[str, Any] = {
                "backend": str(backend),
                "mode": mode or "dedicated",
                "max_time": max_time,
                "url": line.base_url,
            }
            key = ""

            def rival(session_id: str, opened: float) -> str | None:
                other = openings.rival(session_id, opened, key=key, **about)
                return None if other is None else other.whose

            opening = Opening(line, *asked, lambda one: self._is_known(one, key), rival)

            def send() -> Any:
                nonlocal key
                key = key or openings.note(
                    **about,
                    instance=client._instance or "",
                    begun=opening.begun or 0.0,
                    before=sorted(opening.before),
                )
                return original(client, backend, instance, max_time, mode, **fields)

            doing = f"open a {word} on {backend}"
            change = Change(doing, send, opening.look, _has_id, creates=True)

            def settled(found: dict[str, Any] | None) -> None:
                if key and found is not None:
                    openings.made(key, found["id"])
                elif key:
                    openings.settle(key)

            request = Request(
                change,
                lambda: str((line.base_url, instance, *asked)),
                lost_answers.how_to_find_session(word),
                functools.partial(lost_answers.session_found, word),
                settled,
                lambda kept: SessionTwins(opening, word, kept).look,
            )
            opened = self._requests.send(request)
            self._got.append(opened["id"])
            taken = entry_of(opened["id"])
            if taken is not None and taken.process != os.getpid():
                NOTICES.emit(lost_answers.taken_elsewhere(opened["id"], taken.notebook))
            return opened

        return create_session

    # ---------------------------------------------------------------------------------------------
    # Ends and tags

    def _ends(self, action: EndAction) -> Callable[[Any], Callable[..., Any]]:
        def made(_original: Any) -> Callable[..., Any]:
            def end(client: Any, session_id: str) -> None:
                try:
                    with self._recorded(session_id, action):
                        _insist(
                            client,
                            lambda line: end_session(line, action, session_id),
                            lambda: self._unknown(session_id, action),
                        )
                except ServiceError as error:
                    if error.status == 404 and action == "close":
                        return
                    raise _of_the_clients(error) from error

            return end

        return made

    def _cancels_job(self, _original: Any) -> Callable[..., Any]:
        def job_cancel(client: Any, job_id: str) -> None:
            try:
                _insist(client, lambda line: cancel_job(line, job_id))
            except ServiceError as error:
                raise _of_the_clients(error) from error

        return job_cancel

    def _tags_job(self, _original: Any) -> Callable[..., Any]:
        def update_tags(client: Any, job_id: str, tags: Collection[str]) -> Any:
            try:
                _insist(client, lambda line: tag_job(line, job_id, tags))
            except ServiceError as error:
                raise _of_the_clients(error) from error
            response = requests.Response()
            response.status_code = 204
            return response

        return update_tags


def _line(client: Any) -> ServiceClient:
    line = ServiceClient.beside(client)
    line.timeout = LOOK_TIMEOUT
    return line


def _insist(
    client: Any,
    change_of: Callable[[ServiceClient], Change[Any]],
    unknown: Callable[[], Callable[[], object]] = lambda: nothing,
) -> None:
    """Have something done that may be asked for twice without harm."""
    line = ServiceClient.beside(client)
    change = change_of(line)
    try:
        settle(change)
    except KeyboardInterrupt:
        known = unknown()
        look_on(change, lambda _: known())
        raise
    except OutcomeUnknown:
        lost = LostAnswer(change.doing)
        known = unknown()

        def told(_found: Any) -> None:
            known()
            NOTICES.emit(lost_answers.took_effect(change.doing, True))

        lost.asking = keep_asking(change, told, insist=True, gone=known)
        raise lost from None
    line.close()


def _of_the_clients(error: ServiceError) -> Exception:
    from qiskit_ibm_runtime.api.exceptions import RequestsApiError

    status = -1 if error.status is None else error.status
    return RequestsApiError(error.message, status)  # type: ignore[no-any-return]


def _fingerprint(*parts: Any) -> str:
    from qiskit_ibm_runtime import RuntimeEncoder

    text = json.dumps(parts, cls=RuntimeEncoder)
    return hashlib.sha256(text.encode()).hexdigest()


def _has_id(answer: Any) -> bool:
    return isinstance(answer, dict) and isinstance(answer.get("id"), str) and bool(answer["id"])


def _is_job(answer: Any) -> bool:
    # the client library reads its backend, too
    return _has_id(answer) and isinstance(answer.get("backend", 0), str | None)


def _marks(
    tags: Collection[str], given: dict[str, Any], untagged: UntaggedSubmit
) -> submits.Untagged:
    """The marks of a submit whose job carries no tag of ours."""
    # numpy is imported with it
    from ..resume.fingerprint import contents_of

    program = str(given["program_id"])
    return submits.Untagged(
        tags=list(tags),
        program=program,
        contents=contents_of(program, given.get("params") or {}),
        begun=untagged.begun,
        before=untagged.recent,
    )
