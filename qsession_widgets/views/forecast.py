"""Forecast of a session's work on IBM, which shows itself as text or as a table."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..client.prices import price_of
from ..errors import InvalidOption, UserError
from ..formatting import as_html
from ..messages.forecast import actual_words, error_words, forecast_rows, outlook_words, ways_line
from ..messages.labels import ESTIMATE, price_words
from ..model import ServiceInfo, SessionSnapshot, Usage
from ..model.forecast import Forecast, Way, assumed_of, check, forecast, ran_jobs
from ..model.outlook import Outlook, outlook
from ..options.validators import read_duration
from ..price_list import LIST_PRICES, plan_code
from ..registry.forecasts import ratios
from ..text_table import terminal_width, text_facts

NAMES = 8
"""Columns of the names in a forecast of text."""


@dataclass(frozen=True)
class SessionForecast:
    """Forecast of a session's work so far, run on IBM as a session, a batch, or in job mode.

    Attributes
    ----------
    found : Forecast
        The three ways as numbers: seconds, and US dollars at the plan's price.
    plan : str
        Code of the plan: ``payg``, ``flex``, ``premium``, ``open``, or another of the service's.
    price : str
        The price that was counted with, in words; empty without one.
    to_come : Outlook or None
        What is still to come with ``--expect``; None without it, and for another plan than the
        session's own.
    """

    found: Forecast
    plan: str
    price: str
    to_come: Outlook | None

    def rows(self) -> list[tuple[str, str]]:
        """Its lines: a name, and what stands behind it."""
        lines = forecast_rows(self.found, plan=self.plan)
        if self.price:
            lines.insert(3, ("Price", self.price))
        if self.to_come is not None:
            lines.append(("To come", outlook_words(self.to_come)))
        return lines

    def to_json(self) -> dict[str, Any]:
        """The forecast as plain JSON types; ranges are lists of two, seconds or US dollars."""
        about = {"plan": self.plan, "price": self.price}
        return {**about, **forecast_json(self.found, self.to_come, plan=self.plan)}

    def __repr__(self) -> str:
        return text_facts(self.rows(), width=terminal_width(), least=NAMES)

    def _repr_html_(self) -> str:
        left = ' align="left" style="text-align:left;vertical-align:top;padding:1px 16px 1px 0"'
        rows = "".join(
            f"<tr><th{left}>{as_html(name)}</th><td{left}>{as_html(text)}</td></tr>"
            for name, text in self.rows()
        )
        return f"<table>{rows}</table>"


NOTHING_RAN = "There is nothing to forecast from yet: run a job of this session to its end first."
UNTOLD = (
    "There is nothing to forecast from: the service has not told the QPU time of all jobs of this "
    "session, and their executions are not known here."
)


def forecast_of(
    snapshot: SessionSnapshot,
    now: float,
    *,
    plan: str | None = None,
    queue_wait: float | str | None = None,
) -> SessionForecast:
    """Forecast a session's work so far on IBM.

    Parameters
    ----------
    snapshot : SessionSnapshot
        The session.
    now : float
        Service clock.
    plan : str, optional
        Any name of a plan; the session's own when not given.
    queue_wait : float or str, optional
        Wait in the normal queue, in seconds or as ``2m``; the one that its first job had when not
        given.

    Raises
    ------
    UserError
        There is no such plan, the wait is no duration, no job has ended yet, or the QPU time of
        one is neither told nor can be estimated.
    """
    own = plan_code(snapshot.service.plan)
    code = own if plan is None else plan_code(plan)
    if plan is not None and code not in LIST_PRICES:
        raise InvalidOption("plan", plan, "not_one_of", choices=tuple(LIST_PRICES))
    info = snapshot.service
    if code != own:
        price, source = price_of(code)
        info = ServiceInfo("ibm", "", code, price, price_source=source)
    assumed = assumed_of(
        snapshot,
        price=info.price_per_second,
        queue_wait=None if queue_wait is None else _wait(queue_wait),
        ratios=ratios(code, snapshot.backend),
    )
    found = forecast(snapshot, assumed)
    if found is None:
        raise UserError(UNTOLD if ran_jobs(snapshot) else NOTHING_RAN)
    # what is still to come runs in this session, at its own price, within its budget and quota
    to_come = outlook(snapshot, now) if code == own else None
    return SessionForecast(found, code, price_words(info), to_come)


def _wait(value: float | str) -> float:
    wait = value
    if isinstance(wait, str):
        wait = 0.0 if wait.strip() in ("0", "0s") else read_duration("queue-wait", wait)
    # not a number is none of these either
    if not 0 <= wait < 1e8:
        raise InvalidOption("queue-wait", str(value), "not_a_duration")
    return float(wait)


def receipt_rows(snapshot: SessionSnapshot, now: float) -> list[tuple[str, str]]:
    """Lines of a receipt: what is still to come, and the forecast beside what it then was."""
    lines = []
    to_come = outlook(snapshot, now)
    if to_come is not None:
        lines.append(("To come", outlook_words(to_come)))
    known = ratios(snapshot.service.plan, snapshot.backend)
    checked = check(snapshot, known)
    if checked is not None:
        lines.append(("Forecast", actual_words(checked)))
    assumed = assumed_of(snapshot, price=snapshot.service.price_per_second, ratios=known)
    found = forecast(snapshot, assumed)
    if found is not None:
        plan = plan_code(snapshot.service.plan)
        said = f"{ways_line(found, plan=plan)} ({error_words(known)}; %session forecast says more)"
        lines.append(("On IBM", said))
    return lines


def estimate_row(snapshot: SessionSnapshot, spent: Usage) -> list[tuple[str, str]]:
    """The line that says by which estimate an emulated session's usage is, and with which error."""
    if not spent.estimated:
        return []
    known = ratios(snapshot.service.plan, snapshot.backend)
    return [("Estimate", f"{ESTIMATE}; {error_words(known)}")]


def receipt_json(snapshot: SessionSnapshot, now: float) -> dict[str, Any] | None:
    """The forecast of a session with its own plan and wait; None before a job has ended."""
    assumed = assumed_of(
        snapshot,
        price=snapshot.service.price_per_second,
        ratios=ratios(snapshot.service.plan, snapshot.backend),
    )
    found = forecast(snapshot, assumed)
    if found is None:
        return None
    plan = plan_code(snapshot.service.plan)
    written = forecast_json(found, outlook(snapshot, now), plan=plan)
    checked = check(snapshot)
    if checked is not None:
        written["actual_usage"] = round(checked.usage, 3)
        written["ratio"] = round(checked.ratio, 4)
    return written


def forecast_json(found: Forecast, to_come: Outlook | None, *, plan: str) -> dict[str, Any]:
    """A forecast as plain JSON types; ``session`` is null on the Open Plan, which has none."""
    ways: tuple[Way, ...] = ("session", "batch", "job")
    written: dict[str, Any] = {name: _rounded(asdict(getattr(found, name))) for name in ways}
    for one in written.values():
        del one["plain"]
    if plan == "open":
        written["session"] = None
    return {
        "jobs": found.jobs,
        **written,
        "assumed": _rounded(asdict(found.assumed)),
        "estimated": found.estimated,
        "to_come": None if to_come is None else _rounded(asdict(to_come)),
    }


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in values.items()}


def _value(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    return [round(each, 3) for each in value] if isinstance(value, tuple) else value
