"""Examples of ``qsession run`` and ``qsession emulator``, shown by ``--help``."""

from __future__ import annotations

from ...command_help import Examples

EXAMPLES: Examples = {
    "qsession run": (
        ("qsession run -- python my_script.py", "a script as it is"),
        ("qsession run --seed 7 --noise none -- pytest", "tests, with repeatable results"),
        ("qsession run --resume -- python my_script.py", "again, after it has failed"),
        ("qsession run --queue 120 -- python my_script.py", "with two minutes of waiting"),
    ),
    "qsession emulator": (
        ("qsession emulator start", "the one that notebooks find"),
        ("qsession emulator status", "how it is"),
        ("qsession emulator stop", "end it; what it has accepted is kept"),
    ),
    "qsession emulator start": (
        ("qsession emulator start --speed 20", "a clock 20 times as fast"),
        ("qsession emulator start --plan open", "without sessions, as on the Open Plan"),
        ("qsession emulator start --name class --instance ana=premium --faults", "to teach with"),
    ),
    "qsession emulator invite": (
        ("qsession emulator invite --count 40 --csv keys.csv", "numbered"),
        ("qsession emulator invite --names names.txt --csv keys.csv", "by name"),
    ),
    "qsession emulator revoke": (("qsession emulator revoke student-07", "at once"),),
    "qsession emulator page": (("qsession emulator page --no-open", "print its address"),),
    "qsession emulator stop": (("qsession emulator stop --all", "every one that runs"),),
    "qsession emulator env": (
        ('eval "$(qsession emulator env)"', "lead programs of this shell to it"),
    ),
    "qsession emulator fault": (
        ("qsession emulator fault --path /jobs --status 503", "refuse the next job"),
        ("qsession emulator fault --path /jobs --delay 10s --times 3", "be late three times"),
        ("qsession emulator fault --clear", "let nothing go wrong any more"),
    ),
    "qsession emulator advance": (("qsession emulator advance 61", "a minute and a second"),),
    "qsession emulator device add": (
        ("qsession emulator device add mine --like fake_fez", "with the data of another"),
        ("qsession emulator device add grid --qubits 25 --lattice grid", "on a lattice"),
    ),
}
