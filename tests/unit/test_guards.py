import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from panel.states import session

from qsession_widgets.errors import UserError
from qsession_widgets.model import JobRecord, ServiceInfo, SessionSnapshot
from qsession_widgets.options.parsing import build
from qsession_widgets.sessions import policy_enforcer
from qsession_widgets.sessions.policies import SENDING, Policies, PolicyVerdict, judge, look_ahead
from qsession_widgets.sessions.policy_enforcer import PolicyEnforcer

from ..support.waiting import wait_for

IBM = ServiceInfo("ibm", "IBM Quantum", "payg", 1.60)
IDLE = session(
    [],
    service=IBM,
    answered_at=1000.0,
    opened_at=900.0,
    started_at=1000.0,
    last_job_completed=1010.0,
    active_periods=((1000.0, None),),
)
BUSY = replace(IDLE, jobs=(JobRecord("j", "sampler", "running", 1020.0, started=1020.0),))


def test_nothing_pending_for_long_enough_closes() -> None:
    rules = Policies(idle_close=30)
    assert judge(rules, IDLE, 1039.0) == PolicyVerdict(again_in=1.0)
    assert judge(rules, IDLE, 1040.0).end == "nothing was pending for 30 s (--idle-close)"
    assert judge(rules, BUSY, 2000.0) == PolicyVerdict()


def test_a_session_without_a_job_is_idle_from_its_opening() -> None:
    fresh = replace(IDLE, state="open", started_at=None, last_job_completed=None, active_periods=())
    assert judge(Policies(idle_close=30), fresh, 929.0).again_in == 1.0
    assert judge(Policies(idle_close=30), fresh, 930.0).end is not None


def test_a_job_that_is_being_sent_is_something_to_do() -> None:
    rules = Policies(idle_close=30)
    assert judge(rules, IDLE, 1050.0, sending=True) == PolicyVerdict(again_in=SENDING)
    assert judge(rules, IDLE, 1050.0).end is not None


class _Watched:
    """A monitor that is asked to end its session, and does."""

    def __init__(self, snapshot: SessionSnapshot, now: float):
        self.snapshot = snapshot
        self.ended: list[str] = []
        self._now = now
        self._tell: Callable[[SessionSnapshot], object] = lambda _snapshot: None

    def now(self) -> float:
        return self._now

    def subscribe(self, callback: Callable[[SessionSnapshot], object]) -> Callable[[], None]:
        self._tell = callback
        return lambda: None

    def command(
        self, action: str, job_id: str | None = None, *, by: str = "", spent: float | None = None
    ) -> str:
        self.ended.append(action)
        return f"Session {action}ed."


def test_a_guard_that_cannot_speak_ends_the_session_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(policy_enforcer, "RETRY", 0.01)
    watched = _Watched(BUSY, 1080.0)
    heard = threading.Event()

    def say(_kind: str, _text: str) -> None:
        watched.snapshot, watched._now = replace(BUSY, answered_at=1100.0), 1100.0
        heard.set()
        raise BrokenPipeError

    guard = PolicyEnforcer(Policies(budget=100), watched, say)
    try:
        assert heard.wait(60)
        wait_for(lambda: watched.ended == ["cancel"], "the end")
    finally:
        guard.stop()


def test_a_job_that_failed_counts_as_something_to_do() -> None:
    failed = JobRecord("j", "sampler", "failed", 1100.0, finished=1105.0)
    late = replace(IDLE, jobs=(failed,))
    assert judge(Policies(idle_close=30), late, 1130.0).again_in == 5.0


def test_a_budget_warns_refuses_and_closes() -> None:
    rules = Policies(budget=100)
    assert judge(rules, BUSY, 1050.0) == PolicyVerdict(again_in=30.0)
    warned = judge(rules, BUSY, 1080.0)
    assert warned.warn is not None
    assert "80% of the budget is used (1 m 20 s of 1 m 40 s)" in warned.warn
    assert (warned.end, warned.refuse, warned.again_in) == (None, None, 20.0)
    spent = judge(rules, BUSY, 1100.0)
    assert spent.refuse is not None
    assert "the job was not sent" in spent.refuse
    assert spent.end is not None
    assert spent.how == "cancel", "queued jobs would go on costing"
    assert (spent.by, spent.spent) == ("budget", 100.0), "kept as the reason, with its figure"
    assert spent.warn is None


def _done(number: int, seconds: float) -> JobRecord:
    begin = 1000.0 + 10 * number
    return JobRecord(f"d{number}", "sampler", "done", begin, begin, begin + seconds, True, seconds)


def test_a_budget_looks_ahead_and_sends_no_job_that_would_exceed_it() -> None:
    # jobs of $1.50, one after the other, a budget of $4
    rules = Policies.of(build({"--budget": "$4"}), replace(IBM, price_per_second=0.15))
    assert rules.budget == pytest.approx(4 / 0.15)
    cheap = replace(IDLE, service=replace(IBM, price_per_second=0.15))
    one, two = _done(0, 10.0), _done(1, 10.0)
    assert judge(rules, replace(cheap, jobs=(one,)), 1010.0).refuse is None, "nothing to judge by"
    asked = judge(rules, replace(cheap, jobs=(one, two)), 1020.0)
    assert asked.refuse is not None
    assert "would be exceeded (≈ $3.00 of $4.00; a job is expected to take ≈ $1.50)" in asked.refuse
    assert asked.end is None, "nothing is queued that would have to be stopped"
    emulated = replace(cheap, jobs=(one, two), device_time=(20.0, 20.0))
    said = judge(rules, emulated, 1020.0).refuse or ""
    assert "≈ $3.00 of $4.00, estimated for a device;" in said
    first = replace(cheap, jobs=(_done(0, 20.0),), device_time=(20.0, 20.0))
    assert judge(rules, first, 1020.0).refuse is not None, "one job of the emulator's is enough"
    # what a job asks for is known: 2 s for 100 executions, 37 s for 100 000
    small = replace(cheap, jobs=(_done(0, 2.0),), device_time=(2.0, 2.0))
    assert judge(rules, small, 1002.0, executions=100).refuse is None
    large = judge(rules, small, 1002.0, executions=100_000).refuse or ""
    assert "a job is expected to take ≈ $5.55" in large
    waiting = JobRecord("q", "sampler", "queued", 1000.0, executions=100_000)
    queue = judge(rules, replace(small, jobs=(*small.jobs, waiting)), 1002.0)
    assert (queue.how, queue.end is not None) == ("cancel", True)
    # of a running job that counts already, only the rest is still to come
    runs = JobRecord("r", "sampler", "running", 1002.0, started=1002.0, executions=40_000)
    under_way = replace(
        small,
        jobs=(replace(small.jobs[0], device_seconds=2.0), runs),
        last_job_started=1002.0,
        last_job_completed=1002.0,
        device_running=16.0,
    )
    assert look_ahead(under_way, 1012.0).pending == pytest.approx(6.0)
    assert look_ahead(under_way, 1030.0).pending == pytest.approx(0.0)
    # it is over, and the list of jobs does not say so yet
    over = replace(under_way, device_time=(18.0, 17.0), last_job_completed=1017.0)
    assert look_ahead(over, 1018.0).pending == pytest.approx(0.0)
    shorter = (_done(0, 2.0), _done(1, 2.0), _done(2, 2.0))
    assert judge(rules, replace(cheap, jobs=shorter), 1022.0).refuse is None


@pytest.mark.parametrize("device", [None, (0.0, 0.0)])
def test_a_budget_judges_the_first_job_and_the_queue_by_their_executions(
    device: tuple[float, float] | None,
) -> None:
    # 4 000 executions are 3.4 s
    fresh = replace(IDLE, state="open", active_periods=(), device_time=device)
    alone = judge(Policies(budget=3), fresh, 1000.0, executions=4000).refuse or ""
    assert alone.startswith(
        "This job alone would exceed the budget of this session (0.0 s of 3.0 s"
    )
    assert "a job is expected to take 3.4 s): the job was not sent. Ask for fewer shots" in alone
    assert judge(Policies(budget=4), fresh, 1000.0, executions=4000).refuse is None
    queued = replace(fresh, jobs=(JobRecord("q", "sampler", "queued", 1000.0, executions=4000),))
    assert judge(Policies(budget=6), queued, 1000.0, executions=4000).refuse is not None
    assert judge(Policies(budget=7), queued, 1000.0, executions=4000).refuse is None
    # one job takes it beyond 80 %: said before
    assert "to take the budget to 85% (0.0 s" in str(judge(Policies(budget=4), queued, 1000.0).warn)
    assert judge(Policies(budget=5), queued, 1000.0).warn is None


def test_queued_jobs_that_would_exceed_a_budget_are_cancelled_before_they_start() -> None:
    rules = Policies(budget=40)
    running = JobRecord("r", "sampler", "running", 1000.0, started=1020.0)
    queued = JobRecord("q", "sampler", "queued", 1000.0)
    busy = replace(IDLE, jobs=(_done(0, 10.0), _done(1, 10.0), running, queued))
    assert judge(rules, busy, 1021.0).end is None, "30 s and 40 s"
    late = judge(Policies(budget=39), busy, 1021.0)
    assert (late.how, late.by, late.spent) == ("cancel", "budget_ahead", 21.0)
    assert late.end is not None
    assert "would be exceeded (21 s of 39 s; jobs before it 9.0 s more; a job" in late.end
    alone = replace(busy, jobs=busy.jobs[:3])
    assert judge(Policies(budget=29), alone, 1021.0).end is None, "a running job finishes"


def test_a_batch_looks_ahead_by_qpu_time() -> None:
    batch = replace(IDLE, mode="batch", jobs=(_done(0, 10.0), _done(1, 10.0)))
    assert judge(Policies(budget=29), batch, 1100.0).refuse is not None
    assert judge(Policies(budget=30), batch, 1100.0).refuse is None


def test_a_budget_in_dollars_is_one_in_seconds_at_the_plans_price() -> None:
    rules = Policies.of(build({"--budget": "$16"}), IBM)
    assert rules.budget == pytest.approx(10)
    assert "≈ $16.00 of $16.00" in str(judge(rules, BUSY, 1010.0).end)
    with pytest.raises(UserError, match="needs a price, and this plan has none"):
        Policies.of(build({"--budget": "$16"}), replace(IBM, price_per_second=None))


def test_time_deactivated_is_not_waited_for() -> None:
    asleep = replace(IDLE, state="inactive", active_periods=((1000.0, 1070.0),))
    assert judge(Policies(budget=100), asleep, 5000.0) == PolicyVerdict()


def test_what_is_closing_already_is_left_alone() -> None:
    rules = Policies(idle_close=1, budget=1)
    closing = replace(BUSY, accepting_jobs=False)
    assert judge(rules, closing, 5000.0).end is None
    queued = JobRecord("k", "sampler", "queued", 1021.0)
    spent = judge(rules, replace(closing, jobs=(*BUSY.jobs, queued)), 5000.0)
    assert spent.how == "cancel", "what is still queued would go beyond the budget"
    assert judge(rules, replace(IDLE, state="closed"), 5000.0) == PolicyVerdict()


def test_after_so_many_jobs_no_more_are_sent_and_it_closes() -> None:
    rules = Policies(max_jobs=2)
    assert judge(rules, BUSY, 1030.0) == PolicyVerdict()
    done = JobRecord("k", "sampler", "failed", 1001.0, started=1002.0, finished=1003.0)
    # neither is a job of this session that costs anything
    beside = (replace(done, id="s", stray=True), replace(done, id="r", reused=True))
    assert judge(rules, replace(BUSY, jobs=(*BUSY.jobs, *beside)), 1030.0) == PolicyVerdict()
    full = replace(BUSY, jobs=(*BUSY.jobs, *beside, done))
    found = judge(rules, full, 1030.0)
    assert found.end == "as many jobs as it may have were sent (--max-jobs 2)"
    assert (found.by, found.how) == ("max_jobs", "close")
    assert found.refuse is not None
    assert found.refuse.startswith("This session has had as many jobs as it may have")
    # what is closing is not closed once more, and still refuses
    closing = judge(rules, replace(full, accepting_jobs=False), 1030.0)
    assert (closing.end, closing.refuse) == (None, found.refuse)
    # nor is one that it had when an earlier kernel's session was taken up
    taken_up = Policies(max_jobs=2, before=frozenset({"k"}))
    assert judge(taken_up, full, 1030.0) == PolicyVerdict()
    # a spent budget cancels, whatever else there is
    both = judge(Policies(max_jobs=2, budget=1), full, 1030.0)
    assert (both.by, both.how) == ("budget", "cancel")
