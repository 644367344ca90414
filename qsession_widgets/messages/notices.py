"""Sentences about a session that its owner has to know: lost answers and waits.

``js/src/shared/messages/notices.ts`` has the same; ``tests/vectors/notices.json`` has the sentences
that both are tested with.
"""

from __future__ import annotations

from pathlib import PurePath

from ..formatting import format_duration, format_money
from ..model import Blocker, SessionSnapshot

RUNS_AT_ONCE = "A job built without mode= runs in the bound session at once."
"""Follows `waits_for` where what is waited for is a session of this kernel."""


def notices(snapshot: SessionSnapshot, now: float) -> list[str]:
    """Sentences for the reader of a session at this moment; empty when there are none.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session.
    now : float
        Service clock.
    """
    found = [_unknown(snapshot), _waits(snapshot, now)]
    return [sentence for sentence in found if sentence]


def routed(job_id: str, qubits: int, needed: int, seconds: float) -> str:
    """A job's simulation took long, for routing has spread its circuit over further qubits.

    Parameters
    ----------
    job_id : str
        The job.
    qubits, needed : int
        How many qubits the circuit acts on, and how many it was made of.
    seconds : float
        How long its simulation took. Each qubit about doubles that.
    """
    estimate = seconds / 2 ** (qubits - needed)
    return (
        f"Job {job_id} has {qubits} active qubits where {needed} are needed, and took "
        f"{format_duration(seconds)} to simulate instead of about {format_duration(estimate)} "
        "(estimated: each qubit doubles it). The transpiler has routed its circuit over the "
        f"{qubits - needed} more: with another seed_transpiler, or an initial_layout, it may need "
        "fewer."
    )


def _unknown(snapshot: SessionSnapshot) -> str:
    if not snapshot.unknown:
        return ""
    jobs = snapshot.unknown.count("submit")
    what = [f"{jobs} job{'' if jobs == 1 else 's'}"] if jobs else []
    what += [f"the {action}" for action in ("close", "cancel") if action in snapshot.unknown]
    text = (
        f"{' and '.join(what).capitalize()} may have been accepted: the answer was lost, and the "
        "service is asked until it says."
    )
    price = _price(snapshot)
    costs = f" While active it costs {price}." if price and snapshot.service.charged else ""
    again = " Running the cell again looks first, and sends nothing twice." if jobs else ""
    return text + costs + again


def _waits(snapshot: SessionSnapshot, now: float) -> str:
    blocker = snapshot.blocker
    if blocker is None:
        return ""
    sentence = waits_for(blocker, now, charged=snapshot.service.charged)
    return sentence[0].upper() + sentence[1:]


def waits_for(blocker: Blocker, now: float, *, charged: bool) -> str:
    """End of a sentence: the session that a job waits for, what that costs, and its end.

    Parameters
    ----------
    blocker : Blocker
        The session waited for.
    now : float
        Service clock.
    charged : bool
        Whether that service charges.
    """
    name = f"'{blocker.name}'" if " " in blocker.name else blocker.name
    which = name or blocker.session_id
    of = f" of {PurePath(blocker.notebook).name}" if blocker.notebook else ""
    jobs = f"with {blocker.pending} job{'' if blocker.pending == 1 else 's'} to run"
    parts = [f"waits for your session {which}{of}", jobs if blocker.pending else "idle"]
    if blocker.price_per_second is not None:
        price = _a_minute(blocker.price_per_second)
        parts.append(price if charged else f"on IBM {price}")
    if blocker.ends_at is not None:
        parts.append(f"lets others run in {format_duration(blocker.ends_at - now)}")
    return f"{', '.join(parts)}: %session close {which} ends it."


def _price(snapshot: SessionSnapshot) -> str:
    price = snapshot.service.price_per_second
    if price is None or snapshot.mode != "dedicated":
        return ""
    return _a_minute(price)


def _a_minute(price: float) -> str:
    return f"{format_money(60 * price)} a minute"
