"""The quota that is left to a service's instance, asked for now and then."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Protocol

from ..client.connected_service import quota_left
from ..client.rest import ServiceClient
from ..model import ServiceInfo, SessionSnapshot, counted_usage, usage
from ..monitoring.service_clock import ServiceClock


class _Watched(Protocol):
    info: ServiceInfo
    clock: ServiceClock

    def snapshots(self) -> list[SessionSnapshot]: ...
    def ask(self, question: Callable[[ServiceClient], float | None], /) -> float | None: ...


class QuotaWatch:
    """The quota of one service, kept between two answers.

    Parameters
    ----------
    service : object
        The service: its ``info``, ``clock``, ``snapshots()`` and ``ask()``.
    """

    def __init__(self, service: _Watched):
        self._service = service
        self._quota: float | None = None
        self._asked = float("-inf")

    @property
    def left(self) -> float | None:
        """Whole seconds of usage that are left, on the emulator by the device's time.

        None where it has no limit, or does not tell.
        """
        left = self._quota
        if left is None:
            return None
        if self._service.info.kind == "local":
            # by the same meter as the usage of its sessions
            now = self._service.clock.now()
            left -= sum(usage(snapshot, now).total for snapshot in self._service.snapshots())
        # a tenth of a second less is no news
        return float(math.floor(max(0.0, left)))

    def ask(self, pause: float) -> None:
        """See what is left, if that was not asked within the last `pause` seconds.

        Raises
        ------
        UserError, ServiceError
            The service refused or does not answer.
        """
        if time.monotonic() - self._asked < pause:
            return
        self._asked = time.monotonic()
        # beside the client that is watched: a refusal of this one says nothing of the sessions
        left = self._service.ask(quota_left)
        if left is not None and self._service.info.kind == "local":
            now = self._service.clock.now()
            snapshots = self._service.snapshots()
            left += sum(counted_usage(snapshot, now) for snapshot in snapshots)
        self._quota = left
