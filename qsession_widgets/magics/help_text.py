"""The help of ``%session?``, made from the tables of actions and options."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..options.table import OPEN_OPTIONS
from ..text_table import text_facts


@dataclass(frozen=True)
class Action:
    """Something ``%session`` does.

    Attributes
    ----------
    name : str
        Its first word.
    takes : str
        What may follow, for the help; in brackets what may be left out.
    meaning : str
        What it does.
    """

    name: str
    takes: str
    meaning: str


ACTIONS: tuple[Action, ...] = (
    Action("status", "", "the panel again; the same as %session alone"),
    Action(
        "close",
        "[NAME|ID ...|--all]",
        "accept no more jobs, let queued ones finish; --all: this notebook's",
    ),
    Action(
        "cancel", "[NAME|ID ...]", "accept no more jobs, cancel queued ones; a running one finishes"
    ),
    Action(
        "list",
        "[--service ibm|local]",
        "all my open sessions and batches: age, state, cost so far, who opened them",
    ),
    Action(
        "attach",
        "ID|JOB-ID|NAME [options]",
        "take up a session of elsewhere, or look at an ended one",
    ),
    Action("use", "NAME", "bind another of the named sessions that are open here"),
    Action("unbind", "", "new primitives belong to nothing again; the session stays open"),
    Action("receipt", "[NAME|ID ...]", "what it did and cost"),
    Action(
        "forecast",
        "[NAME|ID]",
        "its work on IBM as session, batch, job mode; --plan payg, --queue-wait 2m",
    ),
    Action("timeline", "[NAME|ID]", "its jobs as a plotly figure"),
    Action("export", "PATH [NAME|ID]", "write it down as .json, .csv, .html, .svg, .pdf or .png"),
    Action("runs", "", "the runs whose jobs --resume can take up"),
    Action("forget", "RUN ...|--all", "remove the records of runs"),
    Action("backends", "[--service ibm|local]", "the backends: qubits, waiting jobs, calibration"),
    Action(
        "join",
        "URL [--name NAME]",
        "use a class's emulator, by its name from now on; asks for your key",
    ),
    Action("leave", "NAME", "forget a service that was joined, and the key for it"),
    Action("help", "", "this text; the same as %session?"),
)
"""Every action, in the order of the help."""

ACTION_NAMES = tuple(action.name for action in ACTIONS)

MEANT: dict[str, str] = {
    **dict.fromkeys(
        ("open", "start", "new", "begin", "create"),
        "%%session, with two percent signs, on the first line of a cell opens a session.",
    ),
    **dict.fromkeys(
        ("stop", "end", "exit", "quit", "kill", "abort", "delete"),
        "%session close lets queued jobs finish, %session cancel drops them.",
    ),
    "resume": "%%session --resume takes up the jobs of the last run; %session attach ID a session.",
    **dict.fromkeys(("reconnect", "reattach"), "%session attach ID takes one up again."),
    **dict.fromkeys(("bind", "switch"), "%session use NAME binds another one."),
    **dict.fromkeys(
        ("cost", "usage", "price", "bill", "summary", "details"),
        "%session receipt says what it did and cost.",
    ),
    **dict.fromkeys(("info", "show", "state", "panel", "jobs"), "%session shows it and its jobs."),
    **dict.fromkeys(("ls", "sessions", "all", "ps"), "%session list shows all that are open."),
    "watch": "%session shows it live; qsession watch ID does so in a terminal.",
    "wait": "session.wait_for() waits until it is closed, or for what you say.",
    "compare": "qsession_widgets.compare(one, other) puts two of them side by side.",
    "save": "%session export PATH writes it down.",
}
"""Answers to words that are no action but stand for one."""


def _columns(rows: Iterable[tuple[str, str]]) -> str:
    return text_facts([(f"{left} ", right) for left, right in rows], indent=4)


def _short(value: str) -> str:
    # a long list of choices would widen the column for all; Tab offers each of them
    return value if len(value) <= 30 else f"{value[: value.index('|')]}|…"


_ACTION_TABLE = _columns(
    (f"%session {action.name} {action.takes}".rstrip(), action.meaning) for action in ACTIONS
)
_OPTION_TABLE = _columns(
    (f"{option.flag} {_short(option.value)}".rstrip(), option.meaning) for option in OPEN_OPTIONS
)

USAGE = f"""Open a Qiskit Runtime session and run the cell in it; look at it, close it.

    %%session [options]   above a cell: opens a session (or reuses the one that is open), shows
                          its panel and runs the cell. Primitives built without a mode belong to
                          it, in this cell and all later ones, until it is closed.
    %%batch [options]     the same with a batch

{_ACTION_TABLE}

Options of %%session and %%batch:

{_OPTION_TABLE}

Defaults: %config SessionMagics lists them, %config SessionMagics.backend = 'fake_fez' sets one in
this notebook, and c.SessionMagics.backend = 'fake_fez' in IPython's configuration file
(ipython profile locate names its folder, the file is ipython_config.py) sets one in all.

Examples
--------
    %%session --backend fake_fez --max-time 30m
    from qiskit_ibm_runtime.executor_estimator import Estimator

    estimator = Estimator()
    isa = generate_preset_pass_manager(1, backend, seed_transpiler=7).run(circuit)
    job = estimator.run([(isa, observable.apply_layout(isa.layout))])

    %%session --name vqe --budget '$20' --idle-close 2m --strict
    %%session --service local --local-ittl 20 --local-speed 10
    %%session --events run.jsonl --say always
    %session attach 8a1f…
    %session export run.html

Unless closed, an open session costs money while it is active, idle time included.
"""
"""The help that ``%session?`` shows."""
