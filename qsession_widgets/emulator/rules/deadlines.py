"""Deadlines that keep changing, earliest first.

A heap that tolerates outdated entries: moving a deadline costs a push, and the entry it replaces is
dropped when it comes to the top. So an event costs the same with one session open and with two
hundred.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

Key = tuple[int, str]
"""Owner of a deadline: a rank, and an id that is unique within the rank."""


class Deadlines:
    """One deadline per key; of those at the same time, the lowest key comes first."""

    def __init__(self) -> None:
        self._at: dict[Key, float] = {}
        self._heap: list[tuple[float, Key]] = []

    def __len__(self) -> int:
        return len(self._at)

    def items(self) -> list[tuple[Key, float]]:
        """Everything that is due at some time, in no particular order."""
        return list(self._at.items())

    def set(self, key: Key, at: float | None) -> None:
        """Set or move the deadline of a key; None removes it."""
        if at is None:
            self._at.pop(key, None)
        elif self._at.get(key) != at:
            self._at[key] = at
            heappush(self._heap, (at, key))
            if len(self._heap) > 64 + 4 * len(self._at):
                self._heap = [(at, key) for key, at in self._at.items()]
                heapify(self._heap)

    def postpone(self, key: Key, seconds: float) -> None:
        """Move the deadline of a key, if it has one."""
        at = self._at.get(key)
        if at is not None:
            self.set(key, at + seconds)

    def first(self) -> float | None:
        """The earliest deadline, None when there is none."""
        while self._heap:
            at, key = self._heap[0]
            if self._at.get(key) == at:
                return at
            heappop(self._heap)
        return None

    def pop(self, now: float) -> Key | None:
        """Remove the earliest deadline that is not after ``now`` and return its key."""
        at = self.first()
        if at is None or at > now:
            return None
        key = heappop(self._heap)[1]
        del self._at[key]
        return key
