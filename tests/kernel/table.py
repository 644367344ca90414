"""The table of bindings: ways to build a primitive, ways a cell can run, and who owns what.

Each cell of the table says what a primitive belongs to that was built in one way, by a cell that
ran in another: ``bound``, the session of ``%%session``; ``own``, the one of the user's own ``with``
block; ``other``, another one that was passed as ``mode``; ``job mode``, none at all.
"""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass

import qiskit_ibm_runtime

EXECUTOR = "qiskit_ibm_runtime.executor_"


PRIMITIVES: dict[str, str] = {
    "SamplerV2": "from qiskit_ibm_runtime import SamplerV2",
    "EstimatorV2": "from qiskit_ibm_runtime import EstimatorV2",
    "NoiseLearner": "from qiskit_ibm_runtime.noise_learner import NoiseLearner",
    "Sampler": f"from {EXECUTOR}sampler import Sampler",
    "Estimator": f"from {EXECUTOR}estimator import Estimator",
}
"""Everything that takes a ``mode``, and how it is imported from the installed release."""

if inspect.signature(qiskit_ibm_runtime.Executor).parameters["mode"].default is None:
    PRIMITIVES["Executor"] = "from qiskit_ibm_runtime import Executor"

THREAD_IN_BLOCK = (
    "BlockHidden: This thread cannot see the with Session(...) block that is open in another one: "
    "pass mode= to say which session this primitive belongs to."
)
"""What cannot be: a thread is not told which blocks its starter is in."""

BUILDS: dict[str, tuple[str, str]] = {
    "no mode": ("{primitive}()", "bound"),
    "a function of a module": ("elsewhere.build_{primitive}()", "bound"),
    "the backend as mode": ("{primitive}(mode=backend)", "job mode"),
    "the session as mode": ("{primitive}(mode=session)", "bound"),
    "another session as mode": ("{primitive}(mode=other)", "other"),
    "in one's own with block": ("within(lambda own: {primitive}())", "own"),
    "the backend as mode, in one's own with block": (
        "within(lambda own: {primitive}(mode=backend))",
        "own",
    ),
    "another session as mode, in one's own with block": (
        "within(lambda own: {primitive}(mode=other))",
        "other",
    ),
    "in a with block after one inside it": (
        "within(lambda own: (within(lambda inner: None), {primitive}())[1])",
        "own",
    ),
    "in a task of one's own with block": (
        "within(lambda own: in_context({primitive}))",
        "own",
    ),
    "in a thread of one's own with block": (
        "within(lambda own: in_thread({primitive}))",
        THREAD_IN_BLOCK,
    ),
    "in a thread of one's own with block, the session as mode": (
        "within(lambda own: in_thread(lambda: {primitive}(mode=own)))",
        "own",
    ),
    "after one's own with block": ("(within(lambda own: None), {primitive}())[1]", "bound"),
}
"""Ways to build: the expression, and what the primitive belongs to wherever the cell runs."""

EXPECTED = {
    f"{primitive}, {way}": owner for primitive in PRIMITIVES for way, (_, owner) in BUILDS.items()
}
"""One column of the table: every primitive in every way."""

CIRCUITS = """
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from qiskit_ibm_runtime import Session

flip = QuantumCircuit(1)
flip.x(0)
measured = flip.copy()
measured.measure_all()
observable = SparsePauliOp("Z")
""" + "\n".join(PRIMITIVES.values())
"""Imports and two circuits that every backend runs as they are; a cell of their own."""

PUBS = {
    "SamplerV2": "(measured,)",
    "Sampler": "(measured,)",
    "EstimatorV2": "(flip, observable)",
    "Estimator": "(flip, observable)",
}
JOBS = {name: pub for name, pub in PUBS.items() if name in PRIMITIVES}
"""Primitives that run circuits, and a PUB of `CIRCUITS` for each."""


@dataclass(frozen=True)
class Column:
    """A way a cell can run.

    Attributes
    ----------
    cell : str
        Its source; ``build_all()`` is where primitives are built.
    before : str
        A cell that runs before the session is opened.
    subshell : bool
        Whether it runs in a subshell while the main shell has nothing to do.
    """

    cell: str
    before: str = ""
    subshell: bool = False


OPEN = "%%session --service local --backend aer\n"

COLUMNS: dict[str, Column] = {
    "the cell that opens the session": Column(OPEN + "found = build_all()"),
    "that cell, with await": Column(
        OPEN + "import asyncio\nawait asyncio.sleep(0)\nfound = build_all()"
    ),
    "a later cell": Column("found = build_all()"),
    "a later cell, with await": Column(
        "import asyncio\nawait asyncio.sleep(0)\nfound = build_all()\nawait asyncio.sleep(0)"
    ),
    "a cell below %%time": Column("%%time\nfound = build_all()"),
    "a cell below %%capture": Column("%%capture printed\nfound = build_all()"),
    "a function that was defined before the session": Column(
        "found = early()", before="def early():\n    return build_all()"
    ),
    "a task": Column(
        "import asyncio\n"
        "async def work():\n"
        "    await asyncio.sleep(0)\n"
        "    return build_all()\n"
        "found = await asyncio.create_task(work())"
    ),
    "a task older than the session": Column(
        "go.set()\nfound = await older",
        before="import asyncio\n"
        "go = asyncio.Event()\n"
        "async def wait():\n"
        "    await go.wait()\n"
        "    return build_all()\n"
        "older = asyncio.create_task(wait())",
    ),
    "a callback of the event loop": Column(
        "import asyncio\n"
        "done = asyncio.get_running_loop().create_future()\n"
        "asyncio.get_running_loop().call_soon(lambda: done.set_result(build_all()))\n"
        "found = await done"
    ),
    "asyncio.to_thread": Column("import asyncio\nfound = await asyncio.to_thread(build_all)"),
    "a thread": Column(
        "import threading\n"
        "kept = []\n"
        "thread = threading.Thread(target=lambda: kept.append(build_all()))\n"
        "thread.start()\n"
        "thread.join()\n"
        "(found,) = kept"
    ),
    "a thread pool older than the session": Column(
        "found = pool.submit(build_all).result()",
        before="from concurrent.futures import ThreadPoolExecutor\n"
        "pool = ThreadPoolExecutor(1)\n"
        "pool.submit(int).result()",
    ),
    "an event loop in a thread": Column(
        "import asyncio, threading\n"
        "async def work():\n"
        "    return await asyncio.to_thread(build_all)\n"
        "kept = []\n"
        "thread = threading.Thread(target=lambda: kept.append(asyncio.run(work())))\n"
        "thread.start()\n"
        "thread.join()\n"
        "(found,) = kept"
    ),
    "a subshell": Column("found = build_all()", subshell=True),
}

IMPOSSIBLE: dict[tuple[str, str], str] = {
    ("a subshell", "6.31"): "ipykernel has subshells since 7.0: there is none to run a cell in",
}
"""Cells of the table that cannot be, by column and line of ipykernel, and why."""

MODULE = "\n".join(
    [
        *PRIMITIVES.values(),
        *(f"def build_{name}(): return {name}()" for name in PRIMITIVES),
        "def try_to_build():",
        "    try:",
        "        return str(SamplerV2())",
        "    except ValueError as error:",
        "        return str(error)",
    ]
)
"""The module ``elsewhere``, which knows nothing of sessions."""


def preparation(folder: str) -> str:
    """The first cell: imports, and the functions that build everything and say who owns it."""
    ways = "\n".join(
        f"ways[{f'{primitive}, {way}'!r}] = lambda: {code.format(primitive=primitive)}"
        for primitive in PRIMITIVES
        for way, (code, _) in BUILDS.items()
    )
    return f"""
import contextvars, json, sys, threading, warnings
from concurrent.futures import ThreadPoolExecutor
warnings.simplefilter("ignore", DeprecationWarning)
sys.path.insert(0, {json.dumps(folder)})
import elsewhere
{CIRCUITS}

own_ids = set()
ways = {{}}
{ways}

def within(build):
    with Session(backend) as own:
        own_ids.add(own.session_id)
        return build(own)

def in_context(build):
    # as a task does: in a copy of the context
    return contextvars.copy_context().run(build)

def in_thread(build):
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(build).result()

def owner(primitive):
    # the sampler of 0.47 has an executor inside; the attribute has had three names
    primitive = getattr(primitive, "_executor", primitive)
    attribute = next(name for name in ("mode", "_mode", "_session") if hasattr(primitive, name))
    mode = getattr(primitive, attribute)
    if mode is None:
        return "job mode"
    names = {{session.session_id: "bound", other.session_id: "other"}}
    return names.get(mode.session_id, "own" if mode.session_id in own_ids else "unknown")

def build_all():
    found = {{}}
    for way, build in ways.items():
        try:
            found[way] = owner(build())
        except Exception as error:
            found[way] = f"{{type(error).__name__}}: {{error}}"
    return found
"""
