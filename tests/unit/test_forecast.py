"""Forecasts against sessions that were worked out by hand, on paper, step by step."""

from __future__ import annotations

import itertools
import stat
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.quantum_info import SparsePauliOp

from qsession_widgets.errors import UserError
from qsession_widgets.messages.forecast import outlook_words
from qsession_widgets.model import JobRecord, ServiceInfo, SessionSnapshot, past_maximum
from qsession_widgets.model.forecast import Assumed, assumed_of, check, forecast
from qsession_widgets.model.outlook import outlook
from qsession_widgets.registry import forecasts
from qsession_widgets.sessions.executions import count_executions
from qsession_widgets.views.forecast import forecast_of
from qsession_widgets.views.protocol import view_facts
from qsession_widgets.views.receipt import to_json, to_text

LOCAL = ServiceInfo("local", "local emulator", "premium", 0.8, charged=False, price_source="list")
IBM = ServiceInfo("ibm", "IBM Quantum", "premium", 0.8, price_source="list")


@pytest.fixture(autouse=True)
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Records of a user who has run nothing yet."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path))


def emulated(runs: Sequence[tuple[float, float, float]], qpu: float = 2.7) -> SessionSnapshot:
    """A session on the emulator: created, started and finished of each job."""
    jobs = tuple(
        JobRecord(f"j{n}", "sampler", "done", *times, exact=True, device_seconds=qpu)
        for n, times in enumerate(runs)
    )
    busy = sum(end - begin for _, begin, end in runs)
    return SessionSnapshot(
        session_id="s",
        mode="dedicated",
        backend="fake_fez",
        service=LOCAL,
        state="active",
        answered_at=runs[-1][2],
        opened_at=0.0,
        started_at=runs[0][1],
        last_job_started=runs[-1][1],
        last_job_completed=runs[-1][2],
        interactive_ttl=60.0,
        max_ttl=28800.0,
        active_periods=((runs[0][1], None),),
        device_time=(qpu * len(jobs), busy),
        jobs=jobs,
    )


# two jobs of 2000 executions ten seconds apart, and a third more than a minute later
THINKING = emulated([(0, 0, 0.1), (10.1, 10.1, 10.2), (80.2, 80.2, 80.3)])


def test_a_session_with_thinking_network_queue_and_deactivation() -> None:
    """Two minutes of queue, 2.7 s a job, a second of network.

    The first runs from 120 to 122.7 s, the second arrives 11 s later and runs from 133.7 to 136.4;
    the third arrives at 207.4, when the session has been deactivated since 196.4, queues until
    327.4, and ends at 330.1. Charged are 8.1 s of QPU, 11 s and the 60 s of the timeout.
    """
    found = forecast(THINKING, assumed_of(THINKING, price=0.8, queue_wait=120.0))
    assert found is not None
    assert found.session.plain == pytest.approx((330.1, 79.1))
    assert found.session.usage.low <= 79.1 <= found.session.usage.high
    # a batch is not charged for what lies between, and waits as often
    assert found.batch.plain == pytest.approx((330.1, 8.1))
    # each job waits: until 122.7; from 133.7 until 256.4; from 327.4 until 450.1
    assert found.job.plain == pytest.approx((450.1, 8.1))
    assert found.session.cost is not None
    assert found.session.cost.low == pytest.approx(0.8 * int(found.session.usage.low))


def test_what_failed_jobs_took_is_not_the_users_own_time() -> None:
    """Two of them, 5 s of one and 3 s of the next until its cancellation, between two that ran.

    2.7 s each, and 10 - 8 = 2 s of the user's own between them, also in what is still to come.
    """
    ran = emulated([(0, 0, 0.1), (10.1, 10.1, 10.2), (12.2, 12.2, 12.3), (14.3, 14.3, 14.4)])
    lost = (
        JobRecord("x", "sampler", "failed", 1.1, 1.1, 6.1, exact=True, device_seconds=2.0),
        JobRecord("y", "sampler", "cancelled", 5.1, 6.1, 9.1, exact=True, device_seconds=2.0),
    )
    session = replace(ran, jobs=(*ran.jobs[:1], *lost, *ran.jobs[1:]), expected_jobs=5)
    played = forecast(session, replace(assumed_of(session, price=None), latency=0.0))
    assert played is not None
    assert (played.jobs, played.session.plain[1]) == (4, pytest.approx(4 * 2.7 + 3 * 2.0))
    found = outlook(session, session.answered_at)
    assert found is not None
    assert found.seconds.low <= 4.7 <= found.seconds.high < 7.0
    # on IBM it is not held against the forecast
    failed = replace(lost[0], created=105.0, started=105.0, finished=110.0)
    run = on_ibm(0, 17.0)
    assert check(run) is not None
    assert check(replace(run, jobs=(*run.jobs, failed))) is None


def test_jobs_that_are_sent_together_wait_once() -> None:
    together = emulated([(0, 0, 0.1), (0, 0.1, 0.2), (0, 0.2, 0.3)])
    found = forecast(together, assumed_of(together, price=None, queue_wait=120.0))
    assert found is not None
    for one in (found.session, found.batch, found.job):
        assert one.plain == pytest.approx((128.1, 8.1))
        assert one.cost is None


def test_jobs_after_the_maximum_time_fail() -> None:
    """With 10 s, jobs that start 0 and 2.7 and 5.4 and 8.1 s after the first run; the fifth not."""
    short = replace(emulated([(0, n / 10, n / 10 + 0.1) for n in range(6)]), max_ttl=10.0)
    found = forecast(short, assumed_of(short, price=0.8, queue_wait=0.0))
    assert found is not None
    # 1.8 s a job at the lower bound, and 4.05 s at the upper one
    assert found.session.late == (0, 3)
    assert found.job.late == (0, 0)
    said = repr(forecast_of(short, 1.0, plan="payg", queue_wait=0))
    assert said.count("up to 3 of 6 jobs fail at the maximum time") == 2, "not in job mode"
    # it runs 10 s, and the job that runs then ends; without a limit it would be 12.15 s and more
    assert found.session.usage.high == found.session.seconds.high == pytest.approx(10 + 4.05)
    # the emulator has run them all, and the receipt says what a device would have done
    assert past_maximum(short) == 2
    assert "about 2 of 6 jobs would have failed" in " ".join(to_text(short).split())


def test_a_session_is_not_charged_beyond_its_maximum_time() -> None:
    """2.7 s a job, 4 s between them: the second starts 6.7 s after the first, the third at 13.4 s.

    The maximum time of 10 s falls in the third gap, 0.6 s after the second job; no job comes after
    the end of the session, also none that would follow at once.
    """
    runs = [(0, 0, 0.1), (3.1, 3.1, 3.2), (6.2, 6.2, 6.3), (6.3, 6.3, 6.4), (9.4, 9.4, 9.5)]
    short = replace(emulated(runs), max_ttl=10.0)
    found = forecast(short, assumed_of(short, price=0.8, queue_wait=0.0))
    assert found is not None
    assert found.session.late == (2, 4)
    assert found.session.plain == pytest.approx((9.4, 2 * 2.7 + 4.0 + 0.6))


def test_mitigation_counts_with_its_executions() -> None:
    """3 parameter sets, 2 bases, 100 shots, and 3 noise factors with zero-noise extrapolation."""
    angle = Parameter("angle")
    circuit = QuantumCircuit(2)
    circuit.rx(angle, 0)
    observable = SparsePauliOp.from_list([("ZZ", 1), ("ZI", 1), ("XX", 1), ("II", 3)])
    pub = EstimatorPub.coerce((circuit, observable, [[0.1], [0.2], [0.3]]), precision=0.1)
    assert count_executions("estimator", {"pubs": [pub], "resilience_level": 0}) == 600
    zne = {"zne_mitigation": True, "zne": {"noise_factors": (1, 3, 5, 7)}}
    asked = {"resilience_level": 0, "options": {"resilience": zne}}
    assert count_executions("estimator", {"pubs": [pub], **asked}) == 2400
    plain = QuantumCircuit(1, 1)
    pubs = [SamplerPub.coerce((plain, None, 1000)), SamplerPub.coerce((plain,))]
    assert count_executions("sampler", {"pubs": pubs}) == 1000 + 4096
    assert count_executions("noise-learner", {"pubs": pubs}) is None


@pytest.mark.parametrize(
    ("level", "asked"),
    [
        (0, {}),
        (1, {}),
        (2, {}),
        (0, {"twirling": {"enable_gates": True}}),
        (0, {"resilience": {"measure_mitigation": True}}),
        (1, {"resilience": {"measure_mitigation": False}}),
        (1, {"resilience": {"measure_noise_learning": {"num_randomizations": 7}}}),
        (1, {"twirling": {"num_randomizations": 10}}),
        (1, {"twirling": {"num_randomizations": 10, "shots_per_randomization": 50}}),
        (1, {"twirling": {"shots_per_randomization": 100}}),
        (2, {"default_shots": 1000, "resilience": {"zne": {"noise_factors": [1, 2, 3, 4]}}}),
    ],
    ids=str,
)
def test_executions_are_those_that_the_client_prepares(level: int, asked: dict[str, Any]) -> None:
    """Randomizations and the circuits that the readout is learned by, with all its converters."""
    prepare = pytest.importorskip("qiskit_ibm_runtime.executor_estimator.prepare").prepare
    converters = import_module("qiskit_ibm_runtime.quantum_program.params_converters")
    options = import_module("qiskit_ibm_runtime.options_models").EstimatorOptions
    angle = Parameter("angle")
    circuit = QuantumCircuit(2)
    circuit.rx(angle, 0)
    pub = (circuit, SparsePauliOp(["ZZ", "ZI", "XX"]), [[0.1], [0.2], [0.3]])
    given = options(resilience_level=level, **asked)
    program, executor = prepare([pub], given)
    sent = {
        count_executions("executor", each.encoder(program, executor).model_dump(mode="json"))
        for each in converters.QUANTUM_PROGRAM_PARAMS_CONVERTERS.values()
    }
    inputs = {"pubs": [EstimatorPub.coerce(pub)], "resilience_level": level, "options": asked}
    assert sent == {count_executions("estimator", inputs)}


def on_ibm(number: int, usage: float) -> SessionSnapshot:
    """Two jobs of 2000 executions, 11 s apart: by their estimate 2.7 + 11 + 2.7 = 16.4 s."""
    times = ((0.0, 100.0, 103.0), (114.0, 114.0, 117.0))
    jobs = tuple(
        JobRecord(f"{n}", "sampler", "done", *each, exact=True, qpu_seconds=3.0, executions=2000)
        for n, each in enumerate(times)
    )
    return replace(
        THINKING,
        session_id=f"ibm-{number}",
        backend="ibm_fez",
        service=IBM,
        state="closed",
        accepting_jobs=False,
        started_at=100.0,
        closed_at=117.0,
        active_periods=((100.0, 117.0),),
        usage_seconds=usage,
        usage_final=True,
        device_time=None,
        jobs=jobs,
    )


def test_the_range_spans_a_factor_of_two_until_three_sessions_on_ibm_calibrate_it() -> None:
    text = repr(forecast_of(THINKING, 81.0, queue_wait="2m"))
    assert "never against IBM" in text
    for number, usage in enumerate((16.4, 18.04, 17.22)):
        fresh = forecast_of(THINKING, 81.0, queue_wait=120).found
        # the waits that were given are no part of what is uncertain
        for one, waited in ((fresh.session, 240), (fresh.batch, 240), (fresh.job, 360)):
            assert one.usage.high / one.usage.low >= 2
            assert (one.seconds.high - waited) / (one.seconds.low - waited) >= 2
            assert one.seconds.low > waited
        run = on_ibm(number, usage)
        checked = check(run)
        assert checked is not None
        assert checked.forecast.plain[1] == pytest.approx(16.4)
        forecasts.record(run, checked)
        forecasts.record(run, checked)  # once is enough
    assert forecasts.ratios("premium", "fake_fez") == pytest.approx((1.0, 1.1, 1.05))
    assert forecasts.ratios("payg", "ibm_fez") == ()
    assert stat.S_IMODE(forecasts.forecasts_file().stat().st_mode) == 0o600
    calibrated = forecast_of(THINKING, 81.0, queue_wait=120)
    # three are few: a tenth wider on either side
    assert calibrated.found.session.usage == pytest.approx((79.1 / 1.1, 1.1 * 1.1 * 79.1))
    said = repr(calibrated)
    assert "against 3 sessions on IBM: usage was 1.00 to 1.10 of the forecast; the ranges" in said
    # also where they agree, and less so the more they are
    few, many = (Assumed(ratios=(1.0,) * count).factors for count in (3, 30))
    assert few == pytest.approx((1 / 1.1, 1.1))
    assert many == pytest.approx((1 / 1.01, 1.01))


def test_after_a_run_on_ibm_forecast_and_usage_stand_side_by_side() -> None:
    run = on_ibm(0, 17.0)
    assert "usage forecast 10 s to 24 s, was 17 s" in " ".join(to_text(run).split())
    assert to_json(run)["forecast"]["actual_usage"] == 17.0
    # what is not known of a job cannot be compared
    unknown = replace(run, jobs=(*run.jobs[:1], replace(run.jobs[1], executions=None)))
    assert check(unknown) is None
    assert check(replace(run, usage_final=False)) is None


def test_a_forecast_needs_a_job_a_plan_and_a_duration() -> None:
    empty = replace(THINKING, jobs=())
    with pytest.raises(UserError, match="run a job of this session to its end first"):
        forecast_of(empty, 0.0)
    with pytest.raises(UserError, match="choose payg, flex, premium or open"):
        forecast_of(THINKING, 81.0, plan="gold")
    for wait in ("long", "-5", "nan", "inf", "1e400", -1, float("nan")):
        with pytest.raises(UserError, match="queue-wait"):
            forecast_of(THINKING, 81.0, queue_wait=wait)
    free = forecast_of(THINKING, 81.0, plan="Open")
    assert "not on the Open Plan" in repr(free)
    assert (free.to_json()["session"], free.to_json()["batch"]["late"]) == (None, [0, 0])


def test_what_is_to_come_is_in_no_forecast_for_another_plan() -> None:
    """It runs in the session itself, whose price it has."""
    session = replace(THINKING, expected_jobs=5)
    assert "To come" in repr(forecast_of(session, 81.0, plan="premium"))
    other = forecast_of(session, 81.0, plan="flex")
    assert "at $1.20/s" in repr(other)
    assert "To come" not in repr(other)
    assert other.to_json()["to_come"] is None


# -------------------------------------------------------------------------------------------------
# While it runs


def steady(lengths: Sequence[float], expected: int, max_ttl: float = 28800.0) -> SessionSnapshot:
    """A session on IBM whose jobs follow each other, as after the last of them."""
    jobs, at = [], 100.0
    for number, length in enumerate(lengths):
        jobs.append(JobRecord(f"{number}", "sampler", "done", at, at, at + length, exact=True))
        at += length
    return replace(
        on_ibm(0, 0.0),
        state="active",
        accepting_jobs=True,
        closed_at=None,
        usage_final=False,
        usage_seconds=None,
        active_periods=((100.0, None),),
        last_job_started=jobs[-1].started,
        last_job_completed=at,
        answered_at=at,
        max_ttl=max_ttl,
        expected_jobs=expected,
        jobs=tuple(jobs),
    )


def test_twelve_jobs_to_come_and_a_minute_left_leave_eight_that_fail() -> None:
    """14 s each, 11.3 of them the user's own: four more start in 61 s, after 11.3, 25.3 and so on.

    What is still to come, what a device would have done and the forecast count them alike.
    """
    runs = [(11.4 * n, 11.4 * n, 11.4 * n + 0.1) for n in range(24)]
    maximum = 12 * 2.7 + 11 * 11.3 + 61.0
    half = replace(emulated(runs[:12]), max_ttl=maximum, expected_jobs=24)
    half = replace(half, state="active", accepting_jobs=True, closed_at=None)
    half = replace(half, active_periods=((0.0, None),), answered_at=runs[11][2])
    found = outlook(half, half.answered_at)
    assert found is not None
    assert (found.jobs, found.past_maximum) == (12, 8)
    assert found.seconds.low <= 12 * 14.0 <= found.seconds.high
    assert found.usage.low <= 4 * 14.0 <= found.usage.high < 12 * 14.0, "those that fail are free"
    assert "about 8 jobs will fail at the maximum time" in outlook_words(found)
    whole = replace(emulated(runs), max_ttl=maximum)
    assert past_maximum(whole) == 8
    played = forecast(whole, replace(assumed_of(whole, price=None), latency=0.0))
    assert played is not None
    assert played.session.late[0] <= 8 <= played.session.late[1]


def test_a_maximum_time_a_budget_and_a_quota_leave_no_room_for_some_jobs() -> None:
    """Without time between them a fifth job starts after 56 of 61 s, and ends all the same."""
    session = steady([14.0] * 12, expected=24, max_ttl=12 * 14.0 + 61.0)
    found = outlook(session, session.answered_at)
    assert found is not None
    assert (found.jobs, found.past_maximum, found.past_budget) == (12, 7, 0)
    # the panel is told the same
    told = view_facts(session, 0.0)["to_come"]
    assert told == pytest.approx([*found.seconds, *found.usage, 7, 0, 0], abs=0.1)
    # 70 s of usage are left of this budget: five jobs of 14 s
    budget = replace(session, max_ttl=28800.0, budget_seconds=12 * 14.0 + 70.0)
    within = outlook(budget, session.answered_at)
    assert within is not None
    assert (within.past_maximum, within.past_budget) == (0, 7)
    # and 42 s of the instance's quota: three jobs
    scant = outlook(replace(budget, quota=(42.0, 12 * 14.0 + 42.0)), session.answered_at)
    assert scant is not None
    assert (scant.past_budget, scant.past_quota) == (7, 9)
    assert "the instance's quota leaves no room for about 9 of them" in outlook_words(scant)


def test_jobs_that_were_taken_up_are_among_the_expected_ones() -> None:
    session = steady([14.0] * 12, expected=24)
    taken = [
        replace(job, id=f"earlier-{number}", stray=True, reused=True)
        for number, job in enumerate(session.jobs[:7])
    ]
    found = outlook(replace(session, jobs=(*taken, *session.jobs)), session.answered_at)
    fewer = outlook(replace(session, expected_jobs=17), session.answered_at)
    assert found is not None
    assert found.jobs == 5
    assert found == fewer


def wholes(lengths: Sequence[float]) -> list[tuple[float, float]]:
    """Bounds of the time of all jobs, as forecast after each but the last of them."""
    found = []
    for count in range(3, len(lengths)):
        session = steady(lengths[:count], expected=len(lengths))
        ahead = outlook(session, session.answered_at)
        assert ahead is not None
        so_far = sum(lengths[:count])
        found.append((so_far + ahead.seconds.low, so_far + ahead.seconds.high))
    return found


def test_what_is_to_come_narrows_and_does_not_jump() -> None:
    """Jobs of 10 s give or take two: the whole stays within the range before."""
    lengths = [10.0 + (n * 7 % 5 - 2) for n in range(30)]
    whole = wholes(lengths)
    widths = [high - low for low, high in whole]
    assert widths[-1] < widths[0] / 4
    for (low, high), (next_low, next_high) in itertools.pairwise(whole):
        assert low - 1e-6 <= next_low <= next_high <= high + 1e-6
    assert all(low <= sum(lengths) <= high for low, high in whole)
    # one takes 30 s more, and another such one may come
    lengths[11] = 40.0
    for (low, high), (next_low, next_high) in itertools.pairwise(wholes(lengths)):
        assert low - 1e-6 <= next_low <= next_high <= high + 65.0


@pytest.mark.parametrize(
    ("lengths", "since"),
    [
        # as of a variational algorithm whose circuits grow
        pytest.param([3.0 + 0.2 * n for n in range(40)], 25, id="longer and longer"),
        # known only once there are as many as can be no chance
        pytest.param([3.0] * 20 + [11.0] * 20, 29, id="longer from one on"),
        pytest.param([10.0 if n % 5 == 2 else 3.0 for n in range(40)], 3, id="each fifth is long"),
        pytest.param([20.0] + [3.0] * 39, 3, id="the first one is long"),
    ],
)
def test_a_range_holds_what_comes_also_where_jobs_change(
    lengths: Sequence[float], since: int
) -> None:
    for count, (low, high) in enumerate(wholes(lengths), start=3):
        if count >= since:
            assert low <= sum(lengths) <= high, count
            # the next job takes some time
            assert low >= sum(lengths[:count]) + min(lengths) / 3


def test_jobs_that_have_become_longer_are_counted_as_such() -> None:
    """Ten of 2 s, twenty of 10 s, ten to come: 50 s are enough for five of them, not for ten."""
    session = steady([2.0] * 10 + [10.0] * 20, expected=40)
    spent = 10 * 2.0 + 20 * 10.0
    found = outlook(
        replace(session, budget_seconds=spent + 50.0, max_ttl=spent + 49.0), session.answered_at
    )
    assert found is not None
    assert 5 <= found.past_budget <= 6
    assert 5 <= found.past_maximum <= 6


def test_of_the_jobs_to_come_only_what_has_passed_is_left_out() -> None:
    """Four jobs of 10 s come after six of them, with nothing between; time and dollars agree."""
    session = steady([10.0] * 6, expected=10)
    ended = outlook(session, 160.0)
    # half a minute later nothing has been sent: the four jobs still take what they take
    thinking = outlook(session, 190.0)
    queued = JobRecord("new", "sampler", "queued", 190.0)
    waiting = outlook(replace(session, jobs=(*session.jobs, queued)), 190.0)
    assert ended == thinking == waiting
    assert ended is not None
    assert ended.usage == ended.seconds
    # seven seconds of the next one are over, and have been charged
    job = replace(queued, status="running", started=190.0)
    running = outlook(replace(session, jobs=(*session.jobs, job)), 197.0)
    assert running is not None
    assert running.usage == running.seconds
    assert running.seconds == pytest.approx([bound - 7.0 for bound in ended.seconds])


def test_what_a_running_job_has_behind_it_needs_no_room() -> None:
    """Three jobs of 14 s are to come, 10 s of the first are over: 20 s are enough for two.

    The maximum time of 17 s more comes before the third starts.
    """
    session = steady([14.0] * 12, expected=15, max_ttl=12 * 14.0 + 27.0)
    end = session.answered_at
    job = JobRecord("new", "sampler", "running", end, end)
    session = replace(
        session, jobs=(*session.jobs, job), last_job_started=end, budget_seconds=12 * 14.0 + 30.0
    )
    found = outlook(session, end + 10.0)
    assert found is not None
    assert (found.jobs, found.past_maximum, found.past_budget) == (3, 1, 1)
    # the last one runs, and ends though the maximum time comes before
    last = replace(session, expected_jobs=13, budget_seconds=None, max_ttl=12 * 14.0 + 8.0)
    found = outlook(last, end + 5.0)
    assert found is not None
    assert (found.jobs, found.past_maximum) == (1, 0)
    assert outlook_words(found).endswith("it fits")


def test_nothing_is_said_of_a_session_that_is_over_or_has_just_begun() -> None:
    assert outlook(steady([14.0] * 2, expected=24), 130.0) is None
    assert outlook(steady([14.0] * 12, expected=12), 300.0) is None
    assert outlook(replace(steady([14.0] * 5, 12), accepting_jobs=False), 300.0) is None
