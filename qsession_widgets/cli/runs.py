"""``qsession runs`` and ``qsession forget``: the runs whose jobs can be taken up again."""

from __future__ import annotations

import argparse
import json
from typing import Any

LIST = "list the runs whose jobs --resume can take up, the last one first"
FORGET = "remove the records of runs; their jobs stay at the service"


def add_runs(actions: Any) -> None:
    """Add ``runs`` and ``forget`` to the actions of the command."""
    runs = actions.add_parser("runs", help=LIST, description=LIST)
    runs.add_argument("--json", action="store_true", help="one JSON object a line, for programs")
    runs.set_defaults(action=_runs, parser=runs)
    forget = actions.add_parser("forget", help=FORGET, description=FORGET)
    which = forget.add_mutually_exclusive_group(required=True)
    which.add_argument("--all", action="store_true", help="all that no process is at")
    words = "id of a run, or its first four characters; several may be given"
    which.add_argument("id", nargs="*", default=[], help=words)
    forget.set_defaults(action=_forget, parser=forget)


def _runs(options: argparse.Namespace) -> None:
    from ..resume.run_list import list_runs, runs_as_json

    if not options.json:
        list_runs()
        return
    for run in runs_as_json():
        print(json.dumps(run))


def _forget(options: argparse.Namespace) -> None:
    from ..resume.run_list import forget_run

    for wanted in ["--all"] if options.all else options.id:
        forget_run(wanted)
