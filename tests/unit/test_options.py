from dataclasses import fields
from typing import Any

import pytest

from qsession_widgets.client.selection import choose
from qsession_widgets.emulator.engine.task import METHODS, NOISES
from qsession_widgets.emulator.option_table import EMULATOR_OPTIONS
from qsession_widgets.emulator.options import EmulatorOptions, OptionError, parse
from qsession_widgets.errors import InvalidOption, UserError
from qsession_widgets.magics.help_text import USAGE
from qsession_widgets.options.parsing import make, parse_open, split
from qsession_widgets.options.table import OPEN_OPTIONS
from qsession_widgets.options.validators import read_budget
from qsession_widgets.server.new_session import cell


def test_every_option_is_read() -> None:
    options = parse_open(
        "--backend fake_fez --max-time '1h 30m' --service=ibm --instance crn:x --account work "
        "--name vqe --expect 40 --bind-as s,b  # a remark"
    )
    assert options.backend == "fake_fez"
    assert options.max_time == 5400
    assert options.service == "ibm"
    assert options.instance == "crn:x"
    assert options.account == "work"
    assert options.name == "vqe"
    assert options.expect == 40
    assert options.names == ("s", "b")


def test_guards_and_the_emulators_options_are_read() -> None:
    options = parse_open(
        "--once --strict --tags vqe,h2 --idle-close 2m --budget '$1,000.50' --on-error cancel "
        "--on-exit leave --fallback batch --local-ittl 20 --local-job-time device --local-faults"
    )
    assert options.once
    assert options.strict
    assert options.tags == ("vqe", "h2")
    assert options.idle_close == 120
    assert read_budget(options.budget) == (None, 1000.5)
    assert read_budget("20$") == read_budget("20 USD") == (None, 20.0)
    assert (options.on_error, options.on_exit, options.fallback) == ("cancel", "leave", "batch")
    assert options.local == {"ittl": 20.0, "job_time": "device", "faults": True}


def test_how_it_is_simulated_is_the_sessions_own_and_no_emulators() -> None:
    options = parse_open("--local-method stabilizer --local-precision-limit 0.1 --local-seed 3")
    assert options.local == {"seed": 3}
    assert options.simulation == {"method": "stabilizer", "precision_limit": 0.1}
    assert options.service == "local"
    assert make(local={"noise": "none"}).simulation == {"noise": "none"}
    assert make(local={"noise": "none"}).local == {}
    assert options.request != parse_open("--local-seed 3").request
    with pytest.raises(UserError, match="--local-noise is for the local emulator"):
        parse_open("--local-noise none --service ibm")
    choices = {option.flag: option.choices for option in OPEN_OPTIONS}
    assert choices["--local-method"] == METHODS
    assert choices["--local-noise"] == NOISES


@pytest.mark.parametrize("text", ["$1,50", "1.500,00 $", "$1,2,3", "$", "$-2", "$1e9"])
def test_an_amount_that_can_be_read_in_two_ways_is_not_guessed(text: str) -> None:
    with pytest.raises(UserError, match="is not an amount of money"):
        read_budget(text)


@pytest.mark.parametrize("text", ["20", "1.5", " 1,000 "])
def test_a_budget_without_a_unit_is_not_guessed(text: str) -> None:
    with pytest.raises(UserError, match="says neither dollars nor seconds"):
        read_budget(text)


def test_what_the_line_says_goes_before_a_default() -> None:
    defaults = {"--backend": "aer", "--max-time": "1h"}
    options = parse_open("--backend fake_fez", mode="batch", defaults=defaults)
    assert (options.mode, options.backend, options.max_time) == ("batch", "fake_fez", 3600)


def test_guards_do_not_make_it_another_session() -> None:
    assert parse_open("--name a --budget 5m").request == parse_open("--name a").request
    assert parse_open("--name a").request != parse_open("--name b").request
    assert parse_open("").request != parse_open("", mode="batch").request
    assert parse_open("--local-ittl 5").request != parse_open("").request


def test_values_of_python_are_checked_like_typed_ones() -> None:
    assert make(backend="aer", max_time=90, tags=["a", "b"], expect=3).tags == ("a", "b")
    assert make(backend=None, max_time="2h").max_time == 7200
    assert make(tags="vqe,h2").tags == ("vqe", "h2")
    with pytest.raises(UserError, match="service='cloud' does not exist"):
        make(service="cloud")
    with pytest.raises(UserError, match=r"at least 1 s, not -1: for example max_time 30m\."):
        make(max_time=-1)
    with pytest.raises(UserError, match=r"backend is a name, such as .*, not a object\."):
        make(backend=object())
    with pytest.raises(UserError, match=r"no option 'job_tme': did you mean job_time\?"):
        make(local={"job_tme": 3})
    assert make(local={"speed": "3", "seed": 0}).local == {"speed": 3.0, "seed": 0}
    with pytest.raises(UserError, match="speed='fast' is not a number: write for example speed 2"):
        make(local={"speed": "fast"})
    with pytest.raises(UserError, match=r"write budget='\$20', or a time such as budget 20s\."):
        make(budget="20")
    with pytest.raises(UserError, match=r"^instance and account would be IBM's"):
        make(service="local", instance="crn:x", account="work")
    with pytest.raises(UserError, match="leave out service='ibm'"):
        make(local={"speed": 3}, service="ibm")
    with pytest.raises(UserError, match="mode 'both' does not exist"):
        make(mode="both")


def test_nothing_is_asked_for_by_an_empty_line() -> None:
    options = parse_open("")
    assert options.backend is None
    assert options.service == "auto"
    assert options.names == ("session", "backend")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("--bakend fake_fez", "no option --bakend: did you mean --backend?"),
        ("--zzz 1", r"no option --zzz\. %session help lists them"),
        ("--help", "no option --help: %session help explains"),
        ("--max_time 30m", r"no option --max_time: did you mean --max-time\?"),
        ("-backend aer", r"no option -backend: did you mean --backend\?"),
        ("backend=aer", r"does not know 'backend=aer': did you mean --backend=aer\?"),
        ("fake_fez", "does not know 'fake_fez': it takes options only, such as --backend fake_fez"),
        ("--max-time 30 minutes", "follows the value of --max-time: a value with a space in it"),
        ("--backend {device}", "There is no variable 'device', whose value {device} stands for"),
        ("--name $run", r"There is no variable 'run', whose value \$run stands for"),
        ("--bind-as for,b", "does not name two variables"),
        ("--budget 20€", "is not a length of time, nor an amount of money"),
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
        ("--once=1", "--once takes no value: leave '1' out"),
        ("--budget 5x", "--budget '5x' is not a length of time"),
        ("--budget '$-1'", "is not an amount of money"),
        ("--idle-close soon", "--idle-close 'soon' is not a length of time"),
        ("--on-exit stay", "--on-exit 'stay' does not exist: choose close or leave"),
        ("--local-speed much", "--local-speed 'much' is not a number"),
        ("--local-workers 0", "--local-workers '0' is not a whole number"),
        ("--service ibm --local-ittl 5", "--local-ittl is for the local emulator"),
        ("--name 'a", "A quotation mark has no partner"),
    ],
)
def test_a_mistake_is_one_sentence(line: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence) as raised:
        parse_open(line)
    assert "\n" not in str(raised.value)


def test_options_of_the_emulator_lead_to_the_emulator() -> None:
    assert parse_open("--local-speed 2").service == "local"
    assert parse_open("--service auto --local-name class").local == {"name": "class"}
    assert make(local={"speed": 2}).service == "local"


def test_a_path_of_windows_keeps_its_backslashes_there() -> None:
    line = r"export 'my run.html' C:\Users\me\run.html"
    assert split(line, escape="") == ["export", "my run.html", r"C:\Users\me\run.html"]
    assert split(r"a\ b", escape="\\") == ["a b"]


def test_the_help_names_every_option() -> None:
    for option in OPEN_OPTIONS:
        assert option.flag in USAGE
        assert option.meaning in USAGE


def test_an_error_is_spelled_for_where_the_option_was_given() -> None:
    with pytest.raises(InvalidOption) as raised:
        parse_open("--local-job-time slow")
    error = raised.value
    assert (error.option, error.value, error.facts["choices"]) == (
        "local-job-time",
        "slow",
        ("simulated", "device"),
    )
    assert str(error) == "--local-job-time 'slow' does not exist: choose simulated or device."
    assert str(error.spelled("python")).startswith("job_time='slow' does not exist")
    assert str(error.spelled("emulator")).startswith("--job-time 'slow' does not exist")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"ittl": 0}, "ittl must be 0.1 or more, not 0."),
        ({"speed": 2e6}, "speed must be 1000000 or less, not 2e+06."),
        ({"job_time": "{option}"}, "job_time is one of simulated and device, not '{option}'."),
    ],
)
def test_what_the_emulator_refuses_is_spelled_for_each_place(
    wrong: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(OptionError) as refused:
        EmulatorOptions(**wrong)
    name = next(iter(wrong)).replace("_", "-")
    _, _, rest = sentence.partition(" ")
    assert str(refused.value) == f"--{name} {rest}"
    with pytest.raises(InvalidOption) as raised:
        choose("local", emulator_options=wrong)
    assert str(raised.value) == f"--local-{name} {rest}"
    assert str(raised.value.spelled("python")) == sentence


def test_one_table_has_the_emulators_options() -> None:
    table = [option.name for option in EMULATOR_OPTIONS]
    assert sorted(table) == sorted(field.name for field in fields(EmulatorOptions))
    flags = {option.flag for option in OPEN_OPTIONS}
    assert {f"--local-{one.spelled}" for one in EMULATOR_OPTIONS if one.in_notebooks} <= flags
    assert parse(["--ittl", "5", "--lanes", "2", "--cap", "--instance", "b=open"]) == (
        EmulatorOptions(ittl=5.0, lanes=2, cap=True, instances=(("b", "open"),))
    )
    assert parse([]) == EmulatorOptions()


@pytest.mark.parametrize("name", ["x\nimport os", "{print(1)}", "a\u2028b", "$name"])
def test_a_cell_holds_no_code_of_the_services(name: str) -> None:
    wanted = {"backend": "fake_fez", "max_time": "5m"}
    assert cell(None, wanted).startswith("%%session --service local --backend fake_fez")
    with pytest.raises(UserError):
        cell(None, {"backend": name})
