"""Timelines over HTTP; what a worker does is done here by the view's own consumer."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from api.http import fresh
from tests.api.asserting import gone, ok, refused
from tests.api.conftest import Keep
from tests.api.team import Member, Team, created


def path(thing: dict[str, Any], kind: str = "contacts") -> str:
    return f"/{kind}/{thing['id']}/timeline"


def events(member: Member, thing: dict[str, Any], kind: str = "contacts", **params: Any) -> list[str]:
    return [item["event"] for item in member.listed(path(thing, kind), **params)]


def company(member: Member, name: str) -> dict[str, Any]:
    return created(member.post("/companies", {"name": name}))


class TestWhatIsTold:
    def test_what_happened_to_the_contact_newest_first_and_nothing_else(self, team: Team, keep: Keep) -> None:
        ann, bob = team.owner.contact(firstName="Ann"), team.owner.contact(firstName="Bob")
        ok(team.owner.patch(f"/contacts/{ann['id']}", {"company": "Acme"}))
        ok(team.owner.post(f"/contacts/{ann['id']}/tags", {"tags": "VIP"}))
        ok(team.owner.patch(f"/contacts/{bob['id']}", {"company": "Acme"}))
        keep(team)
        assert events(team.owner, ann) == ["contact.tag_added", "contact.updated", "contact.created"]
        assert events(team.owner, bob) == ["contact.updated", "contact.created"]

    def test_a_companys_has_what_happens_to_its_contacts_from_when_they_come_to_when_they_have_gone(
        self, team: Team, keep: Keep
    ) -> None:
        acme, other = (team.owner.company(name) for name in ("Acme", "Other"))
        ann = team.owner.contact(firstName="Ann")
        for change in ({"city": "Bonn"}, {"companyId": acme["id"]}, {"city": "Köln"}, {"companyId": other["id"]}):
            ok(team.owner.patch(f"/contacts/{ann['id']}", change))
        gone(team.owner.delete(f"/companies/{other['id']}"))
        keep(team)

        def told(company: dict[str, Any]) -> list[tuple[str, list[str]]]:
            items = team.owner.listed(f"/companies/{company['id']}/timeline")
            return [(item["event"], sorted(item["changes"])) for item in items if item["entityId"] == ann["id"]]

        assert told(acme) == [
            ("contact.updated", ["companyId"]), ("contact.updated", ["city"]), ("contact.updated", ["companyId"]),
        ]  # fmt: skip
        refused(team.owner.get(f"/companies/{other['id']}/timeline"), 404, says="company")
        assert len(events(team.owner, ann)) == 6

    def test_what_happens_to_a_deal_is_on_its_own_its_contacts_and_its_companys(self, team: Team, keep: Keep) -> None:
        acme, ann = team.owner.company("Acme"), team.owner.contact(firstName="Ann")
        stages = [{"name": "Lead"}, {"name": "Won", "type": "won"}]
        pipeline = created(team.owner.post("/pipelines", {"name": "Sales", "stages": stages}))
        lead, won = (stage["id"] for stage in pipeline["stages"])
        body = {"name": "A", "value": 1, "pipelineId": pipeline["id"], "stageId": lead, "contactId": ann["id"]}
        deal = created(team.owner.post("/deals", body))
        ok(team.owner.patch(f"/deals/{deal['id']}", {"companyId": acme["id"]}))
        ok(team.owner.patch(f"/deals/{deal['id']}", {"stageId": won, "contactId": None}))
        ok(team.owner.patch(f"/deals/{deal['id']}", {"name": "B"}))
        keep(team)
        moved = ["deal.won", "deal.stage_changed", "deal.updated"]
        assert events(team.owner, deal, "deals") == ["deal.updated", *moved, "deal.updated", "deal.created"]
        assert events(team.owner, ann) == ["deal.updated", "deal.updated", "deal.created", "contact.created"]
        assert events(team.owner, acme, "companies") == ["deal.updated", *moved, "deal.updated", "company.created"]
        assert events(team.key("contacts:read"), ann) == ["contact.created"]
        refused(team.key("contacts:read").get(path(deal, "deals")), 403)

    def test_tasks_notes_calls_and_interactions_are_on_those_of_the_contact_and_the_deal_that_they_are_about(
        self, team: Team, keep: Keep
    ) -> None:
        ann, deal = team.owner.contact(), team.owner.deal()
        about = {"contactId": ann["id"], "dealId": deal["id"]}
        task = created(team.owner.post("/tasks", {"title": "Call back", **about}))
        ok(team.owner.patch(f"/tasks/{task['id']}", {"status": "completed"}))
        note = created(team.owner.post("/notes", {"content": "*Nice*", **about}))
        ok(team.owner.patch(f"/notes/{note['id']}", {"dealId": None}))
        ok(team.owner.patch(f"/notes/{note['id']}", {"content": "*Very* nice"}))
        created(team.owner.post("/calls", {"direction": "inbound", "status": "missed", **about}))
        meeting = created(team.owner.post(f"/contacts/{ann['id']}/interactions", {"type": "meeting"}))
        gone(team.owner.delete(f"/interactions/{meeting['id']}"))
        keep(team)
        first = ["note.created", "task.completed", "task.created"]
        met = ["interaction.deleted", "interaction.created", "call.created"]
        assert events(team.owner, ann) == [*met, "note.updated", "note.updated", *first, "contact.created"]
        assert events(team.owner, deal, "deals") == ["call.created", "note.updated", *first, "deal.created"]
        key = team.key("contacts:read", "tasks:read")
        assert events(key, ann) == ["task.completed", "task.created", "contact.created"]

    def test_that_two_contacts_are_no_duplicates_is_on_those_of_both(self, team: Team, keep: Keep) -> None:
        ann, bob = team.owner.contact(firstName="Ann"), team.owner.contact(firstName="Bob")
        body = {"contactIds": [ann["id"], bob["id"]]}
        (said,) = ok(team.owner.post("/contacts/duplicates/dismiss", body))["data"]["dismissals"]
        gone(team.owner.delete(f"/contacts/duplicates/dismissals/{said['id']}"))
        keep(team)
        for contact in (ann, bob):
            told = ["contact_duplicate.restored", "contact_duplicate.dismissed", "contact.created"]
            assert events(team.key("contacts:read"), contact) == told

    def test_a_limited_member_is_told_no_more_of_a_note_that_has_gone_to_a_contact_of_anothers(
        self, team: Team, keep: Keep
    ) -> None:
        mine, theirs = team.owner.contact(assignedTo=str(team.limited.account_id)), team.owner.contact()
        deal = team.owner.deal(assignedTo=str(team.limited.account_id))
        shared = created(team.owner.post("/notes", {"content": "A", "contactId": mine["id"], "dealId": deal["id"]}))
        ok(team.owner.patch(f"/notes/{shared['id']}", {"dealId": None}))
        ok(team.owner.patch(f"/notes/{shared['id']}", {"contactId": theirs["id"]}))
        keep(team)
        assert events(team.owner, mine) == ["note.updated", "note.updated", "note.created", "contact.created"]
        assert events(team.limited, mine) == ["contact.created"]
        assert events(team.limited, deal, "deals") == ["deal.created"]

    def test_a_limited_member_finds_no_deals_there_but_theirs(self, team: Team, keep: Keep) -> None:
        mine = str(team.limited.account_id)
        ann = team.owner.contact(firstName="Ann", assignedTo=mine)
        pipeline = created(team.owner.post("/pipelines", {"name": "Sales", "stages": [{"name": "Lead"}]}))
        body = {"name": "A", "value": 1, "pipelineId": pipeline["id"], "stageId": pipeline["stages"][0]["id"]}
        hidden = created(team.owner.post("/deals", {**body, "contactId": ann["id"]}))
        keep(team)
        assert events(team.limited, ann) == ["contact.created"]
        refused(team.limited.get(path(hidden, "deals")), 404, says="deal")
        ok(team.owner.patch(f"/deals/{hidden['id']}", {"assignedTo": mine}))
        keep(team)
        assert events(team.limited, ann) == ["deal.updated", "deal.created", "contact.created"]
        assert events(team.limited, hidden, "deals") == ["deal.updated", "deal.created"]

    def test_an_item_is_shown_as_in_the_audit_trail(self, team: Team, keep: Keep) -> None:
        contact = team.admin.contact(firstName="Ann", company="Acme")
        ok(team.admin.patch(f"/contacts/{contact['id']}", {"company": "Acme Corp"}))
        keep(team)
        shown = team.owner.listed(path(contact))
        assert shown == team.owner.listed("/activities", entityId=contact["id"])
        assert shown[0]["changes"] == {"company": {"from": "Acme", "to": "Acme Corp"}}
        assert shown[0]["userId"] == str(team.admin.account_id)

    def test_on_a_companys_is_what_happens_to_its_contacts_while_they_are(self, team: Team, keep: Keep) -> None:
        acme, other = company(team.owner, "Acme"), company(team.owner, "Other")
        ann = team.owner.contact(firstName="Ann")
        for changes in ({"companyId": acme["id"]}, {"city": "Rome"}, {"companyId": other["id"]}, {"city": "Paris"}):
            ok(team.owner.patch(f"/contacts/{ann['id']}", changes))
        ok(team.owner.patch(f"/companies/{acme['id']}", {"name": "Acme Corp"}))
        keep(team)
        found = team.owner.listed(path(acme, "companies"))
        assert [(item["event"], sorted(item["changes"])) for item in found] == [
            ("company.updated", ["name"]),
            ("contact.updated", ["companyId"]),
            ("contact.updated", ["city"]),
            ("contact.updated", ["companyId"]),
            ("company.created", ["name"]),
        ]
        assert [item["changes"]["companyId"]["to"] for item in found if "companyId" in item["changes"]] == [
            other["id"],
            acme["id"],
        ]
        assert [sorted(item["changes"]) for item in team.owner.listed(path(other, "companies"))] == [
            ["city"],
            ["companyId"],
            ["name"],
        ]
        assert len(events(team.owner, ann)) == 5

    def test_it_says_how_far_it_is(self, team: Team, keep: Keep) -> None:
        contact = team.owner.contact()
        answer = team.owner.get(path(contact))
        assert (ok(answer)["data"], answer.headers["daybook-view-seq"]) == ([], "0")
        keep(team)
        done = team.owner.patch(f"/contacts/{contact['id']}", {"company": "Acme"})
        answer = team.owner.get(path(contact))
        assert int(answer.headers["daybook-view-seq"]) == int(done.headers["daybook-seq"]) - 1
        assert len(ok(answer)["data"]) == 1


class TestWhatHangsOnIt:
    def test_a_companys_has_what_is_about_its_contacts_while_they_belong_to_it(self, team: Team, keep: Keep) -> None:
        acme, other = team.owner.company("Acme"), team.owner.company("Other")
        ann = team.owner.contact(firstName="Ann")
        about = {"contactId": ann["id"]}
        note = created(team.owner.post("/notes", {"content": "Before", **about}))
        ok(team.owner.patch(f"/contacts/{ann['id']}", {"companyId": acme["id"]}))
        ok(team.owner.patch(f"/notes/{note['id']}", {"content": "Meanwhile"}))
        created(team.owner.post("/tasks", {"title": "Call back", **about}))
        created(team.owner.post("/calls", {"direction": "inbound", "status": "missed", **about}))
        created(team.owner.post(f"/contacts/{ann['id']}/interactions", {"type": "meeting"}))
        keep(team)
        ok(team.owner.patch(f"/contacts/{ann['id']}", {"companyId": other["id"]}))
        ok(team.owner.patch(f"/notes/{note['id']}", {"content": "After"}))
        keep(team)
        meanwhile = ["interaction.created", "call.created", "task.created", "note.updated"]
        told = events(team.owner, acme, "companies")
        assert told == ["contact.updated", *meanwhile, "contact.updated", "company.created"]
        assert events(team.owner, other, "companies") == ["note.updated", "contact.updated", "company.created"]

    def test_what_is_about_a_deal_is_on_its_contacts_and_on_the_companies_of_both(self, team: Team, keep: Keep) -> None:
        acme, other = team.owner.company("Acme"), team.owner.company("Other")
        ann = team.owner.contact(companyId=acme["id"])
        deal = team.owner.deal(contactId=ann["id"], companyId=other["id"])
        note = created(team.owner.post("/notes", {"content": "Nice", "dealId": deal["id"]}))
        ok(team.owner.patch(f"/deals/{deal['id']}", {"contactId": None}))
        ok(team.owner.patch(f"/notes/{note['id']}", {"content": "Nicer"}))
        keep(team)
        assert events(team.owner, deal, "deals") == ["note.updated", "deal.updated", "note.created", "deal.created"]
        assert events(team.owner, ann) == ["deal.updated", "note.created", "deal.created", "contact.created"]
        told = events(team.owner, acme, "companies")
        assert told == ["deal.updated", "note.created", "deal.created", "contact.created", "company.created"]
        theirs = ["note.updated", "deal.updated", "note.created", "deal.created"]
        assert events(team.owner, other, "companies") == [*theirs, "company.created"]

    def test_what_ends_along_with_a_contact_is_told_to_its_company(self, team: Team, keep: Keep) -> None:
        acme = team.owner.company("Acme")
        ann = team.owner.contact(companyId=acme["id"])
        created(team.owner.post("/notes", {"content": "Nice", "contactId": ann["id"]}))
        deal = team.owner.deal(contactId=ann["id"])
        gone(team.owner.delete(f"/contacts/{ann['id']}"))
        ok(team.owner.patch(f"/deals/{deal['id']}", {"name": "After"}))
        keep(team)
        told = events(team.owner, acme, "companies")
        assert sorted(told[:3]) == ["contact.deleted", "deal.updated", "note.deleted"]
        assert told[3:] == ["deal.created", "note.created", "contact.created", "company.created"]

    def test_a_merge_takes_what_is_about_the_loser_to_the_winners_company_and_its_undo_back(
        self, team: Team, keep: Keep
    ) -> None:
        acme, other = team.owner.company("Acme"), team.owner.company("Other")
        winner = team.owner.contact(firstName="Ann", companyId=acme["id"])
        loser = team.owner.contact(firstName="Anne", companyId=other["id"])
        note = created(team.owner.post("/notes", {"content": "Nice", "contactId": loser["id"]}))

        def told(company: dict[str, Any]) -> list[str]:
            keep(team)
            items = team.owner.listed(path(company, "companies"))
            return [item["event"] for item in items if item["entityId"] == note["id"]]

        ok(team.owner.post(f"/contacts/{winner['id']}/merge", {"loserId": loser["id"]}))
        ok(team.owner.patch(f"/notes/{note['id']}", {"content": "Nicer"}))
        assert (told(acme), told(other)) == (["note.updated", "note.updated"], ["note.updated", "note.created"])
        ok(team.owner.post(f"/contacts/{winner['id']}/merge/undo", {"loserId": loser["id"]}))
        ok(team.owner.patch(f"/notes/{note['id']}", {"content": "Nicest"}))
        assert (told(acme), told(other)) == (["note.updated"] * 3, ["note.updated"] * 3 + ["note.created"])

    def test_a_limited_member_is_told_of_a_companys_contacts_only_what_is_theirs(self, team: Team, keep: Keep) -> None:
        acme, mine = team.owner.company("Acme"), str(team.limited.account_id)
        ann, bob = team.owner.contact(companyId=acme["id"], assignedTo=mine), team.owner.contact(companyId=acme["id"])
        for contact in (ann, bob):
            created(team.owner.post("/notes", {"content": "Nice", "contactId": contact["id"]}))
            deal = team.owner.deal(contactId=contact["id"])
            created(
                team.owner.post(
                    "/calls",
                    {"direction": "inbound", "status": "missed", "contactId": contact["id"], "dealId": deal["id"]},
                )
            )
        keep(team)
        answer = ok(team.limited.get(path(acme, "companies")))
        told = ["call.created", "note.created", "contact.created", "company.created"]
        assert ([item["event"] for item in answer["data"]], answer["meta"]["total"]) == (told, 4)
        assert len(events(team.owner, acme, "companies")) == 9
        assert events(team.key("companies:read"), acme, "companies") == ["company.created"]


class TestPages:
    def test_by_number_and_by_cursor_every_item_comes_once(self, team: Team, keep: Keep) -> None:
        contact = team.owner.contact()
        for number in range(6):
            ok(team.owner.patch(f"/contacts/{contact['id']}", {"company": f"Acme {number}"}))
        keep(team)
        everything = team.owner.listed(path(contact))
        assert [item["seq"] for item in everything] == sorted((item["seq"] for item in everything), reverse=True)
        pages = [team.owner.listed(path(contact), limit=3, page=page) for page in (1, 2, 3)]
        assert [item for page in pages for item in page] == everything
        found, cursor = [], None
        for size in (3, 3, 1):
            answer = ok(team.owner.get(path(contact), params={"limit": 3, **({"cursor": cursor} if cursor else {})}))
            assert answer["meta"]["total"] == 7
            assert len(answer["data"]) == size
            found += answer["data"]
            cursor = answer["meta"]["nextCursor"]
        assert (found, cursor) == (everything, None)

    def test_it_is_always_newest_first(self, team: Team) -> None:
        contact = team.owner.contact()
        refused(team.owner.get(path(contact), params={"sort": "timestamp"}), 400, "sort")
        refused(team.owner.get(path(contact), params={"cursor": "12"}), 400, "cursor")


class TestWhoseItIs:
    def test_of_what_is_not_there_was_deleted_or_is_anothers_there_is_none(
        self, team: Team, others: Team, keep: Keep
    ) -> None:
        contact, foreign = team.owner.contact(), others.owner.contact()
        gone(team.owner.delete(f"/contacts/{contact['id']}"))
        keep(team)
        for missing in (contact, foreign, {"id": uuid4()}):
            refused(team.owner.get(path(missing)), 404, says="contact")

    def test_a_limited_member_sees_that_of_their_own_contacts(self, team: Team, keep: Keep) -> None:
        mine = team.owner.contact(assignedTo=str(team.limited.account_id))
        theirs = team.owner.contact(assignedTo=str(team.member.account_id))
        keep(team)
        assert events(team.limited, mine) == ["contact.created"]
        refused(team.limited.get(path(theirs)), 404)
        refused(team.limited.get(path(team.owner.contact())), 404)

    def test_a_limited_member_sees_no_item_about_what_is_assigned_to_others(self, team: Team, keep: Keep) -> None:
        acme = company(team.owner, "Acme")
        mine, theirs = str(team.limited.account_id), str(team.member.account_id)
        contact = team.owner.contact(companyId=acme["id"], assignedTo=mine)
        team.owner.contact(companyId=acme["id"], assignedTo=theirs)
        keep(team)
        assert len(events(team.owner, acme, "companies")) == 3
        answer = ok(team.limited.get(path(acme, "companies")))
        assert [item["entityId"] for item in answer["data"]] == [contact["id"], acme["id"]]
        assert answer["meta"]["total"] == 2

    def test_a_key_sees_no_item_about_what_its_scopes_do_not_let_it_read(self, team: Team, keep: Keep) -> None:
        acme = company(team.owner, "Acme")
        team.owner.contact(companyId=acme["id"], notes="Confidential")
        keep(team)
        answer = ok(team.key("companies:read").get(path(acme, "companies")))
        assert [item["entityId"] for item in answer["data"]] == [acme["id"]]
        assert answer["meta"]["total"] == 1
        both = team.key("companies:read", "contacts:read")
        assert events(both, acme, "companies") == ["contact.created", "company.created"]


class TestReadingWhatOneWrote:
    def test_what_is_there_is_answered_at_once(self, team: Team, keep: Keep) -> None:
        done = team.owner.post("/contacts", {"firstName": "Ann"})
        keep(team)
        contact = ok(done, 201)["data"]
        assert events(team.owner, contact, minSeq=done.headers["daybook-seq"]) == ["contact.created"]

    def test_it_waits_until_the_view_has_come_so_far(self, team: Team, keep: Keep) -> None:
        done = team.owner.post("/contacts", {"firstName": "Ann"})
        contact = ok(done, 201)["data"]
        with ThreadPoolExecutor(1) as executor:
            asked = executor.submit(events, team.owner, contact, minSeq=done.headers["daybook-seq"])
            time.sleep(0.2)
            assert not asked.done()
            keep(team)
            assert asked.result() == ["contact.created"]

    def test_when_the_view_does_not_come_so_far_it_is_to_be_asked_again(
        self, team: Team, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fresh, "WAIT_SECONDS", 0.2)
        done = team.owner.post("/contacts", {"firstName": "Ann"})
        answer = team.owner.get(path(ok(done, 201)["data"]), params={"minSeq": done.headers["daybook-seq"]})
        refused(answer, 503, says="The view has come to 0 of the log")
        assert answer.headers["retry-after"] == "1"

    def test_a_seq_that_the_log_has_not_come_to_is_refused_at_once(self, team: Team) -> None:
        contact = team.owner.contact()
        refused(team.owner.get(path(contact), params={"minSeq": 10_000}), 422, "minSeq", says="it ends at")
        refused(team.owner.get(path(contact), params={"minSeq": -1}), 400, "minSeq")
        refused(team.owner.get(path(contact), params={"minSeq": 2**63}), 400, "minSeq")

    def test_those_who_wait_keep_nobody_else_waiting(self, team: Team, server: str, keep: Keep) -> None:
        done = team.owner.post("/contacts", {"firstName": "Ann"})
        contact = ok(done, 201)["data"]
        many = 2 * team.services.pool.max_size
        headers = {"authorization": f"Bearer {team.owner.token}"}
        address = f"{server}/api/v1{path(contact)}"

        def wait() -> int:
            params = {"minSeq": done.headers["daybook-seq"]}
            return team.http.get(address, params=params, headers=headers, timeout=30).status_code

        with ThreadPoolExecutor(many) as executor:
            waiting = [executor.submit(wait) for _ in range(many)]
            time.sleep(0.5)
            began = time.monotonic()
            ok(team.owner.get(f"/contacts/{contact['id']}"))
            assert time.monotonic() - began < fresh.WAIT_SECONDS / 2
            keep(team)
            assert {asked.result() for asked in waiting} <= {200, 503}
