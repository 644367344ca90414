"""What goes wrong, in a sentence: what was wrong, what is allowed, and what to do.

`UserError` carries such a sentence to whoever shows it: a magic, the panel, the command line.
`explain` makes one of whatever the service or the client library raised.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import SequenceMatcher
from typing import Any

from .advice import ADVICE, EXCEPTIONS, STATUSES, Advice

__all__ = [
    "ADVICE",
    "EXCEPTIONS",
    "STATUSES",
    "Advice",
    "ServiceError",
    "UserError",
    "advice_for",
    "advise",
    "answer_code",
    "explain",
    "explained",
    "nearest",
    "read_error_body",
]


NO_SESSIONS_ON_PLAN = 1352

ALIKE = 0.6
"""How much two words have in common at least, from 0 to 1, for one to be offered for the other."""
NO_WORSE = 0.12
"""By how much less than the best of them further words may be alike."""


class UserError(Exception):
    """Something a person can put right; its text is the whole message, no traceback is needed."""

    def __str__(self) -> str:
        # qiskit's errors, with which subclasses are mixed, put quotes around theirs
        return str(self.args[0]) if self.args else ""


class ServiceError(Exception):
    """The service answered a request with an error, or did not answer.

    Attributes
    ----------
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
    ):
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.solution = solution
        self.trace = trace
        self.retry_after = retry_after


def advice_for(code: int | None, status: int | None = None) -> Advice | None:
    """Advice for an error code, or for an HTTP status where the code is unknown."""
    found = ADVICE.get(code) if code is not None else None
    return found or (STATUSES.get(status) if status is not None else None)


def read_error_body(text: str) -> dict[str, Any]:
    """Find the service's error in an answer's body, or in a text that contains it.

    Returns
    -------
    dict
        ``code`` (int or None), ``message``, ``solution``, ``trace``; empty strings where nothing
        was found.
    """
    found: dict[str, Any] = {"code": None, "message": "", "solution": "", "trace": ""}
    start = text.find('{"errors"')
    if start < 0:
        start = text.find("{")
    if start < 0:
        return found
    try:
        body, _ = json.JSONDecoder().raw_decode(text[start:])
        error = body["errors"][0]
    except (ValueError, KeyError, IndexError, TypeError):
        return found
    code = str(error.get("code", ""))
    found["code"] = int(code) if code.isdigit() else None
    found["message"] = str(error.get("message", ""))
    found["solution"] = str(error.get("solution", ""))
    found["trace"] = str(body.get("trace", ""))
    return found


def explain(error: BaseException, *, doing: str, service: str = "ibm") -> str:
    """One sentence, or a few, for an error that came from the service or the client library.

    Parameters
    ----------
    error : BaseException
        What was raised.
    doing : str
        What was being done, as in "open a session on ibm_fez".
    service : {"ibm", "local"}
        Which service it came from; for IBM's the way on without it is named.

    Returns
    -------
    str
        What happened and what to do; the service's own words and its trace id follow.
    """
    if isinstance(error, ServiceError):
        status, parts = error.status, vars(error)
    else:
        answered = _answer(error)
        status = getattr(answered, "status_code", None)
        parts = read_error_body(str(getattr(answered, "message", answered)))
    code, message = parts["code"], parts["message"]
    advice = advice_for(code, status)
    unreachable = status in (None, -1) and not code and _looks_like_network(error)
    if advice is None and not unreachable and not message:
        advice = _advice_for_class(error)
        message = _first_line(str(error)) if advice is not None else message
    ibm = service == "ibm"
    late = re.search(r"did not answer within [\d.]+ s", str(error))
    if unreachable and late:
        text = f"Could not {doing}: the service {late[0]}. Try again in a minute."
    elif unreachable:
        text = f"Could not {doing}: the service cannot be reached. Check the network and try again."
    elif advice is not None:
        text = f"Could not {doing}: {_lower_first(advice.what)}. {advice.do}"
        if ibm and code == NO_SESSIONS_ON_PLAN:
            text += " To rehearse a session without one, use --service local."
    else:
        reason = message or _first_line(str(error)) or type(error).__name__
        solution = parts["solution"]
        text = f"Could not {doing}: {reason.rstrip('.')}." + (f" {solution}" if solution else "")
    if ibm and "--service local" not in text and (unreachable or status in (401, 403)):
        text += " To go on without IBM, use --service local."
    if advice is not None and message:
        said = "The service said" if parts["message"] else "The client library said"
        text += f"\n{said}: {message}" + (f" (code {code})" if code else "")
    if parts["trace"]:
        text += f"\nTrace id: {parts['trace']}"
    return text


@contextmanager
def explained(doing: str, service: str = "ibm") -> Iterator[None]:
    """Turn a `ServiceError` of what is done in the block into a `UserError` that `explain` wrote.

    Parameters
    ----------
    doing, service
        As of `explain`.
    """
    try:
        yield
    except ServiceError as error:
        raise UserError(explain(error, doing=doing, service=service)) from error


def advise(error: BaseException) -> str | None:
    """What an error of the client library's means that stopped the user's own code.

    Returns
    -------
    str or None
        A sentence or two; None for an error that is not the client library's, or explains itself.
    """
    if isinstance(error, UserError) or not _is_the_clients(error):
        return None
    answered = _answer(error)
    parts = read_error_body(str(getattr(answered, "message", answered)))
    in_words = re.search(r"[Ee]rror code (\d+)", str(error))
    code = parts["code"] or (int(in_words[1]) if in_words else None)
    found = advice_for(code, getattr(answered, "status_code", None)) or _advice_for_class(error)
    if found is None:
        return None
    return f"What this means: {_lower_first(found.what)}. {found.do}"


def answer_code(error: BaseException) -> int | None:
    """The service's error code behind an error of the client library's; None when it has none."""
    answered = _answer(error)
    found = read_error_body(str(getattr(answered, "message", answered)))["code"]
    return None if found is None else int(found)


def nearest(word: str, known: list[str], *, limit: int = 3) -> str:
    """Words that look like one that is not known, as ``a, b or c``; empty when none does.

    Capitals and the signs between letters do not count: ``FakeFez`` is ``fake_fez``.
    """
    wanted = _bare(word)
    likeness = {name: SequenceMatcher(None, wanted, _bare(name)).ratio() for name in known}
    best = max(likeness.values(), default=0.0)
    if best >= ALIKE:
        close = [name for name in known if likeness[name] >= max(ALIKE, best - NO_WORSE)]
    else:
        close = [name for name in known if _holds(wanted, _bare(name))]
    close = sorted(close, key=lambda name: -likeness[name])[:limit]
    return " or ".join(filter(None, [", ".join(close[:-1]), close[-1] if close else ""]))


def _bare(word: str) -> str:
    return re.sub(r"[\W_]", "", word).lower()


def _holds(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return len(short) >= 3 and short in long


def _answer(error: BaseException) -> BaseException:
    """The error among an error's causes that holds the service's answer as it came.

    The client library wraps it in others and quotes it on the way, which spoils the JSON.
    """
    seen: BaseException | None = error
    while seen is not None:
        if hasattr(seen, "status_code"):
            return seen
        seen = seen.__cause__ or seen.__context__
    return error


def _advice_for_class(error: BaseException) -> Advice | None:
    if not _is_the_clients(error):
        return None
    names = (cls.__name__ for cls in type(error).__mro__)
    return next((EXCEPTIONS[name] for name in names if name in EXCEPTIONS), None)


def _is_the_clients(error: BaseException) -> bool:
    return type(error).__module__.startswith(("qiskit_ibm_runtime", "qiskit.providers"))


def _looks_like_network(error: BaseException) -> bool:
    names = {cls.__name__ for cls in type(error).__mro__}
    chain = error.__cause__ or error.__context__
    return (
        bool(names & {"ConnectionError", "Timeout", "ServiceError", "ApiException"})
        or bool(re.search(r"(Max retries|Connection refused|timed out|resolve)", str(error)))
        or (chain is not None and chain is not error and _looks_like_network(chain))
    )


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:300] if text.strip() else ""
