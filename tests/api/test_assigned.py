"""A member limited to what is assigned to them sees and changes that, and learns nothing of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.asserting import gone, ok, refused
from tests.api.team import Team, created


@pytest.fixture
def mine(team: Team) -> dict[str, Any]:
    """A contact that is assigned to them."""
    assigned = str(team.limited.account_id)
    return team.owner.contact(firstName="Mine", email="mine@example.com", assignedTo=assigned, tags=["A"])


@pytest.fixture
def hidden(team: Team) -> dict[str, Any]:
    """A contact that is not."""
    return team.owner.contact(firstName="Hidden", email="hidden@example.com", tags=["A"])


def test_lists_only_what_is_theirs(team: Team, mine: dict[str, Any], hidden: dict[str, Any]) -> None:
    for params in ({}, {"search": "example"}, {"tag": "A"}, {"created_after": "2020-01-01"}, {"limit": 1}):
        answer = ok(team.limited.get("/contacts", params=params))
        assert [contact["id"] for contact in answer["data"]] == [mine["id"]]
        assert answer["meta"]["total"] == 1
        assert answer["meta"]["nextCursor"] is None
    assert team.limited.listed("/contacts", assigned_to=str(team.owner.account_id)) == []
    assert team.limited.listed("/contacts", search="hidden") == []


def test_reads_tags_of_only_what_is_theirs(team: Team, mine: dict[str, Any], hidden: dict[str, Any]) -> None:
    found = ok(team.limited.get("/contacts/tags", params={"ids": [mine["id"], hidden["id"]]}))
    assert found["data"].keys() == {mine["id"]}


@pytest.mark.parametrize(
    ("method", "below", "body"),
    [
        ("GET", "", None),
        ("PATCH", "", {"firstName": "Taken"}),
        ("DELETE", "", None),
        ("GET", "/tags", None),
        ("POST", "/tags", {"tags": "B"}),
        ("DELETE", "/tags/A", None),
    ],
)
def test_what_is_not_theirs_is_not_found(
    team: Team, hidden: dict[str, Any], method: str, below: str, body: dict[str, Any] | None
) -> None:
    refused(team.limited.ask(method, f"/contacts/{hidden['id']}{below}", json=body), 404, says="contact")
    assert team.owner.shown(f"/contacts/{hidden['id']}") == hidden


def test_changes_what_is_theirs(team: Team, mine: dict[str, Any]) -> None:
    path = f"/contacts/{mine['id']}"
    ok(team.limited.patch(path, {"company": "Acme"}))
    ok(team.limited.post(f"{path}/tags", {"tags": "B"}))
    gone(team.limited.delete(f"{path}/tags/A"))
    assert ok(team.limited.get(path))["data"]["tags"] == ["B"]
    gone(team.limited.delete(path))


def test_what_they_create_is_theirs(team: Team) -> None:
    contact = created(team.limited.post("/contacts", {"firstName": "New"}))
    assert contact["assignedTo"] == str(team.limited.account_id)
    ok(team.limited.get(f"/contacts/{contact['id']}"))


def test_what_is_assigned_to_another_is_theirs_no_more(team: Team, mine: dict[str, Any]) -> None:
    ok(team.owner.patch(f"/contacts/{mine['id']}", {"assignedTo": str(team.member.account_id)}))
    refused(team.limited.get(f"/contacts/{mine['id']}"), 404)
    assert team.limited.listed("/contacts") == []


def test_a_taken_address_does_not_tell_whose_it_is(team: Team, mine: dict[str, Any], hidden: dict[str, Any]) -> None:
    for answer in (
        team.limited.post("/contacts", {"email": "hidden@example.com"}),
        team.limited.post("/contacts?onConflict=update", {"email": "hidden@example.com", "company": "Taken"}),
        team.limited.patch(f"/contacts/{mine['id']}", {"email": "hidden@example.com"}),
    ):
        assert "existingId" not in refused(answer, 409)
    known = team.limited.post("/contacts", {"email": "mine@example.com"})
    assert refused(known, 409)["existingId"] == mine["id"]
    assert team.owner.shown(f"/contacts/{hidden['id']}") == hidden


def test_the_audit_trail_tells_of_theirs_and_of_what_they_did(
    team: Team, mine: dict[str, Any], hidden: dict[str, Any]
) -> None:
    team.limited.tag("Made by them")
    ok(team.owner.patch(f"/contacts/{mine['id']}", {"company": "Acme"}))
    answer = ok(team.limited.get("/activities"))
    assert hidden["id"] not in str(answer)
    events = [told["event"] for told in answer["data"]]
    assert events == ["contact.updated", "tag.created", "contact.created", "user.logged_in"]
    assert answer["meta"]["total"] == 4
    assert team.limited.listed("/activities", entityId=hidden["id"]) == []


def test_the_log_which_tells_all_is_closed_to_them(team: Team) -> None:
    refused(team.limited.get("/log"), 403)
    refused(team.key("log:read", of=team.limited).get("/log"), 403)


def test_the_limit_is_for_members_and_not_for_admins(team: Team, hidden: dict[str, Any]) -> None:
    somebody = team.join("admin", assigned_only=True)
    assert ok(somebody.get(f"/contacts/{hidden['id']}"))["data"] == hidden
    ok(somebody.get("/log"))


class TestWhatOthersContactsHaveToo:
    """A tag or company is everybody's; who does not see all that have it changes it for none."""

    @pytest.fixture(params=["tags", "companies"])
    def shared(self, team: Team, request: pytest.FixtureRequest) -> str:
        """The path of a tag or company that a contact of theirs has, and one of a colleague's."""
        if request.param == "tags":
            thing, fields = team.owner.tag("Shared"), {"tags": ["Shared"]}
        else:
            thing = team.owner.company("Shared")
            fields = {"companyId": thing["id"]}
        for member in (team.limited, team.member):
            team.owner.contact(assignedTo=str(member.account_id), **fields)
        return f"/{request.param}/{thing['id']}"

    def test_they_neither_change_nor_delete(self, team: Team, shared: str) -> None:
        before = team.owner.shown(shared)
        refused(team.limited.patch(shared, {"name": "Taken"}), 403, says="contact that you may not see")
        refused(team.limited.delete(shared), 403, says="contact that you may not see")
        assert team.owner.shown(shared) == before
        ok(team.limited.patch(shared, {"name": "Shared"}))  # as it is

    def test_they_change_and_delete_what_their_own_alone_have(self, team: Team, shared: str) -> None:
        (colleagues,) = team.owner.listed("/contacts", assigned_to=str(team.member.account_id))
        gone(team.owner.delete(f"/contacts/{colleagues['id']}"))
        assert ok(team.limited.patch(shared, {"name": "Mine"}))["data"]["name"] == "Mine"
        gone(team.limited.delete(shared))

    def test_nor_is_it_theirs_for_belonging_to_what_is_assigned_to_nobody(self, team: Team, shared: str) -> None:
        (colleagues,) = team.owner.listed("/contacts", assigned_to=str(team.member.account_id))
        ok(team.owner.patch(f"/contacts/{colleagues['id']}", {"assignedTo": None}))
        refused(team.limited.patch(shared, {"name": "Taken"}), 403)
        refused(team.limited.delete(shared), 403)

    def test_who_sees_all_does(self, team: Team, shared: str) -> None:
        ok(team.member.patch(shared, {"name": "Ours"}))
        gone(team.member.delete(shared))


@pytest.mark.parametrize("who", ["limited", "viewer"])
class TestWebhooks:
    """Where events are sent may be as good as a password, and what was sent is about everybody's contacts."""

    @pytest.fixture
    def webhook(self, team: Team) -> dict[str, Any]:
        url = "https://hooks.example.com/secret-path"
        return created(team.owner.post("/webhooks", {"url": url, "events": ["contact.*"]}))

    def test_neither_endpoints_nor_deliveries_are_shown(self, team: Team, webhook: dict[str, Any], who: str) -> None:
        path = f"/webhooks/{webhook['id']}"
        somebody = getattr(team, who)
        for asked in (somebody, team.key(of=somebody)):
            for below in ("/webhooks", path, f"{path}/deliveries", f"{path}/deliveries/{webhook['id']}"):
                refused(asked.get(below), 403, says="webhooks:read")

    def test_nor_are_they_told_of_by_the_log_or_the_audit_trail(
        self, team: Team, webhook: dict[str, Any], who: str
    ) -> None:
        ok(team.owner.patch(f"/webhooks/{webhook['id']}", {"description": "CRM"}))
        somebody = getattr(team, who)
        refused(somebody.get("/log"), 403)
        for params in ({}, {"entityId": webhook["id"]}, {"entityType": "webhook"}, {"action": "created"}):
            answer = ok(somebody.get("/activities", params=params))
            assert "secret-path" not in str(answer)
            assert webhook["id"] not in str(answer)
            assert answer["meta"]["total"] == len(answer["data"])
        assert team.member.listed("/activities", entityId=webhook["id"])


def test_a_viewer_reads_all_but_the_log_webhooks_and_keys_and_writes_nothing(
    team: Team, hidden: dict[str, Any]
) -> None:
    assert team.viewer.listed("/contacts") == [hidden]
    assert hidden["id"] in str(team.viewer.listed("/activities"))
    for method, path, body in (
        ("POST", "/contacts", {"firstName": "A"}),
        ("PATCH", f"/contacts/{hidden['id']}", {"firstName": "A"}),
        ("DELETE", f"/contacts/{hidden['id']}", None),
        ("POST", f"/contacts/{hidden['id']}/tags", {"tags": "B"}),
        ("DELETE", f"/contacts/{hidden['id']}/tags/A", None),
        ("POST", "/tags", {"name": "B"}),
        ("PATCH", "/workspace", {"name": "B"}),
        ("POST", "/api-keys", {"name": "B"}),
    ):
        refused(team.viewer.ask(method, path, json=body), 403)
    assert team.viewer.listed("/contacts") == [hidden]
