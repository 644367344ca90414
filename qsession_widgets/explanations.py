"""Errors of the service and of the client library, explained: a sentence, and what helps.

`explain` is for a request of ours that failed, `advise` for an error that stopped the user's cell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import SequenceMatcher
from traceback import walk_tb
from typing import Any

from .errors import (
    NO_SESSIONS_ON_PLAN,
    ServiceError,
    Unreadable,
    UserError,
)
from .messages.old_calls import OLD_CALLS
from .messages.service_errors import ADVICE, EXCEPTIONS, STATUSES, Advice

ALIKE = 0.6
"""Similarity of two words, from 0 to 1, from which on one is offered for the other."""

NO_WORSE = 0.12
"""By how much less than the best of them further words may be alike."""


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
        error = dict(body["errors"][0])
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return found
    code = str(error.get("code", ""))
    found["code"] = int(code) if code.isdecimal() and len(code) < 10 else None
    found["message"] = str(error.get("message", ""))
    found["solution"] = str(error.get("solution", ""))
    found["trace"] = str(body.get("trace", ""))
    return found


def explain(
    error: BaseException, *, doing: str, service: str = "ibm", opening: bool = False
) -> str:
    """One sentence, or a few, for an error that came from the service or the client library.

    Parameters
    ----------
    error : BaseException
        What was raised.
    doing : str
        What was being done, as in "open a session on ibm_fez".
    service : {"ibm", "local", "joined"}
        Which service it came from.
    opening : bool
        Whether nothing is open yet; then the way on without IBM is named.

    Returns
    -------
    str
        What happened and what to do; the service's own words and its trace id follow.
    """
    status, parts = _said(error)
    code, message = parts["code"], parts["message"]
    advice = advice_for(code, status)
    silent = unanswered(error)
    if advice is None and not silent and not message:
        advice = _advice_for_class(error)
        message = _first_line(str(error)).strip("'\"") if advice is not None else message
    ibm = service == "ibm"
    if silent:
        text = f"Could not {doing}: {_silence(error, service)}"
    elif service == "joined" and status == 401:
        text = (
            f"Could not {doing}: the service does not know your key any more. Ask for another one, "
            "then qsession leave and qsession join."
        )
        message = ""
    elif advice is not None:
        text = f"Could not {doing}: {_lower_first(advice.what)}. {advice.do}"
        if ibm and code == NO_SESSIONS_ON_PLAN:
            text += " To rehearse a session without one, use --service local."
    else:
        reason = message or _first_line(str(error)) or type(error).__name__
        solution = parts["solution"]
        text = f"Could not {doing}: {reason.rstrip('.')}." + (f" {solution}" if solution else "")
    if ibm and opening and "--service local" not in text and (silent or status in (401, 403)):
        text += " To go on without IBM, use --service local."
    if advice is not None and message:
        said = "The service said" if parts["message"] else "The client library said"
        text += f"\n{said}: {message}" + (f" (code {code})" if code else "")
    if parts["trace"]:
        text += f"\nTrace id: {parts['trace']}"
    return text


def still_open(error: BaseException, session_id: str) -> str:
    """Sentences about a session that could not be ended: that it may cost, and how to end it."""
    status, _ = _said(error)
    if not unanswered(error) and (status or 0) < 500:
        return ""
    return f" It may still be open and cost: try again, or qsession close {session_id}."


def unanswered(error: BaseException) -> bool:
    """True if nobody knows what became of a request, because no answer came that says so."""
    status, parts = _said(error)
    return status in (None, -1) and not parts["code"] and _looks_like_network(error)


NOT_CONNECTED = (
    *("NewConnectionError", "ConnectTimeoutError", "ConnectTimeout", "NameResolutionError"),
    "SSLCertVerificationError",
)
"""Errors, of ``requests`` and ``urllib3``, of a request that never left this machine."""


GATEWAY_TIMEOUTS = (408, 504, 524)
"""Statuses by which something before the service says that it has waited long enough."""


def never_sent(error: BaseException) -> bool:
    """True if a request failed before it could reach the service, so that it had no effect."""
    causes = list(_causes(error))
    if any(type(cause).__name__ in NOT_CONNECTED for cause in causes):
        return True
    # one that was reached may have passed the request on, if it was not asked for a tunnel first
    proxied = any(type(cause).__name__ == "ProxyError" for cause in causes)
    return proxied and any("Tunnel connection failed" in str(cause) for cause in causes)


def is_unknown(error: BaseException) -> bool:
    """True if a request that failed may have taken effect: nothing that came back denies it.

    That is so when the answer was lost or cannot be read, and of any error of the service's own
    (status 5xx) or of a gateway that waited too long (408), which may come after the effect.
    """
    if never_sent(error):
        return False
    if isinstance(error, Unreadable):
        return True
    status, parts = _said(error)
    if status is not None and status >= 0:
        return status >= 500 or status < 400 or status in GATEWAY_TIMEOUTS
    return not parts["code"] and any(_looks_like_network(cause) for cause in _causes(error))


def is_conflict(error: BaseException) -> bool:
    """True if a request was refused for what is so already (status 409), perhaps by itself."""
    return _said(error)[0] == 409


def was_given_up(error: BaseException) -> bool:
    """True if nobody waits any more for an answer that the service may still be working at."""
    status, _ = _said(error)
    if status in GATEWAY_TIMEOUTS or getattr(error, "kind", "") == "timeout":
        return True
    return any(
        type(cause).__name__ in ("ReadTimeout", "ReadTimeoutError") for cause in _causes(error)
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error, what caused it, and the reasons that ``urllib3`` keeps in errors' arguments."""
    waiting, seen = [error], set()
    while waiting:
        cause = waiting.pop()
        if id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        parts = (cause.__cause__, cause.__context__, getattr(cause, "reason", None), *cause.args)
        waiting += [part for part in parts if isinstance(part, BaseException)]


def _said(error: BaseException) -> tuple[int | None, dict[str, Any]]:
    """The HTTP status of the answer behind an error, and what `read_error_body` found in it."""
    if isinstance(error, ServiceError):
        return error.status, vars(error)
    answered = _answer(error)
    for told in (answered, answered.__cause__):
        if isinstance(told, ServiceError):
            return told.status, vars(told)
    return (
        getattr(answered, "status_code", None),
        read_error_body(str(getattr(answered, "message", answered))),
    )


def _silence(error: BaseException, service: str) -> str:
    """The problem where no answer came, and its remedy, as the end of a sentence and another."""
    text = str(error)
    if isinstance(error, ServiceError) and error.kind == "timeout":
        return f"{_lower_first(error.message)} Try again in a minute."
    # the client library has asked again and again, and kept none of the answers
    if failed := re.search(r"too many (\d{3}) error responses", text):
        return f"the service answered {failed[1]} each time it was asked. Try again in a minute."
    if any("CERTIFICATE_VERIFY_FAILED" in str(cause) for cause in _causes(error)):
        if service == "joined":
            return "its certificate is not trusted any more. Leave it, and join again with --ca."
        return (
            "its certificate is not trusted here. Where a company signs it, set REQUESTS_CA_BUNDLE "
            "to the file of the company's certificates, and start the kernel again."
        )
    if any(type(cause).__name__ == "ProxyError" for cause in _causes(error)):
        return (
            "the proxy that HTTPS_PROXY names cannot be reached, or does not let requests through "
            "to it. Check HTTPS_PROXY and NO_PROXY."
        )
    if service != "local":
        return "the service cannot be reached. Check the network and try again."
    return (
        "the local emulator does not answer. If it has ended, the cell with %%session, or qsession "
        "emulator start, starts it again."
    )


@contextmanager
def as_user_error(doing: str, service: str = "ibm") -> Iterator[None]:
    """Turn a `ServiceError` of what is done in the block into a `UserError` that `explain` wrote.

    Parameters
    ----------
    doing, service
        As of `explain`.
    """
    try:
        yield
    except ServiceError as error:
        # without the client library's frames: the sentence is the whole message
        raise UserError(explain(error, doing=doing, service=service), code=error.kind) from None


UNBOUND: Mapping[str, str] = {"backend": "backend", "service": "QiskitRuntimeService()"}
"""Expressions of advice where no session is bound."""


def advise(error: BaseException, bound: Mapping[str, str] = UNBOUND) -> str | None:
    """Advice about an error that stopped the user's own code, if the client library is concerned.

    Parameters
    ----------
    error : BaseException
        What was raised.
    bound : mapping
        The expressions by which a cell reaches the bound ``backend`` and its ``service``.

    Returns
    -------
    str or None
        A sentence or two; None for an error that has nothing to do with it, or explains itself.
    """
    if isinstance(error, UserError):
        return None
    text = f"{type(error).__name__}: {error}"
    known = next((OLD_CALLS[call] for call in OLD_CALLS if re.search(call, text)), None)
    if known is not None:
        words = {**bound, "registers": _registers(error)}
        found: Advice | None = Advice(known.what.format(**words), known.do.format(**words))
    else:
        found = None
    if found is None and _is_the_clients(error):
        status, parts = _said(error)
        in_words = re.search(r"[Ee]rror code (\d+)", text)
        code = parts["code"] or (int(in_words[1]) if in_words else None)
        found = advice_for(code, status)
        if found is None and in_words is None:
            found = _advice_for_class(error)
        if found is None and unanswered(error):
            return f"What this means: {_silence(error, 'ibm')}"
    if found is None:
        return None
    return f"What this means: {_lower_first(found.what)}. {found.do}"


def _registers(error: BaseException) -> str:
    """The classical registers of the result that an `AttributeError` is about."""
    result: Any = getattr(error, "obj", None)
    names = list(result) if type(result).__name__ == "DataBin" else []
    return " and ".join(names) or "none"


def went_through_client(error: BaseException) -> bool:
    """True if an error came out of the client library, or of what that called."""
    frames = (frame.f_globals.get("__name__") for frame, _ in walk_tb(error.__traceback__))
    return any(str(name).startswith("qiskit_ibm_runtime") for name in frames)


def answer_code(error: BaseException) -> int | None:
    """The service's error code behind an error of the client library's; None when it has none."""
    found = _said(error)[1]["code"]
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
        if hasattr(seen, "status_code") or isinstance(seen, ServiceError):
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
        bool(names & {"RequestException", "ConnectionError", "ServiceError", "ApiException"})
        or bool(re.search(r"(Max retries|Connection refused|timed out|resolve)", str(error)))
        or (chain is not None and chain is not error and _looks_like_network(chain))
    )


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:300] if text.strip() else ""
