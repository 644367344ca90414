"""Codes of errors: their sentences, and the HTTP statuses that follow from them."""

from __future__ import annotations

import pytest

from qsession_widgets.errors import ServiceError, UserError
from qsession_widgets.explanations import as_user_error
from qsession_widgets.server.handlers import status_of


def test_a_code_makes_the_sentence_and_keeps_the_facts() -> None:
    error = UserError(code="job_without_session", job="j-1")
    assert str(error).startswith("The job j-1 runs in no session")
    assert (error.code, error.facts) == ("job_without_session", {"job": "j-1"})


def test_a_sentence_needs_no_code() -> None:
    error = UserError("Choose another backend.")
    assert (str(error), error.code) == ("Choose another backend.", "")


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        (ServiceError("It may say anything.", kind="timeout"), "timeout", 502),
        (ServiceError("It may say anything."), "unreachable", 502),
        (ServiceError("It may say anything.", status=404), "not_found", 404),
        (ServiceError("It may say anything.", status=409), "conflict", 409),
        (ServiceError("It may say anything.", status=500), "refused", 502),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_status_follows_from_the_code_alone(
    error: ServiceError, kind: str, status: int
) -> None:
    assert (error.kind, status_of(error)) == (kind, status)
    with pytest.raises(UserError) as told, as_user_error("close the session"):
        raise error
    assert (told.value.code, status_of(told.value)) == (kind, status)


def test_an_error_of_ours_is_a_conflict() -> None:
    assert status_of(UserError("It cannot be ended from here.")) == 409
