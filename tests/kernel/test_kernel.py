"""In a real kernel: interrupts, ends, and the kernel after."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

import pytest

from .cells import wait_for
from .fresh import Kernel, running_kernel

OPEN = "%load_ext qsession_widgets"
NOTEBOOK = {"JPY_SESSION_NAME": "/notebooks/vqe.ipynb"}


def _states(ask: Callable[..., Any]) -> list[str]:
    listed = ask("GET", "/workloads", params={"sort": "-createdAt"})["workloads"]
    return [ask("GET", f"/sessions/{item['id']}")["state"] for item in listed]


def _open(kernel: Kernel, options: str = "", body: str = "print('opened')") -> str:
    kernel.run(OPEN)
    printed, error = kernel.run(f"%%session --service local --backend aer {options}\n{body}")
    assert not error, printed
    return printed


@pytest.fixture
def kernel(ask: Callable[..., Any]) -> Any:
    with running_kernel(NOTEBOOK) as kernel:
        yield kernel


def test_an_interrupt_reaches_the_cell_and_the_session_stays_open(
    kernel: Kernel, ask: Callable[..., Any]
) -> None:
    kernel.run(OPEN)
    request = kernel.start(
        "%%session --service local --backend aer\n"
        "import threading\n"
        "print('waiting', flush=True)\n"
        "threading.Event().wait(60)"
    )
    printed, error = "", ""
    for message in kernel.messages(request):
        if message["msg_type"] == "stream":
            printed += message["content"]["text"]
            if "waiting" in message["content"]["text"]:
                kernel.manager.interrupt_kernel()
        elif message["msg_type"] == "error":
            error = message["content"]["ename"]
    assert error == "KeyboardInterrupt"
    assert "The cell was interrupted, and its session on aer stays open." in printed
    assert "it would be $48.00 a minute while active" in printed
    assert _states(ask) == ["open"]
    assert "True" in kernel.run("print(session.snapshot.accepting_jobs)")[0]


def test_a_clean_end_of_the_kernel_closes_its_session(
    kernel: Kernel, ask: Callable[..., Any]
) -> None:
    _open(kernel)
    _open(kernel, "--name kept --on-exit leave")
    _open(kernel, "--name left")
    assert _states(ask) == ["open", "open", "open"]
    # as JupyterLab says it when the reader chose to leave it open
    said, error = kernel.run(
        "leave = lambda one: get_ipython().run_line_magic('qsession_leave', one)\n"
        "print(leave(session.session_id), leave('of another kernel'))"
    )
    assert "True False" in said, error
    kernel.manager.shutdown_kernel()
    assert _states(ask) == ["open", "open", "closed"]


@pytest.mark.parametrize("cell", ["", "import threading; threading.Event().wait(120)"])
def test_a_kernel_that_is_told_to_end_closes_its_session(
    kernel: Kernel, ask: Callable[..., Any], cell: str
) -> None:
    _open(kernel)
    _open(kernel, "--name kept --on-exit leave")
    if cell:
        request = kernel.start(f"print('waiting', flush=True); {cell}")
        next(m for m in kernel.messages(request) if m["msg_type"] == "stream")
    # as containers, batch systems and idle servers are ended
    kernel.manager.signal_kernel(signal.SIGTERM)
    wait_for(lambda: _states(ask) == ["open", "closed"], "the close")
    wait_for(lambda: not kernel.manager.is_alive(), "the kernel's end")


def test_a_child_that_was_forked_closes_nothing(kernel: Kernel, ask: Callable[..., Any]) -> None:
    _open(kernel)
    printed, error = kernel.run(
        "import os, signal\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "print(os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGTERM)"
    )
    assert "True" in printed, error
    # nor by what it is told, or by a rule
    printed, error = kernel.run(
        "lines = ['close', 'cancel', 'close --all', f'cancel {session.session_id}']\n"
        "def child(line):\n"
        "    try:\n"
        "        get_ipython().run_line_magic('session', line)\n"
        "    except Exception as refused:\n"
        "        return str(refused)\n"
        "read, write = os.pipe()\n"
        "for line in lines:\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        os.write(write, f'{child(line)}\\n'.encode())\n"
        "        os._exit(0)\n"
        "    os.waitpid(pid, 0)\n"
        "os.close(write)\n"
        "print(os.fdopen(read).read())"
    )
    assert printed.count("belongs to the process that this one was forked from") == 3, printed
    assert "\nNone\n" in printed
    assert _states(ask) == ["open"]


def test_the_kernel_after_one_that_was_killed_finds_its_session(
    kernel: Kernel, ask: Callable[..., Any]
) -> None:
    _open(kernel)
    kernel.manager.signal_kernel(9)
    wait_for(lambda: not kernel.manager.is_alive(), "the kernel's end")
    (left,) = ask("GET", "/workloads")["workloads"]
    with running_kernel(NOTEBOOK) as second:
        printed = _open(second)
        assert "An earlier kernel of this notebook left this session open on aer" in printed
        assert len(ask("GET", "/workloads")["workloads"]) == 1, "no second one beside it"
        _open(second, "--another")
        assert len(ask("GET", "/workloads")["workloads"]) == 2
        printed, error = second.run(f"%session close {left['id']}")
        assert not error, printed
        assert "Session closed" in printed
    assert _states(ask) == ["closed", "closed"]


def test_a_mistake_shows_one_line_in_a_kernel_too(kernel: Kernel) -> None:
    kernel.run(OPEN)
    printed, _ = kernel.run("%%session --service local --backend nope\nprint('reached')")
    assert "There is no backend 'nope' here" in printed
    assert "Traceback" not in printed
    assert "reached" not in printed
