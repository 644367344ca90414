"""``%%session`` and ``%session``: read the line, call the rest, say one clear sentence.

A cell that begins with ``%%session`` is an ordinary cell: its first line is turned into a call
before IPython compiles it. So top-level ``await``, tracebacks, interrupts and the value of the last
line are what they are in any other cell.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, magics_class

from .binding import BINDING
from .errors import UserError, nearest
from .options import OPEN_OPTIONS, USAGE, parse_open, split

if TYPE_CHECKING:
    from .live import LiveSession

ACTIONS = ("status", "close", "cancel", "backends", "receipt", "timeline", "unbind")


@magics_class
class SessionMagics(Magics):
    """The magics of this package."""

    def __init__(self, shell: Any):
        super().__init__(shell=shell)
        self.shell: Any = shell

    @line_cell_magic
    def session(self, line: str, cell: str | None = None) -> Any:  # noqa: D102 - USAGE, below
        if cell is not None:
            # reached through run_cell_magic only; a cell as typed is rewritten by `rewrite_cell`
            self.open_from_line(line)
            self.shell.run_cell(cell).raise_error()
            return None
        return _plainly(lambda: self._act(line))

    session.__doc__ = USAGE

    def open_from_line(self, line: str) -> None:
        """Open a session as the options of a ``%%session`` line ask, and show its panel."""
        _plainly(lambda: self._open(line))

    def _open(self, line: str) -> None:
        options = parse_open(line)
        from .api import open_bound

        live, remark = open_bound(
            options.backend,
            max_time=options.max_time,
            service=options.service,
            instance=options.instance,
            account=options.account,
            name=options.name,
            expect=options.expect,
            notebook=_notebook(self.shell),
        )
        session_name, backend_name = options.names
        self.shell.push({session_name: live.session, backend_name: live.backend})
        print(remark)
        _show(live)

    def _act(self, line: str) -> Any:
        words = split(line)
        action = words[0] if words else "status"
        if action not in ACTIONS:
            close = nearest(action, list(ACTIONS))
            raise UserError(
                f"%session has no action {action!r}"
                + (f": did you mean {close}?" if close else f": there are {', '.join(ACTIONS)}.")
                + " %session? explains them; a new session is opened by %%session above a cell."
            )
        if len(words) > 1:
            raise UserError(f"%session {action} takes nothing more, not {' '.join(words[1:])!r}.")
        return getattr(self, f"_{action}")()

    def _status(self) -> None:
        _show(_bound_or_last())

    def _close(self) -> None:
        live = _bound()
        print(live.monitor.command("close"))
        BINDING.unbind()

    def _cancel(self) -> None:
        live = _bound()
        print(live.monitor.command("cancel"))
        BINDING.unbind()

    def _unbind(self) -> None:
        live = _bound()
        BINDING.unbind()
        print(
            f"The session on {live.backend.name} is no longer bound. It stays open and its usage "
            "goes on while it is active: session.close() ends it."
        )

    def _backends(self) -> None:
        from .service import backend_names, choose

        live = BINDING.bound
        chosen = live.chosen if live is not None else choose()
        print(chosen.info.label + ": " + ", ".join(backend_names(chosen)))

    def _receipt(self) -> None:
        from IPython.display import display

        from .receipt import Receipt

        live = _bound_or_last()
        live.monitor.poll()
        receipt = Receipt(live.monitor.snapshot, live.monitor.now())
        display(receipt)  # type: ignore[no-untyped-call]

    def _timeline(self) -> Any:
        from .timeline import timeline

        live = _bound_or_last()
        live.monitor.poll()
        return timeline(live.monitor.snapshot, now=live.monitor.now())


def rewrite_cell(lines: list[str]) -> list[str]:
    """Turn the first line of a ``%%session`` cell into a call; every other cell stays as it is.

    Parameters
    ----------
    lines : list of str
        The cell's lines with their ends, as IPython hands them to a transformer.
    """
    if not lines:
        return lines
    first = lines[0].rstrip("\n")
    if not (first == "%%session" or first.startswith("%%session ")):
        return lines
    if first.rstrip().endswith("?"):
        return lines
    call = f"get_ipython().run_line_magic('qsession_open', {first[len('%%session') :].strip()!r})\n"
    return [call, *lines[1:]]


def load(shell: Any) -> None:
    """Add the magics to a shell; loading twice changes nothing."""
    magics = SessionMagics(shell=shell)
    shell.register_magics(magics)
    shell.register_magic_function(magics.open_from_line, "line", "qsession_open")
    cleanup = shell.input_transformer_manager.cleanup_transforms
    if rewrite_cell not in cleanup:
        cleanup.append(rewrite_cell)
    shell.set_custom_exc((UserError,), _show_sentence)
    from .completion import complete_session

    shell.set_hook("complete_command", complete_session, str_key="%%session")
    shell.set_hook("complete_command", complete_session, str_key="%session")


def unload(shell: Any) -> None:
    """Take the magics away; an open session stays open and says so."""
    cleanup = shell.input_transformer_manager.cleanup_transforms
    if rewrite_cell in cleanup:
        cleanup.remove(rewrite_cell)
    for kind, name in (("line", "session"), ("cell", "session"), ("line", "qsession_open")):
        shell.magics_manager.magics[kind].pop(name, None)
    shell.set_custom_exc((), None)
    live = BINDING.shut()
    if live is not None and live.usable:
        print(
            f"The session on {live.backend.name} is still open and costs while it is active: "
            "session.close() ends it.",
            file=sys.stderr,
        )


def _plainly(action: Callable[[], Any]) -> Any:
    """Run what a magic does; a person's mistake becomes a line of text instead of a traceback."""
    try:
        return action()
    except UserError as error:
        raise UsageError(str(error)) from None


def _show_sentence(
    shell: Any, kind: type[BaseException], error: BaseException, *_: Any, **__: Any
) -> None:
    print(f"Session error: {error}", file=sys.stderr)


def _bound() -> LiveSession:
    live = BINDING.bound
    if live is None:
        raise UserError("No session is bound: open one with %%session above a cell.")
    return live


def _bound_or_last() -> LiveSession:
    live = BINDING.bound or BINDING.last
    if live is None:
        raise UserError("There is no session yet: open one with %%session above a cell.")
    return live


def _show(live: LiveSession) -> None:
    from IPython.display import display

    display(live.panel())  # type: ignore[no-untyped-call]


def _notebook(shell: Any) -> str:
    import os

    # what Jupyter's kernels are told about where they run; VS Code tells it in the namespace
    return str(os.environ.get("JPY_SESSION_NAME") or shell.user_ns.get("__vsc_ipynb_file__") or "")


__all__ = ["OPEN_OPTIONS", "SessionMagics", "load", "rewrite_cell", "unload"]
