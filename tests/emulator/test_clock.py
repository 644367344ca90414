"""The service's time goes on whatever happens to this machine's clock."""

from __future__ import annotations

import math

import pytest

from qsession_widgets.emulator.clock import Clock


class Machine:
    """A machine whose clock can be set, and which can sleep."""

    def __init__(self) -> None:
        self.wall = 1000.0
        self.awake = 0.0

    def works(self, seconds: float) -> None:
        self.wall += seconds
        self.awake += seconds


def clock(machine: Machine, speed: float = 1.0) -> Clock:
    return Clock(speed, real=lambda: machine.wall, steady=lambda: machine.awake)


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_time_goes_on_when_the_machines_clock_is_put_back(speed: float) -> None:
    machine = Machine()
    service = clock(machine, speed)
    machine.works(10)
    before = service.now()
    machine.wall -= 3600
    assert service.now() == before
    machine.works(5)
    assert service.wait_for(before + 6 * speed) == pytest.approx(1)
    assert service.now() == pytest.approx(before + 5 * speed)
    service.advance(7)
    assert service.now() == pytest.approx(before + 5 * speed + 7)
    # put right again, it is what it would have been
    machine.wall += 3600
    assert service.now() == pytest.approx(before + 5 * speed + 7)
    machine.works(5)
    assert service.now() == pytest.approx(before + 10 * speed + 7)


def test_time_asleep_counts_as_it_does_at_ibm() -> None:
    machine = Machine()
    service = clock(machine)
    before = service.now()
    machine.works(60)
    assert service.now() == before + 60
    assert service.take_sleep() == 0
    machine.wall += 7200
    machine.works(60)
    assert service.now() == before + 7320
    assert service.take_sleep() == 7200
    assert service.take_sleep() == 0


def test_a_clock_that_stands_still_is_moved() -> None:
    machine = Machine()
    service = clock(machine, 0)
    machine.works(10)
    machine.wall -= 100
    assert service.now() == 1000.0
    assert service.wait_for(1001.0) == math.inf
    service.advance(5)
    assert service.now() == 1005.0
    service.start_no_earlier_than(1003.0)
    assert service.now() == 1005.0
    with pytest.raises(ValueError, match="only moves forward"):
        service.advance(-1)
