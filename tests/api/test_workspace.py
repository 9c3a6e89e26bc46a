"""The workspace over HTTP."""

from __future__ import annotations

import pytest

from tests.api.asserting import ok, refused
from tests.api.team import Team


def test_it_is_the_one_that_the_caller_acts_in(team: Team) -> None:
    answer = team.viewer.get("/workspace")
    workspace = ok(answer)["data"]
    assert workspace["id"] == str(team.workspace_id)
    assert (workspace["name"], workspace["plan"], workspace["phoneRegion"]) == ("The team", "enterprise", "US")
    assert workspace["memberCount"] == 2
    assert answer.headers["etag"] == f'"{workspace["version"]}"'


def test_a_new_member_is_not_missed_by_who_knows_the_version(team: Team) -> None:
    assert ok(team.owner.get("/workspace"))["data"]["memberCount"] == 1
    assert team.viewer.get("/workspace", headers={"if-none-match": '"1"'}).json()["data"]["memberCount"] == 2


def test_only_the_fields_given_change(team: Team) -> None:
    answer = team.admin.patch("/workspace", {"name": " Acme Sales "})
    assert ok(answer)["data"]["name"] == "Acme Sales"
    assert ok(team.owner.patch("/workspace", {"phoneRegion": "de"}))["data"]["phoneRegion"] == "DE"
    workspace = ok(team.owner.get("/workspace"))["data"]
    assert (workspace["name"], workspace["phoneRegion"], workspace["version"]) == ("Acme Sales", "DE", 3)


@pytest.mark.parametrize(("field", "value"), [("name", ""), ("phoneRegion", "Germany"), ("phoneRegion", "XX")])
def test_what_is_not_acceptable_names_its_field(team: Team, field: str, value: str) -> None:
    refused(team.owner.patch("/workspace", {field: value}), 422, field)


@pytest.mark.parametrize("field", ["plan", "ownerId", "memberCount"])
def test_what_is_not_the_callers_to_set_is_refused(team: Team, field: str) -> None:
    refused(team.owner.patch("/workspace", {field: "enterprise"}), 422, field)


def test_only_the_version_that_is_known_is_changed(team: Team) -> None:
    ok(team.owner.patch("/workspace", {"name": "A"}, headers={"if-match": '"1"'}))
    refused(team.owner.patch("/workspace", {"name": "B"}, headers={"if-match": '"1"'}), 412)


def test_only_admins_change_it(team: Team) -> None:
    for somebody in (team.member, team.limited, team.viewer):
        refused(somebody.patch("/workspace", {"name": "Mine"}), 403)
