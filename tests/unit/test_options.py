import pytest

from qsession_widgets.errors import UserError
from qsession_widgets.options import OPEN_OPTIONS, parse_open
from qsession_widgets.usage import USAGE


def test_every_option_is_read() -> None:
    options = parse_open(
        "--backend fake_fez --max-time '1h 30m' --service=local --instance crn:x --account work "
        "--name vqe --expect 40 --bind-as s,b  # a remark"
    )
    assert options.backend == "fake_fez"
    assert options.max_time == 5400
    assert options.service == "local"
    assert options.instance == "crn:x"
    assert options.account == "work"
    assert options.name == "vqe"
    assert options.expect == 40
    assert options.names == ("s", "b")


def test_nothing_is_asked_for_by_an_empty_line() -> None:
    options = parse_open("")
    assert options.backend is None
    assert options.service == "auto"
    assert options.names == ("session", "backend")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("--bakend fake_fez", "no option --bakend: did you mean --backend?"),
        ("--zzz 1", r"no option --zzz\. %session\? lists them"),
        ("fake_fez", "does not know 'fake_fez': it takes options only"),
        ("--backend", "--backend needs a value: --backend NAME"),
        ("--backend --max-time 5", "--backend needs a value"),
        ("--service cloud", "--service 'cloud' does not exist: choose auto, ibm or local"),
        ("--max-time 9x", "--max-time '9x' is not a length of time"),
        ("--max-time=-5", "--max-time must be at least 1 s"),
        ("--expect many", "--expect 'many' is not a number of jobs"),
        ("--expect 0", "--expect '0' is not a number of jobs"),
        ("--bind-as session", "does not name two variables"),
        ("--bind-as a,a", "does not name two variables"),
        ("--bind-as 1,b", "does not name two variables"),
        ("--name a --name b", "--name is given twice"),
        ("--name 'a", "A quotation mark has no partner"),
    ],
)
def test_a_mistake_is_one_sentence(line: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as raised:
        parse_open(line)
    assert "\n" not in str(raised.value)


def test_the_help_names_every_option() -> None:
    for option in OPEN_OPTIONS:
        assert option.flag in USAGE
        assert option.meaning in USAGE
