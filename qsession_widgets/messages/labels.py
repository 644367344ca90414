"""Labels: the session's phase in a few words."""

from __future__ import annotations

from ..formatting import format_duration, format_money, format_price
from ..model import (
    JobRecord,
    Phase,
    ServiceInfo,
    SessionSnapshot,
    Usage,
    past_maximum,
    phase,
    quota_left,
)
from ..price_list import LIST_PRICES

HEADLINES: dict[Phase, str] = {
    "open": "Open, no job yet",
    "queued": "Waiting in the queue",
    "active": "Active",
    "idle": "Active, idle",
    "deactivated": "Deactivated",
    "closing": "Closing",
    "closed": "Closed",
    "cancelled": "Cancelled",
    "job_mode": "Job mode",
    "job_mode_running": "Job mode, running",
    "not_opened": "Not opened",
}


def headline(snapshot: SessionSnapshot) -> str:
    """The session's phase in a few words."""
    return HEADLINES[phase(snapshot)]


def price_words(service: ServiceInfo) -> str:
    """The price that figures are counted with, and whose it is; empty without a price.

    ``at $0.80/s, list price of Premium``; ``at $0.65/s, your price``.
    """
    if service.price_per_second is None:
        return ""
    source = price_source_words(service)
    return f"at {format_price(service.price_per_second)}" + (f", {source}" if source else "")


NO_PRICE = (
    "unknown: this plan has no list price; qsession price set 1.20 counts with a price of yours, "
    "from the next session on"
)
"""Words in place of a cost where a price is to be asked for."""


def price_source_words(service: ServiceInfo) -> str:
    """The source of a price, as a noun: ``list price of Premium``; empty when unknown."""
    listed = LIST_PRICES.get(service.plan)
    return {
        "": "",
        "list": f"list price of {listed.name if listed else service.plan}",
        "own": "your price",
        "environment": "your price (QSESSION_PRICE)",
        "config": "your price (SessionMagics.price)",
    }[service.price_source]


def usage_words(spent: Usage) -> str:
    """Seconds of usage: ``1 m 36 s``, ``1 m 36 s so far``, ``at most 1 m 36 s``.

    With ``≈`` where they are an estimate of a device's for what the emulator ran.
    """
    so_far = spent.known and not spent.final and not spent.at_most
    return used_words(spent) + (" so far" if so_far else "")


def used_words(spent: Usage) -> str:
    """Seconds of usage of what is over: ``1 m 36 s``, ``at most ≈ 1 m 36 s``, ``not told``."""
    if not spent.known:
        return NOT_TOLD
    at_most, about = "at most " if spent.at_most else "", "≈ " if spent.estimated else ""
    return f"{at_most}{about}{format_duration(spent.total)}"


NOT_TOLD = "not told"
"""Words for a time that the service has not given."""

ESTIMATE = "a device's time by IBM's estimate of 2 s and 0.35 ms per execution for each job"
"""Clause that says what the usage of an emulated session is."""


def ran_words(job: JobRecord, seconds: float) -> str:
    """The time that a job ran: ``ran 2.5 s``, or ``simulated in 83 ms``.

    Of less than its QPU time, for that is a device's.
    """
    length = format_duration(seconds)
    simulated = seconds < (job.charged_seconds or 0.0)
    return f"simulated in {length}" if simulated else f"ran {length}"


def program_word(program: str) -> str:
    """The program of a job as users know it.

    The library's own samplers and estimators send ``executor``, and the service does not say which
    of them it was.
    """
    return "primitive" if program == "executor" else program


def late_words(snapshot: SessionSnapshot) -> str:
    """The jobs that would have failed on the device at its maximum time, as a sentence, if any."""
    late = past_maximum(snapshot)
    if not late or snapshot.max_ttl is None:
        return ""
    ran = sum(job.started is not None and not job.stray for job in snapshot.jobs)
    return (
        f"On the device the maximum time of {format_duration(snapshot.max_ttl)} would have been "
        f"reached: about {late} of {ran} jobs would have failed."
    )


def quota_words(snapshot: SessionSnapshot, now: float) -> str:
    """Words for the rest of the instance's quota: ``9 m 58 s left``; empty where there is none.

    With ``≈`` on the emulator, where it is what the device's time would leave. The Open Plan always
    has one, which the service may not have told.
    """
    left = quota_left(snapshot, now)
    if left is None and snapshot.service.plan == "open":
        return "free; what is left is not known"
    about = "" if snapshot.device_time is None else "≈ "
    return "" if left is None else f"{about}{format_duration(left)} left"


def cost_words(spent: Usage) -> str:
    """The cost of usage: ``≈ $154``, or ``at most ≈ $154``; empty without a price."""
    if spent.cost is None:
        return ""
    return f"{'at most ' if spent.at_most else ''}≈ {format_money(spent.cost)}"


def timeout_stands(snapshot: SessionSnapshot) -> str:
    """The words for an interactive timeout that does not run, as the panel has them."""
    if snapshot.state == "open":
        return "starts after the first job"
    if snapshot.state == "active":
        return "counts while no job is pending"
    pending = bool(snapshot.pending())
    return "starts after the queued job" if pending else "passed: the next job queues again"
