"""Calls of the Python API with arguments that it does not take."""

from __future__ import annotations

from typing import Any

import pytest

from qsession_widgets import UserError, attach_session, open_session


@pytest.mark.parametrize(
    ("keyword", "meant"),
    [("maxtime", "max_time"), ("idleclose", "idle_close"), ("on_exti", "on_exit")],
)
def test_the_nearest_keyword_is_offered(keyword: str, meant: str) -> None:
    given: dict[str, Any] = {keyword: "1h"}
    with pytest.raises(UserError) as failed:
        open_session(**given)
    assert str(failed.value) == f"open_session has no argument {keyword!r}: did you mean {meant}?"


def test_each_function_offers_its_own_keywords() -> None:
    given: dict[str, Any] = {"budgett": "5m"}
    with pytest.raises(UserError, match=r"attach_session has no argument 'budgett': .* budget?"):
        attach_session("a-session", **given)
    given = {"zzz": 1}
    with pytest.raises(UserError, match="has no argument 'zzz': there are id_or_name, service, "):
        attach_session("a-session", **given)


@pytest.mark.parametrize(("call", "args"), [(open_session, ("aer", True)), (attach_session, ())])
def test_a_call_that_cannot_be_read_is_a_sentence(call: Any, args: tuple[object, ...]) -> None:
    with pytest.raises(
        UserError, match=r"takes .* and then keywords, such as .*; this call cannot"
    ):
        call(*args)
