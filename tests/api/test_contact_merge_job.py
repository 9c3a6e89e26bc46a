"""Merging contacts when more refers to one than goes over at once: what is shown, taken and refused until a job has done it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from eventstore.database import Db, Pool
from projections.verify import verify
from tests.api.asserting import gone, ok, refused
from tests.api.conftest import WorkOff
from tests.api.team import Member, Team, created
from tests.api.test_contact_merge import about, undo
from tests.api.working import give_up, step
from tests.logs import types

Two = tuple[dict[str, Any], dict[str, Any]]
"""Winner and loser."""
Stepping = Callable[[], bool]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that four things are many, and two a part of them."""
    monkeypatch.setattr("application.contact_merge.MANY", 3)
    monkeypatch.setattr("application.contact_merge_job.STEP", 2)


@pytest.fixture
def stepping(team: Team, worker_pool: Pool) -> Stepping:
    """One step of the job whose turn it is, as a worker does it."""
    return lambda: step(team.services.store, worker_pool)


@pytest.fixture
def two(team: Team) -> Two:
    """A contact, and another of the workspace to which five things refer."""
    winner = team.owner.contact(firstName="Sarah")
    loser = team.owner.contact(lastName="Kim", email="sarah@example.com", city="Ghent", tags=["VIP"])
    return winner, loser


@pytest.fixture
def paths(team: Team, two: Two) -> list[str]:
    """The things that refer to the loser."""
    return about(team, two[1])


def asked(who: Member, two: Two, **more: Any) -> httpx.Response:
    return who.post(f"/contacts/{two[0]['id']}/merge", {"loserId": two[1]["id"], **more})


def begun(who: Member, two: Two) -> dict[str, Any]:
    return by_job(asked(who, two))


def undoing(who: Member, two: Two, **more: Any) -> dict[str, Any]:
    return by_job(who.post(f"/contacts/{two[0]['id']}/merge/undo", more))


def by_job(answer: httpx.Response) -> dict[str, Any]:
    job: dict[str, Any] = ok(answer, 202)["data"]
    assert answer.headers["location"] == f"/api/v1/jobs/{job['id']}"
    return job


def whose(who: Member, paths: list[str]) -> list[str]:
    """The contact of each of these things."""
    return [who.shown(path)["contactId"] for path in paths]


def shown(who: Member, contacts: Two) -> list[dict[str, Any]]:
    """The contacts, but for what every change changes."""
    found = [who.shown(f"/contacts/{contact['id']}") for contact in contacts]
    return [{**one, "version": 0, "updatedAt": ""} for one in found]


def told(team: Team, of: str) -> list[str]:
    return [name for name in types(team.services.pool, team.workspace_id) if name.startswith(of)]


def is_sound(team: Team, owner: Db) -> None:
    """All is as the log says, and no job has anything in hand."""
    assert verify(owner, workspaces=[team.workspace_id], views=()).finding is None
    for table in ("endings", "job_needs"):
        query = f"SELECT count(*) FROM {table} WHERE workspace_id = %s"
        assert owner.execute(query.encode(), (team.workspace_id,)).fetchone() == (0,)


@pytest.mark.usefixtures("paths")
class TestALargeMerge:
    def test_comes_to_what_a_small_one_does(
        self, team: Team, two: Two, paths: list[str], work_off: WorkOff, owner: Db
    ) -> None:
        winner, loser = two
        dry = ok(asked(team.owner, two, dryRun=True))["data"]
        assert dry["moved"] == {"call": 1, "deal": 1, "interaction": 1, "note": 1, "task": 1}
        job = begun(team.owner, two)
        assert (job["kind"], job["status"], job["total"]) == ("contact_merge", "processing", 5)
        work_off()
        ended = team.owner.shown(f"/jobs/{job['id']}")
        assert (ended["status"], ended["processed"], ended["updated"]) == ("completed", 5, 5)
        now = team.owner.shown(f"/contacts/{winner['id']}")
        assert {**dry["contact"], "version": 0, "updatedAt": ""} == {**now, "version": 0, "updatedAt": ""}
        assert set(whose(team.owner, paths)) == {winner["id"]}
        answer = team.owner.get(f"/contacts/{loser['id']}")
        assert (ok(answer)["data"]["id"], answer.headers["daybook-merged-into"]) == (winner["id"], winner["id"])
        parts = ["contact_merge.moved"] * 3
        assert told(team, "contact_merge") == ["contact_merge.begun", *parts, "contact_merge.carried_out"]
        is_sound(team, owner)

    def test_shows_both_as_before_until_all_has_gone_over(
        self, team: Team, two: Two, paths: list[str], stepping: Stepping
    ) -> None:
        before = shown(team.owner, two)
        begun(team.owner, two)
        assert stepping()
        assert shown(team.owner, two) == before
        assert sorted(whose(team.owner, paths)) == sorted([two[0]["id"]] * 2 + [two[1]["id"]] * 3)

    def test_has_who_would_refer_to_the_loser_refer_to_the_winner(
        self, team: Team, two: Two, work_off: WorkOff, stepping: Stepping, owner: Db
    ) -> None:
        winner, loser = two
        older = team.owner.contact()
        created(team.owner.post("/notes", {"content": "x", "contactId": older["id"]}))
        ok(team.owner.post(f"/contacts/{loser['id']}/merge", {"loserId": older["id"]}))
        begun(team.owner, two)
        assert stepping()
        late = [
            created(team.owner.post("/notes", {"content": "Late", "contactId": one["id"]})) for one in (loser, older)
        ]
        assert {note["contactId"] for note in late} == {winner["id"]}
        met = created(team.owner.post(f"/contacts/{loser['id']}/interactions", {"type": "meeting"}))
        assert met["contactId"] == winner["id"]
        field = {"name": "Agent", "key": "agent", "type": "related", "entity": "contact"}
        created(team.owner.post("/custom-fields", field))
        assert team.owner.contact(customFields={"agent": loser["id"]})["customFields"] == {"agent": winner["id"]}
        work_off()
        undoing(team.owner, two)
        work_off()
        assert whose(team.owner, [f"/notes/{late[0]['id']}", f"/interactions/{met['id']}"]) == [winner["id"]] * 2
        is_sound(team, owner)

    def test_takes_along_what_changes_in_the_two_meanwhile(
        self, team: Team, two: Two, stepping: Stepping, work_off: WorkOff
    ) -> None:
        winner, loser = two
        begun(team.owner, two)
        assert stepping()
        ok(team.owner.patch(f"/contacts/{winner['id']}", {"city": "Bruges"}))
        ok(team.owner.patch(f"/contacts/{loser['id']}", {"website": "https://kim.example.com"}))
        work_off()
        now = team.owner.shown(f"/contacts/{winner['id']}")
        assert (now["city"], now["website"], now["email"]) == ("Bruges", "https://kim.example.com", loser["email"])

    def test_keeps_both_from_ending_in_another_way(
        self, team: Team, two: Two, stepping: Stepping, work_off: WorkOff, owner: Db
    ) -> None:
        winner, loser = two
        third = team.owner.contact()
        job = begun(team.owner, two)
        assert stepping()
        for contact in two:
            path, says = f"/contacts/{contact['id']}", job["id"]
            refused(team.owner.delete(path), 409, says=says)
            refused(team.owner.post(f"{path}/erase", {}), 409, says=says)
            refused(team.owner.post(f"/contacts/{third['id']}/merge", {"loserId": contact["id"]}), 409, says=says)
        refused(asked(team.owner, (loser, third)), 409, says=job["id"])
        refused(asked(team.owner, (loser, winner)), 409, says=job["id"])
        refused(asked(team.owner, two, dryRun=True), 409, says=job["id"])
        hold = {"reason": "Case 1"}
        refused(team.owner.ask("PUT", f"/contacts/{loser['id']}/legal-hold", json=hold), 409, says=job["id"])
        ok(team.owner.ask("PUT", f"/contacts/{winner['id']}/legal-hold", json=hold))
        refused(team.owner.post(f"/contacts/{winner['id']}/merge/undo", {}), 409, says=job["id"])
        both = {"ids": [winner["id"], loser["id"], third["id"]]}
        bulk = ok(team.owner.post("/bulk/contacts/delete", both), 202)["jobId"]
        work_off()
        deletions = team.owner.shown(f"/jobs/{bulk}")
        assert (deletions["deleted"], deletions["errors"]) == (1, 2)
        assert team.owner.shown(f"/contacts/{loser['id']}")["id"] == winner["id"]
        is_sound(team, owner)

    def test_that_is_asked_for_again_is_the_same_job(self, team: Team, two: Two, work_off: WorkOff) -> None:
        job = begun(team.owner, two)
        assert begun(team.owner, two)["id"] == job["id"]
        work_off()
        assert ok(asked(team.owner, two))["data"]["moved"] == {}

    def test_of_a_winner_that_has_changed_or_a_loser_on_hold_is_refused(self, team: Team, two: Two) -> None:
        path = f"/contacts/{two[0]['id']}/merge"
        ok(team.owner.patch(f"/contacts/{two[0]['id']}", {"city": "Bruges"}))
        refused(team.owner.post(path, {"loserId": two[1]["id"]}, headers={"if-match": '"1"'}), 412)
        ok(team.owner.ask("PUT", f"/contacts/{two[1]['id']}/legal-hold", json={"reason": "Case 1"}))
        refused(asked(team.owner, two), 409, says="Case 1")
        assert team.owner.listed("/jobs") == []

    def test_that_would_break_a_rule_is_refused_before_it_begins(self, team: Team, two: Two) -> None:
        many = [f"Tag {number}" for number in range(100)]
        ok(team.owner.patch(f"/contacts/{two[0]['id']}", {"tags": many}))
        refused(asked(team.owner, two), 422, says="100 tags")
        assert told(team, "contact_merge") == []

    def test_is_refused_to_who_does_not_see_all_that_would_go_over(self, team: Team) -> None:
        mine = team.limited.contact(), team.limited.contact()
        about(team, mine[1])
        refused(asked(team.limited, mine), 403)
        assert team.owner.listed("/jobs") == []

    def test_of_another_workspace_is_not_seen_there(
        self, team: Team, others: Team, two: Two, work_off: WorkOff
    ) -> None:
        job = begun(team.owner, two)
        refused(others.owner.get(f"/jobs/{job['id']}"), 404)
        refused(
            others.owner.post("/notes", {"content": "x", "contactId": two[1]["id"]}), 422, "contactId", says="no such"
        )
        work_off()
        assert told(others, "contact") == []


@pytest.mark.usefixtures("paths")
class TestOneThatIsCancelled:
    def test_has_what_went_over_go_back(
        self, team: Team, two: Two, paths: list[str], stepping: Stepping, work_off: WorkOff, owner: Db
    ) -> None:
        before = shown(team.owner, two)
        job = begun(team.owner, two)
        assert stepping()
        assert ok(team.owner.post(f"/jobs/{job['id']}/cancel"))["data"]["status"] == "cancelled"
        back = team.owner.listed("/jobs")[0]
        assert (back["kind"], back["total"]) == ("contact_merge_undo", 2)
        refused(team.owner.delete(f"/contacts/{two[1]['id']}"), 409, says=back["id"])
        work_off()
        assert set(whose(team.owner, paths)) == {two[1]["id"]}
        assert shown(team.owner, two) == before
        refused(team.owner.post(f"/contacts/{two[0]['id']}/merge/undo", {}), 409, says="Nothing was merged")
        is_sound(team, owner)
        begun(team.owner, two)

    def test_before_anything_has_gone_over_leaves_nothing_to_do(self, team: Team, two: Two, owner: Db) -> None:
        job = begun(team.owner, two)
        ok(team.owner.post(f"/jobs/{job['id']}/cancel"))
        assert [one["status"] for one in team.owner.listed("/jobs")] == ["cancelled"]
        assert told(team, "contact_merge") == ["contact_merge.begun", "contact_merge.called_off"]
        is_sound(team, owner)


@pytest.mark.usefixtures("paths")
class TestUndoingOne:
    @pytest.fixture(autouse=True)
    def before(self, team: Team, two: Two, paths: list[str], work_off: WorkOff) -> list[dict[str, Any]]:
        """The two as they were before they were made one."""
        found = shown(team.owner, two)
        assert len(paths) == 5
        begun(team.owner, two)
        work_off()
        return found

    def test_puts_everything_back_where_it_was(
        self, team: Team, two: Two, paths: list[str], before: list[dict[str, Any]], work_off: WorkOff, owner: Db
    ) -> None:
        job = undoing(team.owner, two)
        assert (job["kind"], job["total"]) == ("contact_merge_undo", 5)
        assert shown(team.owner, two) == before, "they are two at once"
        work_off()
        assert shown(team.owner, two) == before
        assert set(whose(team.owner, paths)) == {two[1]["id"]}
        is_sound(team, owner)
        assert begun(team.owner, two)["total"] == 5, "and can be made one again"

    def test_leaves_what_was_changed_since_as_it_is(
        self, team: Team, two: Two, paths: list[str], work_off: WorkOff
    ) -> None:
        other = team.owner.contact()
        ok(team.owner.patch(paths[0], {"contactId": other["id"]}))
        gone(team.owner.delete(paths[1]))
        job = undoing(team.owner, two, loserId=two[1]["id"])
        work_off()
        ended = team.owner.shown(f"/jobs/{job['id']}")
        assert (ended["updated"], ended["skipped"]) == (3, 2)
        assert whose(team.owner, [paths[0], *paths[2:]]) == [other["id"], *[two[1]["id"]] * 3]

    def test_keeps_both_from_ending_meanwhile(
        self, team: Team, two: Two, stepping: Stepping, work_off: WorkOff, owner: Db
    ) -> None:
        job = undoing(team.owner, two)
        assert undoing(team.owner, two)["id"] == job["id"]
        assert stepping()
        third = team.owner.contact()
        for contact in two:
            path = f"/contacts/{contact['id']}"
            refused(team.owner.delete(path), 409, says=job["id"])
            refused(team.owner.post(f"{path}/erase", {}), 409, says=job["id"])
            refused(team.owner.post(f"/contacts/{third['id']}/merge", {"loserId": contact["id"]}), 409, says=job["id"])
            created(team.owner.post("/notes", {"content": "Late", "contactId": contact["id"]}))
        work_off()
        is_sound(team, owner)
        gone(team.owner.delete(f"/contacts/{two[1]['id']}"))

    def test_that_was_cancelled_goes_on_where_it_was(
        self, team: Team, two: Two, paths: list[str], stepping: Stepping, work_off: WorkOff, owner: Db
    ) -> None:
        job = undoing(team.owner, two)
        assert stepping()
        ok(team.owner.post(f"/jobs/{job['id']}/cancel"))
        left = undoing(team.owner, two)
        assert (left["id"] == job["id"], left["total"]) == (False, 4)
        work_off()
        assert set(whose(team.owner, paths)) == {two[1]["id"]}
        is_sound(team, owner)

    def test_that_was_cancelled_is_refused_when_the_other_was_deleted_since(
        self, team: Team, two: Two, stepping: Stepping
    ) -> None:
        job = undoing(team.owner, two)
        assert stepping()
        ok(team.owner.post(f"/jobs/{job['id']}/cancel"))
        gone(team.owner.delete(f"/contacts/{two[1]['id']}"))
        refused(team.owner.post(f"/contacts/{two[0]['id']}/merge/undo", {}), 409, says="was deleted")

    def test_is_refused_while_the_winner_goes_over_to_a_third(
        self, team: Team, two: Two, stepping: Stepping, work_off: WorkOff
    ) -> None:
        third = team.owner.contact()
        job = begun(team.owner, (third, two[0]))
        assert stepping()
        refused(team.owner.post(f"/contacts/{two[0]['id']}/merge/undo", {}), 409, says=job["id"])
        work_off()
        assert team.owner.shown(f"/contacts/{two[1]['id']}")["id"] == third["id"]

    def test_is_refused_while_somebody_else_has_the_losers_address(self, team: Team, two: Two) -> None:
        ok(team.owner.patch(f"/contacts/{two[0]['id']}", {"email": None}))
        other = team.owner.contact(email=two[1]["email"])
        answer = team.owner.post(f"/contacts/{two[0]['id']}/merge/undo", {})
        assert refused(answer, 409)["existingId"] == other["id"]
        assert len(team.owner.listed("/jobs")) == 1

    def test_after_small_ones_is_of_what_was_merged_last(self, team: Team, two: Two, work_off: WorkOff) -> None:
        small = team.owner.contact()
        ok(asked(team.owner, (two[0], small)))
        undo(team.owner, two[0])
        assert team.owner.shown(f"/contacts/{small['id']}")["id"] == small["id"]
        undoing(team.owner, two)
        work_off()
        assert team.owner.shown(f"/contacts/{two[1]['id']}")["id"] == two[1]["id"]


def test_one_that_cannot_be_done_after_all_is_called_off_and_says_why(
    team: Team, two: Two, paths: list[str], worker_pool: Pool, work_off: WorkOff, owner: Db
) -> None:
    job = begun(team.owner, two)
    ok(team.owner.patch(f"/contacts/{two[0]['id']}", {"tags": [f"Tag {number}" for number in range(100)]}))
    assert step(team.services.store, worker_pool)
    assert give_up(team.services.store, worker_pool)
    ended = team.owner.shown(f"/jobs/{job['id']}")
    assert (ended["status"], "A contact has at most 100 tags." in ended["error"]) == ("failed", True)
    work_off()
    assert set(whose(team.owner, paths)) == {two[1]["id"]}
    is_sound(team, owner)


def test_an_undoing_that_is_given_up_can_be_asked_for_again(
    team: Team, two: Two, paths: list[str], worker_pool: Pool, work_off: WorkOff, owner: Db
) -> None:
    begun(team.owner, two)
    work_off()
    job = undoing(team.owner, two)
    assert step(team.services.store, worker_pool)
    assert give_up(team.services.store, worker_pool)
    assert "Undo it again" in team.owner.shown(f"/jobs/{job['id']}")["error"]
    undoing(team.owner, two)
    work_off()
    assert set(whose(team.owner, paths)) == {two[1]["id"]}
    is_sound(team, owner)
