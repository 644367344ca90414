"""What the package exports is what it means to."""

from __future__ import annotations

import subprocess
import sys

import pytest

import qsession_widgets

NAMES = {
    "JobTable",
    "JobTimeline",
    "ObjectiveLane",
    "SessionButtons",
    "SessionClocks",
    "SessionPanel",
    "SessionSnapshot",
    "UserError",
    "__version__",
    "attach_session",
    "compare",
    "current_session",
    "load_ipython_extension",
    "open_session",
    "unload_ipython_extension",
    "usage",
}


def test_the_public_names_are_the_intended_ones() -> None:
    assert set(qsession_widgets.__all__) == NAMES
    for name in NAMES:
        assert getattr(qsession_widgets, name) is not None


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Session'"):
        _ = qsession_widgets.Session


def test_importing_it_imports_nothing_heavy() -> None:
    heavy = {"qiskit", "qiskit_aer", "qiskit_ibm_runtime", "plotly", "fastapi", "anywidget"}
    asked = f"import qsession_widgets, sys; print(*sorted({heavy!r} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == []
