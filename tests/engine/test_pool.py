"""The worker pool's promises, with real worker processes."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest
from engine import jobs
from engine.pools import DEADLINE, busy, counts, gone, long, open_pool, short, two_entangled, until
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator
from qiskit_ibm_runtime import RuntimeDecoder

from qsession_widgets.emulator.engine import ClockReading, Task, WorkerPool
from qsession_widgets.emulator.engine.simulation.job_run import MOST_EXECUTIONS


@pytest.mark.asyncio
async def test_jobs_run_one_after_another_in_a_warm_worker() -> None:
    async with open_pool() as pool:
        first = await pool.run(short())
        pids = pool.pids
        second = await pool.run(short())
        assert counts(first) == counts(second) == {"00100": 10}
        assert first.executions == 10
        assert first.execution_seconds > 0
        assert "method" in first.logs
        assert set(pids) <= set(pool.pids)
    assert all(gone(pid) for pid in pids)


@pytest.mark.asyncio
async def test_a_job_starts_when_a_worker_that_is_ready_has_it() -> None:
    async with open_pool() as pool:
        started: list[str] = []
        (pid,) = pool.pids
        # as if its import took for ever
        os.kill(pid, signal.SIGSTOP)
        running = asyncio.create_task(pool.run(long(), lambda: started.append("long")))
        waiting = asyncio.create_task(pool.run(short(), lambda: started.append("short")))
        try:
            await until(lambda: not pool._waiting)
            assert not started
            os.kill(pid, signal.SIGCONT)
            await until(lambda: bool(started))
            await until(lambda: busy(pid))
            assert started == ["long"]
            running.cancel()
            assert counts(await waiting) == {"00100": 10}
            assert started == ["long", "short"]
        finally:
            running.cancel()
            waiting.cancel()


@pytest.mark.asyncio
async def test_times_in_a_result_are_the_services() -> None:
    async with open_pool() as pool:
        before = time.time()
        clock = ClockReading(service=4e9, real=before, speed=100.0)
        outcome = await pool.run(replace(short(), clock=clock))
        after = time.time()
    metadata = json.loads(outcome.result or "", cls=RuntimeDecoder).metadata
    (span,) = metadata["execution"]["execution_spans"]
    assert 4e9 <= span.start.timestamp() < span.stop.timestamp()
    assert span.stop.timestamp() <= 4e9 + 100 * (after - before)


@pytest.mark.asyncio
async def test_a_job_goes_to_the_warm_worker_not_to_the_spare_one() -> None:
    async with open_pool() as pool:
        await pool.run(short())
        (warm,) = pool.pids
        await until(lambda: len(pool.pids) == 2)
        spare = next(pid for pid in pool.pids if pid != warm)
        # as if its import took for ever
        os.kill(spare, signal.SIGSTOP)
        for _ in range(3):
            outcome = await asyncio.wait_for(pool.run(short()), DEADLINE)
            assert counts(outcome) == {"00100": 10}


@pytest.mark.asyncio
async def test_what_a_job_does_wrong_ends_that_job_with_a_reason() -> None:
    async with open_pool() as pool:
        cases = {
            ("calibrate", "aer", short().params): (1208, "calibrate"),
            ("sampler", "fake_nowhere", short().params): (1208, "fake_nowhere"),
            ("sampler", "aer", "{"): (1208, "cannot be read"),
            ("sampler", "aer", '{"pubs": []}'): (1208, "no PUBs"),
            ("sampler", "aer", '{"pubs": [{"__type__": "settings", "__value__": {}}]}'): (
                1208,
                "'settings'",
            ),
            ("executor", "aer", '{"schema_version": "v9"}'): (1208, "v9"),
        }
        for (program, backend, params), (code, words) in cases.items():
            outcome = await pool.run(Task("wrong", program, params, backend))
            assert outcome.status == "failed"
            assert outcome.result is None
            assert outcome.reason_code == code
            assert words in (outcome.reason or "")
        assert counts(await pool.run(short())) == {"00100": 10}


@pytest.mark.asyncio
async def test_a_killed_worker_fails_one_job() -> None:
    async with open_pool() as pool:
        assert counts(await pool.run(short()))
        running = asyncio.create_task(pool.run(long()))
        (pid, *_) = pool.pids
        await until(lambda: busy(pid))
        os.kill(pid, signal.SIGKILL)
        outcome = await asyncio.wait_for(running, DEADLINE)
        assert outcome.status == "failed"
        assert "signal 9 before it had a result, often for lack of memory" in (outcome.reason or "")
        assert counts(await pool.run(short())) == {"00100": 10}


@pytest.mark.asyncio
async def test_a_worker_that_cannot_start_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrong = "libopenblas.so.0: cannot open shared object file"
    (tmp_path / "qiskit_aer.py").write_text(f"raise ImportError({wrong!r})\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    async with open_pool() as pool:
        outcome = await asyncio.wait_for(pool.run(short()), DEADLINE)
        assert outcome.status == "failed"
        assert f"status 1 while it started, and last wrote: ImportError: {wrong}" in (
            outcome.reason or ""
        )
        assert "memory" not in (outcome.reason or "")


@pytest.mark.asyncio
async def test_cancelling_a_running_job_frees_the_device() -> None:
    async with open_pool() as pool:
        assert counts(await pool.run(short()))
        running = asyncio.create_task(pool.run(long()))
        (pid, *_) = pool.pids
        await until(lambda: busy(pid))
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await until(lambda: gone(pid))
        assert counts(await pool.run(short())) == {"00100": 10}


@pytest.mark.asyncio
async def test_one_owners_long_jobs_do_not_keep_another_owner_waiting() -> None:
    async with open_pool(2) as pool:
        started: list[str] = []
        heavy = [
            asyncio.create_task(
                pool.run(replace(long(), owner="alice"), lambda: started.append("alice"))
            )
            for _ in range(4)
        ]
        try:
            await until(lambda: len(started) == 2)
            assert counts(await pool.run(replace(short(), owner="bob"))) == {"00100": 10}
            assert started == ["alice"] * 2
            assert not any(task.done() for task in heavy)
            # the next turn is of who has the fewest, and a cancelled wait leaves nothing behind
            heavy[3].cancel()
            heavy[0].cancel()
            await until(lambda: len(started) == 3)
        finally:
            for task in heavy:
                task.cancel()
            await asyncio.gather(*heavy, return_exceptions=True)
        assert counts(await pool.run(short())) == {"00100": 10}
        assert len(pool.pids) <= 3


@pytest.mark.asyncio
async def test_a_job_that_computes_for_too_long_is_ended_alone() -> None:
    pool = WorkerPool(1, time_limit=2.0)
    await pool.start()
    try:
        outcome = await asyncio.wait_for(pool.run(long()), DEADLINE)
        assert "ended after 2 s of computing" in (outcome.reason or "")
        assert outcome.reason_code == 9999
        assert counts(await pool.run(short())) == {"00100": 10}
    finally:
        await pool.aclose()


@pytest.mark.asyncio
async def test_a_worker_that_keeps_too_much_memory_is_replaced(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # no job is known that does, so a worker is told that any memory is too much
    (tmp_path / "sitecustomize.py").write_text(
        "from qsession_widgets.emulator.engine.workers import worker\nworker.MOST_KEPT = -1 << 40\n"
    )
    async with open_pool() as pool:
        before = pool.pids
        assert counts(await pool.run(short()))
        assert set(before) <= set(pool.pids)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    async with open_pool() as pool:
        (before,) = pool.pids
        assert counts(await pool.run(short()))
        await until(lambda: gone(before))
        assert counts(await pool.run(short())) == {"00100": 10}


@pytest.mark.asyncio
async def test_workers_start_when_asked_for_and_end_when_released() -> None:
    pool = WorkerPool(1)
    try:
        assert pool.pids == []
        pool.warm_up()
        pool.warm_up()
        await until(lambda: bool(pool.pids))
        (pid,) = pool.pids
        running = asyncio.create_task(pool.run(short()))
        await until(lambda: not pool._waiting)
        pool.release()
        assert pid in pool.pids, "it has a job"
        assert counts(await running)
        pool.release()
        assert pool.pids == []
        await until(lambda: gone(pid))
        assert counts(await pool.run(short())) == {"00100": 10}
    finally:
        await pool.aclose()


@pytest.mark.asyncio
async def test_what_does_not_fit_is_refused_before_it_runs() -> None:
    circuit = QuantumCircuit(30)
    for qubit in range(30):
        circuit.rx(0.3, qubit)
    for qubit in range(29):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    async with open_pool(memory_limit=4 << 30) as pool:
        chosen = {"aer": {"method": "statevector"}}
        params = jobs.sampler_params([(circuit, None, 10)], experimental=chosen)
        outcome = await pool.run(Task("large", "sampler", params, "aer"))
        assert outcome.status == "failed"
        for words in ("30 qubits", "16 GiB", "4 GiB", "matrix_product_state"):
            assert words in (outcome.reason or "")
        chosen = {"aer": {"method": "matrix_product_state"}}
        params = jobs.sampler_params([(circuit, None, 10)], experimental=chosen)
        outcome = await pool.run(Task("large", "sampler", params, "aer"))
        assert outcome.status == "completed", outcome.reason


@pytest.mark.asyncio
async def test_a_job_that_outgrows_its_memory_on_the_way_fails_alone() -> None:
    circuit = QuantumCircuit(5)
    circuit.h(0)
    for qubit in range(4):
        circuit.cx(qubit, qubit + 1)
    circuit.measure_all()
    async with open_pool(memory_limit=1 << 30) as pool:
        # five qubits fit; one outcome for each of so many shots, as many as are allowed, does not
        params = jobs.sampler_params([(circuit, None, MOST_EXECUTIONS)])
        outcome = await pool.run(Task("shots", "sampler", params, "aer"))
        assert outcome.status == "failed"
        assert outcome.reason_code == 9999
        for words in ("memory", "shots", "split"):
            assert words in (outcome.reason or "")
        assert counts(await pool.run(short())) == {"00100": 10}


@pytest.mark.asyncio
async def test_aer_options_pass_through() -> None:
    async with open_pool() as pool:
        for options, experimental in (
            ({"device": "GPU"}, {}),
            ({}, {"aer": {"device": "GPU"}}),
        ):
            params = jobs.sampler_params([(two_entangled(), None, 10)], experimental=experimental)
            outcome = await pool.run(Task("gpu", "sampler", params, "aer", options=options))
            # where there is a GPU the job runs on it; elsewhere it is Aer itself that refuses
            if "GPU" in AerSimulator().available_devices():
                assert outcome.status == "completed", outcome.reason
            else:
                assert 'device "GPU" is not supported' in (outcome.reason or "")
        assert counts(await pool.run(short())) == {"00100": 10}


@pytest.mark.asyncio
async def test_a_worker_knows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    if not Path("/proc/self/environ").exists():
        pytest.skip("reads the environment of a process from /proc")
    secret = secrets.token_hex(16)
    monkeypatch.setenv("QISKIT_IBM_TOKEN", secret)
    async with open_pool() as pool:
        assert counts(await pool.run(short()))
        for pid in pool.pids:
            assert secret not in Path(f"/proc/{pid}/environ").read_text()


def test_no_worker_outlives_a_killed_emulator() -> None:
    script = """
        import asyncio, sys
        from engine import pools
        from qsession_widgets.emulator.engine import WorkerPool

        async def main():
            pool = WorkerPool(2)
            await pool.start()
            await asyncio.gather(*(pool.run(pools.short()) for _ in range(2)))
            running = [asyncio.create_task(pool.run(pools.long())) for _ in range(2)]
            await pools.until(lambda: all(pools.busy(pid) for pid in pool.pids))
            print(*pool.pids, flush=True)
            await asyncio.gather(*running)

        asyncio.run(main())
    """
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    emulator = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(script)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert emulator.stdout is not None
    pids = [int(pid) for pid in emulator.stdout.readline().split()]
    emulator.kill()
    emulator.wait()
    emulator.stdout.close()
    assert len(pids) >= 2
    asyncio.run(until(lambda: all(gone(pid) for pid in pids)))


def test_what_a_worker_prints_stays_out_of_its_messages() -> None:
    script = """
        import os
        from qsession_widgets.emulator.engine.workers import ipc, worker

        incoming, outgoing = worker._claim_pipes()
        print("printed", flush=True)
        os.write(1, b"written")
        head, body = ipc.read(incoming)
        outgoing.write(ipc.pack(head, body))
    """
    message = frames_pack({"number": 3}, "text é")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        input=message,
        capture_output=True,
        check=True,
        timeout=DEADLINE,
    )
    assert done.stdout == message
    assert b"printed" in done.stderr
    assert b"written" in done.stderr


def frames_pack(head: dict[str, int], body: str) -> bytes:
    from qsession_widgets.emulator.engine.workers import ipc

    return ipc.pack(head, body)


def test_the_emulator_itself_does_not_import_qiskit() -> None:
    script = """
        import sys
        import qsession_widgets.emulator.engine
        from qsession_widgets.emulator.engine.devices import fake_devices
        fake_devices.names()
        print(*sorted({"qiskit", "qiskit_aer", "qiskit_ibm_runtime", "numpy"} & set(sys.modules)))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=True,
        timeout=DEADLINE,
    )
    assert done.stdout.strip() == ""
