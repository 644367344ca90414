"""The history of ended sessions, as the Jupyter server adds to it and shows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..model import SessionSnapshot, usage
from ..registry.history import delete_history, history, record, version
from ..registry.schema import RegistryEntry


@dataclass(frozen=True)
class Spent:
    """Cost of an ended session.

    Attributes
    ----------
    session_id : str
        The session.
    at : float
        When it ended, by this machine's clock.
    cost : float or None
        US dollars; None where its plan has no price.
    charged : bool
        Whether they were charged; of an emulated session they are what IBM would have charged.
    """

    session_id: str
    at: float
    cost: float | None
    charged: bool


class History:
    """The history of this machine's user.

    Attributes
    ----------
    spent : tuple of Spent
        Cost of each ended session, the latest first.
    """

    def __init__(self) -> None:
        self.spent: tuple[Spent, ...] = ()
        self._recorded: dict[str, tuple[bool, float | None]] = {}
        self._version: tuple[int, ...] | None = None

    def update(self, ended: Iterable[tuple[SessionSnapshot, RegistryEntry | None]]) -> None:
        """Record sessions that have ended, and read what kernels have recorded; blocks.

        Parameters
        ----------
        ended : iterable of tuple
            Sessions that are closed, each with its registry entry where there is one.
        """
        for snapshot, entry in ended:
            figures = (snapshot.usage_final, usage(snapshot, snapshot.closed_at or 0.0).cost)
            if self._recorded.get(snapshot.session_id) == figures:
                continue
            self._recorded[snapshot.session_id] = figures
            record(snapshot, entry)
        found = version()
        if found == self._version:
            return
        self._version = found
        self.spent = tuple(
            Spent(
                entry.session_id,
                float(entry.ended["at"]),
                entry.ended["cost"],
                bool(entry.ended["snapshot"]["service"]["charged"]),
            )
            for entry in history().values()
        )

    def rows(self) -> list[dict[str, Any]]:
        """The entries for a page, the latest first: when each ended, and its snapshot; blocks."""
        return [
            {
                "at": entry.ended["at"],
                "snapshot": {
                    **entry.ended["snapshot"],
                    "name": entry.name,
                    "notebook": entry.notebook,
                },
            }
            for entry in history().values()
        ]

    def delete(self) -> int:
        """Delete it; of how many sessions something was kept. Blocks."""
        self.spent = ()
        return delete_history()
