"""Puts the pages of the documentation site together, and builds it with Sphinx.

``make docs`` runs it. Pages are the Markdown files of ``docs``, the walkthroughs, the changelog and
CONTRIBUTING.md; `NAVIGATION` says in which order. A walkthrough that ``make walkthroughs`` has run
is shown with its results, any other as it is kept. Any warning, such as a link that leads nowhere,
is an error.
"""

from __future__ import annotations

import json
import posixpath
import re
import shutil
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ARTIFACTS = ROOT / ".artifacts"
SOURCE, SITE = ARTIFACTS / "site-source", ARTIFACTS / "site"
EXECUTED = ARTIFACTS / "walkthroughs"
REPOSITORY = "https://github.com/qsession-widgets/qsession-widgets/blob/main"

ELSEWHERE = {"changelog.md": "CHANGELOG.md", "contributing.md": "CONTRIBUTING.md"}
"""Pages whose file is not in ``docs``, besides the walkthroughs."""

NAVIGATION: dict[str, tuple[str, ...]] = {
    "walkthroughs": tuple(
        f"walkthroughs/{path.stem}.md" for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
    ),
    "how-to": (
        "how-to/use-an-account.md",
        "how-to/scripts-and-ci.md",
        "how-to/other-front-ends.md",
        "how-to/figures-for-a-paper.md",
        "how-to/dashboard.md",
        "how-to/teach-a-class.md",
        "how-to/jupyterhub.md",
        "how-to/translate.md",
        "contributing.md",
    ),
    "explanation": (
        "explanation/billing.md",
        "explanation/rehearsal.md",
        "explanation/systems.md",
        "ends.md",
        "resume.md",
        "architecture.md",
        "adr/README.md",
    ),
    "reference": ("reference.md", "fault-matrix.md", "glossary.md", "changelog.md"),
}
"""Sections of the site and their pages; `TITLES` names the sections."""

TITLES = {
    "walkthroughs": "Walkthroughs",
    "how-to": "How to",
    "explanation": "Explanation",
    "reference": "Reference",
}

BELOW = {"adr/README.md": "adr/0*.md"}
"""Pages that have pages of their own below them."""

LONGEST = 200_000
"""Characters of one HTML output that a page takes; a figure of plotly's brings its library."""


def main() -> int:
    """Build the site; 0 if there was not one warning."""
    from sphinx.cmd.build import main as sphinx

    put_together(SOURCE)
    shutil.rmtree(SITE, ignore_errors=True)
    options = ["-q", "-W", "--keep-going", "-E", "-c", str(ROOT / "docs"), "-d", f"{SOURCE}-trees"]
    return int(sphinx([*options, str(SOURCE), str(SITE)]))


def put_together(folder: Path) -> None:
    """Write every page to a folder, with the sections' own pages."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, kept_in in pages().items():
        text = as_markdown(kept_in) if kept_in.endswith(".ipynb") else read(ROOT / kept_in)
        text = lead_out(text, name, kept_in)
        if name in BELOW:
            text += toctree([Path(one).name for one in below(name)])
        if name == "index.md":
            text += toctree([f"{section}/index.md" for section in NAVIGATION])
        write(folder / name, text)
    for section, names in NAVIGATION.items():
        listed = toctree([posixpath.relpath(name, section) for name in names], hidden=False)
        write(folder / section / "index.md", f"# {TITLES[section]}\n{listed}")


def pages() -> dict[str, str]:
    """Every page of the site, by its name, with the file that it is made of."""
    found = {"index.md": "docs/index.md"}
    for name in [name for names in NAVIGATION.values() for name in names]:
        found[name] = ELSEWHERE.get(name, f"docs/{name}")
        if name.startswith("walkthroughs/"):
            found[name] = f"notebooks/{Path(name).stem}.ipynb"
        found.update({one: f"docs/{one}" for one in below(name)})
    return found


def below(name: str) -> list[str]:
    """Pages that stand below one, in their order."""
    docs = ROOT / "docs"
    return sorted(str(p.relative_to(docs).as_posix()) for p in docs.glob(BELOW.get(name, "*.none")))


def toctree(names: list[str], *, hidden: bool = True) -> str:
    """Sphinx's list of the pages below one."""
    how = ":hidden:" if hidden else ":maxdepth: 1"
    return "\n".join(["", "```{toctree}", how, "", *names, "```", ""])


def lead_out(text: str, name: str, kept_in: str) -> str:
    """Point links of a page at other pages, or at the repository where the file is none."""
    by_file = {file: page for page, file in pages().items()}

    def lead(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(kept_in), match[1]))
        if path in by_file:
            target = posixpath.relpath(by_file[path], posixpath.dirname(name) or ".")
        elif (ROOT / path).exists():
            target = f"{REPOSITORY}/{path}"
        else:
            target = match[1]
        return f"]({target}{match[2] or ''})"

    return re.sub(r"\]\((?!\w+:|#)([^)\s#]+)(#[^)\s]*)?\)", lead, text)


def as_markdown(kept_in: str) -> str:
    """Text of a page with what a notebook says, asks and, if it was run, answers."""
    executed = EXECUTED / Path(kept_in).name
    path = executed if executed.is_file() else ROOT / kept_in
    blocks = []
    for cell in json.loads(read(path))["cells"]:
        source = "".join(cell["source"]).rstrip()
        if cell["cell_type"] == "markdown":
            blocks.append(source)
        elif cell["cell_type"] == "code" and source:
            blocks.append(f"```python\n{source}\n```")
            blocks += filter(None, (_result(output) for output in cell["outputs"]))
    note = f"[As a notebook]({REPOSITORY}/{kept_in}); `qsession tutorial` copies all of them."
    if path != executed:
        note += " Shown here without its results."
    heading, _, text = blocks[0].partition("\n")
    return "\n\n".join([heading, note, text.strip(), *blocks[1:]]) + "\n"


def _result(output: dict[str, Any]) -> str:
    """An output as Markdown: the receipt or another short page, or its text."""
    data = output.get("data", {})
    html = "".join(data.get("text/html", ""))
    if html and len(html) <= LONGEST and "<script" not in html:
        # a blank line would end the block of HTML
        return "<div>\n" + re.sub(r"\n\s*\n", "\n", html.strip()) + "\n</div>"
    if "application/vnd.plotly.v1+json" in data:
        return "*The figure is drawn in the notebook.*"
    text = "".join(output.get("text", data.get("text/plain", ""))).rstrip()
    return f"```text\n{text}\n```" if text else ""


def read(path: Path) -> str:
    """Text of a file."""
    return path.read_text("utf-8")


def write(path: Path, text: str) -> None:
    """Write a page, and the folders it is in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
