"""A command can be repeated under an ``Idempotency-Key``: it is done once, and answered as the first time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from tests.api.asserting import ok, refused
from tests.api.team import Member, Team


@pytest.fixture
def things(team: Team) -> dict[str, str]:
    contact = team.owner.contact(tags=["A"])
    return {"contact": contact["id"], "tag": team.owner.tag("B")["id"]}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/contacts", {"firstName": "New", "email": "new@example.com", "tags": ["C"]}),
        ("PATCH", "/contacts/{contact}", {"company": "Acme"}),
        ("DELETE", "/contacts/{contact}", None),
        ("POST", "/contacts/{contact}/tags", {"tags": "C"}),
        ("DELETE", "/contacts/{contact}/tags/A", None),
        ("POST", "/tags", {"name": "C"}),
        ("PATCH", "/tags/{tag}", {"name": "C"}),
        ("DELETE", "/tags/{tag}", None),
        ("PATCH", "/workspace", {"name": "C"}),
    ],
)
def test_every_command_is_done_once_and_answered_twice(
    team: Team, things: dict[str, str], method: str, path: str, body: dict[str, Any] | None
) -> None:
    headers = {"idempotency-key": str(uuid4())}
    first = team.owner.ask(method, path.format(**things), json=body, headers=headers)
    assert first.status_code in (200, 201, 204), first.text
    assert "idempotency-replayed" not in first.headers
    head = ok(team.owner.get("/log"))["meta"]["head"]
    again = team.owner.ask(method, path.format(**things), json=body, headers=headers)
    assert again.headers["idempotency-replayed"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    for name in ("etag", "location", "daybook-seq"):
        assert again.headers.get(name) == first.headers.get(name)
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert ok(team.owner.get("/log"))["meta"]["head"] == head


def test_an_answer_is_repeated_as_it_was_whatever_happened_since(team: Team) -> None:
    headers = {"idempotency-key": "k"}
    first = team.owner.post("/contacts", {"firstName": "A"}, headers=headers)
    contact = ok(first, 201)["data"]
    ok(team.owner.patch(f"/contacts/{contact['id']}", {"firstName": "B"}))
    assert team.owner.post("/contacts", {"firstName": "A"}, headers=headers).json() == {"data": contact}


class TestAnotherRequestUnderTheSameKey:
    @pytest.fixture
    def used(self, team: Team) -> Team:
        ok(team.owner.post("/contacts", {"firstName": "A"}, headers={"idempotency-key": "k"}), 201)
        return team

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "/contacts", {"firstName": "B"}),
            ("POST", "/contacts?onConflict=update", {"firstName": "A"}),
            ("POST", "/tags", {"name": "A"}),
            ("PATCH", "/workspace", {"name": "A"}),
        ],
    )
    def test_is_refused(self, used: Team, method: str, path: str, body: dict[str, Any]) -> None:
        answer = used.owner.ask(method, path, json=body, headers={"idempotency-key": "k"})
        refused(answer, 422, "Idempotency-Key", says="another request")


def test_callers_of_a_workspace_choose_their_keys_without_knowing_each_others(team: Team) -> None:
    """A session of the same user is another caller than their key, and each of their keys one of its own."""
    callers: list[Member] = [team.owner, team.admin, team.key(), team.key()]
    made = []
    for number, somebody in enumerate(callers):
        body, headers = {"firstName": f"A{number}"}, {"idempotency-key": "1"}
        first, again = (somebody.post("/contacts", body, headers=headers) for _ in range(2))
        assert "idempotency-replayed" not in first.headers
        assert again.headers["idempotency-replayed"] == "true"
        assert first.json() == again.json()
        made.append(ok(first, 201)["data"]["id"])
    assert len(set(made)) == len(callers)


def test_many_at_the_same_time_are_one(team: Team) -> None:
    def ask(_: int) -> Any:
        answer = team.owner.post("/contacts", {"firstName": "A", "tags": ["T"]}, headers={"idempotency-key": "k"})
        return ok(answer, 201)["data"]["id"], "idempotency-replayed" in answer.headers

    with ThreadPoolExecutor(8) as several:
        answers = list(several.map(ask, range(16)))
    assert len({contact for contact, _ in answers}) == 1
    assert sorted(replayed for _, replayed in answers) == [False] + [True] * 15
    assert len(team.owner.listed("/contacts")) == 1


def test_a_refusal_is_not_kept_so_that_it_can_be_put_right(team: Team) -> None:
    known = team.owner.contact(email="a@example.com")
    headers = {"idempotency-key": "k"}
    refused(team.owner.post("/contacts", {"email": "a@example.com"}, headers=headers), 409)
    ok(team.owner.patch(f"/contacts/{known['id']}", {"email": "b@example.com"}))
    ok(team.owner.post("/contacts", {"email": "a@example.com"}, headers=headers), 201)


@pytest.mark.parametrize("key", [b"", b"x" * 256, "schlüssel".encode(), "schlüssel".encode("latin-1")])
def test_a_key_is_1_to_255_printable_ascii_characters(team: Team, key: bytes) -> None:
    answer = team.owner.post("/tags", {"name": "A"}, headers={"idempotency-key": key})
    refused(answer, 422, "Idempotency-Key")
    assert team.owner.listed("/tags") == []
    ok(team.owner.post("/tags", {"name": "A"}, headers={"idempotency-key": "x" * 255}), 201)


def test_a_key_that_is_shown_once_is_not_kept_for_repeating(team: Team) -> None:
    """Its maker is told so in the documentation: no answer with a key in it lies anywhere."""
    headers = {"idempotency-key": "k"}
    first = ok(team.owner.post("/api-keys", {"name": "k"}, headers=headers), 201)["data"]
    second = ok(team.owner.post("/api-keys", {"name": "k"}, headers=headers), 201)["data"]
    assert first["rawKey"] != second["rawKey"]
