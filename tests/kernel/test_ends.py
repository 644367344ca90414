"""Signals that end a process: its session is closed first, also while C code runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from qsession_widgets.registry.entries import notes

from .cells import wait_for
from .fresh import Kernel, running_kernel

pytestmark = pytest.mark.skipif(os.name != "posix", reason="no signal ends a process there")

OPEN = "from qsession_widgets import open_session\nsession = open_session('aer', service='local')\n"

IN_C = (
    "import hashlib\nprint('ready', flush=True)\nhashlib.pbkdf2_hmac('sha256', b'x', b'y', 10**9)"
)
"""Releases the GIL, and gives the interpreter no turn for many minutes."""

ASLEEP = "import threading\nprint('ready', flush=True)\nthreading.Event().wait()"
"""Waits for what never comes: only a signal ends it."""

HANDLED_FOR_A_WHILE = (
    "import signal\n"
    "for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):\n"
    "    signal.signal(number, print)\n"
    "    signal.signal(signalnum=number, handler=signal.SIG_DFL)\n"
)
"""A program that handles the signals itself, and then leaves them to their default again."""


def _states(ask: Callable[..., Any]) -> list[str]:
    listed = ask("GET", "/workloads")["workloads"]
    return [ask("GET", f"/sessions/{item['id']}")["state"] for item in listed]


@contextmanager
def _script(source: str, *, ignored: tuple[int, ...] = ()) -> Iterator[subprocess.Popen[str]]:
    """A script that has said ``ready``."""

    def ignore() -> None:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)

    process = subprocess.Popen(
        [sys.executable, "-c", source],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=ignore,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert next(line for line in process.stdout if line == "ready\n")
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


@pytest.fixture
def kernel(ask: Callable[..., Any]) -> Iterator[Kernel]:
    with running_kernel() as kernel:
        yield kernel


def _begin(kernel: Kernel, cell: str) -> None:
    request = kernel.start(cell)
    for message in kernel.messages(request):
        if message["msg_type"] == "stream" and "ready" in message["content"]["text"]:
            return
    raise AssertionError("the cell did not begin")


def _open(kernel: Kernel) -> None:
    kernel.run("%load_ext qsession_widgets")
    printed, error = kernel.run("%%session --service local --backend aer\npass")
    assert not error, printed


@pytest.mark.parametrize(
    "cell",
    [
        IN_C,
        "import numpy as np\na = np.random.rand(6000, 6000)\nprint('ready', flush=True)\n"
        "np.linalg.svd(a)",
        "import ctypes\nprint('ready', flush=True)\nctypes.CDLL(None).poll(None, 0, 600_000)",
    ],
    ids=["hashlib", "numpy", "ctypes"],
)
def test_a_kernel_in_c_code_closes_its_session_and_ends(
    kernel: Kernel, ask: Callable[..., Any], cell: str
) -> None:
    _open(kernel)
    _begin(kernel, cell)
    kernel.manager.signal_kernel(signal.SIGTERM)
    wait_for(lambda: not kernel.manager.is_alive(), "the kernel's end")
    assert _states(ask) == ["closed"]


def test_jupyters_shutdown_of_a_kernel_in_c_code_closes_its_session(
    kernel: Kernel, ask: Callable[..., Any]
) -> None:
    _open(kernel)
    _begin(kernel, IN_C)
    kernel.manager.shutdown_kernel()
    assert _states(ask) == ["closed"]


def test_a_session_that_two_kernels_have_ends_with_the_last_of_them(
    kernel: Kernel, ask: Callable[..., Any]
) -> None:
    _open(kernel)
    (session_id,) = [item["id"] for item in ask("GET", "/workloads")["workloads"]]
    with running_kernel() as second:
        second.run("%load_ext qsession_widgets")
        printed, error = second.run(f"%session attach {session_id}")
        assert not error, printed
        kernel.manager.shutdown_kernel()
        assert ask("GET", f"/sessions/{session_id}")["accepting_jobs"]
        assert session_id in notes(), "the second kernel has an entry of its own"
    assert _states(ask) == ["closed"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
@pytest.mark.parametrize("then", [IN_C, HANDLED_FOR_A_WHILE + ASLEEP], ids=["in-c", "asleep"])
def test_a_script_closes_its_session_and_ends_by_the_signal(
    ask: Callable[..., Any], number: signal.Signals, then: str
) -> None:
    no_core = "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
    # refusals that pass, while the process has time for it
    fault = {"method": "PATCH", "path": "/sessions/*", "status": 429, "retry_after": 1}
    with _script(no_core + OPEN + then) as script:
        ask("POST", "/emulator/v1/faults", json=fault)
        script.send_signal(number)
        assert script.wait(90) == -number
    assert _states(ask) == ["closed"]


def test_a_signal_that_was_ignored_stays_ignored(ask: Callable[..., Any]) -> None:
    source = (
        OPEN + "import signal, os, time\n"
        "os.kill(os.getpid(), signal.SIGHUP)\n"
        "assert session.snapshot.accepting_jobs and session.status() != 'Closed'\n"
        "print('ready', flush=True)\n"
        "session.close()\n"
    )
    with _script(source, ignored=(signal.SIGHUP,)) as script:
        assert script.wait(90) == 0
    assert _states(ask) == ["closed"]


def test_the_users_own_handler_runs_and_the_session_stays(ask: Callable[..., Any]) -> None:
    handler = (
        "import signal, os\n"
        "heard = []\n"
        "def own(*_): heard.append(session.status()); print('heard', flush=True)\n"
        "signal.signal(signal.SIGHUP, own)\n"
    )
    after = (
        "signal.signal(signal.SIGTERM, own)\n"
        "os.kill(os.getpid(), signal.SIGHUP); os.kill(os.getpid(), signal.SIGTERM)\n"
        "assert len(heard) == 2 and 'Closed' not in heard, heard\n"
        "print('ready', flush=True)\n"
    )
    with _script(handler + OPEN + after) as script:
        assert script.wait(90) == 0
    assert _states(ask) == ["closed"]


def test_asyncio_hears_its_signals_too(ask: Callable[..., Any]) -> None:
    source = (
        "import asyncio, hashlib, os, signal\n"
        "async def main():\n"
        "    heard = asyncio.Event()\n"
        "    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, heard.set)\n"
        "    from qsession_widgets import open_session\n"
        "    open_session('aer', service='local')\n"
        "    os.kill(os.getpid(), signal.SIGUSR1)\n"
        "    await asyncio.wait_for(heard.wait(), 60)\n"
        "    print('ready', flush=True)\n"
        "    hashlib.pbkdf2_hmac('sha256', b'x', b'y', 10**9)\n"
        "asyncio.run(main())\n"
    )
    with _script(source) as script:
        script.send_signal(signal.SIGTERM)
        assert script.wait(90) == -signal.SIGTERM
    assert _states(ask) == ["closed"]


@pytest.mark.parametrize("on_exit", ["close", "leave"])
def test_a_program_that_leaves_at_once_closes_its_session(
    ask: Callable[..., Any], on_exit: str
) -> None:
    # from another thread, as ipykernel does when its Jupyter server is gone
    leave = (
        "import os, threading\nprint('ready', flush=True)\n"
        "threading.Thread(target=os._exit, args=(3,)).start()"
    )
    opened = OPEN.replace("'local'", f"'local', on_exit={on_exit!r}")
    with _script(opened + leave) as script:
        assert script.wait(90) == 3
    assert _states(ask) == ["closed" if on_exit == "close" else "open"]


def test_a_kernel_whose_jupyter_server_is_killed_closes_its_session(
    ask: Callable[..., Any],
) -> None:
    server = (
        "from jupyter_client.manager import start_new_kernel\n"
        "manager, client = start_new_kernel()\n"
        f"client.execute_interactive({OPEN!r}, timeout=200)\n"
        "print('ready', flush=True)\n"
        "input()\n"
    )
    with _script(server) as process:
        assert _states(ask) == ["open"]
        process.kill()
        wait_for(lambda: _states(ask) == ["closed"], "the close")


def test_c_code_that_holds_the_gil_ends_by_sigterm_as_soon_as_it_releases_it(
    ask: Callable[..., Any],
) -> None:
    # a PyDLL keeps the GIL: no thread of Python's can act before it is back; system(3) waits
    # for its child through every signal, where poll(2) would come back at the first
    held = (
        "import ctypes\nprint('ready', flush=True)\n"
        "ctypes.PyDLL(None).system(b'read line')\n" + ASLEEP
    )
    with _script(OPEN + held) as script:
        script.send_signal(signal.SIGTERM)
        assert _states(ask) == ["open"]
        assert script.poll() is None
        assert script.stdin is not None
        script.stdin.write("\n")
        script.stdin.flush()
        assert script.wait(90) == -signal.SIGTERM
    assert _states(ask) == ["closed"]


@pytest.mark.parametrize("end", [signal.SIGHUP, signal.SIGQUIT], ids=["closed-window", "ctrl-\\"])
def test_ipython_in_a_terminal_closes_its_session(
    ask: Callable[..., Any], tmp_path: Path, end: signal.Signals
) -> None:
    import fcntl
    import pty
    import resource
    import termios

    def begin() -> None:
        # the terminal's leader, as the program of a window is
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    window, terminal = pty.openpty()
    os.set_blocking(window, False)
    computing = tmp_path / "computing"
    shell = subprocess.Popen(
        [sys.executable, "-m", "IPython", "--no-banner", "--no-confirm-exit"],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "IPYTHONDIR": str(tmp_path), "PROMPT_TOOLKIT_NO_CPR": "1"},
        start_new_session=True,
        preexec_fn=begin,
    )
    os.close(terminal)
    shown = bytearray()

    def shows(text: str) -> bool:
        with suppress(BlockingIOError):
            shown.extend(os.read(window, 4096))
        return text.encode() in shown

    try:
        wait_for(lambda: shows("In ["), "the prompt")
        for line in (
            "from qsession_widgets import open_session",
            "session = open_session('aer', service='local'); print('it', 'is', 'open')",
        ):
            os.write(window, f"{line}\r".encode())
        wait_for(lambda: shows("it is open"), "the session")
        os.write(window, f"import hashlib; open({str(computing)!r}, 'w').close(); ".encode())
        os.write(window, b"hashlib.pbkdf2_hmac('sha256', b'x', b'y', 10**9)\r")
        wait_for(lambda: shows("nothing") or computing.exists(), "the long call")
        if end == signal.SIGHUP:
            os.close(window)
        else:
            os.write(window, b"\x1c")
        assert shell.wait(90) == -end
    finally:
        if end != signal.SIGHUP:
            os.close(window)
        shell.kill()
        shell.wait()
    assert _states(ask) == ["closed"]


MARIMO = """
import marimo

app = marimo.App()


@app.cell
def _():
    from qsession_widgets import open_session

    session = open_session("aer", service="local")
    return
"""


def test_marimo_closes_what_a_notebook_opened_when_it_has_exported_it(
    ask: Callable[..., Any], tmp_path: Path
) -> None:
    pytest.importorskip("marimo")
    app = tmp_path / "app.py"
    app.write_text(MARIMO, encoding="utf-8")
    command = [sys.executable, "-m", "marimo", "export", "html", str(app), "-o", f"{app}.html"]
    subprocess.run(command, check=True, timeout=200)
    assert _states(ask) == ["closed"]
