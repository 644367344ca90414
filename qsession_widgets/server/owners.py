"""Owners of sessions: the notebook and the kernel that opened one, and the kernel's state.

A registry entry names kernel and notebook. The server knows where that notebook is by now and what
the kernel does; of a kernel that it did not start, whether the process still runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from jupyter_core.utils import ensure_async

from ..registry.entries import rename
from ..registry.kernel_status import runs_cell
from ..registry.processes import is_orphan
from ..registry.schema import RegistryEntry


@dataclass(frozen=True)
class Kernel:
    """A kernel of this server.

    Attributes
    ----------
    state : str
        The server's word for its state: ``idle``, ``busy``, ``starting``…
    path : str
        Where its notebook is by now, as the contents API names it; empty when it has none.
    """

    state: str
    path: str

    def to_json(self) -> dict[str, str]:
        """The kernel, for a page."""
        return {"state": self.state, "path": self.path}


class Owners:
    """Describes the owners of sessions, from registry entries and this server's kernels.

    Parameters
    ----------
    settings : mapping
        The web application's settings, in which Jupyter keeps its managers.
    """

    def __init__(self, settings: Mapping[str, Any]):
        self._settings = settings
        self._paths: dict[str, str] = {}
        self._relatives: dict[str, str] = {}

    async def kernels(self, wanted: Iterable[str]) -> dict[str, Kernel]:
        """Those of the wanted kernels that this server runs, by id."""
        manager = self._settings["kernel_manager"]
        found = {
            kernel_id: manager.get_kernel(kernel_id)
            for kernel_id in wanted
            if kernel_id and kernel_id in manager
        }
        if not found:
            return {}
        sessions = await ensure_async(self._settings["session_manager"].list_sessions())
        # a console may share a notebook's kernel
        for session in sorted(sessions, key=lambda session: session.get("type") == "notebook"):
            self._paths[session["kernel"]["id"]] = session.get("path") or ""
        return {
            kernel_id: Kernel(
                str(getattr(kernel, "execution_state", None) or "starting"),
                self._paths.get(kernel_id, ""),
            )
            for kernel_id, kernel in found.items()
        }

    def describe(self, note: RegistryEntry, kernels: Mapping[str, Kernel]) -> dict[str, Any]:
        """The owner of a session, for a page. Reads files, so it may block."""
        state = _state(note, kernels.get(note.kernel_id))
        path = self._relative(note.notebook)
        now_at = self._paths.get(note.kernel_id)
        if now_at and now_at != path and self.root is not None:
            # the kernel does not learn that its notebook was renamed; its successor has to
            rename(note.session_id, str(self.root / now_at))
        path = now_at or path
        name = PurePosixPath(path).name or Path(note.notebook).name
        return {
            "notebook": path if self._exists(path) else "",
            "label": name or f"process {note.process}",
            "kernel_id": note.kernel_id,
            "kernel": state,
            "bound": note.bound and state != "gone",
            "name": note.name,
            "on_exit": _on_exit(note),
        }

    @property
    def root(self) -> Path | None:
        """The folder whose notebooks this server shows; None when they are in no folder."""
        root = getattr(self._settings["contents_manager"], "root_dir", "")
        return Path(root) if root else None

    def _relative(self, notebook: str) -> str:
        """A file's path for the contents API; empty when it is outside of the root."""
        if not notebook or self.root is None:
            return ""
        if notebook not in self._relatives:
            self._relatives[notebook] = ""
            with suppress(ValueError, OSError):
                inside = Path(notebook).resolve().relative_to(self.root.resolve())
                self._relatives[notebook] = inside.as_posix()
        return self._relatives[notebook]

    def _exists(self, path: str) -> bool:
        return bool(path) and (self.root is None or (self.root / path).exists())


def _on_exit(note: RegistryEntry) -> str:
    if note.on_exit != "last":
        return note.on_exit
    return "close" if note.last_closes else "leave"


def _state(note: RegistryEntry, kernel: Kernel | None) -> str:
    """True if the kernel that opened a session is idle, busy, alive, gone, or elsewhere.

    The server's word is that of the message the kernel answered last, which may have gone past a
    cell that runs, over a subshell: it is *alive* where the kernel itself does not tell.
    """
    # a kernel that was restarted has kept its id and nothing else: the process tells
    if is_orphan(note):
        return "gone"
    if kernel is None:
        return "elsewhere"
    if kernel.state != "idle":
        return "gone" if kernel.state == "dead" else "busy"
    runs = runs_cell(note)
    return "alive" if runs is None else "busy" if runs else "idle"
