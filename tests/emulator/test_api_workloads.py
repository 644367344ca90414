"""The list of workloads, its filters and its pages."""

from __future__ import annotations

from itertools import chain
from typing import Any

import httpx
import pytest
from emulator.conftest import Api


@pytest.fixture
def busy(still: Api) -> tuple[Api, list[str]]:
    """Twelve workloads of each kind in turn, a second apart; their ids, oldest first."""
    still.fault("/queue", paused=True)
    ids = []
    for number in range(12):
        if number % 3 == 0:
            ids.append(still.submit(tags=[f"tag-{number}"]))
        else:
            mode = "batch" if number % 3 == 1 else "dedicated"
            ids.append(still.open_session("fake_manila", mode=mode))
        still.advance(1)
    return still, ids


def ids_of(answer: dict[str, Any]) -> list[str]:
    return [workload["id"] for workload in answer["workloads"]]


def follow(api: Api, link: dict[str, str]) -> dict[str, Any]:
    answer: dict[str, Any] = api.http.get(link["href"]).json()
    return answer


def test_modes(busy: tuple[Api, list[str]]) -> None:
    api, ids = busy
    for mode, first in (("job", 0), ("batch", 1), ("session", 2)):
        answer = api.get("/workloads", mode=mode)
        assert ids_of(answer) == ids[first::3]
        assert {workload["mode"] for workload in answer["workloads"]} == {mode}
        assert {workload["instance"] for workload in answer["workloads"]} == {api.crn}
    jobs = api.get("/workloads", mode="job")["workloads"]
    assert {job["accepting_jobs"] for job in jobs} == {None}


@pytest.mark.parametrize("sort", ["createdAt", "-createdAt"])
@pytest.mark.parametrize("limit", [1, 5, 12, 50])
def test_pages_lead_forth_and_back(busy: tuple[Api, list[str]], sort: str, limit: int) -> None:
    api, ids = busy
    expected = ids if sort == "createdAt" else ids[::-1]
    answer = api.get("/workloads", sort=sort, limit=limit)
    pages = [ids_of(answer)]
    while "next" in answer:
        answer = follow(api, answer["next"])
        assert answer["total_count"] == 12
        pages.append(ids_of(answer))
    assert list(chain(*pages)) == expected
    back = [pages.pop()]
    while "previous" in answer:
        answer = follow(api, answer["previous"])
        back.insert(0, ids_of(answer))
        assert back[0] == pages.pop()
    assert list(chain(*back)) == expected


def test_page_stays_where_it_is_when_workloads_arrive(busy: tuple[Api, list[str]]) -> None:
    api, ids = busy
    answer = api.get("/workloads", sort="-createdAt", limit=5)
    api.open_session()
    assert ids_of(follow(api, answer["next"])) == ids[::-1][5:10]


def test_filters(busy: tuple[Api, list[str]]) -> None:
    api, ids = busy
    api("DELETE", f"/sessions/{ids[2]}/close")
    api("PATCH", f"/sessions/{ids[5]}", json={"accepting_jobs": False})
    assert ids_of(api.get("/workloads", status="canceled")) == [ids[2]]
    both = api.get("/workloads", status=["canceled", "completed"])
    assert ids_of(both) == [ids[2], ids[5]]
    assert {workload["accepting_jobs"] for workload in both["workloads"]} == {False}
    assert all("ended" in workload for workload in both["workloads"])
    assert len(ids_of(api.get("/workloads", status="pending", limit=50))) == 10
    assert ids_of(api.get("/workloads", backend="aer")) == ids[::3]
    assert ids_of(api.get("/workloads", tags=["tag-3"])) == [ids[3]]
    assert ids_of(api.get("/workloads", tags=["tag-3", "tag-0"])) == []
    assert ids_of(api.get("/workloads", search="tag-9")) == [ids[9]]
    assert ids_of(api.get("/workloads", search=ids[4][:12])) == [ids[4]]
    assert ids_of(api.get("/workloads", user="me", limit=50)) == ids
    third = api.get("/workloads", search=ids[2])["workloads"][0]["created"]
    assert ids_of(api.get("/workloads", created_after=third, limit=50)) == ids[2:]
    assert ids_of(api.get("/workloads", created_before=third)) == ids[:3]


def test_links_keep_the_filters(busy: tuple[Api, list[str]]) -> None:
    api, ids = busy
    answer = api.get("/workloads", mode="job", limit=3, status=["pending", "failed"])
    query = httpx.URL(answer["next"]["href"]).params
    assert query.get_list("status") == ["pending", "failed"]
    assert ids_of(follow(api, answer["next"])) == [ids[9]]
