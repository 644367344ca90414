import pytest

from qsession_widgets.errors import UserError
from qsession_widgets.options.validators import read_seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("30m", 1800),
        ("2h 30m 40s", 9040),
        ("1d", 86400),
        ("'1h 1m'", 3660),
        ("45M", 2700),
        ("30min", 1800),
        ("30 minutes", 1800),
        ("2hours", 7200),
        ("1.5h", 5400),
        ("1 hour 30 mins", 5400),
    ],
)
def test_the_clients_own_notation_is_read(text: str, seconds: int) -> None:
    assert read_seconds("max-time", text) == seconds


@pytest.mark.parametrize("text", ["9x", "", "m", "1.5", "half an hour", "1h30", "30 m 5", "1:30"])
def test_nonsense_is_answered_with_what_is_allowed(text: str) -> None:
    with pytest.raises(UserError, match=r"--max-time .* is not a length of time: write seconds"):
        read_seconds("max-time", text)


@pytest.mark.parametrize("text", ["0", "-5", "0s", "0h 0m"])
def test_a_length_of_time_is_positive(text: str) -> None:
    with pytest.raises(UserError, match="must be at least 1 s"):
        read_seconds("max-time", text)


def test_what_no_session_can_last_is_not_sent() -> None:
    with pytest.raises(UserError, match="is longer than a year"):
        read_seconds("max-time", "9" * 30)
