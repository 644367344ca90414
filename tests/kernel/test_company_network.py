"""``HTTPS_PROXY`` and ``REQUESTS_CA_BUNDLE`` reach every client of this package's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from qsession_widgets.emulator.process.connection_file import Connection

from ..support.company_network import HOST, company_network

PROGRAM = """
from qsession_widgets import open_session
from qsession_widgets.cli.main import main
from qsession_widgets.server.service_list import find_sources
from qsession_widgets.server.service_watcher import ServiceWatcher

session = open_session(service="ibm", backend="aer", say="never")
print("opened", session.session_id, flush=True)
assert main(["list", "--service", "ibm"]) == 0
source = next(one for one in find_sources().sources if one.key == "ibm")
watcher = ServiceWatcher(source, lambda: None, 8.0)
while not watcher.snapshots() and watcher.health.problem is None:
    watcher.step()
print("watched", [one.session_id for one in watcher.snapshots()], watcher.health.problem)
assert main(["close", session.session_id, "--service", "ibm"]) == 0
"""


def _run(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=200, check=False
    )


def test_a_proxy_and_a_certificate_of_the_company_reach_every_client(
    emulator: Connection, ask: Any, tmp_path: Path
) -> None:
    del ask
    port = urlsplit(emulator.url).port
    assert port is not None
    with company_network(port, tmp_path) as (variables, requests):
        account = {
            name: value.replace(f"http://127.0.0.1:{port}", f"https://{HOST}")
            for name, value in emulator.environment(None).items()
        }
        inside = {**os.environ, **account, **variables}
        ran = _run(inside)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert "watched ['" in ran.stdout
        assert ran.stdout.count(ran.stdout.split()[1]) >= 3, "opened, listed, watched"
        assert {line.rpartition(" ")[0] for line in requests} == {f"CONNECT {HOST}:443"}
        del inside["REQUESTS_CA_BUNDLE"]
        refused = _run(inside)
        assert refused.returncode != 0
        assert (
            "not trusted here. Where a company signs it, set REQUESTS_CA_BUNDLE" in refused.stderr
        )
