"""Deadlines that keep changing come up in order, as from a table that is searched each time."""

from __future__ import annotations

from random import Random

import hypothesis.strategies as st
from hypothesis import given, settings

from qsession_widgets.emulator.rules.deadlines import Deadlines

keys = st.tuples(st.integers(0, 1), st.sampled_from("abcde"))
moves = st.lists(st.tuples(keys, st.none() | st.integers(0, 30), st.integers(0, 30)), max_size=300)


@settings(deadline=None, derandomize=True, database=None)
@given(moves)
def test_they_come_in_order_however_often_they_move(moves):
    deadlines = Deadlines()
    table = {}
    for key, at, now in moves:
        deadlines.set(key, at)
        table[key] = at
        table = {key: at for key, at in table.items() if at is not None}
        assert deadlines.first() == min(table.values(), default=None)
        if now < 5:  # seldom, so that outdated entries pile up
            due = min(((at, key) for key, at in table.items() if at <= now), default=None)
            assert deadlines.pop(now) == (due and due[1])
            if due:
                del table[due[1]]
        assert dict(deadlines.items()) == table
        assert len(deadlines) == len(table)


def test_they_come_in_order_after_many_moves():
    rng = Random(1)
    deadlines = Deadlines()
    table = {}
    for _ in range(5000):
        key = (0, f"{rng.randrange(40)}")
        table[key] = rng.random()
        deadlines.set(key, table[key])
        assert deadlines.first() == min(table.values())
    assert [deadlines.pop(1.0) for _ in table] == sorted(table, key=table.__getitem__)


def test_what_is_outdated_takes_no_space():
    deadlines = Deadlines()
    deadlines.set((0, "other"), 50_000.5)
    for at in range(100_000, 0, -1):
        deadlines.set((0, "moves"), float(at))
        deadlines.set((0, "moves"), float(at + 100_000))
    assert len(deadlines._heap) < 100
    assert deadlines.pop(1e6) == (0, "other")
    assert deadlines.pop(1e6) == (0, "moves")
    assert deadlines.pop(1e6) is None
