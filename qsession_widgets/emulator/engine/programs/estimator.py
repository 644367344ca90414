from __future__ import annotations
from qsession_widgets.emulator.engine.failure import INVALID_BODY, JobFailure
from qsession_widgets.emulator.engine.job import JobRun


def run(job: JobRun, text: str) -> str:
    raise JobFailure("The local emulator cannot run this program yet.", INVALID_BODY)
