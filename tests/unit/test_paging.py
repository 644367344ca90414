"""Lists that a service gives page by page are read to their end, and not beyond."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from qsession_widgets.discovery.workloads import MOST, PAGE, workloads
from qsession_widgets.monitoring.job_tracker import PAGE as JOBS
from qsession_widgets.monitoring.job_tracker import JobTracker


class Service:
    """A stand-in that lists workloads of each mode in pages, and keeps what it was asked."""

    def __init__(self, **listed: list[dict[str, Any]]):
        self.listed = listed
        self.asked: list[dict[str, Any]] = []

    def workloads(self, **query: Any) -> Any:
        self.asked.append(query)
        rows, size = self.listed.get(query["mode"], []), query["limit"]
        start = int(query.get("next", 0))
        page: dict[str, Any] = {"workloads": rows[start : start + size]}
        if start + size < len(rows):
            page["next"] = {"href": f"https://x/workloads?a=1&next={start + size}"}
        return SimpleNamespace(data=page)


def rows(count: int, mode: str, first: int = 0) -> list[dict[str, Any]]:
    return [{"id": f"{mode}{n}", "created": f"{first + count - n:05}"} for n in range(count)]


def listed(client: Any, *words: Any, **query: Any) -> list[str]:
    return [item["id"] for item in workloads(client, *words, **query)]


def test_all_pages_of_both_kinds_are_read_newest_first() -> None:
    client = Service(session=rows(PAGE * 2 + 1, "s"), batch=rows(2, "b", first=PAGE))
    found = listed(client, ["pending"], tags="x")
    assert len(found) == len(set(found)) == PAGE * 2 + 3
    assert found[:1] + found[-1:] == ["s0", f"s{PAGE * 2}"]
    created = {item["id"]: item["created"] for kind in client.listed.values() for item in kind}
    assert [created[one] for one in found] == sorted(created.values(), reverse=True)
    usual = {"user": "me", "sort": "-createdAt", "limit": PAGE, "status": ["pending"], "tags": "x"}
    first, *_ = client.asked
    assert first == {"mode": "session", **usual}
    assert [one.get("next") for one in client.asked] == [None, str(PAGE), str(PAGE * 2), None]
    assert [one["mode"] for one in client.asked] == ["session"] * 3 + ["batch"]


@pytest.mark.parametrize("most", [1, PAGE, PAGE + 1, MOST])
def test_no_more_is_read_than_is_wanted(most: int) -> None:
    client = Service(session=rows(MOST + 60, "s"))
    found = listed(client, limit=most)
    assert found == [f"s{n}" for n in range(most)]
    assert {one["limit"] for one in client.asked} == {min(most, PAGE)}
    assert "status" not in client.asked[0]
    assert len([one for one in client.asked if one["mode"] == "session"]) == -(-most // PAGE)


def test_a_service_that_goes_round_in_circles_is_left() -> None:
    asked = []

    class Circle:
        def workloads(self, **query: Any) -> Any:
            asked.append(query.get("next"))
            again = {"href": "https://x/workloads?next=same"}
            return SimpleNamespace(data={"workloads": [{"id": f"{len(asked)}"}], "next": again})

    assert len(listed(Circle())) == 4
    assert asked == [None, "same"] * 2


def test_pages_of_workloads_that_come_again_are_left() -> None:
    asked = []

    class Circle:
        def workloads(self, **query: Any) -> Any:
            asked.append(query.get("next"))
            again = {"href": f"https://x/workloads?next={len(asked) % 2}"}
            data = {"workloads": rows(2, f"{query['mode']}{len(asked) % 2}"), "next": again}
            return SimpleNamespace(data=data)

    assert len(listed(Circle())) == 8
    assert len(asked) == 6


def test_a_page_of_jobs_that_comes_again_is_the_last() -> None:
    asked = []

    class Circle:
        def jobs(self, _session: str, *, limit: int, offset: int) -> Any:
            asked.append(offset)
            row = {"status": "Completed", "created": "2026-01-01T00:00:00Z"}
            jobs = [{"id": f"j{n}", **row} for n in range(limit)]
            return SimpleNamespace(data={"jobs": jobs, "count": 10 * limit})

    tracker = JobTracker("s", emulated=False)
    for _ in range(2):
        tracker.ask(cast(Any, Circle()), {"state": "active"}, 0.0, look_again=True)
    assert not tracker.incomplete
    assert asked == [0, JOBS]


def test_what_does_not_say_when_it_was_made_comes_last() -> None:
    client = Service(session=[{"id": "s"}, *rows(2, "s")], batch=rows(1, "b"))
    assert listed(client)[-1] == "s"


@pytest.mark.parametrize("link", [None, {}, {"href": None}, {"href": "https://x/workloads"}])
def test_a_page_without_a_next_one_is_the_last(link: Any) -> None:
    class One:
        def workloads(self, **query: Any) -> Any:
            return SimpleNamespace(data={"workloads": [{"id": query["mode"]}], "next": link})

    assert sorted(listed(One())) == ["batch", "session"]
