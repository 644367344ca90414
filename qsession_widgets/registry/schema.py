"""Fields of a registry entry, and of the kernels and events in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Kind = Literal["stray", "budget", "guard"]


@dataclass(frozen=True)
class RecordedEvent:
    """An event that the kernel has reported about a session.

    Attributes
    ----------
    seq : int
        Counts the session's events, from 1.
    at : float
        When, on this machine's clock, in seconds since the epoch.
    kind : {"stray", "budget", "guard"}
        A job outside of it, a budget, a rule that closed it.
    text : str
        The sentence.
    """

    seq: int
    at: float
    kind: Kind
    text: str


@dataclass(frozen=True)
class Holder:
    """A kernel that has attached a session which another one had; fields as of `RegistryEntry`.

    Attributes
    ----------
    attached_at : float
        When, on this machine's clock.
    host : str
        The machine it runs on; empty for that of the first kernel.
    """

    process: int
    notebook: str = ""
    kernel_id: str = ""
    bound: bool = False
    tells: bool = False
    on_exit: str = ""
    attached_at: float = 0.0
    host: str = ""
    start: str = ""


@dataclass(frozen=True)
class RegistryEntry:
    """The kernel and the notebook that opened a session.

    Attributes
    ----------
    session_id : str
        The session.
    url : str
        Where its service is.
    notebook : str
        Path of the notebook; empty when unknown.
    process : int
        The kernel.
    name, backend : str
        The user's name for it, and the backend.
    kernel_id : str
        The kernel's id, as the Jupyter server knows it; empty when unknown.
    host : str
        The machine the kernel runs on; empty when unknown.
    bound : bool
        Whether primitives without a mode belong to it in that kernel.
    tells : bool
        Whether that kernel reports when a cell runs; see `qsession_widgets.registry.kernel_status`.
    on_exit : {"close", "leave", "last", ""}
        What that kernel does with it when it ends in order; empty when unknown. ``last``: it is
        left open, unless `last_closes` and no other kernel has it.
    opened_at : float
        When it was opened, or taken up, on this machine's clock; 0 when unknown.
    instance : str
        Which instance (CRN) it is in; empty when unknown.
    account : str
        Name of the saved account it was opened with; empty for another, or none.
    start : str
        The start of the kernel's process, as `qsession_widgets.platform_support.process_start` has
        it; empty when unknown.
    others : tuple of Holder
        Further kernels that have attached it.
    events : tuple of RecordedEvent
        The newest events, oldest first.
    end_reason : str
        The policy or the request that ended it; empty while it is open, or when unknown.
    end_facts : mapping of str to float
        Fields of its snapshot that say more of that: its policies, and the jobs that were running.
    last_closes : bool
        Whether the last kernel that has it closes it: one that would have done so has ended before.
    plan, price, price_source : str, float or None, str
        Code of its plan, the price of a second that its kernel counts with, and where that has it
        from; None and empty without one.
    policies : mapping of str to float
        Fields of its snapshot that its kernel alone knows while it is open: how many jobs are
        expected, and its budget.
    ended : mapping
        Its usage and cost once it is over; see `qsession_widgets.registry.history`.
    """

    session_id: str
    url: str
    notebook: str
    process: int
    name: str = ""
    backend: str = ""
    kernel_id: str = ""
    host: str = ""
    bound: bool = False
    tells: bool = False
    on_exit: str = ""
    opened_at: float = 0.0
    instance: str = ""
    account: str = ""
    start: str = ""
    others: tuple[Holder, ...] = ()
    events: tuple[RecordedEvent, ...] = ()
    end_reason: str = ""
    end_facts: Mapping[str, Any] = field(default_factory=dict)
    last_closes: bool = False
    price: float | None = None
    price_source: str = ""
    plan: str = ""
    policies: Mapping[str, Any] = field(default_factory=dict)
    ended: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RegistryEntry:
        """Read an entry from JSON; fields of later versions are left out.

        Raises
        ------
        TypeError
            Something is missing that every version wrote.
        """
        known = _fields(cls, data)
        events = tuple(
            RecordedEvent(**_fields(RecordedEvent, event)) for event in known.pop("events", ())
        )
        others = tuple(Holder(**_fields(Holder, other)) for other in known.pop("others", ()))
        return cls(**known, others=others, events=events)

    def of(self, holder: Holder) -> RegistryEntry:
        """The entry as that of one of its further kernels."""
        own = {name: getattr(holder, name) for name in Holder.__dataclass_fields__}
        opened_at = own.pop("attached_at")
        own["host"] = holder.host or self.host
        return replace(self, **own, opened_at=opened_at, others=())


def _fields(
    kind: type[RegistryEntry] | type[RecordedEvent] | type[Holder], data: Mapping[str, Any]
) -> dict[str, Any]:
    return {name: data[name] for name in kind.__dataclass_fields__ if name in data}
