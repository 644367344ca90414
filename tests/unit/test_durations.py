import pytest

from qsession_widgets.durations import clock, money, parse_duration, words
from qsession_widgets.errors import UserError


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
    assert parse_duration(text, what="--max-time") == seconds


@pytest.mark.parametrize("text", ["9x", "", "m", "1.5", "half an hour", "1h30", "30 m 5", "1:30"])
def test_nonsense_is_answered_with_what_is_allowed(text: str) -> None:
    with pytest.raises(UserError, match=r"--max-time .* is not a length of time: write seconds"):
        parse_duration(text, what="--max-time")


@pytest.mark.parametrize("text", ["0", "-5", "0s", "0h 0m"])
def test_a_length_of_time_is_positive(text: str) -> None:
    with pytest.raises(UserError, match="must be at least 1 s"):
        parse_duration(text, what="--max-time")


def test_what_no_session_can_last_is_not_sent() -> None:
    with pytest.raises(UserError, match="is longer than a year"):
        parse_duration("9" * 30, what="--max-time")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(12, "0:12"), (11.2, "0:12"), (60, "1:00"), (6702, "1:51:42"), (0, "0:00"), (-3, "0:00")],
)
def test_a_countdown_shows_whole_seconds_left(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.2, "0.2 s"), (9.94, "9.9 s"), (9.96, "10 s"), (298, "4 m 58 s"), (7500, "2 h 5 m")],
)
def test_a_duration_is_as_exact_as_it_is_useful(seconds: float, shown: str) -> None:
    assert words(seconds) == shown


def test_money_has_cents_only_where_they_count() -> None:
    assert money(476.8) == "$477"
    assert money(0.5) == "$0.50"
    assert money(12345.6) == "$12,346"
