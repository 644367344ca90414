"""The panel under a cell: an anywidget that shows one session and takes commands for it.

The kernel sends what changed and nothing while nothing does; the page counts down by itself. A page
that is new, was reloaded or missed something asks with a ``sync`` message. Commands come with an
id, are acknowledged at once, run on a thread of their own and report how they ended; the same id
twice is one command.

Messages arrive on any thread, a subshell's included, so everything is changed behind one lock.
"""

from __future__ import annotations

import gzip
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, cast

import anywidget
import traitlets

from .. import fork_safety
from ..deferred_output import NOTICES
from ..errors import UserError
from ..local_time import set_zone
from ..messages import outcomes
from ..messages.labels import headline
from ..model import SessionSnapshot, noun
from ..registry.forecasts import ratios
from .monitored import Monitored, MonitorLike
from .protocol import PanelProtocol

STATIC = Path(__file__).parents[1] / "static"
ACTIONS = ("close", "cancel", "cancel_job")
EXPORTS = ("html", "csv", "json")
REMEMBERED_COMMANDS = 100
UNKNOWN_COMMAND = "The panel asked for something this version does not know: reload the page."


@cache
def read_static(name: str) -> str:
    """One built file of the front end.

    Raises
    ------
    UserError
        When it was not built.
    """
    try:
        return (STATIC / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(
            f"The panel's front end ({name}) is not built: "
            "run `make bundles` in the source tree, or install a wheel."
        ) from None


@cache
def _plotly() -> bytes:
    return gzip.compress(read_static("plotly.min.js").encode(), compresslevel=6)


def monitor_of(shown: Monitored | MonitorLike) -> MonitorLike:
    """The monitor of a session, or the one that was given.

    Raises
    ------
    UserError
        It is neither.
    """
    monitor = getattr(shown, "_monitor", shown)
    if not hasattr(monitor, "subscribe"):
        raise UserError(
            f"SessionPanel shows a session from open_session or %%session, not a "
            f"{type(shown).__name__}: %session attach ID takes up one that was opened otherwise."
        )
    return cast("MonitorLike", monitor)


class SessionPanel(anywidget.AnyWidget):
    """Shows one session: state, countdowns, usage, timeline, jobs, and buttons that end it.

    Works wherever anywidget does: JupyterLab, Notebook 7, marimo, VS Code.

    Parameters
    ----------
    session : Session, Batch or Monitor
        A session that `open_session` or ``%%session`` opened, or the monitor of one.
    price_per_second : float, optional
        US dollars for one second of usage, in place of the plan's price.

    Raises
    ------
    UserError
        The session has no monitor, the price is negative, or the front end was not
        built.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    _css = traitlets.Unicode().tag(sync=True)
    facts = traitlets.Dict().tag(sync=True)

    def __init__(
        self, session: Monitored | MonitorLike, *, price_per_second: float | None = None
    ) -> None:
        # before the base class opens the comm, over which messages may come at once
        self._lock = fork_safety.reentrant_lock()
        self._commands: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._unsubscribe: Callable[[], None] | None = None
        if price_per_second is not None and price_per_second < 0:
            raise UserError(f"A price is 0 or more dollars per second, not {price_per_second}.")
        monitor = monitor_of(session)
        self._monitor = monitor
        self._price = price_per_second
        snapshot = monitor.shown(monitor.snapshot)
        self._snapshot = snapshot
        known = ratios(snapshot.service.plan, snapshot.backend)
        self._wire = PanelProtocol(snapshot, price_per_second, known)
        super().__init__(
            _esm=read_static("panel.js"), _css=read_static("panel.css"), facts=self._wire.facts
        )
        # the trait and the wire share one dictionary: a page that reloads reads the newest facts,
        # and a change to one of them does not send all of them
        self._wire.facts = self.facts
        self.on_msg(self._receive)
        self._reply_over_the_shell_that_asked()
        self._unsubscribe = monitor.subscribe(self._changed)
        self._changed(monitor.snapshot)

    def _reply_over_the_shell_that_asked(self) -> None:
        # ipykernel 7.4 sends the page's messages to the shell the kernel last sent on, which is the
        # one a running cell blocks; the page's own choice, a subshell, is the right one
        if hasattr(self.comm, "_reply_subshell_for"):
            self.comm._reply_subshell_for = lambda data, default: default

    # ---------------------------------------------------------------------------------------------
    # Kernel to page

    def _changed(self, snapshot: SessionSnapshot) -> None:
        with self._lock:
            self._snapshot = snapshot = self._monitor.shown(snapshot)
            message = self._wire.update(snapshot, self._monitor.now())
            if message is not None:
                self.send(message)

    def close(self) -> None:
        """Stop following the session and take the panel off the page."""
        with self._lock:
            unsubscribe, self._unsubscribe = self._unsubscribe, None
        if unsubscribe is not None:
            unsubscribe()
        super().close()

    # ---------------------------------------------------------------------------------------------
    # Page to kernel

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        if not isinstance(content, Mapping):
            return
        kind = content.get("type")
        if kind == "sync":
            set_zone(content.get("zone"))
            self._sync(content.get("revision"), content.get("points"))
        elif kind == "command":
            self._take_command(content)
        elif kind == "asset" and content.get("name") == "plotly":
            self.send({"type": "asset", "name": "plotly", "encoding": "gzip"}, buffers=[_plotly()])
        elif kind == "export" and content.get("ending") in EXPORTS:
            key, ending = content.get("id"), content["ending"]
            name = f"qsession-export-{ending}"
            # exact times are asked for first, which takes a moment
            threading.Thread(target=self._export, args=(key, ending), name=name).start()

    def _sync(self, revision: object, points: object) -> None:
        known = revision if isinstance(revision, int) else -1
        values = points if isinstance(points, int) else 0
        with self._lock:
            self.send(self._wire.since(known, self._monitor.now(), values))

    def _export(self, key: object, ending: str) -> None:
        """Send the session as files, to the page that asked for them with this key."""
        from .export import contents

        self._monitor.settle()
        snapshot = self._shown()
        name = Path(f"{noun(snapshot).replace(' ', '-')}-{snapshot.session_id[:8]}.{ending}")
        files = contents(snapshot, self._monitor.now(), name)
        answer = {"type": "files", "id": key, "names": [str(file) for file in files]}
        self.send(answer, buffers=list(files.values()))

    def _take_command(self, content: Mapping[str, Any]) -> None:
        key, action, job = content.get("id"), content.get("action"), content.get("job")
        if not isinstance(key, str) or not 0 < len(key) <= 100:
            return
        with self._lock:
            known = self._commands.get(key)
            if known is not None:
                self.send(known)
                return
            if action not in ACTIONS or (action == "cancel_job") != isinstance(job, str):
                self._ack(key, "failed", UNKNOWN_COMMAND)
                return
            self._ack(key, "acknowledged")
        name = f"qsession-command-{key[:8]}"
        threading.Thread(target=self._run, args=(key, action, job), name=name, daemon=True).start()

    def _ack(self, key: str, stage: str, message: str = "", **facts: Any) -> None:
        with self._lock:
            ack = {"type": "ack", "id": key, "stage": stage, "message": message, **facts}
            self._commands[key] = ack
            while len(self._commands) > REMEMBERED_COMMANDS:
                self._commands.popitem(last=False)
            self.send(ack)

    def _run(self, key: str, action: str, job: str | None) -> None:
        try:
            result = self._monitor.command(action, job, by="panel")
        except UserError as error:
            self._ack(key, "failed", str(error), code=error.code)
        except Exception as error:  # whatever it was, the page must not wait for ever
            self._ack(key, "failed", f"{type(error).__name__}: {error}")
        else:
            said = outcomes.ended(result, noun(self._monitor.snapshot))
            self._ack(key, "done", said, **result.to_json())

    # ---------------------------------------------------------------------------------------------
    # Without a page

    def __repr__(self) -> str:
        snapshot = self._snapshot
        what = {"batch": "a batch", "job": "jobs"}.get(snapshot.mode, "a session")
        return f"<SessionPanel of {what} on {snapshot.backend}>"

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        if NOTICES.executed_by_program:
            # a page that is made of the file would put nothing in the receipt's place
            return self._receipt(), metadata
        return {**data, **self._receipt()}, metadata

    def _shown(self) -> SessionSnapshot:
        """The newest snapshot, with the price that the panel counts with."""
        snapshot = self._monitor.shown(self._monitor.snapshot)
        if self._price is None:
            return snapshot
        service = replace(snapshot.service, price_per_second=self._price, price_source="own")
        return replace(snapshot, service=service)

    def _receipt(self) -> dict[str, str]:
        """The receipt that stands in the widget's place without a kernel or JavaScript."""
        snapshot = self._shown()
        try:
            from . import receipt
        except ImportError:
            return {"text/plain": f"{headline(snapshot)}: {self!r}"}
        now = self._monitor.now()
        return {
            "text/plain": receipt.to_text(snapshot, now),
            "text/html": receipt.to_html(snapshot, now),
        }
