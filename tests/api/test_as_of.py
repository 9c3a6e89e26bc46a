"""What was: one thing, and lists, as of a moment of the log."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.http import fresh, recall
from eventstore.database import Db
from eventstore.ids import new_id
from projections.catalogue import PAST
from projections.verify import verify
from projections.view.rebuild import rebuild
from tests.api.asserting import gone, ok, refused
from tests.api.conftest import Keep
from tests.api.sweeps.operations import OPERATIONS
from tests.api.team import Member, Team, created
from tests.api.test_custom_field import define

UNTOLD = {"getAuditExport", "getJob", "getWebhookDelivery"}
"""What has no past: how far work has come, and how sending went, is not in the log."""
LISTS = {"findContacts", "listContacts", "listDeals", "listCompanies", "listTasks"}


def end(team: Team) -> int:
    """Where the team's log ends."""
    with team.services.pool.connection() as conn, conn.transaction():
        conn.execute("SELECT set_config('daybook.workspace_id', %s, true)", (str(team.workspace_id),))
        row = conn.execute("SELECT seq FROM log_heads WHERE workspace_id = %s", (team.workspace_id,)).fetchone()
    assert row is not None
    return int(row[0])


def then(who: Member, path: str, at: int | str, **params: Any) -> Any:
    """What was shown then."""
    return ok(who.get(path, params={"asOf": str(at), **params}))["data"]


def names(who: Member, at: int, path: str = "/contacts", **params: Any) -> list[str]:
    return [found["name"] for found in then(who, path, at, **params)]


def test_every_get_of_one_thing_takes_it_and_four_lists(team: Team) -> None:
    reads = [op for op in OPERATIONS if op.method == "GET"]
    one = {op.id for op in reads if op.path.endswith("}")}
    assert len(one) > 15
    taking = {op.id for op in reads if "Daybook-As-Of" in op.says["responses"]["200"]["headers"]}
    assert taking == (one - UNTOLD) | LISTS | {"getWorkspace"}
    assert all("asOf" in op.taken("query") and "422" in op.says["responses"] for op in reads if op.id in taking)


class TestOneThing:
    def test_is_what_it_was(self, team: Team, keep: Keep) -> None:
        contact = team.owner.contact(firstName="Ada", lastName="King", customFields={"born": 1815})
        path, before = f"/contacts/{contact['id']}", end(team)
        team.owner.patch(path, {"firstName": "Augusta", "customFields": {"born": None}})
        keep(team)
        assert then(team.owner, path, before) == contact
        assert then(team.owner, path, end(team)) == team.owner.shown(path) != contact

    def test_is_what_it_was_at_a_time(self, team: Team, keep: Keep) -> None:
        contact = team.owner.contact(firstName="Ada")
        between = datetime.now(UTC)
        ok(team.owner.patch(f"/contacts/{contact['id']}", {"firstName": "Augusta"}))
        keep(team)
        for time in (between.isoformat(), between.astimezone().isoformat(), between.isoformat().replace("+00:00", "Z")):
            assert then(team.owner, f"/contacts/{contact['id']}", time) == contact

    def test_bears_its_tags_by_the_names_that_they_had(self, team: Team, keep: Keep) -> None:
        tag = team.owner.tag("Lead", color="#FF0000")
        contact = team.owner.contact(tags=["Lead"])
        before = end(team)
        ok(team.owner.patch(f"/tags/{tag['id']}", {"name": "Prospect"}))
        renamed = end(team)
        gone(team.owner.delete(f"/tags/{tag['id']}"))
        keep(team)
        path = f"/contacts/{contact['id']}"
        assert then(team.owner, path, before) == contact
        assert then(team.owner, path, renamed)["tags"] == ["Prospect"]
        assert then(team.owner, path, end(team))["tags"] == []
        assert then(team.owner, f"/tags/{tag['id']}", before) | {"contactCount": 0} == tag | {"contactCount": 0}
        assert then(team.owner, f"/tags/{tag['id']}", before)["contactCount"] == 1

    def test_stands_in_the_stage_that_it_was_in_as_that_was_called(self, team: Team, keep: Keep) -> None:
        company = team.owner.company("Acme")
        deal = team.owner.deal(companyId=company["id"])
        path, before = f"/deals/{deal['id']}", end(team)
        shown = team.owner.shown(path)
        stages = f"/pipelines/{deal['pipelineId']}/stages"
        ok(team.owner.patch(f"{stages}/{deal['stageId']}", {"name": "Renamed", "probability": 0.9}))
        ok(team.owner.patch(f"/companies/{company['id']}", {"name": "Apex"}))
        later = created(team.owner.post(stages, {"name": "Later", "order": 2}))
        ok(team.owner.patch(path, {"stageId": later["id"], "value": 7}))
        keep(team)
        assert then(team.owner, path, before) == shown
        pipeline = then(team.owner, f"/pipelines/{deal['pipelineId']}", before)
        assert [(stage["name"], stage["dealCount"]) for stage in pipeline["stages"]] == [("Lead", 1)]
        assert then(team.owner, f"{stages}/{deal['stageId']}", before)["totalValue"] == 1

    def test_has_custom_fields_that_are_defined_otherwise_by_now(self, team: Team, keep: Keep) -> None:
        field = define(team, key="score", type="number", name="Score")
        team.owner.contact(firstName="Low", customFields={"score": 1})
        high = team.owner.contact(firstName="High", customFields={"score": 10})
        before = end(team)
        ok(team.owner.patch(f"/custom-fields/{field['id']}", {"name": "Points"}))
        gone(team.owner.delete(f"/custom-fields/{field['id']}"))
        keep(team)
        refused(team.owner.get("/contacts", params={"sort": "custom.score"}), 422, "sort")
        assert names(team.owner, before, sort="-custom.score") == ["High", "Low"]
        assert then(team.owner, f"/custom-fields/{field['id']}", before) == field
        assert then(team.owner, f"/contacts/{high['id']}", before) == high
        assert team.owner.shown(f"/contacts/{high['id']}")["customFields"] == {}

    def test_that_is_deleted_by_now_is_there(self, team: Team, keep: Keep) -> None:
        contact = team.owner.contact()
        path, before = f"/contacts/{contact['id']}", end(team)
        gone(team.owner.delete(path))
        keep(team)
        assert then(team.owner, path, before) == contact
        refused(team.owner.get(path, params={"asOf": end(team)}), 404, says="no longer")

    def test_that_is_merged_by_now_is_itself_and_then_leads_to_the_winner(self, team: Team, keep: Keep) -> None:
        winner, loser = team.owner.contact(firstName="W"), team.owner.contact(firstName="L")
        before = end(team)
        ok(team.owner.post(f"/contacts/{winner['id']}/merge", {"loserId": loser["id"]}))
        keep(team)
        path = f"/contacts/{loser['id']}"
        assert then(team.owner, path, before) == loser
        answer = team.owner.get(path, params={"asOf": end(team)})
        assert ok(answer)["data"]["id"] == answer.headers["daybook-merged-into"] == winner["id"]

    def test_a_task_is_overdue_if_it_was_then(self, team: Team, keep: Keep) -> None:
        due = datetime.now(UTC) + timedelta(seconds=1.5)
        task = created(team.owner.post("/tasks", {"title": "Call", "dueDate": due.isoformat()}))
        before = end(team)
        while datetime.now(UTC) < due:
            continue
        team.owner.contact()
        keep(team)
        assert team.owner.shown(f"/tasks/{task['id']}")["status"] == "overdue"
        assert then(team.owner, f"/tasks/{task['id']}", before) == task
        assert then(team.owner, f"/tasks/{task['id']}", end(team))["status"] == "overdue"
        assert then(team.owner, "/tasks", before, status="overdue") == []
        assert then(team.owner, "/tasks", before, status="pending") == [task]

    def test_a_webhook_is_shown_without_how_it_has_fared_and_its_secret(
        self, team: Team, keep: Keep, owner: Db
    ) -> None:
        made = created(team.owner.post("/webhooks", {"url": "https://example.com/hook", "events": ["*"]}))
        before = end(team)
        owner.execute(
            "INSERT INTO webhook_health (workspace_id, webhook_id, last_delivery_at, last_status) VALUES (%s, %s, now(), 500)"
            " ON CONFLICT (workspace_id, webhook_id) DO UPDATE SET last_status = 500, last_delivery_at = now()",
            (team.workspace_id, made["id"]),
        )
        keep(team)
        assert team.owner.shown(f"/webhooks/{made['id']}")["lastStatus"] == 500
        found = then(team.owner, f"/webhooks/{made['id']}", before)
        assert (found["lastStatus"], found["lastDelivery"], found["url"]) == (None, None, made["url"])
        assert not found.keys() & {"secret", "deliveries"}

    def test_a_user_had_the_role_that_they_had(self, team: Team, keep: Keep) -> None:
        path = f"/users/{team.member.account_id}"
        before, was = end(team), team.owner.shown(path)
        ok(team.owner.patch(path, {"role": "viewer"}))
        keep(team)
        assert then(team.owner, path, before) == was

    def test_says_how_far_was_read_and_has_no_version_to_change(self, team: Team, keep: Keep) -> None:
        contact = team.owner.contact()
        before = end(team)
        team.owner.tag()
        keep(team)
        answer = team.owner.get(
            f"/contacts/{contact['id']}", params={"asOf": before}, headers={"if-none-match": f'"{contact["version"]}"'}
        )
        assert answer.status_code == 200
        assert "etag" not in answer.headers
        assert (answer.headers["daybook-as-of"], answer.headers["daybook-view-seq"]) == (str(before), str(end(team)))


class TestAMoment:
    def test_in_the_future_is_refused(self, team: Team, keep: Keep) -> None:
        path = f"/contacts/{team.owner.contact()['id']}"
        keep(team)
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        refused(team.owner.get(path, params={"asOf": tomorrow.isoformat()}), 422, "asOf", says="future")
        refused(team.owner.get(path, params={"asOf": str(end(team) + 1)}), 422, "asOf", says=f"ends at {end(team)}")

    @pytest.mark.parametrize("asked", ["", "yesterday", "-1", "1.0", "2026-03-15", "2026-03-15T10:30Z", "\u0661"])
    def test_that_is_none_is_refused(self, team: Team, asked: str) -> None:
        for path in (f"/contacts/{new_id()}", "/deals", "/workspace"):
            refused(team.owner.get(path, params={"asOf": asked}), 422, "asOf")

    def test_before_a_thing_existed_is_404_and_says_so(self, team: Team, keep: Keep) -> None:
        before = end(team)
        path = f"/contacts/{team.owner.contact()['id']}"
        keep(team)
        refused(team.owner.get(path, params={"asOf": before}), 404, says=f"No such contact as of {before}")
        refused(team.owner.get(path, params={"asOf": 0}), 404)
        refused(team.owner.get(path, params={"asOf": "1970-01-01T00:00:00Z"}), 404, says="did not exist yet")
        assert then(team.owner, "/contacts", 0) == []

    def test_that_is_not_kept_yet_is_waited_for_and_else_503(
        self, team: Team, keep: Keep, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(fresh, "WAIT_SECONDS", 0.1)
        path, before = f"/contacts/{team.owner.contact()['id']}", end(team)
        answer = team.owner.get(path, params={"asOf": before})
        refused(answer, 503, says="come to 0")
        assert answer.headers["retry-after"] == "1"
        keep(team)
        ok(team.owner.get(path, params={"asOf": before}))

    def test_while_the_database_has_the_past_in_another_version_is_503(
        self, team: Team, keep: Keep, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, before = f"/contacts/{team.owner.contact()['id']}", end(team)
        keep(team)
        monkeypatch.setattr(recall, "PAST", type(PAST)(PAST.name, PAST.version + 1, PAST.tables, PAST.apply))
        refused(team.owner.get(path, params={"asOf": before}), 503)

    def test_is_of_one_workspace(self, team: Team, others: Team, keep: Keep) -> None:
        path = f"/contacts/{team.owner.contact()['id']}"
        theirs = [others.owner.contact() for _ in range(5)]
        keep(team)
        keep(others)
        refused(others.owner.get(path, params={"asOf": end(others)}), 404)
        assert {found["id"] for found in then(others.owner, "/contacts", end(others))} == {one["id"] for one in theirs}


class TestLists:
    def test_have_what_there_was_in_the_order_that_it_had(self, team: Team, keep: Keep) -> None:
        first, second = team.owner.contact(firstName="Alan"), team.owner.contact(firstName="Berta")
        before, listed = end(team), ok(team.owner.get("/contacts", params={"sort": "name"}))
        ok(team.owner.patch(f"/contacts/{first['id']}", {"firstName": "Zora"}))
        team.owner.contact(firstName="Carl")
        gone(team.owner.delete(f"/contacts/{second['id']}"))
        keep(team)
        for sort, order in {
            "name": ["Alan", "Berta"],
            "-createdAt": ["Berta", "Alan"],
            "-updatedAt": ["Berta", "Alan"],
        }.items():
            assert names(team.owner, before, sort=sort) == order
        assert ok(team.owner.get("/contacts", params={"sort": "name", "asOf": before})) == listed
        assert names(team.owner, end(team), sort="name") == ["Carl", "Zora"]

    def test_find_by_what_was(self, team: Team, keep: Keep) -> None:
        tag = team.owner.tag("Lead")
        contact = team.owner.contact(
            firstName="Ada", email="ada@example.com", source="fair", tags=["Lead"], customFields={"size": "m"}
        )
        team.owner.contact(firstName="Bob", tags=["Other"])
        before = end(team)
        changes = {
            "email": "new@example.com",
            "firstName": "Eve",
            "source": "web",
            "tags": [],
            "customFields": {"size": "l"},
        }
        ok(team.owner.patch(f"/contacts/{contact['id']}", changes))
        ok(team.owner.patch(f"/tags/{tag['id']}", {"name": "Prospect"}))
        keep(team)
        for asked in ({"search": "ada@"}, {"source": "fair"}, {"tag": "Lead"}, {"search": "ada", "tag": "Lead"}):
            assert names(team.owner, before, **asked) == ["Ada"]
            assert then(team.owner, "/contacts", end(team), **asked) == []
        assert names(team.owner, end(team), source="web") == ["Eve"]
        assert then(team.owner, "/contacts", before, tag="Prospect") == []
        assert names(team.owner, before, "/contacts/search", size="m") == ["Ada"]
        assert then(team.owner, "/contacts/search", end(team), size="m") == []
        body = {"query": {"groups": [{"conditions": [{"field": "tags", "op": "contains", "value": "Lead"}]}]}}
        answer = ok(team.owner.post("/contacts/search", body, params={"asOf": before}))
        assert [found["name"] for found in answer["data"]] == ["Ada"]

    def test_count_what_there_was(self, team: Team, keep: Keep) -> None:
        made = [team.owner.contact(firstName=f"C{number}") for number in range(300)]
        before = end(team)
        for contact in made[:10]:
            gone(team.owner.delete(f"/contacts/{contact['id']}"))
        keep(team)
        for seq, count in ((before, 300), (before - 1, 299), (before - 299, 1), (before - 300, 0), (before + 4, 296)):
            answer = ok(team.owner.get("/contacts", params={"asOf": seq, "limit": 1}))
            assert answer["meta"]["total"] == count
            assert "totalIsExact" not in answer["meta"]

    @pytest.mark.parametrize("sort", ["name", "-createdAt", "-updatedAt", "custom.n"])
    def test_go_on_by_cursor_as_of_the_moment_that_they_began_with(self, team: Team, keep: Keep, sort: str) -> None:
        define(team, key="n", type="number")
        made = [team.owner.contact(firstName=f"C{number}", customFields={"n": number}) for number in range(7)]
        before = end(team)
        for contact in made:
            ok(team.owner.patch(f"/contacts/{contact['id']}", {"firstName": "Z", "customFields": {"n": 0}}))
        keep(team)
        found, params = list[str](), {"sort": sort, "limit": "3", "asOf": str(before)}
        while True:
            answer = ok(team.owner.get("/contacts", params=params))
            found += [contact["name"] for contact in answer["data"]]
            if (cursor := answer["meta"]["nextCursor"]) is None:
                break
            params = {"sort": sort, "limit": "3", "cursor": cursor}
        assert sorted(found) == [contact["name"] for contact in made]
        refused(
            team.owner.get("/contacts", params={**params, "asOf": before + 1}), 400, "cursor", says="another moment"
        )
        refused(team.owner.get("/tags", params={"cursor": params["cursor"]}), 400, "cursor")

    def test_are_those_of_deals_companies_and_tasks_too(self, team: Team, keep: Keep) -> None:
        company = team.owner.company("Acme")
        deal = team.owner.deal("Big", companyId=company["id"])
        task = created(team.owner.post("/tasks", {"title": "Call", "dealId": deal["id"], "priority": "high"}))
        before = end(team)
        lists = {
            "/deals": {"companyId": company["id"], "sort": "-value"},
            "/companies": {"search": "acme"},
            "/tasks": {"priority": "high", "sort": "priority"},
        }
        answers = {path: team.owner.get(path, params=params).json() for path, params in lists.items()}
        ok(team.owner.patch(f"/deals/{deal['id']}", {"name": "Small", "companyId": None}))
        ok(team.owner.patch(f"/companies/{company['id']}", {"name": "Apex"}))
        ok(team.owner.patch(f"/tasks/{task['id']}", {"priority": "low"}))
        keep(team)
        for path, params in lists.items():
            assert answers[path]["meta"]["total"] == 1
            assert ok(team.owner.get(path, params={**params, "asOf": before})) == answers[path]

    def test_end_nowhere_for_rows_that_a_clock_ahead_of_the_logs_has_dated(
        self, team: Team, keep: Keep, owner: Db
    ) -> None:
        """An application's clock may be hours wrong; what it wrote is in the past all the same."""
        contact = team.owner.contact(firstName="Ahead")
        seq = end(team)
        later = datetime.now(UTC) + timedelta(hours=3)
        owner.execute(
            "UPDATE events SET occurred_at = %s WHERE workspace_id = %s AND seq = %s", (later, team.workspace_id, seq)
        )
        keep(team)
        assert names(team.owner, seq) == ["Ahead"]
        assert then(team.owner, f"/contacts/{contact['id']}", seq)["firstName"] == "Ahead"


class TestMembersLimitedToWhatIsTheirs:
    def test_see_what_was_theirs_and_is_theirs(self, team: Team, keep: Keep) -> None:
        theirs = {"assignedTo": str(team.limited.account_id)}
        kept = team.owner.contact(firstName="Kept", **theirs)
        taken, given = team.owner.contact(firstName="Taken", **theirs), team.owner.contact(firstName="Given")
        lost = team.owner.contact(firstName="Lost", **theirs)
        before = end(team)
        ok(team.owner.patch(f"/contacts/{kept['id']}", {"city": "Ghent"}))
        ok(team.owner.patch(f"/contacts/{taken['id']}", {"assignedTo": str(team.member.account_id)}))
        ok(team.owner.patch(f"/contacts/{given['id']}", theirs))
        gone(team.owner.delete(f"/contacts/{lost['id']}"))
        keep(team)
        assert then(team.limited, f"/contacts/{kept['id']}", before) == kept
        for hidden in (taken, given, lost):
            refused(team.limited.get(f"/contacts/{hidden['id']}", params={"asOf": before}), 404)
        answer = ok(team.limited.get("/contacts", params={"asOf": before}))
        assert ([found["name"] for found in answer["data"]], answer["meta"]["total"]) == (["Kept"], 1)
        assert names(team.owner, before, sort="name") == ["Given", "Kept", "Lost", "Taken"]

    def test_see_nothing_of_others_by_what_refers_to_it(self, team: Team, keep: Keep) -> None:
        company = team.owner.company()
        theirs = {"assignedTo": str(team.limited.account_id)}
        contact = team.owner.contact(firstName="Taken", companyId=company["id"], tags=["A"], **theirs)
        deal = team.owner.deal(contactId=contact["id"], **theirs)
        task = created(team.owner.post("/tasks", {"title": "Call", "contactId": contact["id"]}))
        note = created(team.owner.post("/notes", {"content": "Met", "contactId": contact["id"]}))
        before = end(team)
        ok(team.limited.get(f"/tasks/{task['id']}"))
        ok(team.owner.patch(f"/contacts/{contact['id']}", {"assignedTo": str(team.member.account_id)}))
        keep(team)
        assert then(team.limited, f"/deals/{deal['id']}", before)["contact"] is None
        shown = then(team.limited, f"/companies/{company['id']}", before)
        assert (shown["contacts"], shown["contactCount"]) == ([], 0)
        for path in (f"/tasks/{task['id']}", f"/notes/{note['id']}"):
            refused(team.limited.get(path, params={"asOf": before}), 404)
        assert then(team.limited, "/tasks", before) == []
        tag = contact["tagDetails"][0]["id"]
        assert then(team.limited, f"/tags/{tag}", before)["contactCount"] == 0
        assert then(team.owner, f"/tags/{tag}", before)["contactCount"] == 1

    def test_wait_until_it_is_known_what_is_theirs(
        self, team: Team, keep: Keep, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Else they would go on seeing what was given to others, for as long as no worker takes note of it."""
        monkeypatch.setattr(fresh, "WAIT_SECONDS", 0.1)
        contact = team.owner.contact(assignedTo=str(team.limited.account_id))
        before, path = end(team), f"/contacts/{contact['id']}"
        keep(team)
        assert then(team.limited, path, before) == contact
        ok(team.owner.patch(path, {"assignedTo": str(team.member.account_id)}))
        refused(team.limited.get(path, params={"asOf": before}), 503)
        assert then(team.owner, path, before) == contact

    def test_may_no_more_than_their_role_lets_them_by_now(self, team: Team, keep: Keep) -> None:
        contact = team.owner.contact()
        before = end(team)
        keep(team)
        reader = team.key("tags:read")
        refused(reader.get(f"/contacts/{contact['id']}", params={"asOf": before}), 403)


def test_what_is_asked_now_is_not_of_the_past_on_the_same_connection(team: Team, keep: Keep) -> None:
    contact = team.owner.contact(firstName="Ada")
    path, before = f"/contacts/{contact['id']}", end(team)
    ok(team.owner.patch(path, {"firstName": "Eve"}))
    keep(team)
    for _ in range(20):
        assert then(team.owner, path, before)["firstName"] == "Ada"
        assert team.owner.shown(path)["firstName"] == "Eve"
        assert names(team.owner, before) == ["Ada"]
        assert [found["name"] for found in team.owner.listed("/contacts")] == ["Eve"]


def test_the_past_built_anew_answers_the_same(alone: tuple[Team, Db], keep: Keep) -> None:
    team, owner = alone
    contact = team.owner.contact(firstName="Ada", tags=["A"])
    path, before = f"/contacts/{contact['id']}", end(team)
    ok(team.owner.patch(path, {"firstName": "Eve"}))
    keep(team)
    rebuild(owner, PAST)
    assert then(team.owner, path, before) == contact
    assert verify(owner, workspaces=[team.workspace_id]).finding is None


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ("UPDATE past_contacts SET name = 'eve' WHERE workspace_id = %s AND version = 1", "name"),
        (
            "UPDATE past_contacts SET state = jsonb_set(state, '{first_name}', '\"Eve\"') WHERE workspace_id = %s",
            "state",
        ),
        ("UPDATE past_contacts SET to_seq = to_seq + 1 WHERE workspace_id = %s AND version = 1", "to_seq"),
        ("DELETE FROM past_contacts WHERE workspace_id = %s AND version = 1", None),
        ("UPDATE past_counts SET n = n + 1 WHERE workspace_id = %s AND kind = 'contact' AND level = 0", "n"),
    ],
)
def test_verify_finds_a_past_that_was_changed(
    team: Team, keep: Keep, owner: Db, change: str, column: str | None
) -> None:
    contact = team.owner.contact(firstName="Ada")
    ok(team.owner.patch(f"/contacts/{contact['id']}", {"firstName": "Augusta"}))
    keep(team)
    assert verify(owner, workspaces=[team.workspace_id]).finding is None
    owner.execute(change.encode(), (team.workspace_id,))
    finding = verify(owner, workspaces=[team.workspace_id]).finding
    assert finding is not None
    assert (finding.table or "").startswith("past_co")
    assert finding.column == column


def test_index_names_of_the_past_are_whole(owner: Db) -> None:
    """Postgres cuts off names that are too long, and two might then be one."""
    names = [name for table in PAST.tables for name in table.indexes]
    assert max(len(f"{name}_rebuilt") for name in names) <= 63
    assert len(names) == len(set(names))
