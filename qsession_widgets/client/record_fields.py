"""Fields of the service's records that the client library reads, and what has to stand in them.

Where one of them is missing or of another kind, the library fails with an error of Python's own, or
hands out what is wrong. `misfit` finds such a field before the library reads it. Fields that it
hands on as they are may hold anything, and so may those that it does not know.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .decode import read_time

_NOTHING = object()
MOST_BYTES = 1_000_000
"""Length of a record that is looked at, at most: reading it twice would take longer than it took to
come. Only a job's own parameters make one longer."""


@dataclass(frozen=True)
class _Field:
    """Contents that a field may have: a word for them, their test, and the fields inside.

    ``missing`` and ``null`` say whether the field may be missing, or null.
    """

    word: str
    fits: Callable[[Any], bool]
    missing: bool = True
    null: bool = True
    inside: Mapping[str, _Field] = field(default_factory=dict)
    each: _Field | None = None

    def misfit(self, value: Any, path: str) -> str:
        """The first field that does not fit, as the end of a sentence; empty when all do."""
        if (value is _NOTHING and self.missing) or (value is None and self.null):
            return ""
        if value is _NOTHING:
            return f"{path} is missing"
        if not self.fits(value):
            return f"{path or 'it'} is {_shown(value)}, where {self.word} belongs"
        for name, part in self.inside.items():
            if found := part.misfit(value.get(name, _NOTHING), f"{path}.{name}".lstrip(".")):
                return found
        for number, item in enumerate(value if self.each is not None else ()):
            if self.each is not None and (found := self.each.misfit(item, f"{path}[{number}]")):
                return found
        return ""


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and read_time(value) is not None


def _kind(*types: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, types)


def _object(inside: Mapping[str, _Field], *, missing: bool = False, null: bool = False) -> _Field:
    return _Field("an object", _kind(dict), missing, null, inside)


_ID = _Field("an id", lambda value: isinstance(value, str) and bool(value), False, False)
_TEXT = _Field("a text", _kind(str))
_WORD = _Field("a text", _kind(str), False, False)
_FLAG = _Field("true or false", _kind(bool), False, False)
_COUNT = _Field("a number", lambda value: type(value) is int and value >= 0, False, False)
_TIME = _Field("a time", _is_time)
_TAGS = _Field("a list", _kind(list), each=_WORD)
_ROW = {
    "id": _ID,
    "backend": _TEXT,
    "created": _TIME,
    "session_id": _TEXT,
    "program": _object({"id": _TEXT}, missing=True),
    "tags": _TAGS,
    "params": _object({}, missing=True, null=True),
}
_JOB = _object({**_ROW, "state": _object({"status": _WORD, "reason": _TEXT})})
_ROWS = _Field("a list", _kind(list), False, False, each=_object(_ROW))
_JOBS = _object({"jobs": _ROWS, "count": _COUNT})
_TIMES = _object(dict.fromkeys(("created", "running", "finished"), _TIME), missing=True)
_METRICS = _object({"timestamps": _TIMES, "usage": _object({}, missing=True)})
_SESSION = _object({"state": _WORD, "accepting_jobs": _FLAG, "backend_name": _TEXT, "mode": _TEXT})
_RECORDS = (
    (re.compile(r"/jobs"), _JOBS),
    (re.compile(r"/jobs/[^/]+"), _JOB),
    (re.compile(r"/jobs/[^/]+/metrics"), _METRICS),
    (re.compile(r"/sessions/[^/]+"), _SESSION),
)


def misfit(path: str, body: bytes) -> str:
    """The first field of a record that the client library cannot read, as the end of a sentence.

    Parameters
    ----------
    path : str
        Path of the request, below the API's address.
    body : bytes
        What was answered.

    Returns
    -------
    str
        Such as "state.status is null, where a text belongs"; empty where all can be read.
    """
    known = next((fields for pattern, fields in _RECORDS if pattern.fullmatch(path)), None)
    if known is None or len(body) > MOST_BYTES:
        return ""
    try:
        record = json.loads(body)
    except (ValueError, RecursionError):
        return "it is no JSON"
    return known.misfit(record, "")


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)[:40]
    if isinstance(value, str):
        return json.dumps(value[:40])
    return "a list" if isinstance(value, list) else "an object"
