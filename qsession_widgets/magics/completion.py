"""Tab after ``%%session``, ``%%batch`` and ``%session``: options, values, backends, names."""

from __future__ import annotations

from typing import Any

from ..client import joined
from ..options.table import ATTACH_OPTIONS, LIST_OPTIONS, OPEN_OPTIONS, SERVICE_OPTIONS, Option
from ..resume.records import recorded
from ..sessions.binding import BINDING
from .help_text import ACTION_NAMES

_OPTIONS = {"attach": ATTACH_OPTIONS, "list": LIST_OPTIONS, "backends": SERVICE_OPTIONS}


def complete_session(shell: Any, event: Any) -> list[str]:
    """Completions for the word under the cursor; what ``complete_command`` hooks return.

    Names come from what is known in this kernel: a key press never opens a connection.
    """
    words = event.line.split()
    ended = event.line.endswith(" ")
    previous = words[-1] if ended else words[-2] if len(words) > 1 else ""
    if not event.line.startswith("%%"):
        found = _after_action(words, previous, len(words) + ended)
    else:
        found = _after_flag(previous)
    return [word for word in found if word.startswith(event.symbol)]


def _after_action(words: list[str], previous: str, position: int) -> list[str]:
    if position <= 2:
        return list(ACTION_NAMES)
    names = [live.name for live in BINDING.sessions() if live.name]
    action = words[1]
    if action in _OPTIONS:
        return _after_flag(previous, _OPTIONS[action])
    return {"use": names, "cancel": names, "close": ["--all", "--everywhere", *names]}.get(
        action, []
    )


def _after_flag(previous: str, options: tuple[Option, ...] = OPEN_OPTIONS) -> list[str]:
    flags = [option.flag for option in options]
    option = next((option for option in options if option.flag == previous), None)
    if previous == "--backend":
        return _backends()
    if previous == "--resume":
        return ["any", *(run_id for run_id, _, _ in recorded()), *flags]
    if previous == "--service" and option is not None:
        return [*option.choices, *joined.names()]
    if option is not None and option.value:
        return list(option.choices)
    return flags


def _backends() -> list[str]:
    live = BINDING.bound
    if live is None or live.service_kind == "local":
        from ..emulator.device_catalog import DeviceCatalog

        return [entry.name for entry in DeviceCatalog().offered()]
    return sorted({live.target.backend.name, *live.target.connected.backends})
