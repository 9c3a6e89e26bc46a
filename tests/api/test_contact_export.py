"""Contacts as a file: what is in it, that it can be imported as it is, and what it costs others."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from tests.api.asserting import ok, refused
from tests.api.team import Member, Team, created

EVIL = ["=1+1", "+1", "-1", "@SUM(A1)", "\uff1d1", "'=1", "''+1", "'quoted'", '=cmd|"/C calc"!A0', "= 1", "-", "+", "@"]
ODD = ["comma, and; semicolon", 'a "quote"', "Łódź 東京 🍺", "tab\tinside", "'", '["a"]', "|pipe|", " nbsp\u00a0in"]


def exported(who: Member, path: str = "/contacts/export", **params: Any) -> bytes:
    answer = who.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.content


def rows(file: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.decode(), newline="")))


def cells(file: bytes) -> list[str]:
    return [cell for row in csv.reader(io.StringIO(file.decode(), newline="")) for cell in row]


def imported(who: Member, file: bytes, path: str = "/contacts/import") -> dict[str, Any]:
    answer = who.ask("POST", path, content=file, headers={"content-type": "text/csv"})
    found: dict[str, Any] = ok(answer)["data"]
    return found


FIELDS: list[dict[str, Any]] = [
    {"name": "Text", "key": "a_text", "type": "text"},
    {"name": "Mail", "key": "a_mail", "type": "email"},
    {"name": "Phone", "key": "a_phone", "type": "phone"},
    {"name": "Number", "key": "a_number", "type": "number"},
    {"name": "Date", "key": "a_date", "type": "date"},
    {"name": "Moment", "key": "a_moment", "type": "datetime"},
    {"name": "Truth", "key": "a_truth", "type": "boolean"},
    {"name": "Url", "key": "a_url", "type": "url"},
    {"name": "One", "key": "one_of", "type": "select", "options": ["=gold", "sil,ver", "bronze"]},
    {"name": "Many", "key": "many_of", "type": "multi_select", "options": ["a, b", "c; d", '["e"]', "=f"]},
    {"name": "Picks", "key": "picks", "type": "pick_list", "options": ["x", "y, z"], "allowMultiple": True},
]
"""One of every type but ``related``, whose values are ids of the workspace."""


def define(who: Member, *more: dict[str, Any]) -> None:
    for field in (*FIELDS, *more):
        form: dict[str, Any] = {"entity": "contact", **field}
        created(who.post("/custom-fields", form))


def people() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {
            "email": f"odd{number}@example.com",
            "firstName": text,
            "lastName": text,
            "company": text,
            "notes": f'{text}\nsecond line\r\nthird, "quoted"',
            "customFields": {"a_text": text, "Not defined": text},
            "tags": [text, "VIP"] if text.strip("'") else ["VIP"],
        }
        for number, text in enumerate([*EVIL, *ODD])
    ]
    whole = {
        "type": "organization", "firstName": "Sarah", "lastName": "Kim", "email": "sarah@example.com",
        "phone": "+14155552671", "phoneExtension": "12", "company": "Acme", "jobTitle": "Head", "source": "fair",
        "website": "https://acme.example.com/a?b=c", "status": "ARCHIVED", "language": "pt-BR", "dnc": True,
        "globallyUnsubscribed": True, "communicationPreferences": {"a_text": "weekly", "sms": "=never"},
        "notes": "=1", "birthday": "1984-11-02", "address": "1, Market Street", "city": "SF", "state": "CA",
        "zipcode": "0123", "country": "US", "tags": ["a, b", "c;d", "[x]", "=tag"],
        "customFields": {
            "a_text": "two\nlines", "a_mail": "a@example.com", "a_phone": "+442079460018", "a_number": -12.5,
            "a_date": "2026-02-03", "a_moment": "2026-02-03T04:05:06Z", "a_truth": False, "a_url": "https://a.example/?x=,",
            "one_of": "=gold", "many_of": ["a, b", "c; d", '["e"]', "=f"], "picks": ["y, z"],
        },
    }  # fmt: skip
    return [*found, whole, {"company": "Only a company"}, {"phone": "+14155550100", "lastName": "Phone"}]


def stripped(contact: dict[str, Any]) -> dict[str, Any]:
    """What a contact is, wherever it is."""
    own = {"id", "createdAt", "updatedAt", "version", "tagDetails", "companyId", "assignedTo"}
    kept = {name: value for name, value in contact.items() if name not in own}
    return {**kept, "tags": sorted(contact["tags"])}


@pytest.fixture
def stocked(team: Team) -> Team:
    define(team.owner)
    for person in people():
        team.owner.contact(**person)
    return team


class TestAFileThatIsImportedAgain:
    def test_changes_nothing_where_it_is_from(self, stocked: Team) -> None:
        before = stocked.owner.get("/log").json()["meta"]["head"]
        done = imported(stocked.owner, exported(stocked.owner))
        written = stocked.owner.get("/log", params={"after": before, "limit": 1000}).json()["data"]
        assert [entry["data"] for entry in written if entry["stream"]["type"] != "contact_import"] == []
        assert (done["total"], done["skipped"]) == (len(people()), len(people()))

    @pytest.mark.parametrize("bom", [True, False])
    def test_makes_the_same_contacts_elsewhere(self, stocked: Team, others: Team, bom: bool) -> None:
        define(others.owner)
        done = imported(others.owner, exported(stocked.owner, bom=bom))
        assert done["created"] == len(people()), done
        ours, theirs = (
            sorted((stripped(one) for one in team.owner.listed("/contacts", limit=100)), key=json.dumps)
            for team in (stocked, others)
        )
        assert theirs == ours

    def test_has_references_too(self, team: Team) -> None:
        define(team.owner, {"name": "Boss", "key": "boss", "type": "related"})
        boss = team.owner.contact(firstName="Boss", email="boss@example.com")
        company = team.owner.company()
        team.owner.contact(
            email="a@example.com", companyId=company["id"], assignedTo=str(team.owner.account_id),
            customFields={"boss": boss["id"]},
        )  # fmt: skip
        (row,) = [row for row in rows(exported(team.owner)) if row["email"] == "a@example.com"]
        assert (row["companyId"], row["assignedTo"]) == (company["id"], str(team.owner.account_id))
        assert row["custom.boss"] == boss["id"]
        assert imported(team.owner, exported(team.owner))["skipped"] == 2


class TestCsv:
    def test_no_cell_begins_a_formula(self, stocked: Team) -> None:
        found = cells(exported(stocked.owner))
        assert "'+14155552671" in found
        assert "'=1+1" in found
        assert [cell for cell in found if cell.lstrip()[:1] in {*"=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"} and cell] == []

    def test_is_utf_8_in_lines_that_end_as_rfc_4180_has_it(self, team: Team) -> None:
        team.owner.contact(firstName="Łucja", lastName='"Q"', email="l@example.com")
        assert exported(team.owner, columns="firstName,lastName,email") == (
            'firstName,lastName,email\r\nŁucja,"""Q""",l@example.com\r\n'.encode()
        )

    def test_begins_with_a_mark_where_that_is_asked(self, team: Team) -> None:
        assert exported(team.owner, columns="email", bom=True) == b"\xef\xbb\xbfemail\r\n"

    def test_is_a_file_with_a_name(self, team: Team) -> None:
        answer = team.owner.get("/contacts/export")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"].startswith('attachment; filename="contacts-20')
        assert answer.headers["content-disposition"].endswith('.csv"')

    def test_columns_are_those_that_are_chosen(self, team: Team) -> None:
        made = team.owner.contact(name="Sarah Kim", tags=["b", "a"], customFields={"plan": "pro"})
        (row,) = rows(exported(team.owner, columns=["id,name", "tags", "custom.plan", "createdAt", "version"]))
        assert row == {
            "id": made["id"], "name": "Sarah Kim", "tags": "b, a", "custom.plan": "pro", "createdAt": made["createdAt"],
            "version": "1",
        }  # fmt: skip

    @pytest.mark.parametrize("columns", ["nope", "custom.", "tagDetails,nope", "customFields", ",".join(["id"] * 201)])
    def test_a_column_that_there_is_not_is_refused(self, team: Team, columns: str) -> None:
        refused(team.owner.get("/contacts/export", params={"columns": columns}), 422, "columns")

    def test_more_custom_fields_than_a_table_has_columns_are_to_be_chosen(self, team: Team) -> None:
        for start in (0, 100):
            team.owner.contact(customFields={f"k{number}": 1 for number in range(start, start + 100)})
        refused(team.owner.get("/contacts/export"), 422, "columns", says="say which")
        assert len(rows(exported(team.owner, columns="custom.k1"))) == 2


class TestWhatIsExported:
    def test_lines_are_contacts_as_the_list_shows_them(self, stocked: Team) -> None:
        answer = stocked.owner.get("/contacts/export", headers={"accept": "application/x-ndjson"})
        assert answer.headers["content-type"] == "application/x-ndjson"
        assert answer.text == exported(stocked.owner, format="ndjson").decode()
        listed = stocked.owner.listed("/contacts", limit=100)
        assert [json.loads(line) for line in answer.text.splitlines()] == listed

    @pytest.mark.parametrize(
        "asked",
        [
            {"search": "sarah"}, {"q": "kim"}, {"tag": "VIP"}, {"status": "ARCHIVED"}, {"dnc": True}, {"type": "person"},
            {"sort": "lastName"}, {"sort": "-email"}, {"sortBy": "name", "sortDirection": "desc"},
            {"sort": "custom.a_number"}, {"company": "acme"}, {"source": "fair", "search": "sarah"},
        ],
    )  # fmt: skip
    def test_is_what_the_list_finds_in_its_order(self, stocked: Team, asked: dict[str, Any]) -> None:
        lines = exported(stocked.owner, format="ndjson", **asked).splitlines()
        assert [json.loads(line)["id"] for line in lines] == [
            contact["id"] for contact in stocked.owner.listed("/contacts", limit=100, **asked)
        ]

    def test_an_order_that_there_is_not_is_refused(self, team: Team) -> None:
        refused(team.owner.get("/contacts/export", params={"sort": "nope"}), 422, "sort")

    @pytest.mark.parametrize("asked", [{"page": 2}, {"limit": 10}, {"cursor": "x"}])
    def test_there_are_no_pages(self, team: Team, asked: dict[str, Any]) -> None:
        refused(team.owner.get("/contacts/export", params=asked), 400, *asked)

    def test_it_says_where_the_log_was(self, team: Team) -> None:
        team.owner.contact()
        assert (
            int(team.owner.get("/contacts/export").headers["daybook-seq"])
            == team.owner.get("/log").json()["meta"]["head"]
        )

    def test_members_see_of_it_what_they_see_elsewhere(self, team: Team) -> None:
        theirs = team.owner.contact(assignedTo=str(team.limited.account_id))
        team.owner.contact(customFields={"hidden": "value"})
        file = exported(team.limited, columns="id")
        assert [row["id"] for row in rows(file)] == [theirs["id"]]
        assert b"hidden" not in exported(team.limited)
        assert len(rows(exported(team.viewer))) == 2

    def test_it_takes_the_scope_to_read_contacts(self, team: Team) -> None:
        assert team.key("contacts:read").get("/contacts/export").status_code == 200
        refused(team.key("companies:read").get("/contacts/export"), 403)
