"""Errors with a sentence for people: what was wrong, what is allowed, and what to do.

`UserError` carries such a sentence to a magic, the panel or the command line; `ServiceError` is an
answer of the service's. `qsession_widgets.explanations` turns other errors into sentences.
"""

from __future__ import annotations

from threading import Thread
from typing import Any, Literal

from .messages.problems import Spelling, option_problem, sentence

NO_SESSIONS_ON_PLAN = 1352


class UserError(Exception):
    """An error that a person can put right; its text is the whole message, without a traceback.

    Parameters
    ----------
    *args
        The sentence; made from the code and the facts when not given.
    code : str
        Identifies the error to other parts, which never read its sentence: one of
        `qsession_widgets.messages.problems.SENTENCES`, or a `ServiceError.kind` when it comes from
        the service. Empty where no part reads it.
    **facts
        Values for the sentence.
    """

    def __init__(self, *args: object, code: str = "", **facts: Any):
        super().__init__(*(args or ([sentence(code, facts)] if code else [])))
        self.code = code
        self.facts = facts

    def __str__(self) -> str:
        # qiskit's errors, with which subclasses are mixed, put quotes around theirs
        return str(self.args[0]) if self.args else ""


class InvalidOption(UserError):
    """An option has a value that makes no sense, or does not go with another one.

    Its text is spelled for a magic's line; `spelled` gives the same error for another place.

    Parameters
    ----------
    option : str
        Its name, such as ``max-time`` or ``local-speed``; several have commas between.
    value : object
        The value that was given.
    problem : str
        A key of `qsession_widgets.messages.problems.OPTION`, or a template like those.
    spelling : {"line", "python", "emulator"}
        See `qsession_widgets.messages.problems.spell`.
    **facts
        ``choices``, the values there are; ``example``, a value that makes sense.
    """

    def __init__(
        self,
        option: str,
        value: object,
        problem: str,
        *,
        spelling: Spelling = "line",
        **facts: object,
    ):
        super().__init__(option_problem(problem, option, value, facts, spelling))
        self.option = option
        self.value = value
        self.problem = problem
        self.facts = facts

    def spelled(self, spelling: Spelling) -> InvalidOption:
        """The same error with the option as it is written elsewhere."""
        again: dict[str, Any] = dict(self.facts)
        return InvalidOption(self.option, self.value, self.problem, spelling=spelling, **again)


ErrorKind = Literal["timeout", "unreachable", "not_found", "conflict", "refused"]

_KINDS: dict[int | None, ErrorKind] = {None: "unreachable", 404: "not_found", 409: "conflict"}


class ServiceError(Exception):
    """The service answered a request with an error, or did not answer.

    Attributes
    ----------
    kind : str
        ``timeout``: no answer in time; ``unreachable``: no connection; ``not_found`` (status 404);
        ``conflict`` (status 409); ``refused``: any other error.
    status : int or None
        HTTP status; None when there was no answer.
    code : int or None
        The service's own error code.
    message, solution : str
        The service's own words.
    trace : str
        The id by which the service's support finds the request.
    retry_after : float or None
        Seconds the service asked to wait.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: int | None = None,
        solution: str = "",
        trace: str = "",
        retry_after: float | None = None,
        kind: ErrorKind | None = None,
    ):
        super().__init__(message)
        self.kind: ErrorKind = kind or _KINDS.get(status, "refused")
        self.message = message
        self.status = status
        self.code = code
        self.solution = solution
        self.trace = trace
        self.retry_after = retry_after


class Unreadable(ServiceError):
    """The service answered something that cannot be read as what was asked for."""

    def __init__(self, message: str = "The service's answer cannot be read.", **fields: Any):
        super().__init__(message, **fields)


class OutcomeUnknown(UserError):
    """The answer to a request was lost, and it is not known whether the request took effect.

    Parameters
    ----------
    doing : str
        What was asked for, as in "submit the sampler job".
    more : str
        Further sentences: what it would cost, and how to find out.

    Attributes
    ----------
    asking : Thread or None
        Ends when the service has said what became of it.
    """

    asking: Thread | None = None

    def __init__(self, doing: str, more: str = ""):
        super().__init__(doing)
        self.code = "outcome_unknown"
        self.doing = doing
        self.more = more

    def wait(self) -> None:
        """Wait until the service has said what became of it; may be interrupted."""
        while self.asking is not None and self.asking.is_alive():
            self.asking.join(1.0)

    def __str__(self) -> str:
        text = (
            f"It is not known whether the request to {self.doing} took effect, it may have been "
            "accepted: its answer was lost, and the service does not say. It is asked until it "
            "does."
        )
        return " ".join(filter(None, [text, self.more]))
