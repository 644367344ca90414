"""The ``qsession`` command: sessions from a terminal, and the local emulator."""

from __future__ import annotations

import argparse
import errno
import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from .. import __version__
from ..client import joined
from ..client.prices import configure, price_of
from ..command_help import add_examples
from ..errors import OutcomeUnknown, UserError
from ..messages import outcomes
from ..options.configuration import configured
from ..options.table import FORECAST_OPTIONS, LIST_OPTIONS, Option
from ..text_table import terminal_width, text_facts
from .completion import ASKS, complete
from .examples import EXAMPLES
from .join import add_join
from .lookup import found, newest, places, viewed
from .parser import CommandParser
from .price import add_price
from .runs import add_runs

if TYPE_CHECKING:
    from ..discovery.search import FoundSession
    from ..emulator.process.run_command import Kept
    from ..model import EndResult
    from ..monitoring.poller import SessionPoller

COPY = "copy the walkthrough notebooks to where you can change them, and open JupyterLab there"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; what ``qsession`` calls.

    Returns
    -------
    int
        0 when all went well, 1 after one sentence about what did not, 2 for a command that cannot
        be read.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if ASKS in os.environ:
        complete(build_parser())
    try:
        try:
            return _run(words)
        finally:
            # what is still to be printed, also by --help, which leaves by SystemExit
            sys.stdout.flush()
    except BrokenPipeError:
        # whoever read what is printed has heard enough; Python must not complain of it at its end
        _print_no_more(sys.stdout, sys.stderr)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
            raise
        _print_no_more(sys.stdout)
        print(f"What was to be printed cannot be written: {error.strerror}.", file=sys.stderr)
        return 1
    return 0


def _run(words: list[str]) -> int:
    if words[:1] == ["emulator"] or words[:1] == ["run"]:
        from ..emulator.process.cli import main as emulator_main

        try:
            return emulator_main(words, _resumes, _price_of)
        except UserError as error:
            print(error, file=sys.stderr)
            return 1
    parser = build_parser()
    if words in ([], ["help"]):
        parser.print_help()
        return 0 if words else 2
    options, rest = parser.parse_known_args(words)
    if rest:
        options.parser.error(f"there is nothing to do with {' '.join(rest)}")
    action: Callable[[argparse.Namespace], None] = options.action
    try:
        action(options)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _resumes(wanted: str, command: Sequence[str]) -> AbstractContextManager[Kept]:
    from .run_again import kept_for

    return kept_for(wanted, command)


def _price_of(plan: str) -> float | None:

    configure(configured().get("price", ""))
    return price_of(plan)[0]


def _print_no_more(*streams: TextIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        os.dup2(nowhere, stream.fileno())


def build_parser() -> argparse.ArgumentParser:
    """The parser of the command line; ``emulator`` and ``run`` have parsers of their own."""
    parser = CommandParser(prog="qsession", description="Qiskit Runtime sessions from a terminal.")
    parser.add_argument("--version", action="version", version=__version__)
    actions = parser.add_subparsers(metavar="ACTION", required=True, parser_class=CommandParser)

    def add(name: str, action: Callable[[argparse.Namespace], None], help: str) -> Any:
        sub = actions.add_parser(name, help=help, description=help)
        for option in LIST_OPTIONS:
            sub.add_argument(
                option.flag,
                choices=_choices(option) or None,
                metavar=None if option.choices else option.value,
                help=option.meaning,
            )
        sub.add_argument("--json", action="store_true", help="one JSON object a line, for programs")
        sub.set_defaults(action=action, parser=sub)
        return sub

    add("list", _list, "list open sessions and batches, wherever they are")
    which = (
        "id or name of the session or batch, or the id of a job in it; of an id, the first four "
        "characters are enough"
    )
    for name, action, help, instead in (
        ("show", _show, "show a session's state, countdowns, jobs and usage", ()),
        ("watch", _watch, "show a session live, until it is closed; Ctrl-C leaves it as it is", ()),
        ("close", _close, "accept no more jobs, let queued ones finish", ("--all", "all of them")),
        ("cancel", _cancel, "accept no more jobs, cancel queued ones", ()),
        (
            *("receipt", _receipt, "say what a session did and cost"),
            ("--last", "the newest session there is"),
        ),
        ("forecast", _forecast, "say what a session's work would take and cost on IBM", ()),
    ):
        sub = add(name, action, help)
        for option in FORECAST_OPTIONS if name == "forecast" else ():
            sub.add_argument(option.flag, metavar=option.value, help=option.meaning)
        if instead:
            flag, meaning = instead
            if name == "close":
                sub.add_argument("--yes", action="store_true", help="with --all: do not ask")
            sub = sub.add_mutually_exclusive_group(required=True)
            sub.add_argument(flag, action="store_true", help=meaning)
        if name == "watch":
            sub.add_argument("id", help=which)
            continue
        several: dict[str, Any] = {"nargs": "*", "default": []} if instead else {"nargs": "+"}
        sub.add_argument("id", help=f"{which}; several may be given", **several)
    add_runs(actions)
    add_join(actions)
    add_price(actions)
    tutorial = actions.add_parser("tutorial", help=COPY, description=COPY)
    tutorial.add_argument("folder", nargs="?", default=".", help="where to; here when left out")
    tutorial.add_argument("--no-open", action="store_true", help="copy them only")
    tutorial.set_defaults(action=_tutorial, parser=tutorial)
    for name, meaning in (
        ("emulator", "start, stop and steer the emulator that notebooks share"),
        ("run", "run a command against an emulator of its own"),
    ):
        actions.add_parser(name, help=meaning, add_help=False)
    add_examples(parser, EXAMPLES)
    return parser


def _choices(option: Option) -> tuple[str, ...]:
    """Values of an option; of services, those that were joined too."""
    return (*option.choices, *joined.names()) if option.flag == "--service" else option.choices


def _tutorial(options: argparse.Namespace) -> None:
    from ..tutorials import copy_tutorials, differing, open_lab

    target = copy_tutorials(Path(options.folder).expanduser())
    print(f"The walkthroughs are in {target}.")
    if kept := differing(target):
        print(f"Left as they were found there: {', '.join(kept)}.")
    if not options.no_open:
        open_lab(target)


def _list(options: argparse.Namespace) -> None:
    from ..discovery.listing import list_open

    listing = list_open(places(options))
    if options.json:
        for row in listing.rows:
            print(json.dumps(row.to_json()))
        for problem in listing.problems:
            print(problem, file=sys.stderr)
    else:
        print(listing)
    if listing.problems:
        raise UserError("Not every service could be asked: more may be open than is listed.")


def _each(options: argparse.Namespace, do: Callable[[str], None]) -> None:
    """Do something with each session that is named, whatever becomes of the others."""
    failed = 0
    for place, wanted in enumerate(options.id):
        if place and options.action in (_show, _receipt, _forecast) and not options.json:
            print()
        try:
            do(wanted)
        except UserError as error:
            if not options.id[1:]:
                raise
            failed += 1
            print(f"{wanted}: {error}", file=sys.stderr)
    if failed:
        raise UserError(f"{failed} of {len(options.id)} could not be done.")


def _show(options: argparse.Namespace) -> None:
    _each(options, partial(_show_one, options))


def _show_one(options: argparse.Namespace, wanted: str) -> None:
    monitor = viewed(options, wanted, _say_settling)
    if _printed_json(options, monitor):
        return
    from ..views.receipt import NAMES, rows
    from .watch import countdown_rows

    snapshot, now = monitor.snapshot, monitor.now()
    facts = [*rows(snapshot, now), *countdown_rows(snapshot, now)]
    print(text_facts(facts, width=terminal_width(), least=NAMES))


def _watch(options: argparse.Namespace) -> None:
    from .watch import watch

    session = found(options, options.id)
    monitor = session.monitor()
    try:
        watch(monitor, as_json=options.json)
    except KeyboardInterrupt:
        state = "is closed" if monitor.snapshot.state == "closed" else "goes on"
        print(
            f"\nThe {session.word} {state}. qsession close {session.session_id} ends it.",
            file=sys.stderr,
        )
        raise


def _close(options: argparse.Namespace) -> None:
    if options.all:
        _close_all(options)
    else:
        _each(options, partial(_end, options, "close"))


def _close_all(options: argparse.Namespace) -> None:
    from ..discovery.close_all import close_all, owned_by, remains, stakes
    from ..discovery.listing import list_open
    from ..discovery.sources import usual_owner_keys

    listing = list_open(places(options))
    if listing.rows and not options.yes:
        print(listing, file=sys.stderr)
        question = stakes(listing)
        if options.json or not sys.stdin.isatty():
            raise UserError(f"{question} qsession close --all --yes ends them.")
        if input(f"{question} End them? [y/N] ").strip().lower() not in ("y", "yes"):
            raise UserError("Nothing was ended.")
    named = bool(options.account or options.instance)
    mine = (lambda _found: True) if named else owned_by(usual_owner_keys(()))
    failed = False
    for one in close_all(listing, mine, _close_found, "qsession close"):
        failed |= one.failed
        line = {"id": one.session_id, "said": one.said}
        print(
            json.dumps(line) if options.json else f"{one.session_id} on {one.backend}: {one.said}"
        )
    for remark in listing.remarks():
        print(remark, file=sys.stderr if options.json else sys.stdout)
    if left := remains(listing, failed):
        raise UserError(left)


def _close_found(found: FoundSession) -> str:
    from ..registry.entries import forget

    said = outcomes.ended(_ended(found, "close"), found.word, found.session_id)
    forget(found.session_id)
    return said


def _ended(found: FoundSession, action: str) -> EndResult:
    try:
        return found.end(action, by="terminal")
    except OutcomeUnknown as unknown:
        # this process is the one that asks
        print(f"{unknown} Ctrl-C stops that.", file=sys.stderr)
        unknown.wait()
        return found.end(action, by="terminal")


def _cancel(options: argparse.Namespace) -> None:
    _each(options, partial(_end, options, "cancel"))


def _end(options: argparse.Namespace, action: str, wanted: str) -> None:
    from ..registry.entries import forget

    session = found(options, wanted)
    said = outcomes.ended(_ended(session, action), session.word, session.session_id)
    forget(session.session_id)
    which = f"{session.session_id}: " if options.id[1:] else ""
    print(json.dumps({"id": session.session_id, "said": said}) if options.json else which + said)


def _receipt(options: argparse.Namespace) -> None:
    if options.last:
        _print_receipt(options, newest(options).complete(_say_settling))
    else:
        show = partial(_print_receipt, options)
        _each(options, lambda wanted: show(viewed(options, wanted, _say_settling)))


def _print_receipt(options: argparse.Namespace, monitor: SessionPoller) -> None:
    if not _printed_json(options, monitor):
        from ..views.receipt import to_text

        print(to_text(monitor.snapshot, monitor.now(), width=terminal_width()))


def _say_settling(jobs: int) -> None:
    from ..monitoring.poller import SETTLE_SECONDS

    print(outcomes.settling(jobs, SETTLE_SECONDS), file=sys.stderr)


def _forecast(options: argparse.Namespace) -> None:
    _each(options, partial(_forecast_one, options))


def _forecast_one(options: argparse.Namespace, wanted: str) -> None:
    from ..views.forecast import forecast_of

    monitor = viewed(options, wanted)
    what = {"plan": options.plan, "queue_wait": options.queue_wait}
    forecast = forecast_of(monitor.snapshot, monitor.now(), **what)
    print(json.dumps(forecast.to_json()) if options.json else forecast)


def _printed_json(options: argparse.Namespace, monitor: SessionPoller) -> bool:
    if options.json:
        from ..views.receipt import to_json

        print(json.dumps(to_json(monitor.snapshot, monitor.now())))
    return bool(options.json)
