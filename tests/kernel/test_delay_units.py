"""Delays whose unit the way to the service would take from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .cells import Notebook
from .conftest import CIRCUITS

MANILA = "%%session --service local --backend fake_manila"
CLIENT_SIDE = "from qiskit_ibm_runtime.executor_sampler import Sampler"
PREPARE = """
from qiskit import QuantumCircuit
waiting = QuantumCircuit(5, 1)
waiting.x(0)
"""


@pytest.mark.parametrize(("length", "unit"), [("64", "us"), ("0.05", "ms")])
def test_a_delay_in_seconds_is_not_sent(
    notebook: Notebook, ask: Callable[..., Any], length: str, unit: str
) -> None:
    notebook.good(CIRCUITS)
    notebook.good(PREPARE, f"waiting.delay({length}, 0, {unit!r})", "waiting.measure(0, 0)")
    notebook.good(MANILA, "pass")
    ran = notebook("SamplerV2().run([waiting])", "reached = True")
    assert f"a delay of {length} {unit}" in ran.sentence()
    assert 'unit="dt"' in ran.sentence()
    assert "reached" not in notebook
    ran = notebook(CLIENT_SIDE, "Sampler().run([waiting])", "reached = True")
    assert f"a delay of {length} {unit}" in ran.sentence()
    assert "reached" not in notebook
    assert ask("GET", "/jobs")["jobs"] == []


def test_delays_in_time_steps_are_sent(notebook: Notebook) -> None:
    notebook.good(CIRCUITS)
    notebook.good(PREPARE, "waiting.delay(64000, 0, 'dt')", "waiting.measure(0, 0)")
    ran = notebook.good(MANILA, "SamplerV2().run([waiting]).result()[0].data.c.num_shots")
    assert ran.value == 4096
