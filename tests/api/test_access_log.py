"""Who read what: what is noted and what is not, who is told, and what it costs."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.app import CONTROLLERS
from api.http import access
from application.calling.services import Services
from eventstore.database import Db
from projections import access_log
from tests.api.asserting import ok, refused
from tests.api.conftest import Keep
from tests.api.serving import serving
from tests.api.sweeps.operations import OPERATIONS
from tests.api.team import Team


def noted(team: Team, count: int, **asked: Any) -> list[dict[str, Any]]:
    """What is noted, the last first, as soon as it is as many."""
    deadline = time.monotonic() + 10
    while len(found := team.owner.listed("/access-log", **asked)) < count and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(found) == count, found
    return found


class TestWhatIsNoted:
    def test_is_who_was_shown_a_contact(self, team: Team) -> None:
        contact = team.owner.contact()
        before = datetime.now(UTC)
        answer = team.admin.get(f"/contacts/{contact['id']}")
        (entry,) = noted(team, 1)
        assert before - timedelta(seconds=1) < datetime.fromisoformat(entry.pop("at")) < datetime.now(UTC)
        assert entry.pop("id")
        assert entry == {
            "userId": str(team.admin.account_id),
            "apiKeyId": None,
            "operation": "getContact",
            "subjectId": contact["id"],
            "contactIds": [contact["id"]],
            "requestId": answer.headers["x-request-id"],
        }

    def test_is_a_list_as_one_with_whom_it_showed(self, team: Team) -> None:
        ids = [team.owner.contact(firstName="Sarah")["id"] for _ in range(3)]
        team.owner.contact(firstName="Other")
        team.owner.listed("/contacts", search="sarah", limit=2)
        team.owner.post("/contacts/search", {"q": "other"})
        search, listed = noted(team, 2)
        assert (listed["operation"], listed["contactIds"]) == ("listContacts", ids[:0:-1])
        assert (search["operation"], len(search["contactIds"])) == ("searchContacts", 1)

    def test_is_who_was_shown_with_something_else(self, team: Team) -> None:
        company = team.owner.company()
        contact = team.owner.contact(companyId=company["id"])
        deal = team.owner.deal(contactId=contact["id"])
        team.owner.shown(f"/companies/{company['id']}")
        team.owner.shown(f"/deals/{deal['id']}")
        of_deal, of_company = noted(team, 2)
        assert (of_company["operation"], of_company["subjectId"]) == ("getCompany", company["id"])
        assert of_company["contactIds"] == of_deal["contactIds"] == [contact["id"]]

    def test_is_who_was_shown_by_what_happened_to_them(self, team: Team, keep: Keep) -> None:
        company = team.owner.company()
        contact = team.owner.contact(companyId=company["id"])
        ok(team.owner.patch(f"/contacts/{contact['id']}", {"firstName": "Sarah"}))
        keep(team)
        paths = ("/activities", f"/companies/{company['id']}/timeline", f"/contacts/{contact['id']}/timeline")
        for path in paths:
            assert "Sarah" in team.owner.get(path).text
        found = noted(team, 3)
        assert [entry["operation"] for entry in found] == ["getContactTimeline", "getCompanyTimeline", "listActivities"]
        assert {tuple(entry["contactIds"]) for entry in found} == {(contact["id"],)}

    def test_are_files_and_the_log_whoever_asks(self, team: Team) -> None:
        contact = team.owner.contact()
        key = team.key("*")
        for path in ("/contacts/export", "/companies/export", f"/contacts/{contact['id']}/export", "/log"):
            assert key.get(path).status_code == 200
        log, person, companies, contacts = noted(team, 4)
        assert [entry["operation"] for entry in (contacts, companies, person, log)] == [
            "exportContacts", "exportCompanies", "exportContact", "readLog",
        ]  # fmt: skip
        assert all(entry["apiKeyId"] is not None and entry["userId"] == str(key.account_id) for entry in (log, person))
        assert (contacts["contactIds"], person["contactIds"]) == ([], [contact["id"]])

    def test_is_not_what_keys_are_shown_otherwise(self, team: Team) -> None:
        contact = team.owner.contact()
        key = team.key("*")
        for path in ("/contacts", f"/contacts/{contact['id']}"):
            assert key.get(path).status_code == 200
        self._nothing_more(team, 0)

    def test_is_not_what_is_refused_written_or_no_contact(self, team: Team, others: Team) -> None:
        contact = team.owner.contact()
        refused(others.owner.get(f"/contacts/{contact['id']}"), 404)
        refused(team.limited.get(f"/contacts/{contact['id']}"), 404)
        refused(team.owner.get("/contacts", params={"sort": "nope"}), 422)
        refused(team.viewer.get("/log"), 403)
        team.owner.patch(f"/contacts/{contact['id']}", {"firstName": "Sarah"})
        team.owner.ask("HEAD", f"/contacts/{contact['id']}")
        team.owner.get("/companies")
        team.owner.get("/tags")
        self._nothing_more(team, 0)
        self._nothing_more(others, 0)

    @staticmethod
    def _nothing_more(team: Team, count: int) -> None:
        """Behind something that is noted, as notes are written in order."""
        team.owner.get("/contacts")
        assert len(noted(team, count + 1)) == count + 1

    def test_has_ids_alone(self, team: Team, owner: Db) -> None:
        team.owner.contact(firstName="Planted", email="planted@example.com")
        team.owner.get("/contacts", params={"search": "planted"}, headers={"user-agent": "planted"})
        noted(team, 1)
        (row,) = owner.execute(
            "SELECT to_jsonb(a)::text FROM access_log a WHERE workspace_id = %s", (team.workspace_id,)
        )
        assert "planted" not in row[0].lower()
        assert str(team.owner.token) not in row[0]

    def test_follows_from_what_operations_declare(self) -> None:
        found = {
            handler.operation_id: access.noted(handler)
            for controller in CONTROLLERS
            for handler in vars(controller).values()
            if hasattr(handler, "operation_id")
        }
        documented = {op.id: op for op in OPERATIONS}
        assert {name for name, of in found.items() if of == "all"} >= {
            "readLog", "exportContacts", "exportContact", "downloadAuditExport",
        }  # fmt: skip
        assert {"getContact", "listContacts", "getCompany", "getDeal", "listSegmentContacts"} <= {
            name for name, of in found.items() if of == "people"
        }
        for name, of in found.items():
            scope = documented[str(name)].scope or ""
            assert (of == "nothing") <= (scope not in ("contacts:read", "log:read")), name
            assert (of != "nothing") <= (scope.endswith(":read") or name == "downloadAuditExport"), name


class TestWhoIsTold:
    @pytest.mark.parametrize("role", ["member", "limited", "viewer"])
    def test_are_owners_and_admins_alone(self, team: Team, role: str) -> None:
        refused(getattr(team, role).get("/access-log"), 403)
        refused(team.key("contacts:read").get("/access-log"), 403)
        assert team.admin.get("/access-log").status_code == 200
        assert team.key("access-log:read").get("/access-log").status_code == 200

    def test_finds_by_who_what_whom_and_when(self, team: Team) -> None:
        one, two = (team.owner.contact()["id"] for _ in range(2))
        middle = None
        for who, contact_id in ((team.owner, one), (team.admin, two)):
            who.get(f"/contacts/{contact_id}")
            middle = middle or datetime.now(UTC)
            time.sleep(0.01)
        team.admin.get("/contacts")
        listed, second, first = noted(team, 3)
        admin = str(team.admin.account_id)
        assert noted(team, 2, userId=admin) == [listed, second]
        assert noted(team, 1, operation="listContacts") == [listed]
        assert noted(team, 2, contactId=two) == [listed, second]
        assert noted(team, 1, contactId=two, operation="getContact", userId=admin) == [second]
        assert middle is not None
        assert noted(team, 2, **{"from": middle.isoformat()}) == [listed, second]
        assert noted(team, 1, to=middle.isoformat()) == [first]
        refused(team.owner.get("/access-log", params={"from": "yesterday"}), 400, "from")

    def test_pages_behind_a_cursor(self, team: Team) -> None:
        contact = team.owner.contact()
        for _ in range(5):
            team.owner.get(f"/contacts/{contact['id']}")
        whole, found, cursor = noted(team, 5), [], None
        while True:
            params = {"limit": 2, **({} if cursor is None else {"cursor": cursor})}
            answer = ok(team.owner.get("/access-log", params=params))
            found += answer["data"]
            if (cursor := answer["meta"]["nextCursor"]) is None:
                break
        assert found == whole

    @pytest.mark.parametrize("where", ["offset=1", "offset=3", "page=2&limit=4", "cursor", "limit=2"])
    def test_say_of_no_page_that_there_are_more_or_less_than_there_are(self, team: Team, where: str) -> None:
        contact = team.owner.contact()
        for _ in range(3):
            team.owner.get(f"/contacts/{contact['id']}")
        noted(team, 3)
        if where == "cursor":
            cursor = ok(team.owner.get("/access-log", params={"limit": 2}))["meta"]["nextCursor"]
            where = f"cursor={cursor}"
        meta = ok(team.owner.get(f"/access-log?{where}"))["meta"]
        assert meta["total"] == 3 if meta.get("totalIsExact", True) else meta["total"] <= 3
        assert meta.get("totalIsExact", True) == (where == "offset=1")

    def test_are_not_those_of_another_workspace(self, team: Team, others: Team) -> None:
        team.owner.contact()
        team.owner.get("/contacts")
        noted(team, 1)
        assert others.owner.listed("/access-log") == []


class TestWhatItCosts:
    def test_is_nothing_that_a_read_waits_for(self, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
        """Though nothing can be written; it is, as soon as it can be."""
        contact = team.owner.contact()
        write = access_log.write
        waits = []

        def slowly(*given: Any) -> None:
            waits.append(1)
            time.sleep(1)
            write(*given)

        monkeypatch.setattr(access_log, "write", slowly)
        took = []
        for _ in range(5):
            began = time.monotonic()
            team.owner.get(f"/contacts/{contact['id']}")
            took.append(time.monotonic() - began)
        assert min(took) < 0.5
        noted(team, 5)
        assert waits

    def test_what_cannot_be_noted_is_not_answered(self, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
        contact = team.owner.contact()
        monkeypatch.setattr(access, "MOST", 0)
        refused(team.owner.get(f"/contacts/{contact['id']}"), 503)
        assert team.key("*").get(f"/contacts/{contact['id']}").status_code == 200
        assert team.owner.get("/tags").status_code == 200

    def test_what_waits_is_written_when_the_process_ends(
        self, services: Services, team: Team, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(access, "EVERY_SECONDS", 60)
        contact = team.owner.contact()
        with serving(services) as url:
            token = {"authorization": f"Bearer {team.owner.token}"}
            assert team.http.get(f"{url}/api/v1/contacts/{contact['id']}", headers=token).status_code == 200
            assert team.owner.listed("/access-log") == []
        noted(team, 1)
