"""First sentences of docstrings say what a thing is or does; they do not begin with a question."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

QUESTIONS = ("What", "Who", "Whose", "Whether", "How", "Where", "Why")


def test_no_docstring_begins_with_a_question(repository: Path) -> None:
    package = repository / "qsession_widgets"
    found = [
        (path.relative_to(package), line, text)
        for path in sorted(package.rglob("*.py"))
        for line, text in _docstrings(ast.parse(path.read_text("utf-8")))
        if text.split(maxsplit=1)[:1] and text.split(maxsplit=1)[0] in QUESTIONS
    ]
    wrong = [f"{path}:{line}: {text.splitlines()[0]}" for path, line, text in found]
    assert not wrong, "\n".join(wrong)


def _docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Docstrings of modules, classes and functions, and of what is assigned in the first two."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        text = ast.get_docstring(node)
        if text:
            yield node.body[0].lineno, text
        for before, after in zip(node.body, node.body[1:], strict=False):
            if (
                isinstance(before, ast.Assign | ast.AnnAssign)
                and isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
                and isinstance(after.value.value, str)
            ):
                yield after.lineno, after.value.value
