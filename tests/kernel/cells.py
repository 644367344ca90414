"""Cells run in a shell of this process, and what came of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from ..support.waiting import wait_for as wait_for


@dataclass(frozen=True)
class Ran:
    """What a cell left behind.

    Attributes
    ----------
    out, err : str
        What was printed.
    displayed : list
        The data of what was displayed, by MIME type.
    error : BaseException or None
        What stopped it.
    value : Any
        The value of its last line.
    """

    out: str
    err: str
    displayed: list[dict[str, Any]] = field(default_factory=list)
    error: BaseException | None = None
    value: Any = None

    @property
    def said(self) -> str:
        """Everything printed."""
        return self.out + self.err

    def sentence(self) -> str:
        """The one line an error is, without a traceback.

        The service's own words may follow, and what happens to a session meanwhile.
        """
        assert "Traceback" not in self.said, self.said
        _, begins, error = self.said.rpartition("Session error: ")
        assert begins, self.said
        sentence, *more = [line for line in error.splitlines() if line.strip()]
        further = r"The service said: |Trace id: |The cell failed|\[\d\d:\d\d:\d\d [^]]*\] "
        assert all(re.match(further, line) for line in more), self.said
        return sentence


class Notebook:
    """A shell that runs cells one after another, as a notebook would."""

    def __init__(self, shell: InteractiveShell):
        self.shell = shell

    def __call__(self, *lines: str) -> Ran:
        """Run a cell, given by its lines."""
        with capture_output() as captured:
            result = self.shell.run_cell("\n".join(lines), store_history=True)
        error = result.error_before_exec or result.error_in_exec
        displayed = [dict(output.data) for output in captured.outputs]
        return Ran(captured.stdout, captured.stderr, displayed, error, result.result)

    def good(self, *lines: str) -> Ran:
        """Run a cell that must not fail."""
        ran = self(*lines)
        assert ran.error is None, ran.said
        return ran

    def __getitem__(self, name: str) -> Any:
        """A name of the notebook's."""
        return self.shell.user_ns[name]

    def __contains__(self, name: str) -> bool:
        return name in self.shell.user_ns
