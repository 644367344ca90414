"""A real JupyterHub with its proxy: whoever logs in gets a Jupyter server below ``/user/NAME/``."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from ..processes import STARTING, running
from .lab import FOR_TESTS, Lab, environment

CONFIGURATION = """
c.JupyterHub.services = []
c.JupyterHub.load_roles = []
c.Spawner.environment = {{}}
{more}

c.JupyterHub.bind_url = {address!r}
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy}"
c.ConfigurableHTTPProxy.command = [{command!r}]
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie_secret"
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"

c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = {token!r}
c.Authenticator.allow_all = True
c.JupyterHub.services.append({{"name": "tests", "api_token": {token!r}}})
c.JupyterHub.load_roles.append(
    {{
        "name": "tests",
        "services": ["tests"],
        "scopes": ["admin:users", "admin:servers", "access:servers", "tokens"],
    }}
)

c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/home/{{username}}"
c.Spawner.cmd = [{python!r}, "-m", "jupyterhub.singleuser"]
c.Spawner.default_url = {default_url!r}
c.Spawner.args = {options!r}
c.Spawner.environment.update({environment!r})
"""


class Hub:
    """A running JupyterHub, and what its administrator can do.

    Parameters
    ----------
    url : str
        Its address, with a slash at the end.
    token : str
        Everybody's password and the administrator's token, made up for this run.
    folder : Path
        Where the users' home folders are.
    process : subprocess.Popen
        The hub itself.
    """

    def __init__(self, url: str, token: str, folder: Path, process: subprocess.Popen[bytes]):
        self.url = url
        self.folder = folder
        self.process = process
        self._token = token
        self._api = httpx.Client(
            base_url=f"{url}hub/api",
            headers={"Authorization": f"token {token}"},
            timeout=30,
            trust_env=False,
        )

    def lab(self, user: str) -> Lab:
        """The user's own JupyterLab, for who has logged in."""
        folder = self.folder / "home" / user
        folder.mkdir(parents=True, exist_ok=True)
        return Lab(f"{self.url}user/{user}/", "", folder, self.process)

    def log_in(self, page: Page, user: str) -> None:
        """Log in and wait for the user's own server, which is started by that."""
        page.goto(f"{self.url}hub/login")
        page.get_by_label("Username").fill(user)
        page.get_by_label("Password").fill(self._token)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{self.url}user/{user}/**", timeout=STARTING * 1000)

    def ask(self, method: str, path: str, **request: object) -> httpx.Response:
        """Ask the Hub's REST API as its administrator; a refusal is an error."""
        return self._api.request(method, path, **request).raise_for_status()  # type: ignore[arg-type]

    def run(self, user: str, code: str) -> str:
        """Run code in a kernel of a user's own server, through the Hub's proxy; what it prints."""
        headers = {"Authorization": f"token {self._token}"}
        server = f"{self.url}user/{user}/api/kernels"
        kernel = httpx.post(server, headers=headers, trust_env=False, timeout=60)
        address = f"{server}/{kernel.raise_for_status().json()['id']}/channels"
        return asyncio.run(_run(address.replace("http", "ws", 1), headers, code))

    def stop(self, user: str) -> None:
        """End a user's server, as the hub does with idle ones."""
        self._api.delete(f"/users/{user}/server").raise_for_status()
        self._wait(user, False)

    def start(self, user: str) -> None:
        """Start a user's server again."""
        self._api.post(f"/users/{user}/server").raise_for_status()
        self._wait(user, True)

    def _wait(self, user: str, running: bool) -> None:
        deadline = time.monotonic() + STARTING
        while time.monotonic() < deadline:
            found = self._api.get(f"/users/{user}").raise_for_status().json()
            if found["pending"] is None and (found["server"] is not None) == running:
                return
            time.sleep(0.1)
        raise RuntimeError(f"the server of {user} did not become ready in {STARTING:g} s")

    def ready(self) -> bool:
        """Whether it answers."""
        with suppress(httpx.HTTPError):
            return self._api.get("/users").status_code == 200
        return False

    def shut(self) -> None:
        """End all servers, and let go of it."""
        with suppress(httpx.HTTPError):
            for user in self._api.get("/users").json():
                self.stop(user["name"])
        self._api.close()


@contextmanager
def running_hub(folder: Path, default_url: str = "/lab", more: str = "") -> Iterator[Hub]:
    """Start a JupyterHub below a base URL of its own; its servers end with the block.

    Parameters
    ----------
    folder : Path
        Its records and log, and the users' homes.
    default_url : str
        The page that a user sees first.
    more : str
        Further lines of its configuration.
    """
    proxy = shutil.which("configurable-http-proxy")
    if proxy is None:
        pytest.skip("configurable-http-proxy is not on PATH: make test-labs installs it")
    ports = [free_port() for _ in range(3)]
    address = f"http://127.0.0.1:{ports[0]}/hubs/"
    token = secrets.token_hex(16)
    # a hub hands nothing on but what it is told to, and the users' homes are their own
    kept = {
        name: value
        for name, value in environment().items()
        if name.startswith("JUPYTER_") or name == "USAGE_DATA_OPT_OUT"
    }
    configuration = folder / "jupyterhub_config.py"
    configuration.write_text(
        CONFIGURATION.format(
            address=address,
            hub=ports[1],
            proxy=ports[2],
            command=proxy,
            folder=folder,
            token=token,
            python=sys.executable,
            default_url=default_url,
            options=["--allow-root", *FOR_TESTS],
            environment=kept,
            more=more,
        )
    )
    command = [sys.executable, "-m", "jupyterhub", "-f", str(configuration)]
    log = folder / "hub.log"
    with _no_proxy_left(folder / "proxy.pid"), running(command, log, folder=folder) as process:
        hub = Hub(address, token, folder, process)
        try:
            deadline = time.monotonic() + STARTING
            while not hub.ready():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"JupyterHub did not start:\n{log.read_text()[-2000:]}")
                time.sleep(0.1)
            yield hub
        finally:
            hub.shut()


@contextmanager
def _no_proxy_left(pid: Path) -> Iterator[None]:
    """End the proxy of a hub that did not end in time, and so could not do it itself."""
    try:
        yield
    finally:
        with suppress(OSError, ValueError):
            os.kill(int(pid.read_text()), signal.SIGTERM)


async def _run(address: str, headers: dict[str, str], code: str) -> str:
    """Execute code over a kernel's websocket until it is idle again; an error is printed, too."""
    request = {
        "header": {
            "msg_id": "run",
            "msg_type": "execute_request",
            "username": "",
            "session": "",
            "date": "",
            "version": "5.3",
        },
        "parent_header": {},
        "metadata": {},
        "content": {
            "code": code,
            "silent": False,
            "store_history": False,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        },
        "channel": "shell",
    }
    printed = []
    socket = await websocket_connect(HTTPRequest(address, headers=headers))
    await socket.write_message(json.dumps(request))
    while (text := await socket.read_message()) is not None:
        message = json.loads(text)
        if message["parent_header"].get("msg_id") != "run":
            continue
        content = message["content"]
        printed += [content["text"]] if message["msg_type"] == "stream" else []
        printed += content["traceback"] if message["msg_type"] == "error" else []
        if message["msg_type"] == "status" and content["execution_state"] == "idle":
            break
    socket.close()
    while await socket.read_message() is not None:
        # until the other end has closed it, too
        pass
    return "".join(printed)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
