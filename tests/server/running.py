"""A real Jupyter server with the extension, as its pages see it."""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from .. import processes

TIMEOUT = 90.0
"""Seconds to wait for what is to happen, on a busy machine."""

Document = dict[str, Any]


class Page:
    """What a page of the lab does: it asks the server, with the server's token.

    Parameters
    ----------
    url : str
        The server's address, with its base URL.
    token : str
        Its token.
    """

    def __init__(self, url: str, token: str):
        self.url = url
        self.token = token
        self.http = httpx.Client(
            base_url=url, headers={"Authorization": f"token {token}"}, timeout=60
        )

    def api(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """A question to the extension."""
        return self.http.request(method, f"qsession/api/{path}", **kwargs)

    def overview(self, since: int | None = None, wait: float = 0.0) -> Document:
        """The overview; once it has changed, or after a while."""
        query = {} if since is None else {"since": since, "wait": wait}
        answer = self.api("GET", "overview", params=query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def until(self, holds: Callable[[Document], Any], seconds: float = TIMEOUT) -> Document:
        """The first overview of which something holds, waited for as pages do."""
        deadline = time.monotonic() + seconds
        document = self.overview()
        while not holds(document):
            left = deadline - time.monotonic()
            assert left > 0, f"never so: {json.dumps(document, indent=1)[:4000]}"
            document = self.overview(document["revision"], min(left, 20.0))
        return document

    def until_listed(self, session_id: str, key: str = "local", **facts: Any) -> Document:
        """A workload's entry, once it is listed and some of its facts are these."""

        def entry(document: Document) -> Document | None:
            found = find(document, session_id)
            if found is None or found["service"] != key:
                return None
            known = found["snapshot"]
            return found if all(known[name] == value for name, value in facts.items()) else None

        found = entry(self.until(entry))
        assert found is not None
        return found

    def until_service(self, key: str, holds: Callable[[Document], Any]) -> Document:
        """A service's entry, once it is there and something holds of it."""

        def entry(document: Document) -> Document | None:
            return next(
                (one for one in document["services"] if one["key"] == key and holds(one)), None
            )

        found = entry(self.until(entry))
        assert found is not None
        return found

    def until_problem(self, key: str, sentence: str) -> Document:
        """A service's entry, once its problem begins with these words."""
        return self.until_service(key, lambda one: (one["problem"] or "").startswith(sentence))

    def command(self, key: str, *words: str) -> httpx.Response:
        """A question below ``workloads``; the words are parts of its path."""
        path = "/".join(quote(word, safe="") for word in (key, *words))
        return self.api("POST", f"workloads/{path}")


def find(document: Document, session_id: str) -> Document | None:
    """A workload's entry in an overview."""
    return next(
        (one for one in document["workloads"] if one["snapshot"]["session_id"] == session_id), None
    )


@contextmanager
def running_server(
    folder: Path, variables: Mapping[str, str], *options: str, base_url: str = "/"
) -> Iterator[Page]:
    """Start a Jupyter server on a folder; it and its kernels end with the block."""
    token = secrets.token_hex(16)
    log = folder.parent / f"server-{secrets.token_hex(4)}.log"
    folder.mkdir(exist_ok=True)
    command = [
        *(sys.executable, "-m", "jupyter_server"),
        *("--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root"),
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={folder}",
        f"--ServerApp.base_url={base_url}",
        *options,
    ]
    environment = {**os.environ, **variables}
    with processes.running(command, log, environment) as process:
        runtime = Path(environment["JUPYTER_RUNTIME_DIR"])
        page = Page(processes.jupyter_address(process, log, runtime), token)
        with page.http:
            yield page
    # what went wrong beside the answers; a kernel that is starting again is interrupted at the end,
    # or is one that Jupyter finds neither started nor failed
    ends = r"(?:KeyboardInterrupt\b|asyncio\.exceptions\.InvalidStateError: Exception is not set\.)"
    said = re.sub(rf"Traceback .*\n(?: .*\n)*? *{ends}", "", log.read_text())
    assert "Traceback" not in said, said[-4000:]
