"""The emulator of a class, as its teacher and its students reach it."""

from __future__ import annotations

import csv
import socket
import ssl
import stat
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import httpx
from emulator.conftest import Api
from support.certificates import Authority

from qsession_widgets.cli import main
from qsession_widgets.emulator.process.connection_file import Connection

NAME = "classroom"


@dataclass
class Classroom:
    """The emulator of the class, and the authority that signed its certificate."""

    connection: Connection
    authority: Authority
    folder: Path
    opened: list[httpx.Client] = field(default_factory=list)

    def invite(self, *names: str) -> dict[str, str]:
        """Invite some students as the teacher does; returns their keys."""
        said = self.folder / f"{names[0]}-{len(self.opened)}.txt"
        said.write_text("\n".join(names), "utf-8")
        keys = said.with_suffix(".csv")
        words = ["invite", "--name", NAME, "--names", str(said), "--csv", str(keys)]
        assert main(["emulator", *words]) == 0
        assert stat.S_IMODE(keys.stat().st_mode) == 0o600
        with keys.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [row["name"] for row in rows] == list(names)
        assert {row["url"] for row in rows} == {self.connection.public_url}
        return {row["name"]: row["key"] for row in rows}

    def teacher(self) -> Api:
        """A client that has the owner's key."""
        made = Api(self.connection)
        self.opened.append(made.http)
        return made

    def student(self, key: str) -> Api:
        """A client that has a student's key and nothing else."""
        http = httpx.Client(
            base_url=self.connection.public_url,
            headers={"Authorization": f"apikey {key}"},
            verify=ssl.create_default_context(cafile=str(self.authority.file)),
            timeout=30,
        )
        self.opened.append(http)
        answer = http.post("/v3/resources/search", json={})
        items = answer.json().get("items", []) if answer.status_code == 200 else []
        made = Api.__new__(Api)
        made.connection, made.http = self.connection, http
        made.crn = items[0]["crn"] if items else self.connection.crn
        assert len(items) <= 1
        http.headers["Service-CRN"] = made.crn
        return made


def ask(line: HTTPConnection, path: str, **headers: str) -> int:
    line.request("GET", path, headers=headers)
    answer = line.getresponse()
    answer.read()
    return answer.status


def ended(sock: socket.socket) -> bool:
    try:
        return sock.recv(1) == b""
    except (ConnectionError, ssl.SSLError):
        return True
