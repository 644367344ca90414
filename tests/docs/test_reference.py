"""The reference is what the code says, and the documents' links lead somewhere."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HOME = "https://github.com/qsession-widgets/qsession-widgets"
RAW = "https://raw.githubusercontent.com/qsession-widgets/qsession-widgets"
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/architecture.md",
    "docs/adr/README.md",
    "docs/ends.md",
    "docs/glossary.md",
    "docs/reference.md",
)


def links(text: str) -> set[str]:
    """Find the targets of a document's links and pictures; code has none."""
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.S)
    return set(re.findall(r"\]\(([^)\s]+)\)", prose)) | set(
        re.findall(r'(?:src|srcset|href)="([^"]+)"', prose)
    )


def anchors(text: str) -> set[str]:
    """Name the addresses of a document's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_reference_is_current(repository):
    done = subprocess.run(
        [sys.executable, str(repository / "docs" / "make_reference.py"), "--check"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("groff") is None, reason="there is no groff to read it")
def test_the_man_page_is_one(repository):
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", str(repository / "docs" / "qsession.1")],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    plain = re.sub(r"\x1b\[\d+m|.\x08", "", done.stdout)
    for command in ("qsession close [ID ...]", "qsession runs", "qsession emulator start"):
        assert re.search(rf"^ +{re.escape(command)}$", plain, re.M), command


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_to_something_that_is_there(repository: Path, name):
    document = repository / name
    text = document.read_text("utf-8")
    lost = []
    for link in sorted(links(text)):
        target, _, part = link.partition("#")
        for place in (f"{HOME}/blob/main/", f"{HOME}/tree/main/", f"{RAW}/main/"):
            if target.startswith(place):
                found = repository / target.removeprefix(place)
                break
        else:
            if "://" in target:
                continue
            found = document.parent / target if target else document
        if not found.exists() or (part and part not in anchors(found.read_text("utf-8"))):
            lost.append(link)
    assert not lost


def test_the_readme_reads_elsewhere_too(repository):
    """On PyPI, a relative link leads nowhere."""
    found = links((repository / "README.md").read_text("utf-8"))
    assert not [link for link in found if not link.startswith(("https://", "#"))]
