"""Labels that group jobs, wherever the code runs that sends them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from .cells import Notebook


def test_labels_group_jobs_in_blocks_threads_and_tasks(circuits: Notebook, tmp_path: Path) -> None:
    circuits.good(
        "import asyncio",
        "from concurrent.futures import ThreadPoolExecutor",
        "sampler = Sampler()",
        "sent = {}",
        "def send(key):",
        "    sent[key] = sampler.run([measured], shots=10).job_id()",
        "@session.label('decorated')",
        "def decorated():",
        "    send('decorated')",
        "async def labelled(key, label):",
        "    with session.label(label):",
        "        await asyncio.sleep(0)",
        "        send(key)",
        "        await asyncio.to_thread(send, key + ', to a thread')",
        "async def plain():",
        "    await asyncio.sleep(0)",
        "    send('a task without')",
    )
    circuits.good(
        "send('before')",
        "with session.label('R=0.5'):",
        "    send('a block')",
        "    with session.label('inner'):",
        "        send('nested')",
        "    with ThreadPoolExecutor(1) as pool:",
        "        pool.submit(send, 'a pool').result()",
        "decorated()",
        "await asyncio.gather(labelled('one', 'A'), labelled('other', 'B'), plain())",
        "send('after')",
    )
    known = {job.id: job.label for job in circuits["session"].snapshot.jobs}
    assert {key: known[job] for key, job in circuits["sent"].items()} == {
        "before": "",
        "a block": "R=0.5",
        "nested": "inner",
        "a pool": "R=0.5",
        "decorated": "decorated",
        "one": "A",
        "one, to a thread": "A",
        "other": "B",
        "other, to a thread": "B",
        "a task without": "",
        "after": "",
    }
    # a cell that fails inside of a block leaves no label behind
    assert circuits("with session.label('lost'):", "    1 / 0").error is not None
    circuits.good(
        "send('later')",
        "session.service.job(sent['later']).wait_for_final_state()",
        "%session close",
        "table = session.to_dataframe()",
    )
    assert set(circuits["table"]["label"]) == {"", "A", "B", "R=0.5", "decorated", "inner"}
    circuits.good(f"%session export {tmp_path}/x.csv")
    rows = list(csv.DictReader((tmp_path / "x.csv").read_text().splitlines()))
    assert sorted(row["label"] for row in rows).count("R=0.5") == 2
    (shown,) = circuits.good("%session receipt").displayed
    assert "R=0.5: 2 jobs · QPU " in shown["text/plain"]
    assert "none: 4 jobs · QPU " in shown["text/plain"]


@pytest.mark.parametrize("label", ["0.75", "''", "' \\n'", "'x' * 61"])
def test_a_label_that_is_none_is_one_sentence(circuits: Notebook, label: str) -> None:
    sentence = circuits(f"session.label({label})").sentence()
    assert 'as in with session.label("R=0.75"):' in sentence
