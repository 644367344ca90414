"""The lines of ipykernel that are tested, each in a folder of its own.

``make kernels`` installs them. A folder in front of ``PYTHONPATH`` makes a kernel one of that line,
whatever ipykernel the environment has.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

LINES = ("6.31", "7.3", "7.4")
FOLDERS = Path(__file__).resolve().parents[2] / ".artifacts" / "kernels"


def of_line(line: str) -> dict[str, str]:
    """Variables that make a kernel one of a line of ipykernel."""
    folder = FOLDERS / f"ipykernel-{line}"
    if not folder.is_dir():
        pytest.skip(f"ipykernel {line} is not installed beside the environment: make kernels")
    path = [str(folder), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(filter(None, path))}
