"""The fault matrix: each fault during each action, what the user sees, and whether that is true.

``make faults`` runs it and writes ``docs/fault-matrix.md``. The service is an emulator with its
faults plane, behind a relay that can take the network away; cells run in a shell of this process
through the real client. A cell holds when nothing is claimed that the service does not confirm:
what was done is known, or said to be unknown until it is known, and nobody sees a traceback of the
client's or of ours.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.support.waiting import wait_for

from .cases import ACTIONS, FAULTS, MEANINGLESS, Action, Cell
from .checks import CHECKS, until

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "fault-matrix.md"


class Bench:
    """An emulator, the relay before it, and a notebook."""

    def __init__(self, stack: ExitStack) -> None:
        import httpx
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        from qsession_widgets.emulator.options import EmulatorOptions
        from qsession_widgets.emulator.process import launcher
        from tests.kernel.cells import Notebook
        from tests.kernel.table import CIRCUITS
        from tests.support.proxy import Proxy

        folder = os.environ["JUPYTER_RUNTIME_DIR"]
        self.emulator = launcher.find_or_start(EmulatorOptions(faults=True, workers=1, seed=1))
        stack.callback(launcher.stop)
        stack.callback(os.environ.__setitem__, "JUPYTER_RUNTIME_DIR", folder)
        # it is found by the account only, as IBM's service is
        os.environ["JUPYTER_RUNTIME_DIR"] = folder + "-of-the-notebook"
        port = int(self.emulator.url.rpartition(":")[2])
        self.proxy = Proxy(port)
        stack.callback(self.proxy.close)
        for name, value in self.emulator.environment().items():
            os.environ[name] = value.replace(f":{port}", f":{self.proxy.port}")
        credentials = {
            "Authorization": f"apikey {self.emulator.key}",
            "Service-CRN": self.emulator.crn,
        }
        self.http = httpx.Client(base_url=self.emulator.url, headers=credentials, timeout=60)
        config = Config({"HistoryManager": {"hist_file": ":memory:"}})
        self.shell = InteractiveShell.instance(config=config)
        self.notebook = Notebook(self.shell)
        self.circuits = CIRCUITS

    def ask(self, method: str, path: str, **request: Any) -> Any:
        """Ask the emulator directly, past the relay."""
        prefix = "" if path.startswith("/emulator/") else "/api/v1"
        response = self.http.request(method, prefix + path, **request)
        response.raise_for_status()
        return response.json() if response.content else None

    def open_sessions(self) -> list[str]:
        """Ids of the sessions that take jobs."""
        listed = self.ask("GET", "/workloads", params={"limit": 50})["workloads"]
        found = [item["id"] for item in listed if item["mode"] == "session"]
        return [one for one in found if self.ask("GET", f"/sessions/{one}")["accepting_jobs"]]

    @contextmanager
    def fresh(self) -> Iterator[None]:
        """A notebook with nothing open, before and after."""
        from qsession_widgets.registry import openings
        from qsession_widgets.sessions.binding import BINDING

        self.ask("POST", "/emulator/v1/faults/reset")
        for one in openings.pending():
            # what an earlier cell has asked for twice is no rival of this one
            openings.settle(one.key)
        self.shell.reset(new_session=True)
        self.notebook.good("%load_ext qsession_widgets", "%config SessionMagics.say = 'never'")
        self.notebook.good("import warnings", "warnings.simplefilter('ignore')", self.circuits)
        try:
            yield
        finally:
            self.ask("DELETE", "/emulator/v1/faults")
            sessions = list(BINDING._known)
            self.notebook("%unload_ext qsession_widgets")
            BINDING.set_aside()
            for live in sessions:
                live.monitor.stop()
            BINDING.__init__()  # type: ignore[misc]

    @contextmanager
    def fault(self, name: str, action: Action) -> Iterator[None]:
        """Let the fault happen to the action that runs in the block."""
        kind = FAULTS[name]
        if isinstance(kind, dict):
            body = {"method": action.method, "path": action.path, **kind}
            self.ask("POST", "/emulator/v1/faults", json=body)
            yield
        elif kind == "401":
            self.ask("POST", "/emulator/v1/faults/tokens")
            yield
        elif kind == "down":
            with self.proxy.gone():
                yield
        elif kind == "network gone 60 s":
            back = time.monotonic() + 60
            with self.proxy.gone():
                yield
                wait_for(lambda: time.monotonic() >= back, "the network's return")
        elif kind.startswith("clock"):
            # this process has run by that clock from its start
            yield
        elif kind == "disk full":
            import resource

            soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
            try:
                yield
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    def run(self, fault: str, name: str) -> Cell:
        """Run one cell of the matrix."""
        action = ACTIONS[name]
        if fault in ("kernel killed", "Jupyter server restarted"):
            return self.run_ended(fault, name)
        with self.fresh():
            for cell in action.before:
                self.notebook.good(cell)
            other = ""
            if name == "attach":
                body = {"mode": "dedicated", "backend": "aer"}
                other = self.ask("POST", "/sessions", json=body)["id"]
            if name == "poll":
                session = self.shell.user_ns["session"]
                self.shell.user_ns["since"] = session.snapshot.answered_at + 1
            begun = time.monotonic()
            with self.fault(fault, action):
                ran = self.notebook(action.cell.format(other=other))
                took = time.monotonic() - begun
            self.ask("DELETE", "/emulator/v1/faults")
            said = ran.said + " ".join(str(data.get("text/plain")) for data in ran.displayed)
            verdict = CHECKS[name](self, ran, said, other)
            shows = ran.said if name != "list" or ran.error else repr(ran.value)
            if ran.error is None and "Traceback" in ran.said:
                verdict = "a traceback beside the answer"
            return Cell(fault, name, _seen(shows, ran.error, other), verdict, took)

    def run_ended(self, fault: str, name: str) -> Cell:
        """End the kernel while the request is under way; what the next kernel says of it."""
        action = ACTIONS[name]
        self.ask("POST", "/emulator/v1/faults/reset")
        begun = time.monotonic()
        running = _killed if fault == "kernel killed" else _restarted
        with running(f"{name}.ipynb") as (kernel, end):
            kernel.run("%load_ext qsession_widgets")
            # as under a Jupyter server, whose pages tell of what the next kernel is to find
            kernel.run("%config SessionMagics.on_crash = 'leave'")
            kernel.run(self.circuits)
            for cell in action.before:
                kernel.run(cell)
            body = {"method": action.method, "path": action.path, "delay": 20, "after": True}
            self.ask("POST", "/emulator/v1/faults", json=body)
            kernel.start(action.cell)
            until(lambda: not self.ask("GET", "/emulator/v1/faults")["faults"], 60)
            end()
        there = self.open_sessions()
        jobs = self.ask("GET", "/jobs")["count"]
        with running(f"{name}.ipynb") as (kernel, _):
            kernel.run("%load_ext qsession_widgets")
            said, _ = kernel.run("print(get_ipython().run_line_magic('session', 'list'))")
            names_it = all(one in said for one in there)
            kernel.run("%session close --all --everywhere --yes")
        self.ask("POST", "/emulator/v1/faults/reset")
        seen = f"in the next kernel: {len(there)} open, {jobs} jobs, all named by `%session list`"
        # a server that ends shuts its kernels down, which close what they have
        ended = name in ("close", "cancel") or (name == "submit" and running is _restarted)
        held = "" if names_it and not (ended and there) else "not as it is"
        return Cell(fault, name, seen, held, time.monotonic() - begun)


@contextmanager
def _killed(notebook: str) -> Iterator[tuple[Any, Callable[[], object]]]:
    """A kernel, and what kills it."""
    from tests.kernel.fresh import running_kernel

    with running_kernel({"JPY_SESSION_NAME": notebook}) as kernel:

        def end() -> None:
            kernel.manager.signal_kernel(9)
            until(lambda: not kernel.manager.is_alive(), 60)

        yield kernel, end


@contextmanager
def _restarted(notebook: str) -> Iterator[tuple[Any, Callable[[], object]]]:
    """A kernel of a Jupyter server, and what ends the server as a restart does."""
    import httpx
    from jupyter_client.blocking import BlockingKernelClient

    from tests import processes
    from tests.kernel.fresh import Kernel

    runtime = Path(os.environ["JUPYTER_RUNTIME_DIR"])
    log = runtime.parent / "server.log"
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--ip=127.0.0.1", "--port=0"]
    command += ["--allow-root", "--IdentityProvider.token=t", f"--ServerApp.root_dir={ROOT}"]
    command += ["--ServerApp.jpserver_extensions={'qsession_widgets': True}"]
    with ExitStack() as stack:
        server = stack.enter_context(processes.running(command, log, os.environ))
        url = processes.jupyter_address(server, log, runtime)
        body = {"path": notebook, "name": notebook, "type": "notebook", "kernel": {"name": ""}}
        credentials = {"Authorization": "token t"}
        answer = httpx.post(f"{url}api/sessions", json=body, headers=credentials, timeout=60)
        file = runtime / f"kernel-{answer.json()['kernel']['id']}.json"
        until(file.exists, 60)
        client = BlockingKernelClient(connection_file=str(file))
        client.load_connection_file()
        client.start_channels()
        stack.callback(client.stop_channels)
        kernel = Kernel(None, client)  # type: ignore[arg-type]
        kernel.wait_for_ready()
        yield kernel, stack.close


def _seen(said: str, error: BaseException | None, other: str) -> str:
    """What was printed, in a line of a table."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", said)
    for found in ("Session error: ", "What this means: "):
        if error is not None and found in text:
            text = text.partition(found)[2]
            break
    lines = [line for line in text.splitlines() if line.strip() and "Using the local" not in line]
    text = " ".join(" ".join(lines).split())
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text)
    text = re.sub(r"\b[0-9a-v]{20}\b", "JOB", text).replace("|", "\\|")
    text = re.sub(r"qsession-[0-9a-f]{16}", "qsession-TAG", text)
    text = re.sub(r"/\S*/qsession-faults-\w+", "FOLDER", text)
    text = re.sub(r"\bprocess \d+", "process N", text)
    return text if len(text) <= 240 else text[:237] + "…"


# -------------------------------------------------------------------------------------------------
# Running, and the page


def run_some(faults: list[str], actions: list[str]) -> Iterator[Cell]:
    """Run the cells of some faults in this process, in a place of their own."""
    home = tempfile.mkdtemp(prefix="qsession-faults-")
    for name in list(os.environ):
        if name.startswith(("JUPYTER_", "QISKIT_IBM_", "QSESSION_", "IPYTHONDIR", "XDG_")):
            del os.environ[name]
    places = {"HOME": "", "JUPYTER_RUNTIME_DIR": "runtime", "JUPYTER_DATA_DIR": "data"}
    os.environ.update({name: os.path.join(home, part) for name, part in places.items()})
    os.environ["USAGE_DATA_OPT_OUT"] = "True"
    with ExitStack() as stack:
        if faults[0].startswith("clock"):
            real, by = time.time, 3600.0 if "+" in faults[0] else -3600.0
            stack.enter_context(patch("time.time", lambda: real() + by))
        bench = Bench(stack)
        for fault in faults:
            for action in actions:
                if (fault, action) in MEANINGLESS:
                    continue
                try:
                    yield bench.run(fault, action)
                except Exception as error:
                    seen = " ".join(f"{type(error).__name__}: {error}".split())
                    yield Cell(fault, action, seen[:200], "broke", 0)


def page(cells: list[Cell]) -> str:
    """The page, a table for each action."""
    known = {(cell.fault, cell.action): cell for cell in cells}
    held = sum(not cell.verdict for cell in cells)
    lines = [
        "# What goes wrong, and what is seen of it",
        "",
        "Each fault happens to the request of each action, once or while the action runs, on an",
        "emulator behind a relay, through the real client. A cell holds (yes) when nothing is said",
        "that the service does not confirm. `make faults` runs all of them and writes this page.",
        "",
        f"{held} of {len(cells)} cells hold; {len(MEANINGLESS)} mean nothing.",
    ]
    for action, what in ACTIONS.items():
        lines += ["", f"## {action.capitalize()}", "", f"The request: `{what.method} {what.path}`."]
        lines += ["", "| fault | holds | what is seen | seconds |", "|---|---|---|---|"]
        for fault in FAULTS:
            if (fault, action) in MEANINGLESS:
                lines.append(f"| {fault} | - | {MEANINGLESS[fault, action]} | |")
            elif cell := known.get((fault, action)):
                holds = "yes" if not cell.verdict else f"**no**: {cell.verdict}"
                lines.append(
                    f"| {fault} | {holds} | {cell.seen or 'nothing'} | {cell.seconds:.0f} |"
                )
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the matrix, or some of it; 1 when a cell does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fault", action="append", choices=FAULTS, metavar="FAULT")
    parser.add_argument("--action", action="append", choices=ACTIONS, metavar="ACTION")
    parser.add_argument("--json", action="store_true", help="print cells as they come")
    options = parser.parse_args()
    actions = options.action or list(ACTIONS)
    if options.json:
        for cell in run_some(options.fault or list(FAULTS), actions):
            print(json.dumps(vars(cell)), file=sys.__stdout__, flush=True)
        return 0
    # a process for those that wait, one for those that do not, and one for each wrong clock
    slow = [name for name in options.fault or FAULTS if name in ("30 s late", "network gone 60 s")]
    clocks = [[name] for name in options.fault or FAULTS if name.startswith("clock")]
    apart = [*slow, *(name for names in clocks for name in names)]
    quick = [name for name in options.fault or FAULTS if name not in apart]
    cells = list(_in_processes([slow, quick, *clocks], actions))
    for cell in cells:
        print(f"{cell.fault}, {cell.action}: {cell.verdict or 'holds'}")
    if options.fault is None and options.action is None:
        PAGE.write_text(page(cells), encoding="utf-8")
    return 1 if any(cell.verdict for cell in cells) else 0


def _in_processes(parts: list[list[str]], actions: list[str]) -> Iterator[Cell]:
    running = []
    for faults in filter(None, parts):
        words = [sys.executable, "-m", "tests.faults.matrix", "--json"]
        words += [word for fault in faults for word in ("--fault", fault)]
        words += [word for action in actions for word in ("--action", action)]
        running.append(subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True))
    for one in running:
        with nullcontext(one.stdout) as lines:
            for line in lines or ():
                if line.startswith("{"):
                    yield Cell(**json.loads(line))
        if one.wait():
            raise SystemExit(f"A part of the matrix broke off ({one.returncode}).")


if __name__ == "__main__":
    sys.exit(main())
