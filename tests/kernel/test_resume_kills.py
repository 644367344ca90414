"""Kernels that are killed at any point of a loop: each job is paid once, and the value is the same.

By itself the test kills a kernel four times in a loop of eight jobs, as soon as one was accepted;
with ``QSESSION_TEST_KILLS`` set, as ``make test-kills`` does, twenty times in a loop of fifty.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from .cells import wait_for
from .fresh import Kernel, running_kernel

Ask = Callable[..., Any]

FULL = bool(os.environ.get("QSESSION_TEST_KILLS"))
JOBS, BETWEEN, ANYWHERE = (50, 8, 12) if FULL else (8, 2, 2)

LOOP = """%%session --service local --backend aer {resume}
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit_ibm_runtime.executor_sampler import Sampler
circuit = QuantumCircuit(1)
circuit.sx(0)
circuit.rz(Parameter("angle"), 0)
circuit.sx(0)
circuit.measure_all()
sampler, angle = Sampler(options={{"experimental": {{"aer": {{"seed_simulator": 7}}}}}}), 0.1
for number in range({jobs}):
    counts = sampler.run([(circuit, [angle])], shots=512).result()[0].data.meas.get_counts()
    angle += 0.3 * counts.get("0", 0) / 512
print("the value is", repr(angle))
"""


def accepted(ask: Ask) -> int:
    """How many jobs the service has accepted."""
    return int(ask("GET", "/jobs?limit=1")["count"])


def value(printed: str) -> str:
    """The value that a cell has printed."""
    return printed.partition("the value is ")[2].split()[0]


def kill(kernel: Kernel) -> None:
    """Kill a kernel, and wait until it is gone."""
    kernel.manager.signal_kernel(9)
    wait_for(lambda: not kernel.manager.is_alive(), "the kernel's end")


def kill_between(kernel: Kernel, cell: str, ask: Ask) -> None:
    """Kill a kernel after a job was accepted and before it has heard of that."""
    ask(
        "POST",
        "/emulator/v1/faults",
        json={"method": "POST", "path": "/jobs", "delay": 3600, "after": True},
    )
    before = accepted(ask)
    kernel.start(cell)
    wait_for(lambda: accepted(ask) > before, "a job")
    kill(kernel)
    assert accepted(ask) == before + 1
    ask("DELETE", "/emulator/v1/faults")


def kill_anywhere(kernel: Kernel, cell: str, ask: Ask, chance: random.Random) -> None:
    """Kill a kernel some time after it has sent one more job; of a few, while it waits for that."""
    before = accepted(ask)
    # a short loop, or the end of a long one, could be over before the kill has come
    waits = before > JOBS - 15
    ask("POST", "/emulator/v1/faults/queue", json={"paused": waits})
    kernel.start(cell)
    wait_for(lambda: accepted(ask) > before, "a job")
    if not waits:
        # the place is what is drawn: any is right
        time.sleep(chance.random() * 0.2)
    kill(kernel)
    ask("POST", "/emulator/v1/faults/queue", json={"paused": False})


@pytest.mark.skipif(os.name != "posix", reason="no signal kills a process there")
@pytest.mark.timeout(3600 if FULL else 600)
def test_a_loop_whose_kernels_are_killed_pays_each_job_once(ask: Ask) -> None:
    chance = random.Random(JOBS)
    kills = [True] * BETWEEN + [False] * ANYWHERE
    chance.shuffle(kills)
    cell = LOOP.format(resume="--resume", jobs=JOBS)
    environment = {"JPY_SESSION_NAME": "/nowhere/killed.ipynb"}
    for number, between in enumerate(kills):
        if accepted(ask) >= JOBS:
            # whoever was slow to kill has let the loop come to its end
            assert sum(kills[:number]) > BETWEEN / 2
            break
        with running_kernel(environment) as kernel:
            kernel.run("%load_ext qsession_widgets")
            if between:
                kill_between(kernel, cell, ask)
            else:
                kill_anywhere(kernel, cell, ask, chance)
            assert accepted(ask) <= JOBS, f"after kill {number}"
    with running_kernel(environment) as kernel:
        kernel.run("%load_ext qsession_widgets")
        printed, error = kernel.run(cell)
        assert not error, printed
        assert accepted(ask) == JOBS, printed
        undisturbed, error = kernel.run(LOOP.format(resume="", jobs=JOBS))
        assert not error, undisturbed
    print(f"{number + 1} of {len(kills)} kills, {JOBS} jobs")
    assert accepted(ask) == 2 * JOBS
    assert value(printed) == value(undisturbed)
