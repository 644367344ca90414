"""Help, completion and mistakes of the magics."""

from __future__ import annotations

import pytest
from IPython.core.completer import provisionalcompleter

from qsession_widgets.magics.help_text import ACTIONS, USAGE
from qsession_widgets.options.table import OPEN_OPTIONS

from .cells import Notebook


def test_help_is_printed(notebook: Notebook) -> None:
    assert notebook.good("%session help").out.strip() == USAGE.strip()
    assert "%session attach" in notebook.good("%session --help").out
    assert "%session help explains" in notebook("%%session --help", "pass").sentence()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("%session clsoe", "no action 'clsoe': did you mean close?"),
        ("%session frobnicate", "there are status, close"),
        ("%session list all", "does not know 'all': it takes options only"),
        ("%session list --service cloud", "choose all, ibm or local"),
        ("%session status all", "takes nothing more, not 'all'"),
        ("%session use", "needs to know which: %session use NAME"),
        ("%session use nowhere", "No open session has the name or id 'nowhere'"),
        (
            "%session close nowhere",
            "No open session has the name or id 'nowhere': none that is open here has",
        ),
        ("%session cost", "no action 'cost': %session receipt says what it did and cost."),
        ("%session start", "no action 'start': %%session, with two percent signs, on the first"),
        ("%session stop", "%session close lets queued jobs finish, %session cancel drops them."),
        ("%session --backend aer", "options belong to %%session, with two percent signs"),
        (
            "%session close --everything",
            "no option --everything: %session close [NAME|ID ...|--all]",
        ),
        ("%session timeline a b", "takes one word, not 'a b': what has a space in it"),
        ("%session backends --service cloud", "choose auto, ibm or local"),
        ("%session attach", "needs to know which"),
        ("%session attach --name x", "needs an id first"),
        ("%session attach an-id --once", "%session attach has no option --once"),
        ("%batch", "%%batch above a cell opens a batch"),
    ],
)
def test_a_wrong_action_is_one_sentence(notebook: Notebook, line: str, sentence: str) -> None:
    assert sentence in notebook(line).sentence()


def test_tab_completes_options_values_actions_and_names(notebook: Notebook) -> None:
    def after(text: str) -> list[str]:
        with provisionalcompleter():
            return [c.text for c in notebook.shell.Completer.completions(text, len(text))]

    assert "--backend" in after("%%session --ba")
    assert "fake_manila" in after("%%session --backend fake_ma")
    assert set(after("%%session --service ")) >= {"auto", "ibm", "local"}
    assert "keep" in after("%%session --on-error k")
    assert "close" in after("%session cl")
    assert "--service" in after("%session list --se")
    assert "--instance" in after("%session backends --in")
    assert set(after("%session list --service ")) >= {"all", "ibm", "local"}
    notebook.good("%%session --service local --backend aer --name vqe", "pass")
    assert "vqe" in after("%session use v")


def test_the_help_explains_every_action_and_option(notebook: Notebook) -> None:
    text = notebook.shell.magics_manager.magics["line"]["session"].__doc__
    for action in ACTIONS:
        assert f"%session {action.name}" in text
        assert action.meaning in text
    for option in OPEN_OPTIONS:
        assert option.flag in text
        assert option.meaning in text
    assert "%config SessionMagics" in text
    assert "ipython_config.py" in text
    assert max(len(line) for line in text.splitlines()) <= 120
