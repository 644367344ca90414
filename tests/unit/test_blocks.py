"""The user's own ``with`` blocks, without a service behind them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from qiskit_ibm_runtime import Session

from qsession_widgets.sessions.with_blocks import BlockHidden, WithBlocks


class Block(Session):
    """A session that is nowhere; only what ``with`` does with it is of interest."""

    def __init__(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture
def blocks() -> Iterator[WithBlocks]:
    blocks = WithBlocks(lambda _session: None)
    blocks.install()
    yield blocks
    blocks.remove()


def test_an_outer_block_is_there_again_after_an_inner_one(blocks: WithBlocks) -> None:
    with Block() as outer:
        with Block() as inner:
            assert blocks.innermost() is inner
        assert blocks.innermost() is outer
    assert blocks.innermost() is None


def test_a_block_that_fails_is_left(blocks: WithBlocks) -> None:
    with pytest.raises(ZeroDivisionError), Block():
        1 / 0  # noqa: B018
    assert blocks.innermost() is None


def test_a_block_is_hidden_from_threads_only_while_it_is_open(blocks: WithBlocks) -> None:
    def look_inside() -> bool:
        with Block() as own:
            return blocks.innermost() is own

    with ThreadPoolExecutor(1) as threads:
        with Block():
            with pytest.raises(BlockHidden, match="pass mode= to say which session"):
                threads.submit(blocks.innermost).result()
            assert threads.submit(look_inside).result()
        assert threads.submit(blocks.innermost).result() is None


def test_a_block_of_a_thread_is_not_the_cells(blocks: WithBlocks) -> None:
    inside, leave = threading.Event(), threading.Event()

    def stay_inside() -> None:
        with Block():
            inside.set()
            leave.wait(60)

    with ThreadPoolExecutor(1) as threads:
        staying = threads.submit(stay_inside)
        assert inside.wait(60)
        assert blocks.innermost() is None
        leave.set()
        staying.result()


def test_nothing_is_left_in_the_client() -> None:
    before = Session.__enter__, Session.__exit__
    blocks = WithBlocks(lambda _session: None)
    for _ in range(2):
        blocks.install()
    assert Session.__enter__ is not before[0]
    for _ in range(2):
        blocks.remove()
    assert (Session.__enter__, Session.__exit__) == before
