"""Generate COVERAGE.md: the parts of the service's REST API that are here.

The list of the service's addresses is kept here by hand, from its public reference; what is done is
read from the routes. Run with ``--write``, it brings ``COVERAGE.md`` up to date; a test fails when
it is not.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from fastapi import APIRouter

from .common import PREFIX
from .routes import (
    backends,
    control,
    devices,
    faults,
    iam,
    instances,
    jobs,
    room,
    sessions,
    users,
    workloads,
)

FILE = Path(__file__).resolve().with_name("COVERAGE.md")

SERVICE: dict[str, str] = {
    "POST /sessions": "",
    "GET /sessions/{id}": "",
    "PATCH /sessions/{id}": "closes",
    "DELETE /sessions/{id}/close": "cancels",
    "POST /jobs": "sampler, estimator, executor and noise-learner; others are refused by name",
    "GET /jobs": "",
    "GET /jobs/{id}": "held up to 0.1 s while the job is not finished",
    "DELETE /jobs/{id}": "",
    "POST /jobs/{id}/cancel": "",
    "GET /jobs/{id}/results": "",
    "GET /jobs/{id}/logs": "",
    "GET /jobs/{id}/metrics": "",
    "PUT /jobs/{id}/tags": "",
    "GET /tags": "",
    "GET /workloads": "",
    "GET /backends": "today's fleet; with include_mocks every device",
    "GET /backends/{id}/configuration": "each has one calibration; another id is not found",
    "GET /backends/{id}/properties": "updated_before likewise",
    "GET /backends/{id}/status": "",
    "GET /backends/{id}/defaults": "always 404: no device has pulse defaults any more",
    "GET /instance": "",
    "GET /instances/usage": "",
    "GET /instances/configuration": "no limit is ever set",
    "PUT /instances/configuration": "limits belong to the plan that --plan names",
    "GET /versions": "",
    "GET /accounts/{id}": "administration of an account; an emulator has none",
    "GET /analytics/usage": "reports over months; an emulator keeps 30 days",
    "GET /analytics/usage_grouped": "the same",
    "GET /analytics/usage_grouped_by_date": "the same",
    "GET /analytics/filters": "the same",
}
"""Every known address of the service, with a remark."""

PLAIN = """\
## Results for a client without Qiskit

With `"support_qiskit": false` among a job's parameters, the result of the sampler and of the
estimator is made of lists and numbers alone:

    {"results": [{"data": {…}, "metadata": {…}}, …], "metadata": {"version": 2}}

There is one entry for each PUB. The sampler's `data` has, by the name of each classical register,
`{"samples": ["0x3", "0x0", …], "num_bits": 2}`: a hexadecimal number for each shot. The estimator's
`data` has `evs`, `stds` and `ensemble_standard_error`, a number each. Execution spans are left out,
for how the service writes them in this form is not known here.

A PUB with a shape, as from several parameter sets or observables, has nested lists instead, one
level for each axis: of shape (2, 3), `samples[i][j]` are the shots of one parameter set, and
`evs[i][j]` is one expectation value.
"""


def _routes(router: APIRouter, prefix: str) -> Iterator[str]:
    for route in router.routes:
        path = re.sub(r"\{\w+\}", "{id}", prefix + getattr(route, "path", ""))
        for method in sorted(getattr(route, "methods", ())):
            yield f"{method} {path}"


def report() -> str:
    """The list, as Markdown."""
    done = {
        address
        for module in (jobs, sessions, workloads, instances, backends)
        for address in _routes(module.router, "")
    }
    unknown = sorted(done - SERVICE.keys())
    if unknown:
        raise SystemExit(f"These routes are not in the list of the service's: {unknown}.")
    lines = [
        "# What of the REST API the emulator does",
        "",
        "Made by `python -m qsession_widgets.emulator.http.coverage --write` from the routes.",
        "",
        f"## The service, below `{PREFIX}`",
        "",
        "| call | done | remark |",
        "|---|---|---|",
    ]
    for address, remark in SERVICE.items():
        lines.append(f"| `{address}` | {'yes' if address in done else 'no'} | {remark} |")
    for title, routers in (
        ("What the client asks of IBM Cloud", [(iam.router, "")]),
        (
            "The emulator's own",
            [
                (control.router, control.PREFIX),
                (devices.router, control.PREFIX),
                (users.router, control.PREFIX),
                (room.router, control.PREFIX),
                (room.page_router, ""),
                (faults.router, faults.PREFIX),
            ],
        ),
    ):
        lines += ["", f"## {title}", "", "| call | |", "|---|---|"]
        for router, prefix in routers:
            for address in _routes(router, prefix):
                only = "only with `--faults`" if prefix == faults.PREFIX else ""
                lines.append(f"| `{address}` | {only} |")
    return "\n".join([*lines, "", PLAIN])


def main(words: Sequence[str] | None = None) -> int:
    """Print the list, or write it down."""
    parser = argparse.ArgumentParser(description="What of the service's API is there.")
    parser.add_argument("--write", action="store_true", help=f"write {FILE.name}")
    if parser.parse_args(words).write:
        FILE.write_text(report(), "utf-8")
    else:
        sys.stdout.write(report())
    return 0


if __name__ == "__main__":
    sys.exit(main())
