"""The loop inside a worker process: read a job, run its program, answer.

The worker owns nothing but its two pipes. Whatever a library prints goes to the error stream,
because the output stream carries messages; and when the pool goes away, for whatever reason, so
does the worker.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import queue
import signal
import sys
import threading
from typing import Any, BinaryIO

import psutil

from qsession_widgets.emulator.engine.workers import ipc

_PR_SET_PDEATHSIG = 1

MOST_KEPT = 1 << 30
"""Bytes that a worker may keep after a job; one that keeps more is replaced."""


def _claim_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take the two pipes for messages, and leave harmless streams in their place."""
    incoming = os.fdopen(os.dup(0), "rb")
    outgoing = os.fdopen(os.dup(1), "wb", buffering=0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return incoming, outgoing


def _die_with_parent(parent: int) -> None:
    # A simulation can hold the interpreter for minutes, in which no thread of ours would notice
    # that the pipe closed; the kernel does not need the interpreter.
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _limit(memory: int | None) -> None:
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if memory is not None:
        # Writable memory, not address space: threads and libraries reserve far more than they use.
        kind = resource.RLIMIT_DATA if sys.platform.startswith("linux") else resource.RLIMIT_AS
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (memory, memory))


def _resident_memory() -> int:
    return int(psutil.Process().memory_info().rss)


def _give_back_memory() -> int:
    """Return freed memory to the system, where that is possible; returns what is resident."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # glibc keeps what was freed; others have no such call
    return _resident_memory()


def main() -> None:
    """Serve jobs until the pipe to the pool closes."""
    incoming, outgoing = _claim_pipes()
    settings, _ = ipc.read(incoming)
    _die_with_parent(settings["parent"])
    _limit(settings["memory_limit"])

    jobs: queue.SimpleQueue[tuple[dict[str, Any], str]] = queue.SimpleQueue()

    def listen() -> None:
        while True:
            try:
                jobs.put(ipc.read(incoming))
            except (EOFError, ValueError, OSError):
                os._exit(0)

    threading.Thread(target=listen, daemon=True).start()

    def send(head: dict[str, Any], body: str = "") -> None:
        message = memoryview(ipc.pack(head, body))
        while message:
            message = message[outgoing.write(message) :]

    from qsession_widgets.emulator.engine import programs

    programs.warm_up()
    at_start = _resident_memory()
    send({"ready": True})
    while True:
        head, body = jobs.get()
        answer, result = programs.run(
            head,
            body,
            memory_limit=settings["memory_limit"],
            on_planned=lambda executions: send({"planned": executions}),
        )
        del head, body
        kept = _resident_memory() - at_start
        if kept > MOST_KEPT:
            kept = _give_back_memory() - at_start
        send({"outcome": answer, "replace": kept > MOST_KEPT}, result)
