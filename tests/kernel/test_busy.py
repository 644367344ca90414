"""The panel's Close button while a cell runs, as the kernel of each line of ipykernel hears it.

A page sends its messages to a subshell where there are any. Where there are none the kernel takes
them after the cell, as the panel then says.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qsession_widgets.emulator.process.connection_file import Connection

from .fresh import Kernel, running_kernel
from .lines import LINES, of_line

WIDGET = "application/vnd.jupyter.widget-view+json"
OPEN = "%load_ext qsession_widgets\n%qsession_open --service local --backend aer"
UNTIL_CLOSED = """
import time
print("waiting", flush=True)
deadline = time.monotonic() + 60
while session.snapshot.accepting_jobs and time.monotonic() < deadline:
    {pause}
print("the session takes jobs: " + str(session.snapshot.accepting_jobs))
"""
WAYS = {
    "plain": UNTIL_CLOSED.format(pause="time.sleep(0.01)"),
    "await": "import asyncio" + UNTIL_CLOSED.format(pause="await asyncio.sleep(0.01)"),
}


@pytest.fixture(scope="module", params=LINES)
def kernel(request: pytest.FixtureRequest, emulator: Connection) -> Iterator[tuple[str, Kernel]]:
    with running_kernel(of_line(request.param)) as kernel:
        yield request.param, kernel


def _open(kernel: Kernel) -> str:
    """Open a session; the id of its panel's comm, as a page learns it."""
    shown = [
        message["content"]["data"][WIDGET]["model_id"]
        for message in kernel.messages(kernel.start(OPEN))
        if message["msg_type"] == "display_data" and WIDGET in message["content"]["data"]
    ]
    assert len(shown) == 1
    return str(shown[0])


def _press_close(kernel: Kernel, panel: str, subshell: str | None) -> tuple[str, str]:
    """Press the button; the ids of the message and of the command."""
    command = uuid.uuid4().hex
    content = {"type": "command", "id": command, "action": "close"}
    data = {"method": "custom", "content": content}
    return kernel.send("comm_msg", {"comm_id": panel, "data": data}, subshell), command


def _outcome(kernel: Kernel, command: str) -> dict[str, Any]:
    """What the panel is told in the end."""

    def told(message: dict[str, Any]) -> bool:
        content = message["content"].get("data", {}).get("content", {})
        return content.get("id") == command and content.get("stage") in ("done", "failed")

    (message,) = [next(kernel.published(lambda m: m["msg_type"] == "comm_msg" and told(m)))]
    return dict(message["content"]["data"]["content"])


def _wait_for_waiting(kernel: Kernel, request: str) -> None:
    def waiting(message: dict[str, Any]) -> bool:
        return (
            message["msg_type"] == "stream"
            and message["parent_header"].get("msg_id") == request
            and "waiting" in message["content"]["text"]
        )

    next(kernel.published(waiting))


@pytest.mark.parametrize("way", WAYS)
def test_close_over_a_subshell_acts_while_a_cell_runs(kernel: tuple[str, Kernel], way: str) -> None:
    line, running = kernel
    panel = _open(running)
    subshell = running.new_subshell()
    if line.startswith("6."):
        assert subshell is None
        return
    assert subshell is not None
    cell = running.start(WAYS[way])
    _wait_for_waiting(running, cell)
    _, command = _press_close(running, panel, subshell)
    printed, error = running.finish(cell)
    assert not error, printed
    assert "the session takes jobs: False" in printed
    assert _outcome(running, command)["stage"] == "done"


def test_close_waits_for_the_cell_where_there_is_no_subshell(
    kernel: tuple[str, Kernel], tmp_path: Path
) -> None:
    _, running = kernel
    panel = _open(running)
    end = tmp_path / "end"
    cell = running.start(
        f"import pathlib, time\nend = pathlib.Path({json.dumps(str(end))})\n"
        "print('waiting', flush=True)\n"
        "while not end.exists(): time.sleep(0.01)\n"
        "print('the session takes jobs: ' + str(session.snapshot.accepting_jobs))"
    )
    _wait_for_waiting(running, cell)
    _, command = _press_close(running, panel, None)
    end.touch()
    printed, error = running.finish(cell)
    assert not error, printed
    assert "the session takes jobs: True" in printed
    outcome = _outcome(running, command)
    assert outcome["stage"] == "done"
    assert "Session closed" in outcome["message"]
