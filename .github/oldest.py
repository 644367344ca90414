"""Print the oldest releases that pyproject.toml declares, as constraints of pip's.

``python .github/oldest.py > oldest.txt``; a dependency without a bound is left to its companions.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def constraints(project: str) -> list[str]:
    """Pin each dependency of the package to its lower bound, as ``numpy==2.1``."""
    listed = re.findall(r"^dependencies = \[\n(.*?)^\]$", project, re.M | re.S)[0]
    return re.findall(r'^    "(.+)",$', re.sub(r">=", "==", listed), re.M)


if __name__ == "__main__":
    for line in constraints((ROOT / "pyproject.toml").read_text("utf-8")):
        if "==" in line.partition(";")[0]:
            print(line)
