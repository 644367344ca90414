"""The local emulator: options, plans, queue, faults, and what of the API it has."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

from arguments import arguments_of, as_code, emulator_parser
from numpy_docstrings import (
    code,
    entries,
    own_docstring,
    split,
    table,
)

from qsession_widgets.emulator.engine.declared_sizes import MOST_BITS
from qsession_widgets.emulator.engine.qpy_sizes import MOST_IN_ALL
from qsession_widgets.emulator.http import coverage, fault_injection
from qsession_widgets.emulator.rules import records, simulated_load
from qsession_widgets.emulator.storage.retention import RETENTION
from qsession_widgets.emulator.storage.store import MAX_BYTES, MAX_JOBS
from qsession_widgets.formatting import format_duration
from qsession_widgets.price_list import LIST_PRICES


def _price(plan: str) -> str:
    listed = LIST_PRICES[plan]
    dollars = listed.dollars_per_second
    return f"[${dollars:.2f}]({listed.source}), {listed.as_of}" if dollars else "free"


def emulator_section() -> str:
    """Options, plans, queue and faults of the local emulator."""
    plans = [
        (
            f"`{plan.name}`",
            "yes" if plan.sessions else "refused with 1352",
            format_duration(plan.interactive_ttl),
            format_duration(plan.max_ttl),
            format_duration(plan.max_execution_time),
            _price(plan.name),
        )
        for plan in records.PLANS.values()
    ]
    head = (
        "plan",
        "sessions",
        "interactive timeout",
        "longest maximum time",
        "longest job",
        "a second",
    )
    return "\n\n".join(
        [
            "A service on this machine that speaks the Qiskit Runtime REST API to the unmodified "
            "client. Notebooks start it when they need it, `qsession emulator start` starts it by "
            "hand, and `qsession run -- python script.py` gives a program one of its own.",
            "### Options of the emulator",
            table(("option", ""), as_code(arguments_of(emulator_parser()))),
            "### Devices",
            "`service.backends()` lists the devices in service that the client has a snapshot of, "
            "under their own names, your own devices, and the ideal simulator: `aer` takes "
            "sessions, `aer_simulator` is what `backends(simulator=True)` finds. "
            "`include_mocks=True` lists all other snapshots, too, each under two names, as in "
            "`fake_manila` and `ibm_manila`, and as `mock_manila`, which `run(..., dry_run=True)` "
            "means: such a job is simulated as any other, and charged nothing. "
            "Fractional gates come with `use_fractional_gates=True`; where a device's `rzz` was "
            "not calibrated, its error is that of `cz` on the same qubits. A shorter measurement "
            "or reset (`measure_2`, `reset_2`) has the error of the usual one. "
            "`qsession emulator device` adds devices of "
            "your own, which a running emulator takes up at once, and puts any device under "
            "maintenance or retires it. A backend's description says what it is made of, and of "
            "what day its calibration is.",
            "### Plans",
            table(head, plans),
            "### The queue of other users",
            "`--queue 120` makes a job wait two minutes; `--queue wait=120,users=5,sessions=0.1` "
            "says more:",
            _values(simulated_load.LoadProfile),
            "### Faults",
            "An emulator started with `--faults` makes requests fail on demand: `qsession emulator "
            "fault --path /jobs --status 503` lets the next job be refused, and `POST "
            "/emulator/v1/faults` takes a JSON object with these.",
            _values(fault_injection.Fault),
            "### What is kept",
            f"Jobs, results and sessions are on disk when they are acknowledged, and outlive the "
            f"emulator. What ended is kept for {RETENTION / 86400:g} days, at most {MAX_JOBS:,} "
            f"jobs and {MAX_BYTES / 2**30:g} GiB for each emulator; the oldest goes first. An "
            "emulator that starts again listens where it did before, with the same keys. While "
            "this machine sleeps, the service's time goes on, as it does at IBM: on waking up a "
            "session may have been deactivated or closed. A job that was running goes on, and the "
            "sleep does not count as time it ran.",
            "### Limits of a job",
            "A job's maximum execution time counts from when a worker has it, as IBM's counts use "
            "of the device only; a job that is stopped is charged from then. A sampler job may "
            "have 10,000,000 executions, as on the service; an estimator job any number. "
            f"A circuit has at most {MOST_BITS:,} qubits and classical bits, and with its blocks "
            f"and definitions {MOST_IN_ALL:,}.",
        ]
    )  # fmt: skip


def _values(kind: Any) -> str:
    """Table of a dataclass's fields with their defaults and meanings."""
    defaults = {item.name: f"`{item.default!r}`" for item in fields(kind)}
    rows = []
    for names, _, meaning in entries(split(own_docstring(kind))["Attributes"]):
        shown = dict.fromkeys(defaults[name] for name in names.split(", "))
        rows.append((code(names), " ".join(shown).replace("`None`", ""), meaning))
    return table(("name", "default", ""), rows)


def coverage_section() -> str:
    """What of the service's API the emulator has; the whole list is a page of its own."""
    text = coverage.FILE.read_text(encoding="utf-8")
    calls = re.findall(r"^\| (`[A-Z]+ /[^|]*`) \| (yes|no) \| (.*?) ?\|$", text, re.M)
    done = sum(answer == "yes" for _, answer, _ in calls)
    missing = [(call, remark) for call, answer, remark in calls if answer == "no"]
    special = [(call, remark) for call, answer, remark in calls if answer == "yes" and remark]
    return "\n\n".join(
        [
            f"The emulator answers {done} of the {len(calls)} calls of the service's REST API; "
            "[COVERAGE.md](../qsession_widgets/emulator/http/COVERAGE.md) lists them all. It does "
            "not answer:",
            table(("call", "why"), missing),
            "It answers in its own way:",
            table(("call", "how"), special),
        ]
    )
