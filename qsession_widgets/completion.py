"""Tab after ``%%session`` and ``%session``: options, values, backends."""

from __future__ import annotations

from typing import Any

from .binding import BINDING
from .options import OPEN_OPTIONS
from .service import KINDS


def complete_session(shell: Any, event: Any) -> list[str]:
    """Completions for the word under the cursor; what ``complete_command`` hooks return.

    Backend names come from the bound session's service: a key press never opens a connection.
    """
    words = event.line.split()
    if not event.line.startswith("%%"):
        from .magics import ACTIONS

        return [action for action in ACTIONS if action.startswith(event.symbol)]
    previous = words[-1] if event.line.endswith(" ") else words[-2] if len(words) > 1 else ""
    if previous == "--service":
        return [kind for kind in KINDS if kind.startswith(event.symbol)]
    if previous == "--backend":
        return [name for name in _backends() if name.startswith(event.symbol)]
    return [option.flag for option in OPEN_OPTIONS if option.flag.startswith(event.symbol)]


def _backends() -> list[str]:
    live = BINDING.bound
    if live is None or live.chosen.info.kind == "local":
        from .emulator.fake_devices import names

        return ["aer", *names()]
    return [backend.name for backend in live.chosen.service.backends()]
