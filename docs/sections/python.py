"""The public names, what is known of a session, what is told of it, and what goes wrong."""

from __future__ import annotations

import inspect
from typing import Any

from numpy_docstrings import (
    first_sentence,
    table,
    to_markdown,
)

import qsession_widgets
from qsession_widgets import model
from qsession_widgets.messages import service_errors
from qsession_widgets.messages.events import ENDS
from qsession_widgets.model import events
from qsession_widgets.sessions import job_group, session


def python_section() -> str:
    """The public names, and what a session can do."""
    blocks = ["`from qsession_widgets import …`"]
    for name in sorted(qsession_widgets.__all__, key=str.lower):
        thing = getattr(qsession_widgets, name)
        if name == "__version__" or thing is model.SessionSnapshot:
            continue
        blocks.append(f"### {name}")
        blocks += _class(thing) if isinstance(thing, type) else _function(name, thing)
    blocks += [
        "### Session and Batch",
        "What `open_session` gives back, and what a notebook finds under `session`: the client "
        "library's own classes, to be passed as `mode` like them, with these besides. In job mode, "
        "`session` has those that concern jobs.",
        _members(session._Watched, job_group.JobGroup),
    ]
    return "\n\n".join(blocks)


def snapshot_section() -> str:
    """What is known of a session, and what is derived from it."""
    functions = [
        model.interactive_timeout,
        model.maximum_time,
        model.empty_timeout,
        model.idle_timeout,
        model.usage,
    ]
    blocks = [
        "`session.snapshot` is what is known of a session at one moment. All times are seconds "
        "since the epoch on the service's clock, all durations seconds.",
    ]
    for kind in (model.SessionSnapshot, model.JobRecord, model.SeriesPoint, model.ServiceInfo):
        blocks += [f"### {kind.__name__}", *_class(kind)]
    blocks += [
        "### Derived numbers",
        "In `qsession_widgets.model`; `now` is a time on the service's clock.",
    ]
    for function in functions:
        blocks += _function(function.__name__, function)
    for kind in (model.Countdown, model.Usage):
        blocks += [f"#### {kind.__name__}", *_class(kind)]
    return "\n\n".join(blocks)


def _function(name: str, thing: Any) -> list[str]:
    return [f"```python\n{_signature(name, thing)}\n```", to_markdown(thing)]


def _signature(name: str, thing: Any) -> str:
    signature = inspect.signature(thing)
    words, star = [], False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            star = True
            words.append("*")
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        words.append(f"{parameter.name}: {parameter.annotation}{default}")
    line = f"{name}({', '.join(words)}) -> {signature.return_annotation}"
    if len(line) <= 90:
        return line
    rows = [f"    {word}," for word in words]
    return "\n".join([f"{name}(", *rows, f") -> {signature.return_annotation}"])


def _class(kind: type) -> list[str]:
    members = _members(kind)
    return [to_markdown(kind), *([members] if members else [])]


def _members(*kinds: type) -> str:
    """Table of classes' own public methods and properties."""
    rows = []
    for name, member in (item for kind in kinds for item in vars(kind).items()):
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            rows.append((f"`{name}`", first_sentence(member.fget)))
        elif isinstance(member, (classmethod, staticmethod)):
            rows.append((f"`{name}{_call(member.__func__)}`", first_sentence(member.__func__)))
        elif inspect.isfunction(member):
            rows.append((f"`{name}{_call(member)}`", first_sentence(member)))
    return table(("member", ""), rows) if rows else ""


def _call(function: Any) -> str:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    # positional ones without a name are taken only to be refused in a sentence
    given = [one for one in parameters if one.kind is not one.VAR_POSITIONAL]
    names = [f"{'**' if one.kind is one.VAR_KEYWORD else ''}{one.name}" for one in given]
    return f"({', '.join(names)})"


def error_section() -> str:
    """The service's codes and the client's exceptions with advice, and how sessions end."""

    def meaning(known: service_errors.Advice) -> tuple[str, str]:
        return f"{known.what}.", known.do

    codes = [
        (f"`{code}`", *meaning(known)) for code, known in sorted(service_errors.ADVICE.items())
    ]
    code_of = {id(known): code for code, known in service_errors.ADVICE.items()}
    statuses = [
        f"`{status}` as {code_of[id(known)]}"
        if id(known) in code_of
        else f"`{status}`, where {known.what[:1].lower()}{known.what[1:]}"
        for status, known in sorted(service_errors.STATUSES.items())
    ]
    raised = [
        (f"`{name}`", *meaning(known)) for name, known in sorted(service_errors.EXCEPTIONS.items())
    ]
    ends = [(f"`{reason}`", how) for reason, how in ENDS.items()]
    return "\n\n".join(
        [
            "A cell, the panel or a command says one sentence in place of a traceback, with the "
            "service's own words and its trace id below. From Python it is a `UserError`.",
            "### Codes",
            table(("code", "what happened", "what to do"), codes),
            f"An answer without a code is read by its HTTP status: {', '.join(statuses)}.",
            "### Exceptions of the client library",
            table(("exception", "what happened", "what to do"), raised),
            "### How sessions end",
            table(("the service's `state_reason`", "in words"), ends),
        ]
    )


def event_section() -> str:
    """What `--events` writes, and what is told as text."""
    return "\n\n".join(
        [
            "What happens to a session, told as lines of text where no page shows the panel, and "
            "as one JSON object a line in the file that `--events PATH` names. Form "
            f"{events.SCHEMA}.",
            table(("`event`", ""), ((f"`{kind}`", what) for kind, what in events.KINDS.items())),
            "### Fields of an event",
            table(("field", ""), ((f"`{name}`", what) for name, what in events.FIELDS.items())),
        ]
    )
