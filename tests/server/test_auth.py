"""Who may ask is Jupyter's decision, and no answer holds a credential."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from .conftest import Service
from .running import Page

ROUTES = (
    ("GET", "overview"),
    ("GET", "workloads/local/x"),
    ("POST", "workloads/local/x/close"),
    ("POST", "workloads/local/x/cancel"),
    ("POST", "workloads/local/x/jobs/y/cancel"),
    ("POST", "close-all"),
    ("POST", "tutorials"),
)


def test_strangers_are_refused(page: Page, service: Service) -> None:
    session = service.open()
    for method, path in ROUTES:
        path = path.replace("/x", f"/{session}")
        for headers in ({}, {"Authorization": "token wrong"}):
            answer = httpx.request(method, f"{page.url}qsession/api/{path}", headers=headers)
            assert answer.status_code == 403, (path, headers)
            assert session not in answer.text
    assert service("GET", f"/sessions/{session}")["state"] == "open"


def test_another_site_cannot_act_for_the_reader(page: Page, service: Service) -> None:
    """A browser sends the reader's cookie along; without a proof of the page's that is nothing."""
    session = service.open()
    path = f"qsession/api/workloads/local/{session}/close"
    with httpx.Client(base_url=page.url) as browser:
        # a reader who has followed the link with the token
        browser.get("login")
        browser.get("login", params={"token": page.token})
        assert browser.get("qsession/api/overview").status_code == 200
        assert browser.post(path).status_code == 403
        assert service("GET", f"/sessions/{session}")["state"] == "open"
        proof = {"X-XSRFToken": browser.cookies["_xsrf"]}
        assert browser.post(path, headers=proof).status_code == 200


def test_the_base_url_is_kept(page: Page) -> None:
    assert page.url.endswith("/user/me/")
    root = page.url.removesuffix("user/me/")
    headers = {"Authorization": f"token {page.token}"}
    assert httpx.get(f"{root}qsession/api/overview", headers=headers).status_code == 404


def test_no_answer_holds_a_credential(page: Page, service: Service) -> None:
    session = service.open()
    page.until_listed(session)
    said = [page.api(method, path.replace("/x", f"/{session}")).text for method, path in ROUTES]
    said.append(json.dumps(page.overview()))
    keys = {service.key, *(item["key"] for item in service.connection.instances)}
    assert all(len(key) > 8 for key in keys)
    assert not [text for text in said for key in keys if key in text]
    notes = Path(service.connection.data)
    assert notes.is_dir(), "the emulator of these tests is the one that was asked"
