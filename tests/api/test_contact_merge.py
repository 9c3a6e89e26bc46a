"""Merging contacts: what the winner has then, where all else goes, and how all of it goes back."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from daybook.embedded import EmbeddedPostgres
from projections.verify import verify
from tests.api.asserting import gone, ok, refused
from tests.api.team import Member, Team, created
from tests.logs import types


def merge(who: Member, winner: dict[str, Any], loser: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = who.post(f"/contacts/{winner['id']}/merge", {"loserId": loser["id"], **more})
    found: dict[str, Any] = ok(answer)["data"]
    return found


def undo(who: Member, winner: dict[str, Any], **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = ok(who.post(f"/contacts/{winner['id']}/merge/undo", body))["data"]
    return found


def about(team: Team, contact: dict[str, Any]) -> list[str]:
    """One of everything that refers to a contact; the paths of them."""
    their = {"contactId": contact["id"]}
    stages = [{"name": "Lead", "probability": 0.5}]
    pipeline = created(team.owner.post("/pipelines", {"name": f"For {contact['id']}", "stages": stages}))
    place = {"pipelineId": pipeline["id"], "stageId": pipeline["stages"][0]["id"]}
    made = {
        "tasks": created(team.owner.post("/tasks", {"title": "Call", **their})),
        "notes": created(team.owner.post("/notes", {"content": "Met", **their})),
        "calls": created(team.owner.post("/calls", {"direction": "inbound", "status": "completed", **their})),
        "deals": created(team.owner.post("/deals", {"name": "Northwind", "value": 1, **place, **their})),
    }
    interaction = created(team.owner.post(f"/contacts/{contact['id']}/interactions", {"type": "email_sent"}))
    return [*(f"/{name}/{thing['id']}" for name, thing in made.items()), f"/interactions/{interaction['id']}"]


class TestAMerge:
    def test_gives_the_winner_what_it_lacks_and_nothing_else(self, team: Team) -> None:
        winner = team.owner.contact(firstName="Sarah", phone="+14155552671", customFields={"plan": "pro"})
        loser = team.owner.contact(
            firstName="S.", lastName="Kim", email="sarah@example.com", phone="+14155552672 ext. 5", dnc=True,
            customFields={"plan": "basic", "size": 3}, tags=["VIP"],
        )  # fmt: skip
        found = merge(team.owner, winner, loser)
        shown = team.owner.shown(f"/contacts/{winner['id']}")
        assert found["contact"] == shown
        assert (shown["firstName"], shown["lastName"], shown["email"]) == ("Sarah", "Kim", "sarah@example.com")
        assert (shown["phone"], shown["phoneExtension"], shown["dnc"]) == ("+14155552671", None, True)
        assert (shown["customFields"], shown["tags"]) == ({"plan": "pro", "size": 3}, ["VIP"])

    def test_says_field_by_field_whose_value_wins(self, team: Team) -> None:
        winner = team.owner.contact(firstName="Sarah", customFields={"plan": "pro"})
        loser = team.owner.contact(firstName="S.", city="Ghent", customFields={"plan": "basic", "size": 3})
        found = merge(team.owner, winner, loser, dryRun=True)
        fields = {one["field"]: (one["winner"], one["loser"], one["result"], one["of"]) for one in found["fields"]}
        assert fields["firstName"] == ("Sarah", "S.", "Sarah", "winner")
        assert fields["city"] == (None, "Ghent", "Ghent", "loser")
        assert fields["customFields.plan"] == ("pro", "basic", "pro", "winner")
        assert fields["customFields.size"] == (None, 3, 3, "loser")

    def test_that_is_dry_does_nothing_and_says_what_the_real_one_would(self, team: Team) -> None:
        winner, loser = team.owner.contact(firstName="A"), team.owner.contact(lastName="B", tags=["VIP"])
        about(team, loser)
        before = types(team.services.pool, team.workspace_id)
        dry = merge(team.owner, winner, loser, dryRun=True)
        assert types(team.services.pool, team.workspace_id) == before
        done = merge(team.owner, winner, loser)
        assert (dry["dryRun"], done["dryRun"]) == (True, False)
        assert (dry["fields"], dry["moved"]) == (done["fields"], done["moved"])
        assert {**dry["contact"], "version": 0, "updatedAt": ""} == {**done["contact"], "version": 0, "updatedAt": ""}

    def test_takes_along_all_that_refers_to_the_loser(self, team: Team) -> None:
        winner, loser = team.owner.contact(), team.owner.contact()
        field = {"name": "Agent", "key": "agent", "type": "related", "entity": "contact"}
        created(team.owner.post("/custom-fields", field))
        client = team.owner.contact(customFields={"agent": loser["id"]})
        paths = about(team, loser)
        found = merge(team.owner, winner, loser)
        assert found["moved"] == {"call": 1, "contact": 1, "deal": 1, "interaction": 1, "note": 1, "task": 1}
        assert {team.owner.shown(path)["contactId"] for path in paths} == {winner["id"]}
        assert team.owner.shown(f"/contacts/{client['id']}")["customFields"] == {"agent": winner["id"]}

    def test_has_the_winner_related_to_itself_where_the_loser_was_and_undoes_that(self, team: Team) -> None:
        field = {"name": "Head", "key": "head", "type": "related", "entity": "contact"}
        created(team.owner.post("/custom-fields", field))
        winner, loser = team.owner.contact(), team.owner.contact(customFields={"free": "x"})
        paths = [f"/contacts/{one['id']}" for one in (winner, loser)]
        ok(team.owner.patch(paths[1], {"customFields": {"head": loser["id"]}}))
        dry = merge(team.owner, winner, loser, dryRun=True)
        found = merge(team.owner, winner, loser)
        assert found["contact"]["customFields"] == {"free": "x", "head": winner["id"]}
        assert (dry["fields"], dry["moved"], found["moved"]) == (found["fields"], {}, {})
        undo(team.owner, winner)
        own = [team.owner.shown(path)["customFields"] for path in paths]
        assert own == [{}, {"free": "x", "head": loser["id"]}]

    def test_is_told_by_an_event_of_its_own(self, team: Team) -> None:
        winner, loser = team.owner.contact(), team.owner.contact(tags=["VIP"])
        merge(team.owner, winner, loser)
        told = types(team.services.pool, team.workspace_id)[-3:]
        assert told == ["contact_merge.carried_out", "contact.deleted", "contact.merged"]

    def test_of_two_that_are_one_already_changes_nothing(self, team: Team) -> None:
        winner, loser = team.owner.contact(), team.owner.contact()
        first = merge(team.owner, winner, loser)
        before = types(team.services.pool, team.workspace_id)
        assert merge(team.owner, winner, loser)["contact"] == first["contact"]
        assert types(team.services.pool, team.workspace_id) == before

    def test_of_a_winner_that_has_changed_is_refused(self, team: Team) -> None:
        winner, loser = team.owner.contact(), team.owner.contact()
        ok(team.owner.patch(f"/contacts/{winner['id']}", {"city": "Ghent"}))
        path = f"/contacts/{winner['id']}/merge"
        refused(team.owner.post(path, {"loserId": loser["id"]}, headers={"if-match": '"1"'}), 412)
        ok(team.owner.post(path, {"loserId": loser["id"]}, headers={"if-match": '"2"'}))

    def test_is_refused_with_itself_nothing_and_what_is_not_seen(self, team: Team, others: Team) -> None:
        mine = team.limited.contact()
        for loser in (mine["id"], str(uuid4()), others.owner.contact()["id"], team.owner.contact()["id"]):
            refused(team.limited.post(f"/contacts/{mine['id']}/merge", {"loserId": loser}), 422, "loserId")
        refused(team.limited.post(f"/contacts/{team.owner.contact()['id']}/merge", {"loserId": mine["id"]}), 404)
        refused(team.viewer.post(f"/contacts/{mine['id']}/merge", {"loserId": str(uuid4())}), 403)

    def test_is_refused_to_who_does_not_see_all_that_would_go_over(self, team: Team) -> None:
        winner, loser = team.limited.contact(), team.limited.contact()
        deal = team.owner.deal(contactId=loser["id"])
        refused(team.limited.post(f"/contacts/{winner['id']}/merge", {"loserId": loser["id"]}), 403)
        assert team.owner.shown(f"/deals/{deal['id']}")["contactId"] == loser["id"]

    def test_of_what_hundreds_refer_to_is_one_transaction(self, team: Team) -> None:
        winner, loser = team.owner.contact(), team.owner.contact()
        notes = [created(team.owner.post("/notes", {"content": "x", "contactId": loser["id"]})) for _ in range(101)]
        assert merge(team.owner, winner, loser)["moved"] == {"note": 101}
        assert team.owner.shown(f"/notes/{notes[100]['id']}")["contactId"] == winner["id"]
        undo(team.owner, winner)
        assert team.owner.shown(f"/notes/{notes[0]['id']}")["contactId"] == loser["id"]


class TestTheLosersId:
    def test_leads_to_the_winner_however_often_that_is_merged_again(self, team: Team) -> None:
        a, b, c = (team.owner.contact(firstName=name) for name in "ABC")
        merge(team.owner, b, a)
        answer = team.owner.get(f"/contacts/{a['id']}")
        assert (ok(answer)["data"]["id"], answer.headers["daybook-merged-into"]) == (b["id"], b["id"])
        merge(team.owner, c, b)
        assert {team.owner.shown(f"/contacts/{one['id']}")["id"] for one in (a, b, c)} == {c["id"]}
        assert "daybook-merged-into" not in team.owner.get(f"/contacts/{c['id']}").headers
        assert [one["id"] for one in team.owner.listed("/contacts")] == [c["id"]]

    def test_leads_nowhere_when_the_winner_is_deleted_or_not_to_be_seen(self, team: Team) -> None:
        winner, loser = team.owner.contact(), team.owner.contact()
        merge(team.owner, winner, loser)
        refused(team.limited.get(f"/contacts/{loser['id']}"), 404)
        gone(team.owner.delete(f"/contacts/{winner['id']}"))
        refused(team.owner.get(f"/contacts/{loser['id']}"), 404)


class TestUndoing:
    def test_puts_everything_back_where_it_was(self, team: Team) -> None:
        winner = team.owner.contact(firstName="A", customFields={"plan": "pro"})
        loser = team.owner.contact(email="b@example.com", phone="+14155552671", customFields={"size": 3}, tags=["VIP"])
        paths = about(team, loser)
        was = [team.owner.shown(f"/contacts/{one['id']}") for one in (winner, loser)]
        merge(team.owner, winner, loser)
        undo(team.owner, winner)
        now = [team.owner.shown(f"/contacts/{one['id']}") for one in (winner, loser)]
        changing = ("version", "updatedAt")
        assert [{**one, **dict.fromkeys(changing)} for one in now] == [
            {**one, **dict.fromkeys(changing)} for one in was
        ]
        assert {team.owner.shown(path)["contactId"] for path in paths} == {loser["id"]}

    @pytest.mark.parametrize(
        "defined",
        [
            {"type": "number"},
            {"type": "related"},
            {"type": "select", "options": ["large"]},
            {"type": "text", "maxLength": 2},
            {"type": "text", "key": "other", "required": True},
            {"type": "text", "contactType": "organization"},
        ],
        ids=["number", "related", "select", "short", "required", "of others"],
    )
    def test_brings_back_values_of_before_their_definition(self, team: Team, defined: dict[str, Any]) -> None:
        winner, loser = team.owner.contact(), team.owner.contact(customFields={"size": "small"})
        merge(team.owner, winner, loser)
        created(team.owner.post("/custom-fields", {"name": "Size", "key": "size", "entity": "contact", **defined}))
        undo(team.owner, winner)
        assert team.owner.shown(f"/contacts/{loser['id']}")["customFields"] == {"size": "small"}

    def test_takes_what_was_the_losers_though_it_is_required_by_now(self, team: Team) -> None:
        winner, loser = team.owner.contact(), team.owner.contact(customFields={"size": "small"})
        merge(team.owner, winner, loser)
        created(
            team.owner.post(
                "/custom-fields",
                {"name": "Size", "key": "size", "entity": "contact", "type": "text", "required": True},
            )
        )
        assert undo(team.owner, winner)["customFields"] == {}

    def test_leaves_what_was_changed_since_as_it_is(self, team: Team) -> None:
        winner, loser = team.owner.contact(firstName="A"), team.owner.contact(lastName="B", city="Ghent", tags=["VIP"])
        other = team.owner.contact()
        elsewhere, stays, *_ = (
            created(team.owner.post("/notes", {"content": "x", "contactId": loser["id"]})) for _ in range(2)
        )
        merge(team.owner, winner, loser)
        later = created(team.owner.post("/notes", {"content": "x", "contactId": winner["id"]}))
        ok(team.owner.patch(f"/contacts/{winner['id']}", {"city": "Bruges"}))
        ok(team.owner.patch(f"/notes/{elsewhere['id']}", {"contactId": other["id"]}))
        (vip,) = team.owner.listed("/tags")
        gone(team.owner.delete(f"/tags/{vip['id']}"))
        found = undo(team.owner, winner)
        assert (found["lastName"], found["city"]) == (None, "Bruges")
        back = team.owner.shown(f"/contacts/{loser['id']}")
        assert (back["lastName"], back["city"], back["tags"]) == ("B", "Ghent", [])
        where = [team.owner.shown(f"/notes/{note['id']}")["contactId"] for note in (elsewhere, stays, later)]
        assert where == [other["id"], loser["id"], winner["id"]]

    def test_is_of_the_last_merge_unless_it_is_said_of_which(self, team: Team) -> None:
        winner, first, last = (team.owner.contact() for _ in range(3))
        for loser in (first, last):
            merge(team.owner, winner, loser)
        undo(team.owner, winner, loserId=first["id"])
        assert team.owner.shown(f"/contacts/{first['id']}")["id"] == first["id"]
        assert team.owner.shown(f"/contacts/{last['id']}")["id"] == winner["id"]
        undo(team.owner, winner)
        assert team.owner.shown(f"/contacts/{last['id']}")["id"] == last["id"]

    def test_is_of_the_last_merge_where_nothing_is_sent(self, team: Team) -> None:
        winner, loser = team.owner.contact(), team.owner.contact()
        merge(team.owner, winner, loser)
        ok(team.owner.post(f"/contacts/{winner['id']}/merge/undo"))
        assert team.owner.shown(f"/contacts/{loser['id']}")["id"] == loser["id"]

    def test_twice_is_once(self, team: Team) -> None:
        winner, loser = team.owner.contact(), team.owner.contact()
        path = f"/contacts/{winner['id']}/merge/undo"
        refused(team.owner.post(path, {}), 409, says="Nothing was merged")
        merge(team.owner, winner, loser)
        first = undo(team.owner, winner, loserId=loser["id"])
        assert undo(team.owner, winner, loserId=loser["id"]) == first
        refused(team.owner.post(path, {}), 409)

    def test_of_what_was_never_merged_is_refused(self, team: Team) -> None:
        winner, loser = team.owner.contact(), team.owner.contact()
        path = f"/contacts/{winner['id']}/merge/undo"
        refused(team.owner.post(path, {"loserId": loser["id"]}), 422, "loserId")

    def test_is_refused_while_somebody_else_has_the_losers_address(self, team: Team) -> None:
        winner, loser = team.owner.contact(firstName="A"), team.owner.contact(email="b@example.com", firstName="B")
        merge(team.owner, winner, loser)
        ok(team.owner.patch(f"/contacts/{winner['id']}", {"email": None}))
        other = team.owner.contact(email="b@example.com")
        answer = team.owner.post(f"/contacts/{winner['id']}/merge/undo", {})
        refused(answer, 409)
        assert answer.json()["error"]["existingId"] == other["id"]
        assert team.owner.shown(f"/contacts/{loser['id']}")["id"] == winner["id"]


def test_merges_of_the_same_contacts_at_once_leave_one_of_them(team: Team) -> None:
    a, b = team.owner.contact(), team.owner.contact()
    note = created(team.owner.post("/notes", {"content": "x", "contactId": a["id"]}))
    ways = [(a, b), (b, a)] * 3
    with ThreadPoolExecutor(6) as executor:
        answers = list(
            executor.map(
                lambda way: team.owner.post(f"/contacts/{way[0]['id']}/merge", {"loserId": way[1]["id"]}), ways
            )
        )
    assert {answer.status_code for answer in answers} <= {200, 404, 409, 422}
    (left,) = team.owner.listed("/contacts")
    assert team.owner.shown(f"/notes/{note['id']}")["contactId"] == left["id"]


class Model:
    """Where everything should be: contacts by id with their tags, and things by path with their contact."""

    def __init__(self, team: Team, chosen: random.Random) -> None:
        self.team, self.chosen = team, chosen
        self.contacts: dict[str, set[str]] = {}
        self.things: dict[str, str] = {}
        self.merges: list[tuple[str, str, set[str], set[str], list[str]]] = []
        for number in range(6):
            made = team.owner.contact(tags=[f"Tag {number}", f"Tag {number % 3}"])
            self.contacts[made["id"]] = set(made["tags"])
            self.things.update(dict.fromkeys(about(team, made), made["id"]))

    def merge(self) -> None:
        winner, loser = self.chosen.sample(sorted(self.contacts), 2)
        merge(self.team.owner, {"id": winner}, {"id": loser})
        moved = [path for path, contact in self.things.items() if contact == loser]
        theirs = self.contacts.pop(loser)
        self.merges.append((winner, loser, theirs, theirs - self.contacts[winner], moved))
        self.contacts[winner] |= theirs
        self.things.update(dict.fromkeys(moved, winner))

    def undo(self) -> None:
        winner, loser, theirs, added, moved = self.merges.pop()
        undo(self.team.owner, {"id": winner}, loserId=loser)
        self.contacts[winner] -= added
        self.contacts[loser] = theirs
        self.things.update(dict.fromkeys(moved, loser))

    def step(self) -> None:
        ways: list[Callable[[], None]] = [self.merge] * (len(self.contacts) > 1) + [self.undo] * bool(self.merges)
        self.chosen.choice(ways)()

    def check(self) -> None:
        found = {one["id"]: set(one["tags"]) for one in self.team.owner.listed("/contacts")}
        assert found == self.contacts
        assert {path: self.team.owner.shown(path)["contactId"] for path in self.things} == self.things
        for winner, loser, *_ in self.merges:
            assert self.team.owner.shown(f"/contacts/{loser}") == self.team.owner.shown(f"/contacts/{winner}")


@pytest.mark.parametrize("steps", [30, pytest.param(500, marks=pytest.mark.slow)])
def test_after_random_merges_and_undos_all_is_where_it_belongs(
    team: Team, postgres: EmbeddedPostgres, steps: int
) -> None:
    """And every row is what the log says."""
    model = Model(team, random.Random(7))
    for number in range(steps):
        model.step()
        if number % 25 == 0:
            model.check()
    model.check()
    assert verify(postgres.url(), workspaces=[team.workspace_id], views=()).finding is None
