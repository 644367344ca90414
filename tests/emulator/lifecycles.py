"""Small lifecycles for the tests of the session's rules."""

from __future__ import annotations

from qsession_widgets.emulator.rules.lifecycle import Lifecycle
from qsession_widgets.emulator.rules.records import (
    Backend,
    EmulatedJob,
    EmulatedSession,
    Plan,
)

PLAN = Plan(interactive_ttl=60.0, max_ttl=600.0, batch_interactive_ttl=60.0, batch_max_ttl=600.0)
FEZ = "ibm_fez"


def emulator(lanes: int = 1, exclusive: bool = True, **options: float) -> Lifecycle:
    return Lifecycle([Backend(FEZ, lanes, exclusive)], **options)


def opened(service: Lifecycle, now: float, name: str, mode: str = "dedicated") -> EmulatedSession:
    return service.open_session(now, name, FEZ, mode, "crn", PLAN)


def job(name: str, session: str | None = None, **fields) -> EmulatedJob:
    return EmulatedJob(name, "sampler", FEZ, "crn", 0.0, session, **fields)


def statuses(service: Lifecycle) -> dict[str, str]:
    return {name: record.status for name, record in service.jobs.items()}


def active_session(lanes: int = 1) -> Lifecycle:
    """A session whose first job ran from 100 to 110."""
    service = emulator(lanes)
    opened(service, 0, "mine")
    service.submit(100, job("first", "mine"))
    service.finish(110, "first")
    assert service.sessions["mine"].state == "active"
    return service


def restarted(service: Lifecycle, now: float, *devices: Backend) -> Lifecycle:
    after = Lifecycle(
        devices or service.devices.values(), service.sessions.values(), service.jobs.values()
    )
    after.resume(now)
    return after
