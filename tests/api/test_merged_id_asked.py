"""Conditions of segments, smart lists, searches and bulk jobs that name a contact which was merged into another mean that other."""

from __future__ import annotations

from typing import Any

import pytest

from domain.kernel.filter import Condition
from eventstore.database import reading
from projections.contact import CONTACTS
from projections.contact_asked import FIELDS
from projections.custom_field_asked import defined
from projections.table.asking import asked as asking
from tests.api.asserting import ok, refused
from tests.api.conftest import Done, Keep
from tests.api.team import Team, created
from tests.api.test_contact_search import asked
from tests.api.test_custom_field import define
from tests.api.test_segment import condition, matching

WANTED = {"id": "Ann", "custom.agent": "Ben", "deals.contactId": "Ann"}
"""By the field of which an old id is asked: who is found."""


@pytest.fixture
def old(team: Team) -> str:
    """The id of one who was merged into Ann, who has a deal, and whom Ben has as his agent."""
    ann, loser = team.owner.contact(firstName="Ann"), team.owner.contact(firstName="Old")
    define(team, key="agent", type="related")
    team.owner.contact(firstName="Ben", customFields={"agent": loser["id"]})
    team.owner.contact(firstName="Cleo")
    team.owner.deal(contactId=loser["id"])
    ok(team.owner.post(f"/contacts/{ann['id']}/merge", {"loserId": loser["id"]}))
    old: str = loser["id"]
    return old


def names(found: list[dict[str, Any]]) -> set[str]:
    return {contact["firstName"] for contact in found}


@pytest.mark.parametrize("field", WANTED)
class TestACondition:
    def test_of_a_segment_is_kept_as_it_was_given(self, team: Team, old: str, field: str) -> None:
        """Beside a condition of which another is found, so that not nothing is."""
        given = matching("any", condition(field, "in", [old]), condition("firstName", "eq", "Cleo"))
        previewed = ok(team.owner.post("/segments/preview", {"filter": given}))["data"]
        segment = created(team.owner.post("/segments", {"name": "Either", "filter": given}))
        assert segment["filter"]["conditions"][0]["value"] == [old]
        found = team.owner.listed(f"/segments/{segment['id']}/contacts")
        assert names(previewed["contacts"]) == names(found) == {WANTED[field], "Cleo"}

    def test_of_a_smart_list_is_asked_as_that_of_a_search(self, team: Team, old: str, field: str) -> None:
        query = {"groups": [{"conditions": [{"field": field, "op": "eq", "value": old}]}]}
        (saved,) = ok(team.owner.ask("PUT", "/contacts/views", json=[{"name": "Theirs", "query": query}]))["data"]
        (found,) = ok(team.owner.post("/contacts/search", {"query": saved["query"]}))["data"]
        assert found["firstName"] == WANTED[field]

    def test_of_a_bulk_job_has_the_other_changed(self, team: Team, old: str, field: str, done: Done) -> None:
        wanted = matching("all", condition(field, "eq", old))
        job = done(team.owner.post("/bulk/contacts/update", {"filter": wanted, "updates": {"city": "Ghent"}}))
        assert job["errors"] == 0
        assert asked(team.owner, [("city", "eq", "Ghent")]) == [WANTED[field]]

    def test_that_excludes_it_excludes_the_other(self, team: Team, old: str, field: str) -> None:
        assert WANTED[field] not in asked(team.owner, [(field, "neq", old)])

    def test_means_the_same_of_one_contact_at_hand(self, team: Team, old: str, field: str) -> None:
        wanted = Condition(field=field, operator="eq", value=old)
        with reading(team.services.pool, team.workspace_id) as conn:
            holds = asking.asked(wanted, defined(conn, CONTACTS, FIELDS)).test(conn)
            assert [row.state.first_name for row in CONTACTS.all(conn) if holds(row)] == [WANTED[field]]


def test_after_an_undo_it_means_its_own_again(team: Team, old: str) -> None:
    assert asked(team.owner, [("id", "eq", old)]) == ["Ann"]
    ok(team.owner.post(f"/contacts/{team.owner.shown(f'/contacts/{old}')['id']}/merge/undo", {}))
    assert asked(team.owner, [("id", "eq", old)]) == ["Old"]


def test_as_of_a_moment_before_the_merge_it_means_its_own(team: Team, keep: Keep, old: str) -> None:
    (merge,) = (entry for entry in team.owner.listed("/log") if entry["type"] == "contact_merge.carried_out")
    keep(team)
    for seq in (merge["seq"] - 1, merge["seq"] + 4):
        found = team.owner.listed("/contacts/search", **{"custom.agent": old, "asOf": seq})
        assert [(one["firstName"], one["customFields"]["agent"] == old) for one in found] == [
            ("Ben", seq < merge["seq"])
        ]


def test_beside_what_is_no_id_it_is_refused_as_ever(team: Team, old: str) -> None:
    given = matching("all", condition("id", "in", [old, "Ann"]))
    refused(team.owner.post("/segments/preview", {"filter": given}), 422, "filter.conditions[0].value")
