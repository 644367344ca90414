"""Sessions of one's own that would wait for each other: that is said before a job is sent."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from qsession_widgets.client.rest import ServiceClient
from qsession_widgets.emulator.process.connection_file import Connection
from qsession_widgets.messages.notices import notices
from qsession_widgets.sessions import blockers
from qsession_widgets.sessions.binding import BINDING
from qsession_widgets.sessions.blockers import WaitRefused

from .cells import Notebook
from .conftest import end_kernel
from .table import CIRCUITS

Ask = Callable[..., Any]

LOCAL = "%%session --service local --backend fake_manila"
RUN = "SamplerV2().run([(measured,)]).result()"
BLOCK = (
    "with Session(backend=backend) as other:",
    "    job = SamplerV2(mode=other).run([(measured,)])",
)


@pytest.fixture
def circuits(notebook: Notebook) -> Notebook:
    """A notebook with circuits and an open session on a device, which sessions have in turn."""
    notebook.good(CIRCUITS)
    notebook.good(LOCAL, "pass")
    return notebook


def test_a_block_that_waits_for_the_bound_session_says_so(circuits: Notebook, ask: Ask) -> None:
    circuits.good(RUN)
    session_id = circuits["session"].session_id
    said = circuits.good(*BLOCK, "job.cancel()").out
    assert f"waits for your session {session_id}, idle" in said
    assert "a minute" in said
    assert f"%session close {session_id} ends it" in said
    # said once for each two sessions, and again for the next one
    assert "waits for your session" in circuits.good(*BLOCK, "job.cancel()").out


def test_nothing_is_said_before_the_bound_session_is_active(circuits: Notebook, ask: Ask) -> None:
    said = circuits.good(*BLOCK, "job.result()").out
    assert "waits for your session" not in said


def test_a_strict_session_refuses_what_would_wait(
    notebook: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook.good(CIRCUITS)
    notebook.good(f"{LOCAL} --strict", "pass")
    live = BINDING.bound
    assert live is not None
    live.monitor.stop()
    with monkeypatch.context() as patch:
        # what is known is from before its first job
        patch.setattr(live.monitor.poller, "poll", lambda **_: live.monitor.snapshot)
        notebook.good(RUN)
    assert live.monitor.snapshot.state == "open"
    ran = notebook(*BLOCK)
    assert isinstance(ran.error, WaitRefused)
    assert "this job was not sent (--strict), because it waits for your session" in ran.sentence()
    assert ask("GET", "/jobs")["count"] == 1


def test_two_sessions_on_one_device_name_each_other(notebook: Notebook, ask: Ask) -> None:
    notebook.good(CIRCUITS)
    notebook.good(f"{LOCAL} --name first", RUN)
    ran = notebook.good(f"{LOCAL} --name second", "job = SamplerV2().run([(measured,)])")
    assert "waits for your session first, idle" in ran.out
    assert "%session close first ends it" in ran.out
    second = notebook["session"]
    found = second.wait_for(lambda snapshot: snapshot.blocker is not None).blocker
    assert (found.name, found.pending) == ("first", 0)
    assert found.ends_at is not None
    shown = str(notebook.good("%session receipt").displayed)
    assert "Waits for your session first, idle, on IBM $48.00 a minute, lets others run in" in shown
    notebook.good("%session close first", "job.result()")
    assert second.wait_for(lambda snapshot: snapshot.blocker is None)


def test_a_session_of_another_notebook_is_named_before_the_first_job(
    notebook: Notebook, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    list_workloads = ServiceClient.workloads

    def workloads(client: ServiceClient, **query: Any) -> Any:
        if threading.current_thread() is threading.main_thread():
            looks.append(query)
        return list_workloads(client, **query)

    notebook.good(CIRCUITS)
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/A.ipynb")
    notebook.good(LOCAL, "pass")
    monkeypatch.setattr(ServiceClient, "workloads", workloads)
    notebook.good(RUN, RUN)
    # one before the first job, none before the next
    assert len(looks) == 1
    session_id = notebook["session"].session_id
    # its process lives, and this notebook knows nothing of it
    end_kernel(notebook)
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/B.ipynb")
    notebook.good("%load_ext qsession_widgets", "%config SessionMagics.say = 'never'")
    named = f"waits for your session {session_id} of A.ipynb, idle, on IBM $48.00 a minute, lets "
    refused = notebook(f"{LOCAL} --strict", RUN)
    assert isinstance(refused.error, WaitRefused)
    assert f"this job was not sent (--strict), because it {named}" in refused.sentence()
    # it is asked again, for the other one may have ended meanwhile
    assert isinstance(notebook(RUN).error, WaitRefused)
    assert ask("GET", "/jobs")["count"] == 2
    waits = notebook.good(f"{LOCAL} --name b --another", "job = SamplerV2().run([(measured,)])").out
    assert f"line 2: this job {named}" in waits
    assert f"%session close {session_id} ends it" in waits
    notebook.good("job.cancel()")
    end_kernel(notebook)
    # in a kernel where nothing is bound, with a session of the client library's own
    notebook.good("%load_ext qsession_widgets", "%config SessionMagics.strict = True")
    sent = ask("GET", "/jobs")["count"]
    refused = notebook(*BLOCK)
    assert isinstance(refused.error, WaitRefused)
    assert f"line 2: this job was not sent (--strict), because it {named}" in refused.sentence()
    assert ask("GET", "/jobs")["count"] == sent
    notebook.good("%config SessionMagics.strict = False")
    run = "job = SamplerV2(mode=other).run([(measured,)])"
    waits = notebook.good("other = Session(backend=backend)", run, "job.cancel()").out
    assert f"line 2: this job {named}" in waits
    # that one may have become active since: it is asked again after a pause
    notebook.good("%config SessionMagics.strict = True")
    monkeypatch.setattr(blockers, "LOOK_AGAIN", 0.0)
    assert isinstance(notebook(run).error, WaitRefused)
    notebook.good("%config SessionMagics.strict = False", "other.close()")
    notebook.good(LOCAL + " --another", "job = SamplerV2().run([(measured,)])")
    notebook.good(f"%session close {session_id}", "job.result()")
    assert "waits for" not in notebook.good(RUN).out


def test_a_job_in_no_session_names_the_session_it_waits_for(
    notebook: Notebook,
    emulator: Connection,
    account: Callable[[str | None], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account(None)
    notebook.good(CIRCUITS)
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/A.ipynb")
    notebook.good("%%session --service ibm --backend fake_manila", RUN)
    session_id = notebook["session"].session_id
    named = f"waits for your session {session_id} of A.ipynb, idle, on IBM $48.00 a minute, lets "
    alone = "job = SamplerV2(mode=session.service.backend('fake_manila')).run([(measured,)])"
    # in its own notebook, where it is bound
    own = notebook.good(alone, "job.cancel()").out
    assert f"this job in no session {named}" in own
    end_kernel(notebook)
    monkeypatch.setenv("JPY_SESSION_NAME", "/home/ada/B.ipynb")
    notebook.good("%load_ext qsession_widgets", "%config SessionMagics.say = 'never'")
    notebook.good("%%session --service ibm --backend aer", "pass")
    assert f"line 1: this job {named}" in notebook.good(alone, "job.cancel()").out
    assert "waits for" not in notebook.good(alone, "job.cancel()").out, "said once"
    notebook.good("%session close")
    # job mode has a plan without sessions, hence another instance than the session
    crn = emulator.environment("bob")["QISKIT_IBM_INSTANCE"]
    line = f"%%session --service ibm --instance {crn} --backend fake_manila"
    refused = notebook(f"{line} --strict", RUN)
    assert isinstance(refused.error, WaitRefused)
    assert f"this job was not sent (--strict), because it {named}" in refused.sentence()
    notebook.good(line, "job = SamplerV2().run([(measured,)])")
    alone = notebook["session"]
    found = alone.wait_for(lambda snapshot: snapshot.blocker is not None)
    assert found.blocker.session_id == session_id
    assert (
        f"aits for your session {session_id} of A.ipynb, idle, on IBM $48.00"
        in notices(found, 0)[0]
    )
    notebook.good(f"%session close {session_id}", "job.result()")
    assert alone.wait_for(lambda snapshot: snapshot.blocker is None)


def test_on_the_ideal_simulator_nothing_waits(notebook: Notebook, ask: Ask) -> None:
    notebook.good(CIRCUITS)
    notebook.good("%%session --service local --backend aer", RUN)
    assert "waits for" not in notebook.good(*BLOCK, "job.result()").out


@pytest.mark.filterwarnings("ignore")
def test_nothing_is_said_of_local_testing_mode(circuits: Notebook, ask: Ask) -> None:
    circuits.good(RUN)
    ran = circuits.good(
        "from qiskit_ibm_runtime.fake_provider import FakeManilaV2",
        "with Session(backend=FakeManilaV2()) as other:",
        "    SamplerV2(mode=other).run([(measured,)]).result()",
    )
    assert "second one" not in ran.out
    assert "waits for" not in ran.out
