"""Refuse a release whose tag, version and changelog do not agree.

``python .github/check_release.py v0.1.0`` exits with 0, or with a sentence about what is missing.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def problem(tag: str, root: Path = ROOT) -> str:
    """Sentence about why a tag cannot be released; empty when it can."""
    project = (root / "pyproject.toml").read_text("utf-8")
    version = re.findall(r'^version = "(.+)"$', project, re.M)[0]
    if tag != f"v{version}":
        return f"The tag is {tag} and pyproject.toml says {version}: set the version, then tag."
    if (bundled := json.loads((root / "js/package.json").read_text("utf-8"))["version"]) != version:
        return f"js/package.json says {bundled} and pyproject.toml {version}: set both."
    changes = (root / "CHANGELOG.md").read_text("utf-8")
    if not re.search(rf"^## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d$", changes, re.M):
        return f"CHANGELOG.md has no heading `## [{version}] - DATE`: say what is new, and when."
    return ""


if __name__ == "__main__":
    sys.exit(problem(sys.argv[1]) or 0)
