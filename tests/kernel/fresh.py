"""Cells in an interpreter or a kernel of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

_RUNNER = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

shell = InteractiveShell.instance()
for cell in json.loads(sys.stdin.readline()):
    with capture_output() as captured:
        shell.run_cell(cell)
    print(json.dumps([captured.stdout, captured.stderr]), file=sys.__stdout__, flush=True)
"""


def run_cells(*cells: str, environment: Mapping[str, str] | None = None) -> list[tuple[str, str]]:
    """Run cells in a shell of a new interpreter; what each printed, and what it complained of."""
    ran = subprocess.run(
        [sys.executable, "-c", _RUNNER],
        input=json.dumps(cells) + "\n",
        capture_output=True,
        text=True,
        timeout=90,
        env={**os.environ, **(environment or {})},
    )
    assert ran.returncode == 0, ran.stderr
    rows = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("[")]
    assert len(rows) == len(cells), ran.stdout + ran.stderr
    return [(out, err) for out, err in rows]


@dataclass
class Kernel:
    """A running kernel of Jupyter's."""

    manager: KernelManager
    client: BlockingKernelClient
    printed: list[str] = field(default_factory=list)

    def start(self, cell: str) -> str:
        """Begin a cell; the id of the request."""
        return str(self.client.execute(cell))

    def messages(self, request: str, seconds: float = 60.0) -> Iterator[dict[str, Any]]:
        """What the cell sends, until it is over."""
        deadline = time.monotonic() + seconds
        while True:
            message = self.client.get_iopub_msg(timeout=max(0.1, deadline - time.monotonic()))
            if message["parent_header"].get("msg_id") != request:
                continue
            if message["msg_type"] == "status":
                if message["content"]["execution_state"] == "idle":
                    return
                continue
            yield message

    def finish(self, request: str) -> tuple[str, str]:
        """Wait for a cell's end; what it printed, and the name of the error that stopped it."""
        printed, error = "", ""
        for message in self.messages(request):
            if message["msg_type"] == "stream":
                printed += message["content"]["text"]
            elif message["msg_type"] == "error":
                error = message["content"]["ename"]
                printed += "\n".join(message["content"]["traceback"])
        return printed, error

    def run(self, cell: str) -> tuple[str, str]:
        """Run a cell; what it printed, and the name of the error that stopped it."""
        return self.finish(self.start(cell))


@contextmanager
def running_kernel(environment: Mapping[str, str] | None = None) -> Iterator[Kernel]:
    """A kernel of this interpreter; it is gone afterwards."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env={**os.environ, **(environment or {})})
    client = manager.client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=not manager.is_alive())
        manager.cleanup_resources()
