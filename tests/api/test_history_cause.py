"""Why a field is as it is, over HTTP: who set it, and through which chain of causes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from domain.tag import TAG, CreateTag, UpdateTag
from eventstore.append import Origin
from eventstore.ids import new_id
from eventstore.work import Work
from projections.history_cause import MAX_LINKS
from schemas.log import Actor
from tests.api.asserting import gone, ok, refused
from tests.api.conftest import Done
from tests.api.team import Member, Team, created


def why(member: Member, path: str, field: str, **params: Any) -> dict[str, Any]:
    found: dict[str, Any] = ok(member.get(f"{path}/explain", params={"field": field, **params}))["data"]
    return found


def chain(member: Member, path: str, field: str) -> list[str]:
    return [link["event"] for link in why(member, path, field)["chain"]]


def rename(tag_id: UUID, name: str, unit: Work) -> None:
    unit.execute(TAG, tag_id, UpdateTag(name=name))


class TestWhoSetIt:
    def test_the_last_event_that_changed_the_field_with_from_and_to_and_by_whom(self, team: Team) -> None:
        contact = team.owner.contact(firstName="Ann", company="Acme")
        path = f"/contacts/{contact['id']}"
        ok(team.admin.patch(path, {"company": "Other"}, headers={"x-request-id": "renamed-1"}))
        ok(team.owner.patch(path, {"city": "Bonn"}))
        found = why(team.owner, path, "company")
        assert (found["value"], found["was"], found["everSet"]) == ("Other", "Acme", True)
        (link,) = found["chain"]
        told = team.owner.listed(f"{path}/history")[1]
        assert link == {name: told[name] for name in link.keys() & told.keys()} | {
            "entityType": "contact", "entityId": contact["id"],
        }  # fmt: skip
        assert (link["userId"], link["requestId"]) == (str(team.admin.account_id), "renamed-1")
        assert (found["job"], found["truncated"]) == (None, False)
        assert chain(team.owner, path, "firstName") == ["contact.created"]

    def test_a_key_of_a_map_by_itself(self, team: Team) -> None:
        path = f"/contacts/{team.owner.contact(customFields={'plan': 'Gold', 'a.b': 1})['id']}"
        ok(team.owner.patch(path, {"customFields": {"size": 3}}))
        assert chain(team.owner, path, "customFields.plan") == ["contact.created"]
        assert why(team.owner, path, "customFields.a.b")["value"] == 1
        assert chain(team.owner, path, "customFields") == ["contact.updated"]

    def test_money_and_its_currency_each_by_itself(self, team: Team) -> None:
        path = f"/deals/{team.owner.deal(value=42000.5)['id']}"
        ok(team.owner.patch(path, {"currency": "EUR"}))
        assert (why(team.owner, path, "value")["value"], chain(team.owner, path, "value")) == (
            42000.5,
            ["deal.created"],
        )
        found = why(team.owner, path, "currency")
        assert (found["value"], found["was"], found["chain"][0]["event"]) == ("EUR", "USD", "deal.updated")

    def test_a_field_that_was_never_set_says_so(self, team: Team) -> None:
        path = f"/contacts/{team.owner.contact()['id']}"
        for field in ("city", "customFields.plan"):
            assert why(team.owner, path, field) == {
                "field": field, "value": None, "was": None, "everSet": False, "chain": [], "job": None,
                "truncated": False,
            }  # fmt: skip

    def test_what_took_a_value_away(self, team: Team) -> None:
        path = f"/contacts/{team.owner.contact(city='Bonn')['id']}"
        ok(team.owner.patch(path, {"city": None}))
        found = why(team.owner, path, "city")
        assert (found["value"], found["was"], found["everSet"]) == (None, "Bonn", True)

    def test_as_it_was_at_a_moment(self, team: Team) -> None:
        path = f"/tags/{team.owner.tag('A')['id']}"
        seq = team.owner.patch(path, {"name": "B"}).headers["daybook-seq"]
        ok(team.owner.patch(path, {"name": "C"}))
        found = why(team.owner, path, "name", asOf=seq)
        assert (found["value"], found["was"], str(found["chain"][0]["seq"])) == ("B", "A", seq)
        assert why(team.owner, path, "name", asOf="0")["everSet"] is False
        refused(team.owner.get(f"{path}/explain?field=name&asOf=soon"), 422, "asOf")

    @pytest.mark.parametrize("field", ["nothing", "company.name", "", "custom", "first_name"])
    def test_what_is_no_field_is_refused_naming_those_that_are(self, team: Team, field: str) -> None:
        path = f"/contacts/{team.owner.contact()['id']}/explain"
        refused(team.owner.get(path, params={"field": field}), 422, "field", says="customFields.<key>")

    def test_a_field_must_be_named(self, team: Team) -> None:
        refused(team.owner.get(f"/tags/{team.owner.tag()['id']}/explain"), 400, "field")


class TestCauses:
    def test_the_end_of_what_was_referred_to(self, team: Team) -> None:
        acme = team.owner.company("Acme")
        path = f"/contacts/{team.owner.contact(companyId=acme['id'])['id']}"
        gone(team.admin.delete(f"/companies/{acme['id']}"))
        found = why(team.owner, path, "companyId")
        assert [link["event"] for link in found["chain"]] == ["contact.updated", "company.deleted"]
        assert (found["chain"][1]["entityId"], found["value"], found["was"]) == (acme["id"], None, acme["id"])
        assert found["chain"][1]["userId"] == str(team.admin.account_id)

    def test_step_by_step_where_one_end_leads_to_another(self, team: Team) -> None:
        kind = created(team.owner.post("/objects", {"name": "Projects", "slug": "projects"}))
        record = created(team.owner.post("/objects/projects/records", {"title": "Brewery"}))
        contact = team.owner.contact()
        note = created(team.owner.post("/notes", {"content": "A", "contactId": contact["id"]}))
        gone(team.owner.delete("/objects/projects"))
        gone(team.owner.delete(f"/contacts/{contact['id']}"))
        ended = f"/objects/{kind['id']}/records/{record['id']}"
        assert chain(team.owner, ended, "title") == ["object_record.deleted", "object_type.deleted"]
        assert chain(team.owner, f"/notes/{note['id']}", "content") == ["note.deleted", "contact.deleted"]

    def test_a_merge_and_its_undoing(self, team: Team) -> None:
        winner, loser = team.owner.contact(), team.owner.contact(city="Bonn")
        note = created(team.owner.post("/notes", {"content": "A", "contactId": loser["id"]}))
        ok(team.admin.post(f"/contacts/{winner['id']}/merge", {"loserId": loser["id"]}))
        merged = why(team.owner, f"/notes/{note['id']}", "contactId")
        assert (merged["was"], merged["value"]) == (loser["id"], winner["id"])
        assert [link["event"] for link in merged["chain"]] == ["note.updated", "contact_merge.carried_out"]
        assert chain(team.owner, f"/contacts/{winner['id']}", "city") == ["contact.merged", "contact_merge.carried_out"]
        assert chain(team.owner, f"/contacts/{loser['id']}", "city") == ["contact.deleted", "contact_merge.carried_out"]
        ok(team.admin.post(f"/contacts/{winner['id']}/merge/undo", {"loserId": loser["id"]}))
        back = ["note.updated", "contact_merge.reversed"]
        assert chain(team.owner, f"/notes/{note['id']}", "contactId") == back

    def test_an_import_with_its_job(self, team: Team) -> None:
        answer = ok(team.owner.post("/contacts/import", {"rows": [{"First Name": "Ann"}]}))["data"]
        (contact,) = team.owner.listed("/contacts")
        found = why(team.owner, f"/contacts/{contact['id']}", "firstName")
        assert [link["event"] for link in found["chain"]] == ["contact.created", "contact_import.started"]
        assert found["job"] == {"id": answer["jobId"], "kind": "contact_import"}

    def test_a_bulk_change_by_its_job(self, team: Team, done: Done) -> None:
        contact = team.owner.contact()
        body = {"ids": [contact["id"]], "updates": {"city": "Bonn"}}
        answer = done(team.owner.post("/bulk/contacts/update", body))
        found = why(team.owner, f"/contacts/{contact['id']}", "city")
        assert found["job"] == {"id": answer["id"], "kind": "contact_update"}

    def test_what_made_room_for_another_stage(self, team: Team) -> None:
        stages = [{"name": "Lead"}, {"name": "Talk"}]
        pipeline = created(team.owner.post("/pipelines", {"name": "Sales", "stages": stages}))
        path = f"/pipelines/{pipeline['id']}/stages"
        first, second = (f"{path}/{stage['id']}" for stage in pipeline["stages"])
        assert chain(team.owner, first, "name") == ["stage.created", "pipeline.created"]
        created(team.owner.post(path, {"name": "New", "order": 1}))
        assert chain(team.owner, first, "order") == ["stage.updated", "stage.created"]
        ok(team.owner.patch(second, {"order": 1}))
        assert chain(team.owner, first, "order") == ["stage.updated", "stage.updated"]

    def test_of_a_very_long_chain_so_much_is_told_and_where_a_cause_is_missing_it_says_so(self, team: Team) -> None:
        store, tag_id = team.services.store, new_id()
        origin = Origin(team.workspace_id, Actor(type="system"), causation_id=new_id())
        store.run(origin, lambda unit: unit.begin(TAG, tag_id, CreateTag(name="A")))
        path = f"/tags/{tag_id}"
        found = why(team.owner, path, "name")
        assert ([link["event"] for link in found["chain"]], found["truncated"]) == (["tag.created"], True)
        for number in range(MAX_LINKS):
            cause = UUID(team.owner.listed(f"{path}/history", limit=1)[0]["id"])
            work = partial(rename, tag_id, f"Tag {number}")
            store.run(replace(origin, causation_id=cause), work)
        found = why(team.owner, path, "name")
        assert (len(found["chain"]), found["truncated"]) == (MAX_LINKS, True)
        assert [link["seq"] for link in found["chain"]] == sorted((e["seq"] for e in found["chain"]), reverse=True)

    def test_a_cause_in_another_workspace_is_none(self, team: Team, others: Team) -> None:
        theirs = others.owner.tag("Theirs")
        cause = UUID(others.owner.listed(f"/tags/{theirs['id']}/history")[0]["id"])
        tag_id, origin = new_id(), Origin(team.workspace_id, Actor(type="system"), causation_id=cause)
        team.services.store.run(origin, lambda unit: unit.begin(TAG, tag_id, CreateTag(name="A")))
        found = why(team.owner, f"/tags/{tag_id}", "name")
        assert ([link["event"] for link in found["chain"]], found["truncated"]) == (["tag.created"], True)

    def test_it_never_leaves_what_a_limited_member_sees(self, team: Team) -> None:
        acme = team.owner.company("Acme")
        mine = team.owner.contact(assignedTo=str(team.limited.account_id), companyId=acme["id"])
        deal = team.owner.deal(assignedTo=str(team.limited.account_id), contactId=team.owner.contact()["id"])
        gone(team.owner.delete(f"/contacts/{deal['contactId']}"))
        assert chain(team.owner, f"/deals/{deal['id']}", "contactId") == ["deal.updated", "contact.deleted"]
        found = why(team.limited, f"/deals/{deal['id']}", "contactId")
        assert ([link["event"] for link in found["chain"]], found["truncated"]) == (["deal.updated"], True)
        assert chain(team.limited, f"/contacts/{mine['id']}", "companyId") == ["contact.created"]
