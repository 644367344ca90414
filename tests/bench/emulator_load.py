"""A class on one emulator: many sessions looked at every second while jobs arrive.

``python tests/bench/emulator_load.py`` prints one JSON line per figure. Each of 200 people has a
session on the ideal backend and looks at it once a second; 50 jobs a second arrive, turn by turn
in all sessions. Ours is the emulator; the peer is a server of the same framework, in a process of
its own as well, that answers a constant to the same requests at the same pace. A job that is
refused, lost or failed ends the benchmark with an error.

Latencies are milliseconds from before a request is sent until its answer is read, in the same
client process, whose own work is in both. Requests per second are what one connection after another
gets out of each server as fast as it can.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from _report import report

PEOPLE = 200
LOOKS_PER_SECOND = 1.0
JOBS_PER_SECOND = 50.0
BURST = 2000
CONNECTIONS = 16
TIMEOUT = 60.0

CIRCUIT = (
    'OPENQASM 3.0; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; '
    "c = measure q;"
)
CONSTANT = """
import sys, uvicorn
from fastapi import FastAPI

app = FastAPI()
ANSWER = {"id": "constant", "state": "active", "accepting_jobs": True}

@app.get("/{path:path}")
async def look(path: str):
    return ANSWER

@app.post("/{path:path}")
async def submit(path: str):
    return ANSWER

uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), loop="asyncio", access_log=False,
            log_level="error", timeout_keep_alive=3600)
"""


class Line:
    """One connection, with no more HTTP than these servers need."""

    def __init__(self, url: str, headers: dict[str, str]):
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._where = parts.hostname, parts.port
        self._base = parts.path
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._taken = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Send a request, wait for its answer: its status and body."""
        data = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {self._base}{path} HTTP/1.1\r\nHost: {self._where[0]}\r\n{self._headers}"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        async with self._taken:
            if self._streams is None:
                self._streams = await asyncio.open_connection(*self._where)
            reader, writer = self._streams
            writer.write(head.encode() + data)
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            fields = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
            content = await reader.readexactly(int(fields.get("content-length", 0)))
            return int(lines[0].split(" ")[1]), content

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()


class Server:
    """A server under load, reached over as many connections as there are people."""

    def __init__(self, url: str, headers: dict[str, str]):
        self.lines = [Line(url, headers) for _ in range(PEOPLE)]
        self.latencies: list[float] = []
        self.jobs: list[str] = []

    async def ask(self, person: int, method: str, path: str, body: Any = None) -> Any:
        """One person's request, timed; anything but success is an error."""
        started = time.perf_counter()
        status, content = await self.lines[person].ask(method, path, body)
        self.latencies.append((time.perf_counter() - started) * 1000)
        if status != 200:
            raise SystemExit(f"{method} {path} was answered with {status}: {content[:300]!r}.")
        return json.loads(content)

    async def open_sessions(self) -> list[str]:
        """One session each."""
        body = {"mode": "dedicated", "backend": "aer"}
        return [
            (await self.ask(person, "POST", "/sessions", body))["id"] for person in range(PEOPLE)
        ]

    async def class_hour(self, sessions: list[str], seconds: float) -> None:
        """Everybody looks, and jobs arrive."""
        self.latencies.clear()
        end = time.perf_counter() + seconds

        async def look(person: int) -> None:
            await asyncio.sleep(person / PEOPLE / LOOKS_PER_SECOND)
            await _paced(
                1 / LOOKS_PER_SECOND,
                end,
                lambda _: self.ask(person, "GET", f"/sessions/{sessions[person]}"),
            )

        async def submit(number: int) -> None:
            person = number % PEOPLE
            body = {
                "program_id": "sampler",
                "backend": "aer",
                "session_id": sessions[person],
                "params": {"pubs": [[CIRCUIT, None, 100]], "version": 2},
            }
            self.jobs.append((await self.ask(person, "POST", "/jobs", body))["id"])

        await asyncio.gather(
            *(look(person) for person in range(PEOPLE)), _paced(1 / JOBS_PER_SECOND, end, submit)
        )

    async def rate(self, path: str) -> float:
        """Requests per second, as fast as it can."""
        left = iter(range(BURST))

        async def keep_asking(person: int) -> None:
            for _ in left:
                await self.ask(person, "GET", path)

        started = time.perf_counter()
        await asyncio.gather(*(keep_asking(person) for person in range(CONNECTIONS)))
        return BURST / (time.perf_counter() - started)

    def close(self) -> None:
        """Hang up."""
        for line in self.lines:
            line.close()


async def _paced(interval: float, end: float, work: Callable[[int], Awaitable[Any]]) -> None:
    """Begin a piece of work every so often, whether or not the one before is done."""
    running = []
    number = 0
    at = time.perf_counter()
    while at < end:
        await asyncio.sleep(max(0.0, at - time.perf_counter()))
        running.append(asyncio.ensure_future(work(number)))
        number += 1
        at += interval
    await asyncio.gather(*running)


async def _check(server: Server) -> float:
    """Wait until every accepted job is over; the seconds that took after the last arrived."""
    started = time.perf_counter()
    accepted = set(server.jobs)
    if len(accepted) < len(server.jobs):
        raise SystemExit("Two jobs were given the same id.")
    done: dict[str, str] = {}
    while len(done) < len(accepted):
        if time.perf_counter() - started > TIMEOUT:
            raise SystemExit(f"{len(accepted) - len(done)} of {len(accepted)} jobs are not done.")
        done = {}
        for offset in range(0, len(accepted) + 200, 200):
            path = f"/jobs?limit=200&offset={offset}&exclude_params=true"
            for job in (await server.ask(0, "GET", path))["jobs"]:
                if job["id"] in accepted and job["status"] not in ("Queued", "Running"):
                    done[job["id"]] = job["status"]
    failed = [job for job, status in done.items() if status != "Completed"]
    if failed:
        raise SystemExit(f"{len(failed)} of {len(accepted)} jobs failed, {failed[0]} for one.")
    return time.perf_counter() - started


async def _ours(seconds: float) -> tuple[list[float], float, int, float]:
    from qsession_widgets.emulator.options import EmulatorOptions
    from qsession_widgets.emulator.process import launcher

    connection = launcher.find_or_start(EmulatorOptions(), "bench")
    try:
        headers = {"Authorization": f"apikey {connection.key}", "Service-CRN": connection.crn}
        server = Server(connection.api, headers)
        sessions = await server.open_sessions()
        await server.class_hour(sessions, seconds)
        latencies = list(server.latencies)
        rest = await _check(server)
        rate = await server.rate(f"/sessions/{sessions[0]}")
        server.close()
        return latencies, rate, len(server.jobs), rest
    finally:
        launcher.stop("bench")


async def _peer(seconds: float) -> tuple[list[float], float]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with subprocess.Popen([sys.executable, "-c", CONSTANT, str(port)]) as child:
        try:
            server = Server(f"http://127.0.0.1:{port}", {"Authorization": "apikey none"})
            deadline = time.monotonic() + TIMEOUT
            while True:
                try:
                    sessions = await server.open_sessions()
                    break
                except OSError:
                    if time.monotonic() > deadline:
                        raise
                    await asyncio.sleep(0.05)
            await server.class_hour(sessions, seconds)
            latencies = list(server.latencies)
            rate = await server.rate("/sessions/constant")
            server.close()
            return latencies, rate
        finally:
            child.terminate()


def main() -> None:
    """Measure both, and print what came of it."""
    parser = argparse.ArgumentParser(description="How one emulator serves a class.")
    parser.add_argument("--seconds", type=float, default=8.0, help="of load, for each server")
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(JUPYTER_RUNTIME_DIR=folder, JUPYTER_DATA_DIR=folder)
        ours, rate, jobs, rest = asyncio.run(_ours(seconds))
    peer, peer_rate = asyncio.run(_peer(seconds))
    load = f"{PEOPLE} sessions looked at every second, {JOBS_PER_SECOND:g} jobs a second"
    for percent in (50, 99):
        ours_at, peer_at = (
            statistics.quantiles(values, n=100)[percent - 1] for values in (ours, peer)
        )
        target = f"{load}: below {100 if percent == 99 else 10} ms"
        report(f"emulator, class: latency p{percent}", ours_at, peer_at, "ms", target)
    report(
        "emulator: requests for a session",
        rate,
        peer_rate,
        "1/s",
        f"half of what a constant gets, or more; {CONNECTIONS} connections",
        high=True,
    )
    report(
        "emulator, class: jobs done",
        jobs,
        seconds * JOBS_PER_SECOND,
        "jobs",
        f"all that arrived, none refused or failed; the last {rest:.1f} s after it arrived",
        high=True,
    )


if __name__ == "__main__":
    main()
