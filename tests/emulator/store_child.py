"""A process to be killed: it runs an emulator's rules on its data file and says what it promised.

Run as ``python store_child.py DATABASE SEED``. Each line it prints is an acknowledgement, written
only after the store took the change; the parent kills it at any moment and looks at the file.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

from qsession_widgets.emulator.rules.lifecycle import Lifecycle
from qsession_widgets.emulator.rules.records import Backend, EmulatedJob, Plan
from qsession_widgets.emulator.storage.store import Store

DEVICES = (Backend("hardware", lanes=1), Backend("simulator", lanes=3, exclusive=False))
PLAN = Plan(interactive_ttl=20.0, max_ttl=200.0, batch_max_ttl=200.0)


def body(kind: str, job_id: str) -> str:
    """What the parameters and the result of a job are: derived from its id, some of them long."""
    return f"{kind} of {job_id} " + "x" * (random.Random(job_id).choice([10, 300, 20_000]))


def run(path: Path, seed: int) -> None:
    rng = random.Random(seed)
    store = Store(path)
    service = Lifecycle(DEVICES, *store.load())

    def commit(params: dict[str, str] | None = None, results: dict[str, str] | None = None) -> None:
        changes = service.take_changes()
        jobs = [service.jobs[job_id] for job_id in changes.jobs]
        sessions = [service.sessions[session_id] for session_id in changes.sessions]
        store.save(sessions, jobs, params=params, results=results)
        for job in jobs:
            say("job", job.id, job.status, job.attempts)
        for session in sessions:
            say("session", session.id, session.state, session.accepting_jobs)

    def say(*words: object) -> None:
        sys.stdout.write(json.dumps(words) + "\n")
        sys.stdout.flush()

    service.resume(service.now)
    commit()
    say("ready")
    while True:
        now = service.now + rng.random() * 3
        live = [session for session in service.sessions.values() if session.accepting_jobs]
        event = rng.choice(["open", "submit", "submit", "submit", "end", "end", "end", "close"])
        name = f"{seed}-{len(service.jobs) + len(service.sessions)}"
        params, results = {}, {}
        if event == "open" and len(live) < 4:
            device = rng.choice(DEVICES).name
            service.open_session(now, name, device, rng.choice(["dedicated", "batch"]), "i", PLAN)
        elif event == "submit":
            session = rng.choice([None, *live])
            device = session.backend if session else rng.choice(DEVICES).name
            service.advance(now)
            if session is None or service.sessions[session.id].accepting_jobs:
                service.submit(
                    now, EmulatedJob(name, "sampler", device, "i", now, session and session.id)
                )
                params[name] = body("params", name)
        elif event == "end":
            running = [job for job in service.jobs.values() if job.status == "Running"]
            if running:
                job = rng.choice(running)
                service.finish(now, job.id, qpu_seconds=1.0)
                results[job.id] = body("result", job.id)
        elif live:
            stop = rng.choice([service.close_session, service.cancel_session])
            stop(now, rng.choice(live).id)
        commit(params, results)


if __name__ == "__main__":
    run(Path(sys.argv[1]), int(sys.argv[2]))
