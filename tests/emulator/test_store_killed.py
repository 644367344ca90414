"""Killed at any moment, the store has everything it acknowledged."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from emulator.store_child import body

from qsession_widgets.emulator.rules.lifecycle import MAX_ATTEMPTS
from qsession_widgets.emulator.rules.records import FINAL
from qsession_widgets.emulator.storage.store import Store

CHILD = Path(__file__).with_name("store_child.py")
ROUNDS = 60


def test_killed_at_any_moment_it_has_everything_it_acknowledged(tmp_path):
    path = tmp_path / "data.sqlite"
    rng = random.Random(2024)
    promised_jobs: dict[str, tuple[str, int]] = {}
    promised_sessions: dict[str, tuple[str, bool]] = {}
    running: dict[str, int] = {}  # at the last kill, with the number of attempts
    reruns = given_up = 0

    for number in range(ROUNDS):
        # Some are killed before they are ready, some soon after, some in the middle of much work.
        kept = rng.choice([rng.randrange(1, 12), rng.randrange(12, 150)])
        lines = []
        with subprocess.Popen(
            [sys.executable, CHILD, path, str(number)], stdout=subprocess.PIPE, text=True
        ) as child:
            for line in child.stdout:
                lines.append(line)
                if len(lines) == kept:
                    os.kill(child.pid, signal.SIGKILL)
                    break
            lines += child.stdout  # it may have acknowledged more before it died
        assert child.returncode == -signal.SIGKILL

        ready = False
        for line in lines:
            if not line.endswith("\n"):
                continue
            kind, *facts = json.loads(line)
            ready = ready or kind == "ready"
            if kind == "job":
                name, status, attempts = facts
                if name in running and not ready:
                    # What ran when the process died runs once more, or is given up and says so.
                    was = running.pop(name)
                    if status == "Running":
                        assert attempts == was + 1
                        reruns += 1
                    else:
                        assert (status, was) == ("Failed", MAX_ATTEMPTS)
                        given_up += 1
                assert promised_jobs.get(name, ("Queued", 0))[0] not in FINAL, "it ended twice"
                promised_jobs[name] = (status, attempts)
            elif kind == "session":
                promised_sessions[facts[0]] = tuple(facts[1:])
        assert not ready or not running, "a job that was running was forgotten"

        store = Store(path)
        stored_sessions, stored_jobs = store.load()
        check_promises(store, stored_sessions, stored_jobs, promised_jobs, promised_sessions)
        # What it had written and could not acknowledge any more counts as well from here on.
        promised_jobs = {record.id: (record.status, record.attempts) for record in stored_jobs}
        running = {
            record.id: record.attempts for record in stored_jobs if record.status == "Running"
        }
        store.close()

    assert len(promised_jobs) > ROUNDS
    assert reruns > ROUNDS / 2
    assert given_up


def check_promises(store, stored_sessions, stored_jobs, promised_jobs, promised_sessions) -> None:
    sessions_now = {record.id: record for record in stored_sessions}
    jobs_now = {record.id: record for record in stored_jobs}
    assert promised_jobs.keys() <= jobs_now.keys()
    assert promised_sessions.keys() <= sessions_now.keys()
    order = ["Queued", "Running"]
    for name, (status, attempts) in promised_jobs.items():
        record = jobs_now[name]
        if status in FINAL:
            assert (record.status, record.attempts) == (status, attempts)
        else:
            assert record.attempts >= attempts
            assert record.final or order.index(record.status) >= order.index(status)
    for name, (state, accepting) in promised_sessions.items():
        record = sessions_now[name]
        assert record.accepting_jobs <= accepting
        assert state != "closed" or record.state == "closed"
    for record in stored_jobs:
        assert store.params(record.id) == body("params", record.id), "accepted without its body"
        completed = record.status == "Completed"
        assert (store.result(record.id) is not None) == completed, "a job and its result are one"
        assert not completed or store.result(record.id) == body("result", record.id)
        if record.session_id and sessions_now[record.session_id].state == "closed":
            assert record.final
