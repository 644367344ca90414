"""The emulator's process: ``python -m qsession_widgets.emulator.process.server``.

It listens, says where in its connection file, and ends when it is told to or when nothing has used
it for a while. Whatever keeps it from starting is one sentence on the error stream and exit status
1.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from filelock import Timeout

from ...files import file_lock, private_folder, write_atomically
from ...platform_support import allow_many_open_files
from ..clock import Clock
from ..command_line import EmulatorParser
from ..core import Emulator
from ..device_catalog import DeviceCatalog, UnknownDevice
from ..engine import WorkerPool
from ..http.app import create_app
from ..http.auth import Identity
from ..http.hub import Hub, HubUsers
from ..http.routes.control import version
from ..options import EmulatorOptions, OptionError, add_arguments, from_namespace
from ..storage.database import StoreError
from ..storage.retention import DATABASE, clear_abandoned
from ..storage.store import Store
from .connection_file import (
    DEFAULT_NAME,
    OPEN_PATH,
    Connection,
    EmulatorError,
    connection_file,
    data_directory,
    forget,
    note_process,
    noted_process,
    process_file,
)
from .connections import keyed
from .housekeeping import end_when_idle, keep_findable, prune, release_workers
from .listening import LOOPBACK, CannotListen, Listening, judge, listen, shown, tls_context
from .listening import add_arguments as add_listening
from .listening import from_namespace as listening_of

CLOSING = 3.0
"""Real seconds that open requests have when the emulator ends."""

KEEP_ALIVE = 3600
"""Seconds an unused connection is kept; a client that finds its own closed loses a request."""


class CannotStart(Exception):
    """The emulator cannot start; the message is one sentence."""


@dataclass(frozen=True)
class _PublicSocket:
    """A socket for other machines, with TLS."""

    sock: socket.socket
    context: ssl.SSLContext


class _Server(uvicorn.Server):
    """A server that leaves signals to us and says when it listens.

    It answers at a second socket as well, if there is one: uvicorn itself has either TLS or none.
    """

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], public: _PublicSocket | None
    ):
        super().__init__(config)
        self._ready = ready
        self._public = public

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        made: Any = self.config.http_protocol_class
        self.config.http_protocol_class = keyed(made)
        await super().startup(sockets)
        if self._public is not None:
            self.servers.append(
                await asyncio.get_running_loop().create_server(
                    self._connection,
                    sock=self._public.sock,
                    ssl=self._public.context,
                    backlog=self.config.backlog,
                )
            )
        self._ready()

    def _connection(self) -> asyncio.Protocol:
        made: Any = self.config.http_protocol_class
        protocol: asyncio.Protocol = made(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return protocol

    def stop(self) -> None:
        """Finish what is being answered, then end."""
        self.should_exit = True


def main(words: Sequence[str] | None = None) -> int:
    """Run an emulator until it ends; returns the exit status."""
    parser = EmulatorParser(
        prog="qsession emulator serve", description="Run an emulator in this terminal."
    )
    parser.add_argument("--name", default=DEFAULT_NAME, help="which emulator, when there are more")
    parser.add_argument("--data-dir", type=Path, help="where its records are kept")
    parser.add_argument("--json", action="store_true", help="say where it is as a JSON object")
    parser.add_argument(
        "--hub",
        action="store_true",
        help="be a service of the JupyterHub that starts it: its users' tokens are their keys",
    )
    add_listening(parser)
    add_arguments(parser)
    arguments = parser.parse_args(words)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")
    allow_many_open_files()
    os.umask(0o077)  # keys, jobs and results are for their owner, whatever the terminal's is
    try:
        options = from_namespace(arguments)
        listening = listening_of(arguments)
        hub = _hub() if arguments.hub else None
        shared = listening.public_url or hub is not None
        if shared and options.idle_exit == EmulatorOptions.idle_exit:
            # a class that has lunch finds it again
            options = replace(options, idle_exit=0.0)
        context = tls_context(listening) if listening.tls_cert else None
        directory = arguments.data_dir or data_directory(arguments.name)
        with contextlib.ExitStack() as held:
            held.enter_context(_own(directory))
            public, own = None, (listening.host, listening.own_port)
            if context is not None:
                sock = _listen_as_before(*own, directory / "public-port")
                public, own = _PublicSocket(held.enter_context(sock), context), (LOOPBACK, 0)
            sock = held.enter_context(_listen_as_before(*own, directory / "port"))
            asyncio.run(_serve(options, arguments, listening, directory, sock, public, hub))
    except (CannotStart, EmulatorError, OptionError, StoreError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _hub() -> Hub:
    hub = Hub.of(os.environ)
    if hub is None:
        raise CannotStart(
            "--hub is for an emulator that a JupyterHub starts as its service: no "
            "JUPYTERHUB_API_URL and JUPYTERHUB_SERVICE_NAME are in the environment."
        )
    return hub


@contextlib.contextmanager
def _own(directory: Path) -> Iterator[None]:
    """Be the only emulator on a data directory."""
    with contextlib.ExitStack() as held:
        try:
            private_folder(directory)
            # a look at who holds it takes it for a moment
            held.enter_context(file_lock(directory / "lock", 0.5))
        except Timeout:
            raise CannotStart(
                f"Another emulator{_process_in(directory)} uses the data in {directory}: stop it, "
                "or choose another --data-dir."
            ) from None
        except OSError as error:
            raise CannotStart(
                f"The data directory {directory} cannot be used: {error.strerror}."
            ) from error
        yield


def _process_in(directory: Path) -> str:
    try:
        return f", process {noted_process(directory / process_file().name)[0]},"
    except (OSError, ValueError):
        return ""


def _listen_as_before(host: str, port: int, remembered: Path) -> socket.socket:
    """Listen where the last emulator with these data did, unless a port is asked for.

    A client that was made before it ended then finds this one.
    """
    if port:
        return listen(host, port)
    try:
        sock = listen(host, int(remembered.read_text("ascii")))
    except (OSError, ValueError, CannotListen):
        sock = listen(host, 0)
    with contextlib.suppress(OSError):
        remembered.write_text(str(sock.getsockname()[1]), "ascii")
    return sock


async def _serve(
    options: EmulatorOptions,
    arguments: argparse.Namespace,
    listening: Listening,
    directory: Path,
    sock: socket.socket,
    public: _PublicSocket | None,
    hub: Hub | None,
) -> None:
    name = arguments.name
    try:
        catalog = DeviceCatalog(options.devices)
    except UnknownDevice as error:
        raise CannotStart(str(error)) from None
    identity = _identity(options, directory / "identity.json")
    pool = WorkerPool(
        options.workers or min(4, os.cpu_count() or 1),
        memory_limit=None if options.memory is None else int(options.memory * 2**30),
        time_limit=options.longest_job,
        cluster=options.cluster,
    )
    emulator = Emulator(
        options,
        catalog.backends(options.lanes),
        Store(directory / DATABASE),
        pool,
        Clock(options.speed),
        catalog,
    )
    emulator.start(shared=bool(identity.invited) or hub is not None)
    if arguments.data_dir is None:
        clear_abandoned(directory.parent, directory)
    app = create_app(emulator, identity, os.environ.pop(OPEN_PATH, ""))
    public_url = listening.url_at(public.sock.getsockname()[1] if public is not None else 0)
    connection = replace(
        _connection(options, name, directory, sock, identity),
        public_url=public_url,
        listening=listening.arguments(),
    )
    if public is not None:
        verdict = judge(public.context, listening, urlsplit(public_url).hostname or "")
        if verdict.problem:
            raise CannotStart(verdict.problem)
        certificate = shown(listening.tls_cert, directory) if verdict.by_itself else ""
        connection = replace(connection, trusted=verdict.trusted, certificate=certificate)
    process = directory / process_file(name).name

    def ready() -> None:
        path = connection_file(name)
        try:
            private_folder(path.parent)
            write_atomically(path, json.dumps(connection.to_json(), indent=1), durable=True)
            note_process(process, path)
        except OSError as error:
            raise CannotStart(
                f"Nobody can find this emulator, because {path} cannot be written: "
                f"{error.strerror}."
            ) from error
        sentence = f"The emulator {name} listens at {connection.url}, with its data in {directory}."
        if public_url:
            sentence += f" {connection.announced()}"
        print(json.dumps(connection.public()) if arguments.json else sentence, flush=True)

    server = _Server(
        uvicorn.Config(
            app,
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=int(CLOSING),
        ),
        ready,
        public,
    )
    app.stop = server.stop
    app.hub = None if hub is None else HubUsers(hub, identity)
    names = {listening.host, socket.gethostname(), urlsplit(public_url).hostname or ""}
    app.hosts = tuple(name.lower() for name in names if name)
    _on_signals(server.stop)
    background = [
        asyncio.create_task(end_when_idle(emulator, name, server.stop)),
        asyncio.create_task(keep_findable(connection)),
        asyncio.create_task(release_workers(emulator, pool)),
        asyncio.create_task(prune(emulator)),
    ]
    try:
        await server.serve([sock])
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        await emulator.aclose()
        process.unlink(missing_ok=True)
        forget(name, os.getpid())


def _identity(options: EmulatorOptions, path: Path) -> Identity:
    try:
        identity = Identity.load(path, {"default": options.plan, **dict(options.instances)})
    except OSError as error:
        raise CannotStart(f"The keys in {path} cannot be used: {error.strerror}.") from error
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise CannotStart(
            f"The keys in {path} cannot be read ({error}): remove that file to get new ones, with "
            "which earlier jobs and sessions are not seen any more."
        ) from error
    for name, _ in options.instances:
        if name in identity.invited:
            raise CannotStart(
                f"There is a user {name!r} already, who was invited: leave out --instance {name}, "
                "or give it another name."
            )
    return identity


def _connection(
    options: EmulatorOptions, name: str, directory: Path, sock: socket.socket, identity: Identity
) -> Connection:
    host, port = sock.getsockname()[:2]
    return Connection(
        name=name,
        url=f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}",
        key=identity.key,
        crn=identity.default.crn,
        pid=os.getpid(),
        version=version(),
        started=time.time(),
        options=options.to_json(),
        instances=identity.listed(),
        data=str(directory),
    )


def _on_signals(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))


if __name__ == "__main__":
    sys.exit(main())
