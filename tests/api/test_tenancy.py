"""What belongs to another workspace is not there: for every operation that takes an id, and in everything that lists."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.asserting import ok, refused
from tests.api.team import Team, created


@pytest.fixture
def theirs(others: Team) -> dict[str, str]:
    """What is in the other workspace, by what a path calls its id."""
    contact = others.owner.contact(firstName="Theirs", email="theirs@example.com", tags=["Theirs"])
    key = created(others.owner.post("/api-keys", {"name": "Theirs"}))
    return {"contact": contact["id"], "tag": contact["tagDetails"][0]["id"], "key": key["id"]}


def state(team: Team) -> tuple[Any, ...]:
    """All that a workspace shows of itself."""
    lists = [team.owner.listed(path) for path in ("/contacts", "/tags", "/api-keys")]
    return (*lists, ok(team.owner.get("/workspace")), ok(team.owner.get("/log?limit=1000")))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/contacts/{contact}", None),
        ("PATCH", "/contacts/{contact}", {"firstName": "Ours"}),
        ("DELETE", "/contacts/{contact}", None),
        ("GET", "/contacts/{contact}/tags", None),
        ("POST", "/contacts/{contact}/tags", {"tags": "Ours"}),
        ("DELETE", "/contacts/{contact}/tags/Theirs", None),
        ("GET", "/tags/{tag}", None),
        ("PATCH", "/tags/{tag}", {"name": "Ours"}),
        ("DELETE", "/tags/{tag}", None),
        ("DELETE", "/api-keys/{key}", None),
    ],
)
def test_an_id_of_theirs_is_like_one_of_nobodys(
    team: Team, others: Team, theirs: dict[str, str], method: str, path: str, body: dict[str, Any] | None
) -> None:
    before = state(others)
    for somebody in (team.owner, team.key()):
        refused(somebody.ask(method, path.format(**theirs), json=body), 404)
    assert state(others) == before


def test_no_list_search_or_trail_tells_of_theirs(team: Team, others: Team, theirs: dict[str, str]) -> None:
    for path, params in (
        ("/contacts", {}),
        ("/contacts", {"search": "theirs"}),
        ("/contacts", {"tag": theirs["tag"]}),
        ("/contacts", {"email": "theirs@example.com"}),
        ("/contacts", {"sort": "name", "limit": 100}),
        ("/tags", {}),
        ("/tags", {"search": "theirs"}),
        ("/api-keys", {}),
        ("/activities", {}),
        ("/activities", {"entityId": theirs["contact"]}),
        ("/activities", {"userId": str(others.owner.account_id)}),
        ("/log", {"limit": 1000}),
        ("/contacts/tags", {"ids": theirs["contact"]}),
    ):
        answer = team.owner.get(path, params=params)
        assert ok(answer)["data"] == [] or "heirs" not in answer.text
        assert not any(found in answer.text for found in theirs.values())
        assert ok(answer).get("meta", {}).get("total", 0) < 10


def test_theirs_cannot_be_put_into_ours(team: Team, theirs: dict[str, str]) -> None:
    contact = team.owner.contact()
    refused(team.owner.patch(f"/contacts/{contact['id']}", {"addTagId": theirs["tag"]}), 422, "addTagId")
    refused(team.owner.patch(f"/contacts/{contact['id']}", {"removeTagId": theirs["tag"]}), 404, says="tag")
    refused(team.owner.patch(f"/contacts/{contact['id']}", {"tagIds": [theirs["tag"]]}), 422, "tagIds")
    refused(team.owner.post(f"/contacts/{contact['id']}/tags", {"tagId": theirs["tag"]}), 422, "tagIds")


def test_their_workspace_cannot_be_chosen(team: Team, others: Team, theirs: dict[str, str]) -> None:
    for choice in ({"x-workspace-id": str(others.workspace_id)}, {"x-org-id": str(others.workspace_id)}):
        for somebody in (team.owner, team.key()):
            refused(somebody.get("/contacts", headers=choice), 403)
            refused(somebody.get(f"/contacts/{theirs['contact']}", headers=choice), 403)


def test_the_same_idempotency_key_in_two_workspaces_is_two_keys(team: Team, others: Team) -> None:
    headers = {"idempotency-key": "same"}
    first = created(team.owner.post("/contacts", {"firstName": "A"}, headers=headers))
    second = created(others.owner.post("/contacts", {"firstName": "A"}, headers=headers))
    assert first["id"] != second["id"]
