"""What has ended is an object in any later kernel: read-only, with all its views."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import plotly.io as pio
import pytest

from qsession_widgets import attach_session, current_session
from qsession_widgets.registry import journal
from qsession_widgets.registry.history import delete_history

from .cells import Notebook
from .conftest import end_kernel
from .table import CIRCUITS


def test_what_has_ended_is_there_in_a_later_kernel(
    notebook: Notebook, ask: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook.good(CIRCUITS)
    notebook.good(
        "%%session --service local --backend aer --name rb",
        "with session.label('R=0.75'):",
        "    job = Sampler().run([measured], shots=40)",
        "job.result()",
        "session.log(step=1, energy=(-1.13, 0.02))",
        "%session close",
    )
    session_id, job_id = notebook["session"].session_id, notebook["job"].job_id()
    end_kernel(notebook)

    ended = attach_session("rb", service="local")
    assert (ended.session_id, ended.snapshot.state) == (session_id, "closed")
    assert current_session() is None
    assert attach_session(job_id) is ended
    table = ended.to_dataframe()
    assert table[["id", "status", "label", "shots"]].to_numpy().tolist() == [
        [job_id, "done", "R=0.75", 40]
    ]
    assert ended.metrics()[["series", "value", "step", "job_id"]].to_numpy().tolist() == [
        ["energy", -1.13, 1.0, job_id]
    ]
    assert "R=0.75: 1 job · QPU " in repr(ended.receipt())
    assert [trace.name for trace in ended.timeline().data if trace.type == "bar"]
    (written,) = ended.export(tmp_path / "rb.svg")
    assert written.read_text().count("<svg") == 1

    # a primitive does not go into it, and one that is told to is refused
    notebook.good("%load_ext qsession_widgets")
    notebook.good("%session attach rb")
    assert (
        "takes no more jobs: it was closed. Open a new one"
        in notebook("Sampler(mode=session).run([measured])").sentence()
    )
    assert "no session to run in" in notebook("Sampler()").said
    assert "R=0.75" in notebook.good("%session receipt rb").displayed[0]["text/plain"]
    # what a page without scripts shows of the timeline
    monkeypatch.setattr(pio.renderers, "default", "plotly_mimetype")
    (shown,) = notebook.good("session.timeline()").displayed
    assert set(shown) == {"application/vnd.plotly.v1+json", "image/svg+xml"}
    assert shown["image/svg+xml"].count("<svg") == 1
    # what only this machine knows of it is deleted with the history
    assert journal.read(session_id).points
    delete_history()
    assert journal.read(session_id) == journal.Journal()
