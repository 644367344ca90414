"""Writes the figures of ``docs/explanation/billing.md`` from the session rules of the emulator.

``make reference`` runs it. With ``--check`` it writes nothing and says whether the page is current.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from qsession_widgets.emulator.rules.lifecycle import Lifecycle
from qsession_widgets.emulator.rules.records import PLANS, Backend, EmulatedJob
from qsession_widgets.price_list import LIST_PRICES

PAGE = Path(__file__).resolve().parent / "explanation" / "billing.md"
BEGIN, END = "<!-- figures: make reference -->", "<!-- end of figures -->"
JOBS, QPU, THINKING = 10, 3.0, 5.0
"""Jobs of the example, seconds of the device each takes, and seconds of the program in between."""


def main() -> int:
    """Write the table, or say whether it is current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when it is old")
    check = parser.parse_args().check
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    new = f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"
    if not check:
        PAGE.write_text(new, encoding="utf-8")
    elif new != text:
        print(f"{PAGE} is not what the rules say: run `make reference`.", file=sys.stderr)
        return 1
    return 0


def table() -> str:
    """The same ten jobs, ended in several ways, with what each is billed."""
    price = LIST_PRICES["payg"].dollars_per_second
    rows: list[tuple[str, Callable[[], float]]] = [
        ("a session, closed after the last job", lambda: session(closed_after=0.0)),
        ("a session, closed half a minute later", lambda: session(closed_after=30.0)),
        ("a session nobody closes: deactivated after a minute", lambda: session(closed_after=None)),
        ("the same, and one more job an hour later", lambda: session(None, later=3600.0)),
        ("a batch", batch),
        ("single jobs", lambda: JOBS * QPU),
    ]
    lines = ["| | billed | on Pay-As-You-Go |", "|---|---|---|"]
    for name, billed in rows:
        seconds = billed()
        lines.append(f"| {name} | {seconds:.0f} s | ${seconds * price:.2f} |")
    return "\n".join(lines)


def session(closed_after: float | None, later: float | None = None) -> float:
    """Billed seconds of a session with the example's jobs, one after the other."""
    service, now = _iterate("dedicated", 0.0)
    if closed_after is not None:
        service.advance(now + closed_after)
        service.close_session(now + closed_after, "mine")
    if later is not None:
        service.advance(now + later)
        service.submit(now + later, _job("later"))
        service.finish(now + later + QPU, "later", qpu_seconds=QPU)
    end = now + 8 * 3600
    service.advance(end)
    return service.usage("mine", end)


def batch() -> float:
    """Billed seconds of a batch with the same jobs."""
    service, now = _iterate("batch", 0.0)
    service.close_session(now, "mine")
    return service.usage("mine", now)


def _iterate(mode: str, now: float) -> tuple[Lifecycle, float]:
    """Run the example's jobs; the service, and the moment when the last one was done."""
    service = Lifecycle([Backend("device", 1, True)])
    service.open_session(now, "mine", "device", mode, "crn", PLANS["payg"])
    for number in range(JOBS):
        service.submit(now, _job(str(number)))
        service.finish(now + QPU, str(number), qpu_seconds=QPU)
        now += QPU + (THINKING if number < JOBS - 1 else 0.0)
    return service, now


def _job(name: str) -> EmulatedJob:
    return EmulatedJob(name, "sampler", "device", "crn", 0.0, "mine")


if __name__ == "__main__":
    sys.exit(main())
