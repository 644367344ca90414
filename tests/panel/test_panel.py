"""The kernel's half of the panel, over a comm that only writes down what it is given."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import comm
import pytest
from comm.base_comm import BaseComm

from qsession_widgets.errors import UserError
from qsession_widgets.model import EndResult, SessionSnapshot
from qsession_widgets.views import panel as module
from qsession_widgets.views.panel import SessionPanel
from qsession_widgets.views.receipt import to_text

from . import states

DEADLINE = 60.0


class WritingComm(BaseComm):  # type: ignore[misc]
    """Keeps messages instead of sending them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.messages: list[tuple[str, dict[str, Any], list[Any]]] = []
        self.arrived = threading.Condition()
        super().__init__(*args, **kwargs)

    def publish_msg(
        self,
        msg_type: str,
        data: Any = None,
        metadata: Any = None,
        buffers: Any = None,
        **keys: Any,
    ) -> None:
        with self.arrived:
            self.messages.append((msg_type, data or {}, buffers or []))
            self.arrived.notify_all()

    def custom(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Contents of the custom messages."""
        contents = [
            data["content"] for _, data, _ in self.messages if data.get("method") == "custom"
        ]
        return [each for each in contents if kind is None or each["type"] == kind]

    def wait_for(self, done: Callable[[], bool]) -> None:
        with self.arrived:
            assert self.arrived.wait_for(done, DEADLINE), self.messages

    def receive(self, content: object) -> None:
        """A custom message from the page."""
        data = {"method": "custom", "content": content}
        self.handle_msg({"content": {"data": data}, "buffers": []})


class Watcher:
    """A monitor whose facts the test sets."""

    def __init__(self, snapshot: SessionSnapshot) -> None:
        self.snapshot = snapshot
        self.listeners: list[Callable[[SessionSnapshot], None]] = []
        self.commands: list[tuple[str, str | None]] = []
        self.go = threading.Event()
        self.go.set()
        self.outcome: EndResult | Exception = EndResult("closed", "close")
        self.settled = False

    def now(self) -> float:
        return states.NOW + 1

    def shown(self, snapshot: SessionSnapshot) -> SessionSnapshot:
        return snapshot

    def subscribe(self, listener: Callable[[SessionSnapshot], None], /) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def command(self, action: str, job_id: str | None = None, *, by: str = "") -> EndResult:
        self.commands.append((action, job_id))
        assert self.go.wait(DEADLINE)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def settle(self) -> None:
        self.settled = True

    def tell(self, snapshot: SessionSnapshot) -> None:
        self.snapshot = snapshot
        for listener in list(self.listeners):
            listener(snapshot)


@pytest.fixture
def watcher(monkeypatch: pytest.MonkeyPatch) -> Watcher:
    monkeypatch.setattr(comm, "create_comm", WritingComm)
    return Watcher(states.active())


@pytest.fixture
def panel(watcher: Watcher) -> Iterator[SessionPanel]:
    shown = SessionPanel(watcher)
    yield shown
    shown.close()


def test_opening_carries_the_facts_and_the_bundle_but_no_jobs(panel: SessionPanel) -> None:
    kind, data, _ = panel.comm.messages[0]
    assert kind == "comm_open"
    state = data["state"]
    assert state["facts"]["session_id"] == states.active().session_id
    assert "jobs" not in state["facts"]
    assert state["_esm"].startswith(("import", "var", "let", "const", "function", "("))
    assert len(panel.comm.messages) == 1


def test_what_opens_a_panel_stays_small(panel: SessionPanel) -> None:
    opening = panel.comm.messages[0][1]
    assert {"_esm", "_css", "facts"} <= set(opening["state"])
    assert len(json.dumps(opening).encode()) < 90_000


def test_nothing_is_sent_while_nothing_changes(panel: SessionPanel, watcher: Watcher) -> None:
    before = len(panel.comm.messages)
    watcher.tell(replace(watcher.snapshot, answered_at=states.NOW + 5))
    assert len(panel.comm.messages) == before


def test_a_change_is_sent_once_and_kept_for_pages_that_reload(
    panel: SessionPanel, watcher: Watcher
) -> None:
    before = len(panel.comm.messages)
    watcher.tell(replace(watcher.snapshot, queue_length=9))
    (message,) = panel.comm.messages[before:]
    assert message[1]["content"]["facts"] == {"queue_length": 9}
    assert panel.get_state("facts")["facts"]["queue_length"] == 9


@pytest.mark.parametrize("revision", [-1, None, "x", 10**9])
def test_a_page_that_knows_nothing_gets_everything(panel: SessionPanel, revision: object) -> None:
    panel.comm.receive({"type": "sync", "revision": revision})
    message = panel.comm.custom("jobs")[-1]
    assert message["reset"] is True
    assert len(message["jobs"]) == len(states.active().jobs)
    assert message["at"] == states.NOW + 1


def test_a_command_is_acknowledged_before_it_is_done(panel: SessionPanel, watcher: Watcher) -> None:
    watcher.go.clear()
    panel.comm.receive({"type": "command", "id": "c1", "action": "close"})
    assert [each["stage"] for each in panel.comm.custom("ack")] == ["acknowledged"]
    panel.comm.receive({"type": "sync", "revision": -1})
    assert panel.comm.custom("jobs"), "the panel answers while a command is on its way"
    watcher.go.set()
    panel.comm.wait_for(lambda: len(panel.comm.custom("ack")) == 2)
    assert panel.comm.custom("ack")[-1] == {
        "type": "ack",
        "id": "c1",
        "stage": "done",
        "message": "Session closed.",
        "code": "closed",
        "cancelled": 0,
        "finishing": 0,
    }


def test_the_same_command_twice_is_one_command(panel: SessionPanel, watcher: Watcher) -> None:
    for _ in range(2):
        panel.comm.receive({"type": "command", "id": "c1", "action": "cancel_job", "job": "j"})
    panel.comm.wait_for(lambda: any(a["stage"] == "done" for a in panel.comm.custom("ack")))
    panel.comm.receive({"type": "command", "id": "c1", "action": "cancel_job", "job": "j"})
    assert panel.comm.custom("ack")[-1]["stage"] == "done"
    assert watcher.commands == [("cancel_job", "j")]


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (
            UserError("The service did not answer; try again."),
            "The service did not answer; try again.",
        ),
        (RuntimeError("boom"), "RuntimeError: boom"),
    ],
)
def test_a_command_that_fails_says_why(
    panel: SessionPanel, watcher: Watcher, outcome: Exception, words: str
) -> None:
    watcher.outcome = outcome
    panel.comm.receive({"type": "command", "id": "c1", "action": "cancel"})
    panel.comm.wait_for(lambda: len(panel.comm.custom("ack")) == 2)
    last = panel.comm.custom("ack")[-1]
    assert (last["stage"], last["message"]) == ("failed", words)


@pytest.mark.parametrize(
    "content",
    [
        {"action": "delete"},
        {"action": "cancel_job"},
        {"action": "close", "job": "j"},
        {"action": ["close"]},
    ],
)
def test_a_command_nobody_knows_is_refused(
    panel: SessionPanel, watcher: Watcher, content: dict[str, Any]
) -> None:
    panel.comm.receive({"type": "command", "id": "c1", **content})
    assert panel.comm.custom("ack")[-1]["stage"] == "failed"
    assert watcher.commands == []


@pytest.mark.parametrize("content", [None, 3, "close", [], {}, {"type": "command"}, {"type": "x"}])
def test_nonsense_is_ignored(panel: SessionPanel, content: object) -> None:
    before = len(panel.comm.messages)
    panel.comm.receive(content)
    assert len(panel.comm.messages) == before


def test_chart_library_comes_compressed_when_asked(panel: SessionPanel) -> None:
    panel.comm.receive({"type": "asset", "name": "../panel.py"})
    assert not panel.comm.custom("asset")
    panel.comm.receive({"type": "asset", "name": "plotly"})
    (_, _, (buffer,)) = panel.comm.messages[-1]
    assert len(buffer) < 500_000
    assert gzip.decompress(buffer) == (module.STATIC / "plotly.min.js").read_bytes()


def test_many_threads_keep_the_revisions_in_order(panel: SessionPanel, watcher: Watcher) -> None:
    base = watcher.snapshot
    snapshots = [
        replace(base, jobs=(*base.jobs, *(states.job("queued", 300.0 + k) for k in range(i))))
        for i in range(1, 30)
    ]
    threads = [threading.Thread(target=watcher.tell, args=(each,)) for each in snapshots]
    threads += [
        threading.Thread(target=panel.comm.receive, args=({"type": "sync", "revision": -1},))
        for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    known = 0
    for message in panel.comm.custom("jobs"):
        if message.get("reset"):
            assert message["revision"] >= known
        else:
            assert message["revision"] == known + 1 or known == 0
        known = message["revision"]


def test_replies_go_to_the_shell_that_asked(panel: SessionPanel) -> None:
    panel.comm._reply_subshell_for = lambda data, default: "the shell that sent last"
    panel._reply_over_the_shell_that_asked()
    assert panel.comm._reply_subshell_for({"content": {"id": "c1"}}, "default") == "default"


def test_closing_ends_the_subscription(watcher: Watcher) -> None:
    shown = SessionPanel(watcher)
    assert len(watcher.listeners) == 1
    shown.close()
    shown.close()
    assert watcher.listeners == []


def test_a_price_of_ones_own(watcher: Watcher) -> None:
    shown = SessionPanel(watcher, price_per_second=0.5)
    assert shown.facts["service"]["price_per_second"] == 0.5
    shown.close()


def test_repr_says_the_same_each_time(panel: SessionPanel) -> None:
    assert repr(panel) == "<SessionPanel of a session on fake_fez>"


def test_saved_notebook_shows_a_receipt(panel: SessionPanel) -> None:
    data, _ = panel._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert states.active().session_id in data["text/plain"]
    assert states.active().session_id in data["text/html"]
    assert len(data["text/html"].encode()) <= 60_000


def test_a_receipt_of_a_silent_service_is_of_now_as_the_page_and_the_magic_are(
    panel: SessionPanel, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = states.idle()
    watcher.tell(replace(idle, problem="The service does not answer.", problem_since=states.NOW))
    monkeypatch.setattr(watcher, "now", lambda: states.NOW + 3600)
    data, _ = panel._repr_mimebundle_()
    assert data["text/plain"] == to_text(watcher.snapshot, states.NOW + 3600)
    assert "Usage    at most " in data["text/plain"]
    assert "at most" in data["text/html"]
    assert "usage goes on as an estimate" in " ".join(data["text/plain"].split())


def test_without_the_bundle_one_sentence_says_what_to_do(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr(module, "STATIC", tmp_path)
    module.read_static.cache_clear()
    try:
        with pytest.raises(UserError, match="make bundles"):
            SessionPanel(watcher)
    finally:
        module.read_static.cache_clear()
    assert watcher.listeners == []


def test_a_page_is_given_receipt_and_tables_with_exact_times_as_files(
    panel: SessionPanel, watcher: Watcher
) -> None:
    panel.comm.receive({"type": "export", "id": "k1", "ending": "exe"})
    panel.comm.receive({"type": "export", "id": "k2", "ending": "csv"})
    panel.comm.wait_for(lambda: bool(panel.comm.custom("files")))
    _, data, buffers = panel.comm.messages[-1]
    name = f"session-{watcher.snapshot.session_id[:8]}.csv"
    assert data["content"] == {"type": "files", "id": "k2", "names": [name]}
    assert watcher.snapshot.jobs[0].id in bytes(buffers[0]).decode()
    assert watcher.settled
