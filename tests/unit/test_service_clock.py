import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qsession_widgets.monitoring.service_clock import ServiceClock


class Machine:
    """This machine's clock, and a service whose clock differs from it."""

    def __init__(self, ahead: float):
        self.time = 1_790_000_000.25
        self.ahead = ahead

    def __call__(self) -> float:
        return self.time

    def answer(self, there: float, back: float) -> tuple[float, float, float]:
        """Date, sent and received of one request that takes so long each way."""
        sent = self.time
        self.time += there
        date = float(math.floor(self.time + self.ahead))
        self.time += back
        return date, sent, self.time


@pytest.mark.parametrize("ahead", [0.0, 3600.0, -3600.0, 0.4])
def test_one_answer_is_enough_for_a_second(ahead: float) -> None:
    machine = Machine(ahead)
    clock = ServiceClock(clock=machine)
    clock.observe(*machine.answer(0.01, 0.01))
    assert abs(clock.now() - (machine.time + ahead)) <= 0.6


# a busy machine draws slowly
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    ahead=st.floats(-7200, 7200),
    pauses=st.lists(st.floats(0.05, 3.0), min_size=20, max_size=60),
)
def test_many_answers_never_leave_the_truth_by_more_than_their_bounds(
    ahead: float, pauses: list[float]
) -> None:
    machine = Machine(ahead)
    clock = ServiceClock(clock=machine)
    for pause in pauses:
        machine.time += pause
        clock.observe(*machine.answer(0.02, 0.03))
        assert abs(clock.now() - (machine.time + ahead)) <= 0.56


def test_many_answers_are_much_better_than_one() -> None:
    machine = Machine(1234.5)
    clock = ServiceClock(clock=machine)
    for _ in range(40):
        machine.time += 0.73
        clock.observe(*machine.answer(0.005, 0.005))
    assert abs(clock.offset - 1234.5) < 0.06


def test_a_clock_that_was_set_is_noticed() -> None:
    machine = Machine(0.0)
    clock = ServiceClock(clock=machine)
    clock.observe(*machine.answer(0.01, 0.01))
    machine.ahead = 900.0
    clock.observe(*machine.answer(0.01, 0.01))
    assert abs(clock.offset - 900.0) <= 0.6


def test_without_an_answer_it_is_this_machines_clock() -> None:
    machine = Machine(50.0)
    clock = ServiceClock(clock=machine)
    assert clock.now() == machine.time
    assert clock.offset == 0.0


def test_a_sped_up_service_runs_ahead_between_answers() -> None:
    machine = Machine(0.0)
    clock = ServiceClock(speed=60.0, clock=machine)
    clock.observe(1000.0, machine.time, machine.time)
    machine.time += 2.0
    assert clock.now() == pytest.approx(1000.5 + 120.0)


def test_offsets_are_exactly_what_sent_and_received_leave_room_for() -> None:
    machine = Machine(0.0)
    machine.time = 10.5
    clock = ServiceClock(clock=machine)
    assert (clock.now(), clock.offset) == (10.5, 0.0)
    # between 100 - 10.5 and 101 - 10
    clock.observe(100.0, 10.0, 10.5)
    assert clock.offset == 90.25
    # that, and between 101 - 11 and 102 - 10.875
    machine.time = 11.0
    clock.observe(101.0, 10.875, 11.0)
    assert clock.offset == 90.5
    # bounds that only touch the known ones, or lie beyond them, are of a clock that was set
    machine.time = 12.0
    clock.observe(103.0, 12.0, 12.0)
    assert clock.offset == 91.5
    clock.observe(102.0, 12.0, 12.0)
    assert clock.offset == 90.5
    clock.observe(50.0, 11.0, 12.0)
    assert clock.offset == 39.0


def test_a_faster_clock_is_read_off_the_middle_of_each_request() -> None:
    machine = Machine(0.0)
    machine.time = 14.0
    clock = ServiceClock(speed=20.0, clock=machine)
    clock.observe(100.0, 10.0, 14.0)
    assert clock.now() == 100.5 + 2.0 * 20.0
    machine.time = 15.0
    assert clock.now() == 100.5 + 3.0 * 20.0
