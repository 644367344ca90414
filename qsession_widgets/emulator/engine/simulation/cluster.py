"""Simulator calls on an existing Dask cluster instead of this process.

Dask keeps every call until its answer has arrived, so a call whose worker is lost is run again on
another. The cluster's workers need this package and nothing that a job brings along.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from qsession_widgets.emulator.engine.failure import JobFailure

Argument = TypeVar("Argument")
Answer = TypeVar("Answer")

_CONNECT_TIMEOUT = 5.0


class Cluster:
    """A connection to a Dask scheduler.

    Parameters
    ----------
    address : str
        Such as ``"tcp://host:8786"``.

    Raises
    ------
    JobFailure
        If nothing answers there, or ``distributed`` is not installed.
    """

    def __init__(self, address: str) -> None:
        try:
            import distributed
        except ImportError:
            raise JobFailure(
                "The emulator was started with a Dask cluster, and the package distributed is not "
                "installed: install it with pip install distributed."
            ) from None
        self.address = address
        try:
            self._distributed: Any = distributed
            self._client: Any = self._distributed.Client(
                address, timeout=_CONNECT_TIMEOUT, set_as_default=False
            )
        except (OSError, ValueError) as error:
            raise JobFailure(
                f"No Dask scheduler answers at {address}: start one, or start the emulator without "
                f"--cluster. ({type(error).__name__})"
            ) from error

    @property
    def alive(self) -> bool:
        """True while the scheduler answers."""
        return bool(self._client.status == "running")

    def map(
        self, function: Callable[[Argument], Answer], arguments: Sequence[Argument]
    ) -> Iterator[tuple[int, Answer]]:
        """Call a function for each argument on the cluster.

        Yields
        ------
        tuple
            An argument's position and its answer, in the order in which answers arrive.

        Raises
        ------
        JobFailure
            If the scheduler is lost on the way.
        """
        futures = {
            # Without this, Dask would take equal arguments for one call and share its answer.
            self._client.submit(function, argument, pure=False): position
            for position, argument in enumerate(arguments)
        }
        try:
            arrived = self._distributed.as_completed(
                futures, with_results=True, loop=self._client.loop
            )
            for future, answer in arrived:
                if future.status != "finished":
                    raise JobFailure(
                        f"The Dask scheduler at {self.address} was lost while this job ran: see "
                        "whether it still runs, and submit the job again."
                    )
                yield futures[future], answer
        finally:
            with contextlib.suppress(Exception):  # there may be nobody left to tell
                self._client.cancel(list(futures))


_connected: list[Cluster] = []


def connect(address: str) -> Cluster:
    """Return the connection to a cluster, made once per process and again when it was lost."""
    if not (_connected and _connected[0].address == address and _connected[0].alive):
        _connected[:] = [Cluster(address)]
    return _connected[0]
