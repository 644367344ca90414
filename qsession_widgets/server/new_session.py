"""The form for a new session: the cell that it writes."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from ..errors import UserError
from ..options.parsing import parse_open
from .service_list import ServiceSource

FIELDS = {
    "backend": "--backend",
    "max_time": "--max-time",
    "budget": "--budget",
    "idle_close": "--idle-close",
}
"""Fields of the form, and the option that each one writes."""

COMMENT = "# primitives built without a mode belong to the session from here on"


def cell(source: ServiceSource | None, wanted: Mapping[str, object]) -> str:
    """The source of a cell that opens a session, once it is looked at and run.

    Parameters
    ----------
    source : ServiceSource or None
        The service; None for the emulator of this machine, which may not run yet.
    wanted : mapping
        Values of `FIELDS`, as they would be typed.

    Raises
    ------
    UserError
        A value makes no sense.
    """
    words = _service_words(source)
    for name, flag in FIELDS.items():
        if value := str(wanted.get(name) or "").strip():
            words += [flag, value]
    for word in words:
        # a name may be the service's own; IPython runs what stands in braces, and a line that ends
        # early makes the rest of it code
        if not word.isprintable() or "{" in word or "}" in word:
            raise UserError(f"{word!r} cannot stand in a cell's line: choose another one.")
    line = shlex.join(words)
    parse_open(line)
    return f"%%session {line}\n{COMMENT}"


def _service_words(source: ServiceSource | None) -> list[str]:
    if source is None:
        return ["--service", "local"]
    words = ["--service", source.info.joined or source.info.kind]
    if source.info.joined:
        return words
    if source.info.kind == "local":
        _, _, name = source.key.partition(":")
        return [*words, *(["--local-name", name] if name else [])]
    if source.noted is not None:
        words += ["--account", source.noted.account] if source.noted.account else []
        words += ["--instance", source.noted.instance]
    return words
