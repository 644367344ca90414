"""Programs that tests start beside them: servers, mostly."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

STARTING = 120.0
"""Seconds within which a server has to be there, on a busy machine."""


@contextmanager
def running(
    command: Sequence[str],
    log: Path,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program whose output goes into a file; it ends with the block."""
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=None if environment is None else dict(environment),
            cwd=folder,
        )
    try:
        yield process
    finally:
        # a server that is told to end shuts its kernels down first
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def jupyter_address(process: subprocess.Popen[bytes], log: Path, runtime: Path) -> str:
    """Where a Jupyter server listens, from the file it writes when it is ready."""
    info = runtime / f"jpserver-{process.pid}.json"
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"The server ended at once:\n{log.read_text()[-2000:]}")
        with suppress(OSError, ValueError):
            return str(json.loads(info.read_text())["url"])
        time.sleep(0.05)
    raise RuntimeError(f"It did not start in {STARTING:g} s:\n{log.read_text()[-2000:]}")
