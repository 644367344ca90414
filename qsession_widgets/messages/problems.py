"""Sentences about errors: codes of `UserError`, options that make no sense, sessions in the way.

An option is named as on the line of ``%%session``, without hyphens in front: ``max-time``,
``local-speed``. Its sentence is spelled for where it was given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

Spelling = Literal["line", "python", "emulator"]

SENTENCES: dict[str, str] = {
    "job_without_session": (
        "The job {job} runs in no session: there is nothing to take up or end."
    ),
    "jobs_read_only": (
        "These jobs are of an earlier kernel and can only be looked at: open a session or job mode "
        "on {backend} with %%session to send more."
    ),
    "job_gone": "No service that can be asked has the job {job} any more.",
    "no_jobs_kept": "Of job mode {name!r} nothing is kept on this machine any more.",
    "no_session_in_job_mode": "In job mode there is no session to close or cancel, only jobs.",
}
"""Templates by the code of a `qsession_widgets.errors.UserError`, filled with its facts."""

OPTION = {
    "not_a_share": "{given} is out of range: give a number above 0 and at most 1.",
    "not_a_number": "{given} is not a number: write for example {option} 2.",
    "not_whole": "{given} is not a whole number: write 1 or more.",
    "not_a_count": "{given} is not a number of jobs: write 1 or more.",
    "not_one_of": "{given} does not exist: choose {choices}.",
    "empty_tag": "{given} has an empty tag: write {option} first,second.",
    "not_two_names": "{given} does not name two variables: write {option} session,backend.",
    "not_a_duration": (
        "{given} is not a length of time: write seconds (90) or days, hours, minutes and seconds "
        '("2h 30m", 45m, 90s).'
    ),
    "not_a_run": (
        "{given} names no run: write {option} alone for the last one, or {option} RUN for one that "
        "%session runs lists."
    ),
    "too_short": "{option} must be at least 1 s, not {value}: for example {option} 30m.",
    "too_long": "{option} {value} is longer than a year: write for example {option} 8h.",
    "no_unit": (
        "{given} says neither dollars nor seconds: write {example}, or a time such as {option} "
        "{value}s."
    ),
    "not_a_budget": (
        "{given} is not a length of time, nor an amount of money: write {option} 5m or {example}."
    ),
    "not_an_amount": (
        "{given} is not an amount of money: write {example} or '$1.50', or a time such as "
        "{option} 5m."
    ),
    "no_price": (
        "{given} needs a price, and this plan has none: give the budget as a time, such as "
        "{option} 5m."
    ),
    "for_emulator": ("{options} is for the local emulator: leave it out, or use --service local."),
    "for_ibm": (
        "{all} would be IBM's, and the local emulator is asked for as well: leave one of the two "
        "out."
    ),
}
"""A template for each problem with an option."""


NAME_TAKEN = (
    "A {noun} named {name!r} is open on {backend}, and this asks for another one ({different}): "
    "%session use {name} goes on in it, %session close {name} ends it, or give this one another "
    "--name."
)

OTHER_OPEN = (
    "A {noun} on {backend} is open already, and this asks for another one ({different}): leave "
    "that out to go on in the open one, end it first with %session close, or give this one a "
    "--name to have both."
)


def session_in_the_way(
    template: str, noun: str, name: str, backend: str, different: Sequence[tuple[str, object]]
) -> str:
    """A sentence about an open session that is not the one that is requested.

    Parameters
    ----------
    template : str
        `NAME_TAKEN` or `OTHER_OPEN`.
    noun, name, backend : str
        The open one.
    different : sequence of (str, object)
        Options of the request that it does not have, with their values; a name that is empty
        stands for what is requested at all.
    """
    options = [
        f"{spell(name, 'line')} {value}" if name else str(value) for name, value in different
    ]
    return template.format(noun=noun, name=name, backend=backend, different=", ".join(options))


def sentence(code: str, facts: Mapping[str, Any]) -> str:
    """The sentence for an error's code.

    Raises
    ------
    KeyError
        There is no such code, or a fact is missing.
    """
    return SENTENCES[code].format(**facts)


def option_problem(
    problem: str, option: str, value: object, facts: Mapping[str, Any], spelling: Spelling
) -> str:
    """A sentence about an option that makes no sense.

    Parameters
    ----------
    problem : str
        A key of `OPTION`; another text is the template itself.
    option : str
        Its name; several have commas between.
    value : object
        The value that was given.
    facts : mapping
        ``choices``, the values there are, and ``example``, a value that makes sense.
    spelling : {"line", "python", "emulator"}
        For a magic's line, for keyword arguments, or for the emulator's command line.
    """
    names = [spell(name, spelling) for name in option.split(",")]
    choices = facts.get("choices", ())
    return OPTION.get(problem, problem).format(
        option=names[0],
        options=", ".join(names),
        all=" and ".join(names),
        value=value,
        given=_with_value(names[0], value, spelling),
        example=_with_value(names[0], facts.get("example"), spelling),
        choices=" or ".join(filter(None, [", ".join(choices[:-1]), *choices[-1:]])),
    )


def spell(option: str, spelling: Spelling) -> str:
    """An option's name as it is written on a line, in Python, or for the emulator itself."""
    if spelling == "python":
        return option.removeprefix("local-").replace("-", "_")
    return "--" + (option.removeprefix("local-") if spelling == "emulator" else option)


def _with_value(name: str, value: object, spelling: Spelling) -> str:
    return f"{name}={value!r}" if spelling == "python" else f"{name} {value!r}"
