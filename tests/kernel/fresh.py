"""Cells in an interpreter or a kernel of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import Empty
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
        timeout=200,
        env={**os.environ, **(environment or {})},
    )
    assert ran.returncode == 0, ran.stderr
    rows = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("[")]
    assert len(rows) == len(cells), ran.stdout + ran.stderr
    return [(out, err) for out, err in rows]


@dataclass
class Kernel:
    """A running kernel of Jupyter's.

    A request is over when the kernel is idle *and* its reply is here. Whoever sends the next one
    after the first of the two meets a fault of ipykernel 7.0 to 7.3: a request that arrives while
    the kernel sends a reply may lie unread until another one comes.
    """

    manager: KernelManager
    client: BlockingKernelClient
    _others: list[dict[str, Any]] = field(default_factory=list)
    _replied: set[str] = field(default_factory=set)

    def start(self, cell: str, subshell: str | None = None) -> str:
        """Begin a cell, in a subshell if one is named; the id of the request."""
        content = {
            "code": cell,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            # as a console does; a program that executes a notebook says False
            "allow_stdin": True,
            "stop_on_error": True,
        }
        return self.send("execute_request", content, subshell)

    def send(self, kind: str, content: dict[str, Any], subshell: str | None = None) -> str:
        """Send a message to the main shell or to a subshell; its id."""
        message = self.client.session.msg(kind, content)
        if subshell is not None:
            message["header"]["subshell_id"] = subshell
        self.client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def new_subshell(self) -> str | None:
        """Make a subshell; its id, and None where the kernel has no subshells."""
        if "kernel subshells" not in self.info().get("supported_features", []):
            return None
        message = self.client.session.msg("create_subshell_request", {})
        self.client.control_channel.send(message)
        return str(self.client.get_control_msg(timeout=120)["content"]["subshell_id"])

    def info(self) -> dict[str, Any]:
        """What the kernel says of itself."""
        request = self.send("kernel_info_request", {})
        reply = self._wait_for_reply(request, time.monotonic() + 120)
        list(self.messages(request))
        return dict(reply)

    def messages(self, request: str, seconds: float = 120.0) -> Iterator[dict[str, Any]]:
        """What a request makes the kernel send, until it is over."""
        deadline = time.monotonic() + seconds
        for message in self.published(lambda message: _parent(message) == request, seconds):
            if message["msg_type"] != "status":
                yield message
            elif message["content"]["execution_state"] == "idle":
                break
        if request not in self._replied:
            self._wait_for_reply(request, deadline)

    def published(
        self, wanted: Callable[[dict[str, Any]], bool], seconds: float = 120.0
    ) -> Iterator[dict[str, Any]]:
        """What the kernel publishes of a kind; everything else is kept for who asks for it."""
        deadline = time.monotonic() + seconds
        while True:
            found = next((message for message in self._others if wanted(message)), None)
            if found is not None:
                self._others.remove(found)
                yield found
                continue
            left = max(0.1, deadline - time.monotonic())
            self._others.append(self.client.get_iopub_msg(timeout=left))

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

    def run(self, cell: str, subshell: str | None = None) -> tuple[str, str]:
        """Run a cell; what it printed, and the name of the error that stopped it."""
        return self.finish(self.start(cell, subshell))

    def wait_for_ready(self) -> None:
        """Wait until the kernel answers, and until what it publishes is heard."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            request = self.send("kernel_info_request", {})
            self._wait_for_reply(request, deadline)
            with suppress(Empty):
                # what is published before the subscription is in place is not heard
                for _ in self.messages(request, 0.5):
                    pass
                return
        raise TimeoutError("the kernel was not heard within 120 s")

    def _wait_for_reply(self, request: str, deadline: float) -> dict[str, Any]:
        while True:
            message = self.client.get_shell_msg(timeout=max(0.1, deadline - time.monotonic()))
            parent = _parent(message)
            self._replied.add(parent)
            if parent == request:
                return dict(message["content"])


def _parent(message: dict[str, Any]) -> str:
    return str(message["parent_header"].get("msg_id", ""))


@contextmanager
def running_kernel(environment: Mapping[str, str] | None = None) -> Iterator[Kernel]:
    """A kernel of this interpreter; it is gone afterwards."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env={**os.environ, **(environment or {})})
    client = manager.client()
    try:
        client.start_channels()
        kernel = Kernel(manager, client)
        kernel.wait_for_ready()
        yield kernel
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=not manager.is_alive())
        manager.cleanup_resources()
