import math

import pytest
from hypothesis import given
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
