"""The magics ``%%session``, ``%%batch`` and ``%session``: they read a line and call the rest.

A cell that begins with ``%%session`` or ``%%batch`` is an ordinary cell: its first line is turned
into a call before IPython compiles it. So top-level ``await``, tracebacks, interrupts and the value
of the last line are what they are in any other cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import traitlets
from IPython.core.magic import Magics, line_cell_magic, magics_class

from ..client.prices import EXAMPLES, configure
from ..errors import UserError
from ..options.open_options import Mode
from ..options.parsing import build, parse_open, split
from ..options.table import OPEN_OPTIONS
from ..sessions.binding import BINDING
from ..sessions.callsite import this_notebook
from ..sessions.job_mode import JobMode
from .help_text import USAGE


def _default(flag: str) -> Any:
    meaning = next(option.meaning for option in OPEN_OPTIONS if option.flag == flag)
    return traitlets.Unicode("", help=f"Default of {flag}: {meaning}.").tag(config=True)


@magics_class
class SessionMagics(Magics):
    """The magics of this package, and the defaults of their options.

    Defaults are set in a notebook with ``%config SessionMagics.backend = "fake_fez"``, and for all
    of them with ``c.SessionMagics.backend = "fake_fez"`` in IPython's ``ipython_config.py``. An
    option on the line goes before its default.
    """

    # As they would be typed; empty for none.
    backend = _default("--backend")
    max_time = _default("--max-time")
    service = _default("--service")
    instance = _default("--instance")
    account = _default("--account")
    tags = _default("--tags")
    idle_close = _default("--idle-close")
    max_jobs = _default("--max-jobs")
    budget = _default("--budget")
    on_error = _default("--on-error")
    on_exit = _default("--on-exit")
    on_crash = _default("--on-crash")
    fallback = _default("--fallback")
    say = _default("--say")
    events = _default("--events")
    bind_as = _default("--bind-as")
    resume = traitlets.Union(
        [traitlets.Bool(), traitlets.Unicode()],
        default_value=False,
        help="Whether sessions take up the jobs of the last run, as with --resume; or any, or a "
        "run's id or name.",
    ).tag(config=True)
    strict = traitlets.Bool(False, help="Whether sessions are --strict.").tag(config=True)
    fractional_gates = traitlets.Bool(
        False, help="Whether backends have their fractional gates, as with --fractional-gates."
    ).tag(config=True)

    price = traitlets.Union(
        [traitlets.Unicode(), traitlets.Float()],
        default_value="",
        help=f"Price of a second of usage, in {EXAMPLES}, from the next session on; the plan's "
        "when empty.",
    ).tag(config=True)

    @traitlets.observe("price")
    def _set_price(self, change: Any) -> None:
        configure(str(change["new"]))

    def __init__(self, shell: Any):
        from .cell_hooks import CellHooks

        super().__init__(shell=shell)
        self.shell: Any = shell
        self.cell_hooks = CellHooks(shell)

    @line_cell_magic
    def session(self, line: str, cell: str | None = None) -> Any:  # noqa: D102 - USAGE, below
        if cell is not None:
            # reached through run_cell_magic only; a cell as typed is rewritten by `rewrite_cell`
            self.open_from_line(line)
            self.shell.run_cell(cell).raise_error()
            return None
        from .actions import act

        return _plainly(lambda: act(split(line), self.shell.push, self._configured()))

    session.__doc__ = USAGE

    @line_cell_magic
    def batch(self, line: str, cell: str | None = None) -> Any:  # noqa: D102 - USAGE, below
        if cell is None:
            raise UserError(
                "%batch is no command: %%batch above a cell opens a batch, %session shows it."
            )
        self.open_batch_from_line(line)
        self.shell.run_cell(cell).raise_error()
        return None

    batch.__doc__ = USAGE

    def open_from_line(self, line: str) -> None:
        """Open a session as the options of a ``%%session`` line ask, and show its panel."""
        _plainly(lambda: self._open(line, "dedicated"))

    def open_batch_from_line(self, line: str) -> None:
        """Open a batch as the options of a ``%%batch`` line ask, and show its panel."""
        _plainly(lambda: self._open(line, "batch"))

    def say_misplaced(self, magic: str) -> None:
        """Say that a cell's magic stands below the first line."""
        raise UserError(f"{magic} belongs on the first line of its cell: nothing goes above it.")

    def _open(self, line: str, mode: Mode) -> None:
        options = parse_open(line, mode=mode, defaults=self._defaults())
        from ..sessions.left_behind import left_behind_notices
        from ..sessions.manager import MANAGER
        from ..views.display import show
        from .actions import announce

        notebook = this_notebook()
        result = MANAGER.open(options, notebook=notebook, fall_back=True)
        names = options.names if "names" in options.given else None
        announce(result, self.shell.push, names)
        if not isinstance(result.bound, JobMode):
            self.cell_hooks.opened(result.bound)
        for sentence in left_behind_notices(result, notebook, BINDING):
            print(sentence)
        show(result.bound)

    def _configured(self) -> dict[str, str]:
        values: dict[str, str] = {}
        for name in self.class_trait_names(config=True):
            value, flag = getattr(self, name), "--" + name.replace("_", "-")
            if value and name != "price":
                values[flag] = "" if value is True else value
        return values

    def _defaults(self) -> dict[str, str]:
        """The configured defaults by flag, once each of them was found to make sense."""
        values = self._configured()
        for flag, value in values.items():
            try:
                build({flag: value})
            except UserError as error:
                name = f"SessionMagics.{flag[2:].replace('-', '_')}"
                raise UserError(
                    f"The configured default {name} makes no sense. {error} %config {name} = '' "
                    "takes it away."
                ) from None
        return values


_CALLS = {"%%session": "qsession_open", "%%batch": "qsession_open_batch"}


def rewrite_cell(lines: list[str]) -> list[str]:
    """Turn the first line of a ``%%session`` or ``%%batch`` cell into a call.

    Every other cell stays as it is.

    Parameters
    ----------
    lines : list of str
        The cell's lines with their ends, as IPython hands them to a transformer.
    """
    if not lines:
        return lines
    first = lines[0].strip()
    magic, _, rest = first.partition(" ")
    if magic not in _CALLS or first.endswith("?"):
        return _without_misplaced(lines)
    line = _with_amounts(rest.strip())
    call = f"get_ipython().run_line_magic({_CALLS[magic]!r}, {line!r})\n"
    return [call, *_without_misplaced(lines[1:])]


def _with_amounts(line: str) -> str:
    """A line in which IPython finds no variable in an amount of money.

    It takes ``$20`` for the value of the expression ``20``: twenty seconds, where twenty dollars
    are meant. It leaves alone what stands in single quotation marks.
    """
    return re.sub(r"(?<!\$)\$(?=[\d.])(?=[^']*(?:'[^']*'[^']*)*$)", "$$", line)


def _without_misplaced(lines: list[str]) -> list[str]:
    """Replace a ``%%session`` below a cell's first line by an error that says so."""
    text = "".join(lines)
    if text.startswith("%%") or '"""' in text or "'''" in text:
        return lines
    return [_below(line) for line in lines]


def _below(line: str) -> str:
    """A line of a cell that is not the first one of a ``%%session`` cell."""
    magic = line.split(maxsplit=1)[0] if line.strip() else ""
    if magic in _CALLS and line.startswith("%%"):
        return f"get_ipython().run_line_magic('qsession_misplaced', {magic!r})\n"
    return _with_amounts(line) if line.lstrip().startswith("%session ") else line


_LOADED: dict[int, SessionMagics] = {}


def load(shell: Any) -> None:
    """Add the magics to a shell; loading twice changes nothing."""
    if id(shell) in _LOADED:
        return
    magics = _LOADED[id(shell)] = SessionMagics(shell=shell)
    shell.register_magics(magics)
    shell.register_magic_function(magics.open_from_line, "line", "qsession_open")
    shell.register_magic_function(magics.open_batch_from_line, "line", "qsession_open_batch")
    shell.register_magic_function(magics.say_misplaced, "line", "qsession_misplaced")
    magics.cell_hooks.install()
    BINDING.watch(lambda: magics.strict)
    cleanup = shell.input_transformer_manager.cleanup_transforms
    if rewrite_cell not in cleanup:
        cleanup.append(rewrite_cell)
    shell.set_custom_exc((UserError,), _show_sentence)
    from .completion import complete_session

    for magic in ("%%session", "%%batch", "%session"):
        shell.set_hook("complete_command", complete_session, str_key=magic)
    if (live := BINDING.take_up()) is not None:
        print(
            f"Primitives built without a mode belong to the {live.word} on "
            f"{live.target.backend.name} again, which is still open."
        )


def unload(shell: Any) -> None:
    """Take the magics away; an open session stays open and says so."""
    cleanup = shell.input_transformer_manager.cleanup_transforms
    if rewrite_cell in cleanup:
        cleanup.remove(rewrite_cell)
    for name in ("session", "batch"):
        for kind in ("line", "cell"):
            shell.magics_manager.magics[kind].pop(name, None)
    for name in (*_CALLS.values(), "qsession_misplaced"):
        shell.magics_manager.magics["line"].pop(name, None)
    shell.set_custom_exc((), None)
    magics = _LOADED.pop(id(shell), None)
    if magics is not None:
        magics.cell_hooks.remove()
        shell.configurables.remove(magics)
    BINDING.set_aside()
    for live in BINDING.sessions():
        until = "is closed when this kernel ends"
        if live.options.on_exit == "leave":
            until = "is left open when this kernel ends"
        print(
            f"The {live.word} on {live.target.backend.name} stays open and {until}. "
            f"{live.price_sentence()} qsession close {live.monitor.session_id} in a terminal ends "
            "it; %load_ext qsession_widgets goes on in it."
        )


def _plainly(action: Callable[[], Any]) -> Any:
    """Run what a magic does; a person's mistake becomes a line of text instead of a traceback."""
    try:
        return action()
    except UserError as error:
        # without the frames between: the sentence is the whole message
        raise error.with_traceback(None) from None


def _show_sentence(
    shell: Any, kind: type[BaseException], error: BaseException, *_: Any, **__: Any
) -> None:
    # as an error of the cell's, so that programs which run notebooks see that it failed
    shell._showtraceback(kind, error, [f"Session error: {error}"])


__all__ = ["SessionMagics", "load", "rewrite_cell", "unload"]
