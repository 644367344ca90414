"""What people get wrong: one sentence each, no traceback, and a notebook that goes on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from qsession_widgets.binding import BINDING

from .cells import Notebook

LOCAL = "%%session --service local"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("--backend fake_manilla", "no backend 'fake_manilla' here. Did you mean fake_manila"),
        ("--backend fake_manilla", "%session backends lists all of them"),
        ("--backend aer --max-time 9x", "--max-time '9x' is not a length of time"),
        ("--backend aer --max-time -5", "--max-time must be at least 1 s"),
        ("--backend aer --max-time 9h", "28800"),
        ("--bakend aer", "no option --bakend: did you mean --backend?"),
        ("--backend aer --budget $", "not an amount of money"),
        ("--backend aer --on-error explode", "choose close, cancel or keep"),
        ("--backend aer --tags a,,b", "has an empty tag"),
        ("--backend aer --local-speed fast", "--local-speed 'fast' is not a number"),
        ("--backend aer --local-plan gold", "There is no plan 'gold'"),
        ("--backend aer --local-ittl 0", "--local-ittl must be 0.1 or more"),
        ("--backend aer --local-queue x", "The queue is given as seconds of waiting"),
        ("--backend aer --local-job-time fast", "choose simulated or device"),
    ],
)
def test_a_wrong_option_opens_nothing(
    notebook: Notebook, ask: Callable[..., Any], line: str, sentence: str
) -> None:
    ran = notebook(f"{LOCAL} {line}", "reached = True")
    assert sentence in ran.sentence()
    assert "reached" not in notebook
    assert BINDING.bound is None
    assert ask("GET", "/workloads")["workloads"] == []
    notebook.good(f"{LOCAL} --backend aer", "reached = True")
    assert notebook["reached"]
