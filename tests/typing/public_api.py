"""How the package is used, for a type checker to read: ``make check`` does, nothing runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from typing_extensions import assert_type

from qsession_widgets import (
    SessionPanel,
    SessionSnapshot,
    UserError,
    attach_session,
    compare,
    current_session,
    load_ipython_extension,
    open_session,
    unload_ipython_extension,
)
from qsession_widgets.model import (
    Countdown,
    JobRecord,
    SeriesPoint,
    ServiceInfo,
    Usage,
    interactive_timeout,
    maximum_time,
    usage,
)
from qsession_widgets.sessions.job_mode import JobMode
from qsession_widgets.sessions.session import Batch, Session
from qsession_widgets.views.comparison import Comparison, Numbers
from qsession_widgets.views.receipt import Receipt


def opening() -> None:
    assert_type(open_session(), Session | Batch)
    open_session("fake_fez", service="local", max_time="30m", tags=["vqe"], strict=True)
    open_session("fake_fez", mode="batch", max_time=1800, idle_close="2m", budget="$20", max_jobs=9)
    open_session(emulator_options={"speed": 20, "queue": 60})
    open_session(service=1)  # type: ignore[arg-type]
    open_session(mode="job")  # type: ignore[arg-type]
    open_session(maxtime=60)  # type: ignore[call-arg]
    assert_type(attach_session("vqe"), Session | Batch | JobMode)
    attach_session("vqe", service="local", account="work", idle_close="2m", on_crash="leave")
    attach_session("vqe", backend="fake_fez")  # type: ignore[call-arg]
    assert_type(current_session(), Session | Batch | None)


def looking(session: Session) -> float:
    seen = session.snapshot
    assert_type(seen, SessionSnapshot)
    assert_type(session.wait_for(lambda seen: seen.state == "closed", timeout=5), SessionSnapshot)
    assert_type(session.panel(), SessionPanel)
    assert_type(session.receipt(), Receipt)
    assert_type(session.export("rb.csv"), list[Path])
    session.log(step=3, energy=-1.1, cost=(2.0, 0.1))
    with session.label("R=0.75"):
        pass
    session.label(0.75)  # type: ignore[arg-type]
    session.log(step="first", energy=-1.1)  # type: ignore[arg-type]
    assert_type(seen.points, tuple[SeriesPoint, ...])
    assert_type(seen.jobs, tuple[JobRecord, ...])
    assert_type(seen.service, ServiceInfo)
    assert_type(seen.started_at, float | None)
    assert_type(SessionSnapshot.from_json(seen.to_json()), SessionSnapshot)
    now = seen.answered_at
    assert_type(interactive_timeout(seen, now), Countdown | None)
    assert_type(maximum_time(seen, now), Countdown | None)
    spent = usage(seen, now)
    assert_type(spent, Usage)
    seen.state = "closed"  # type: ignore[misc]
    return spent.total


def comparing(one: Session, other: SessionSnapshot) -> None:
    sides = compare(one, other, price_per_second=1.6)
    assert_type(sides, Comparison)
    assert_type(sides.a, Numbers)


def showing(session: Session | Batch) -> None:
    SessionPanel(session, price_per_second=1.6)
    try:
        session.close()
    except UserError as error:
        assert_type(str(error), str)


def loading(shell: Any) -> None:
    load_ipython_extension(shell)
    unload_ipython_extension(shell)
