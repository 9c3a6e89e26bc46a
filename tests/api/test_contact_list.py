"""The list of contacts over HTTP: searched, filtered, sorted, and read page by page to its end."""

from __future__ import annotations

import base64
import json
import random
import time
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from domain.tag import TAG, CreateTag
from eventstore.append import Origin
from eventstore.ids import new_id
from eventstore.work import Work
from projections.table import listing
from schemas.log import Actor
from tests.api.asserting import gone, ok, refused
from tests.api.team import Member, Team


def names(member: Member, **params: Any) -> list[str]:
    return [contact["name"] for contact in member.listed("/contacts", **params)]


class TestPages:
    def test_there_are_50_on_a_page_unless_asked_and_at_most_100(self, team: Team) -> None:
        for number in range(51):
            team.owner.contact(firstName=f"C{number}")
        answer = ok(team.owner.get("/contacts"))
        assert len(answer["data"]) == 50
        cursor = answer["meta"].pop("nextCursor")
        assert answer["meta"] == {"page": 1, "limit": 50, "total": 51, "totalPages": 2}
        assert [contact["name"] for contact in team.owner.listed("/contacts", cursor=cursor)] == ["C0"]
        assert len(team.owner.listed("/contacts", limit=100)) == 51
        for size in ("limit", "pageSize", "per_page"):
            refused(team.owner.get("/contacts", params={size: 101}), 400, says="100")
            refused(team.owner.get("/contacts", params={size: 0}), 400, size)

    @pytest.mark.parametrize("size", ["limit", "pageSize", "per_page"])
    def test_they_are_numbered_from_1(self, team: Team, size: str) -> None:
        for number in range(5):
            team.owner.contact(firstName=f"C{number}")
        assert names(team.owner, **{size: 2}) == ["C4", "C3"]
        assert names(team.owner, page=2, **{size: 2}) == ["C2", "C1"]
        answer = ok(team.owner.get("/contacts", params={"page": 3, size: 2}))
        assert [contact["name"] for contact in answer["data"]] == ["C0"]
        assert answer["meta"] == {"page": 3, "limit": 2, "total": 5, "totalPages": 3, "nextCursor": None}
        assert names(team.owner, page=4, **{size: 2}) == []
        refused(team.owner.get("/contacts?page=0"), 400, "page")

    def test_items_can_be_skipped_instead(self, team: Team) -> None:
        for number in range(5):
            team.owner.contact(firstName=f"C{number}")
        answer = ok(team.owner.get("/contacts?limit=2&offset=3"))
        assert [contact["name"] for contact in answer["data"]] == ["C1", "C0"]
        assert answer["meta"]["total"] == 5

    def test_of_very_many_that_are_found_no_more_are_counted_than_a_thousand(
        self, team: Team, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert listing.COUNTED == 1000
        monkeypatch.setattr(listing, "COUNTED", 2)
        for number in range(5):
            team.owner.contact(firstName=f"C{number}", source="Fair" if number else "Web")
        meta = ok(team.owner.get("/contacts?source=fair&limit=2"))["meta"]
        assert (meta["total"], meta["totalPages"], meta["totalIsExact"]) == (3, 2, False)
        exact = ok(team.owner.get("/contacts?source=fair&limit=2&total=exact"))["meta"]
        assert (exact["total"], exact["totalPages"], "totalIsExact" in exact) == (4, 2, False)
        assert "totalIsExact" not in ok(team.owner.get("/contacts?source=web"))["meta"]
        refused(team.owner.get("/contacts?total=all"), 400, "total")

    def test_a_page_deeper_than_a_million_is_refused(self, team: Team) -> None:
        for deep in ("page=20002&limit=50", "offset=1000001", f"page={10**30}", f"offset={10**30}"):
            refused(team.owner.get(f"/contacts?{deep}"), 400, deep.partition("=")[0], says="use cursor")

    def test_an_empty_list_has_no_pages(self, team: Team) -> None:
        meta = {"page": 1, "limit": 50, "total": 0, "totalPages": 0, "nextCursor": None}
        assert ok(team.owner.get("/contacts")) == {"data": [], "meta": meta}


class TestSearch:
    @pytest.fixture
    def sarah(self, team: Team) -> Team:
        team.owner.contact(
            firstName="Sárah",
            lastName="Kim-Müller",
            email="s.kim@acme.example",
            phone="(415) 555-2671",
            company="ACME Ørsted",
        )
        team.owner.contact(
            firstName="Someone", lastName="Else", email="else@example.com", phone="+4930901820", company="Zebra"
        )
        return team

    @pytest.mark.parametrize("parameter", ["search", "q"])
    @pytest.mark.parametrize(
        "words",
        [
            "sarah", "SÁRAH", "ara", "kim-mul", "s.kim@", "@acme", "acme.example", "acme ørsted", "Ørsted",
            "kim sarah", "acme ára kim", "4155552671", "+1 415", "(415) 555-2671", "555-26", "415.555", "0014155552671", "  sarah  ",
        ],
    )  # fmt: skip
    def test_any_part_of_name_email_phone_or_company_is_found(self, sarah: Team, parameter: str, words: str) -> None:
        assert names(sarah.owner, **{parameter: words}) == ["Sárah Kim-Müller"]

    @pytest.mark.parametrize("words", ["sarah else", "%", "_", "\\", "s%h", "nobody", "kim' OR 1=1 --", "😀"])
    def test_what_is_not_in_it_is_not_found(self, sarah: Team, words: str) -> None:
        assert names(sarah.owner, search=words) == []

    @pytest.mark.parametrize(
        ("words", "found"),
        [
            ("24-7", ["24-7 Repairs"]),
            ("1-800", ["1-800 Flowers", "Reached at 1-800"]),
            ("12, 34", ["Rooms 12, 34"]),
            ("34 12,", ["Rooms 12, 34"]),
            ("007", ["Agent 007"]),
            ("7", ["Agent 007", "24-7 Repairs", "Berlin"]),
            ("100%", ["100% sure"]),
            ("(100", []),
            ("100", ["100% sure", "100x sure"]),
            ("0307654", ["Berlin"]),
            ("00 49 30/765", ["Berlin"]),
            ("49\u201030\u2013765", ["Berlin"]),
            ("800 flowers", ["1-800 Flowers"]),
        ],
    )
    def test_digits_are_found_as_they_stand_and_in_phone_numbers(
        self, team: Team, words: str, found: list[str]
    ) -> None:
        for name in ("100x sure", "100% sure", "Agent 007", "Rooms 12, 34", "1-800 Flowers", "24-7 Repairs"):
            team.owner.contact(company=name)
        team.owner.contact(company="Reached at 1-800", phone="+1 800 356 9344")
        team.owner.contact(company="Berlin", phone="+49 30 7654321")
        assert sorted(names(team.owner, search=words)) == sorted(found)

    def test_the_total_is_of_what_was_found(self, sarah: Team) -> None:
        assert ok(sarah.owner.get("/contacts?search=example&limit=1"))["meta"]["total"] == 2

    def test_an_empty_search_finds_everybody(self, sarah: Team) -> None:
        assert len(names(sarah.owner, search="")) == len(names(sarah.owner, search="  ")) == 2

    def test_what_changed_is_found_as_it_is_now(self, sarah: Team) -> None:
        (found,) = sarah.owner.listed("/contacts", search="sarah")
        ok(sarah.owner.patch(f"/contacts/{found['id']}", {"firstName": "Ruth", "phone": None}))
        assert names(sarah.owner, search="sarah") == names(sarah.owner, search="4155552671") == []
        assert names(sarah.owner, search="ruth") == ["Ruth Kim-Müller"]
        gone(sarah.owner.delete(f"/contacts/{found['id']}"))
        assert names(sarah.owner, search="ruth") == []


class TestFilters:
    @pytest.mark.parametrize("tag", ["Spring Fair", "spring fair", "spring-fair", "SPRING-FAIR", "id"])
    def test_a_tag_by_name_slug_or_id(self, team: Team, tag: str) -> None:
        contact = team.owner.contact(firstName="A", tags=["Spring Fair", "X"])
        team.owner.contact(firstName="B", tags=["X"])
        assert names(team.owner, tag=contact["tagDetails"][0]["id"] if tag == "id" else tag) == ["A"]
        assert names(team.owner, tag="Unknown") == []

    def test_a_tag_is_meant_by_its_name_before_another_by_its_slug(self, team: Team) -> None:
        first, second = team.owner.tag("VIP Gold"), team.owner.tag("vip-gold")
        team.owner.contact(firstName="A", tagIds=[first["id"]])
        team.owner.contact(firstName="B", tagIds=[second["id"]])
        assert names(team.owner, tag="VIP-gold") == names(team.owner, tag="vip-gold") == ["B"]
        assert names(team.owner, tag="VIP Gold") == ["A"]
        assert names(team.owner, tag=second["id"]) == ["B"]

    def test_of_tags_that_once_got_the_same_slug_the_oldest_is_meant(self, team: Team) -> None:
        origin = Origin(team.workspace_id, Actor(type="user", id=team.owner.account_id))
        for name in ("VIP Gold", "VIP, Gold"):
            made = CreateTag(name=name)
            team.services.store.run(origin, partial(Work.begin, decider=TAG, stream_id=new_id(), command=made))
            team.owner.contact(firstName=name, tags=[name])
        assert {tag["slug"] for tag in team.owner.listed("/tags")} == {"vip-gold"}
        assert names(team.owner, tag="vip-gold") == ["VIP Gold"]

    def test_two_tags_must_both_be_borne(self, team: Team) -> None:
        team.owner.contact(firstName="A", tags=["X", "Y"])
        team.owner.contact(firstName="B", tags=["X"])
        assert names(team.owner, tag=["x", "y"]) == ["A"]

    @pytest.mark.parametrize(
        ("params", "fields"),
        [
            ({"source": "WEBSITE"}, {"source": "Website"}),
            ({"company": "acme corp"}, {"company": "Acme Corp"}),
            ({"email": " Ann@Example.com"}, {"email": "ann@example.com"}),
            ({"status": "ARCHIVED"}, {"status": "ARCHIVED"}),
            ({"type": "organization"}, {"type": "organization"}),
            ({"dnc": "true"}, {"dnc": True}),
            ({"unsubscribed": "true"}, {"globallyUnsubscribed": True}),
        ],
    )
    def test_a_field_must_be_what_is_asked_for(
        self, team: Team, params: dict[str, str], fields: dict[str, Any]
    ) -> None:
        team.owner.contact(firstName="Other")
        team.owner.contact(firstName="Ann", **fields)
        assert names(team.owner, **params) == ["Ann"]

    @pytest.mark.parametrize("parameter", ["assigned_to", "assignedTo"])
    def test_who_it_is_assigned_to(self, team: Team, parameter: str) -> None:
        member = str(team.member.account_id)
        team.owner.contact(firstName="A", assignedTo=member)
        team.owner.contact(firstName="B")
        assert names(team.owner, **{parameter: member}) == ["A"]
        assert names(team.owner, **{parameter: str(uuid4())}) == []

    @pytest.mark.parametrize("names_of", ["{}_after {}_before", "{}After {}Before"], ids=["snake_case", "camelCase"])
    @pytest.mark.parametrize("what", ["created", "updated"])
    def test_when_it_was_created_and_last_changed(self, team: Team, what: str, names_of: str) -> None:
        first = team.owner.contact(firstName="First")
        time.sleep(0.01)
        between = datetime.now(UTC).isoformat()
        team.owner.contact(firstName="Second")
        after, before = names_of.format(what, what).split()
        assert names(team.owner, **{after: between}) == ["Second"]
        assert names(team.owner, **{before: between}) == ["First"]
        assert names(team.owner, **{after: "2020-01-31", before: "2199-12-31"}) == ["Second", "First"]
        assert names(team.owner, **{before: "2020-01-31"}) == []
        ok(team.owner.patch(f"/contacts/{first['id']}", {"lastName": "Changed"}))
        found = {"created": ["Second"], "updated": ["Second", "First Changed"]}[what]
        assert names(team.owner, **{after: between}) == found

    @pytest.mark.parametrize("time_given", ["yesterday", "2026-13-01", "2026-03-15T10:30:00", "15.3.2026"])
    @pytest.mark.parametrize("parameter", ["created_after", "created_before", "updated_after", "updated_before"])
    def test_what_is_no_time_is_refused_by_name(self, team: Team, parameter: str, time_given: str) -> None:
        refused(team.owner.get("/contacts", params={parameter: time_given}), 400, parameter, says="such as 20")

    def test_all_that_are_given_must_hold(self, team: Team) -> None:
        team.owner.contact(firstName="A", source="Web", tags=["X"])
        team.owner.contact(firstName="B", source="Web")
        team.owner.contact(firstName="C", source="Fair", tags=["X"])
        answer = ok(team.owner.get("/contacts?source=web&tag=x&search=a"))
        assert [contact["name"] for contact in answer["data"]] == ["A"]
        assert answer["meta"]["total"] == 1

    @pytest.mark.parametrize("parameter", ["source", "company", "email", "tag", "created_after", "search"])
    def test_an_empty_one_is_none(self, team: Team, parameter: str) -> None:
        team.owner.contact(firstName="A", source="Web", company="Acme")
        assert names(team.owner, **{parameter: ""}) == ["A"]

    @pytest.mark.parametrize("parameter", ["listId", "lists", "madeUp"])
    def test_one_that_would_find_nothing_is_refused_as_unknown(self, team: Team, parameter: str) -> None:
        refused(team.owner.get("/contacts", params={parameter: str(uuid4())}), 400, parameter, says="Unknown")

    @pytest.mark.parametrize(
        ("parameter", "value"),
        [
            ("status", "active"),
            ("type", "robot"),
            ("dnc", "maybe"),
            ("assigned_to", "Olga"),
            ("limit", "ten"),
        ],
    )
    def test_a_value_of_the_wrong_type_is_refused_by_name(self, team: Team, parameter: str, value: str) -> None:
        refused(team.owner.get("/contacts", params={parameter: value}), 400, parameter)


SORTS = ("createdAt", "updatedAt", "name", "firstName", "lastName", "email", "company", "source")


class TestOrder:
    def test_newest_first_unless_asked(self, team: Team) -> None:
        for name in ("A", "B", "C"):
            team.owner.contact(firstName=name)
        assert names(team.owner) == ["C", "B", "A"]
        assert names(team.owner, sortDirection="asc") == ["A", "B", "C"]

    @pytest.mark.parametrize(
        "params",
        [
            {"sort": "firstName"},
            {"sortBy": "firstName", "sortDirection": "asc"},
            {"sortBy": "firstName", "sortDir": "asc"},
            {"order_by": "first_name"},
            {"sort": "-firstName", "sortDirection": "asc"},
        ],
    )
    def test_by_a_field_in_any_of_the_documented_ways(self, team: Team, params: dict[str, str]) -> None:
        for name in ("b", "Ä", "C", "a"):
            team.owner.contact(firstName=name)
        assert names(team.owner, **params) in (["Ä", "a", "b", "C"], ["a", "Ä", "b", "C"])

    @pytest.mark.parametrize(
        "params",
        [{"sort": "-firstName"}, {"sortBy": "firstName", "sortDirection": "desc"}, {"sortBy": "firstName"}],
    )
    def test_and_backwards_as_by_sort_by_unless_a_direction_is_given(self, team: Team, params: dict[str, str]) -> None:
        for name in ("b", "C", "a"):
            team.owner.contact(firstName=name)
        assert names(team.owner, **params) == ["C", "b", "a"]

    def test_an_unknown_field_is_refused_with_the_known_ones(self, team: Team) -> None:
        error = refused(team.owner.get("/contacts?sortBy=shoeSize"), 422, "sort", says="must be one of ")
        known = error["message"].partition("one of ")[2].partition(", or ")[0].split(", ")
        assert known == sorted({*SORTS, *known})
        refused(team.owner.get("/contacts?sortDirection=up"), 400, "sortDirection")

    @pytest.mark.parametrize("direction", ["asc", "desc"])
    @pytest.mark.parametrize("field", SORTS)
    def test_every_order_goes_through_all_exactly_once(self, many: Team, field: str, direction: str) -> None:
        """By cursor and by page, with many that are equal in the field that they are sorted by."""
        params = {"sortBy": field, "sortDirection": direction, "limit": 7}
        by_cursor = whole(many.owner, **params)
        by_page = [
            contact["id"] for page in range(1, 7) for contact in many.owner.listed("/contacts", **params, page=page)
        ]
        assert len(by_cursor) == len(set(by_cursor)) == 40
        assert by_page == by_cursor
        other = whole(many.owner, **{**params, "sortDirection": "desc" if direction == "asc" else "asc"})
        assert other == by_cursor[::-1]


@pytest.fixture
def many(team: Team) -> Team:
    """40 contacts, most of them equal to others in most fields."""
    pick = random.Random(7)
    for number in range(40):
        fields = {
            "firstName": pick.choice(["Ann", "ann", "Änn", "", "Zoë", "李"]),
            "lastName": pick.choice(["Lee", "", "Lee O'Hara"]),
            "company": pick.choice(["", "Acme", "acme", "Zeta"]),
            "source": pick.choice(["", "web"]),
        }
        email = f"c{number}@example.com" if number % 2 else None
        team.owner.contact(**fields, email=email, phone="+14155552671")
    return team


def whole(member: Member, **params: Any) -> list[str]:
    """The ids of a whole list, read by cursor."""
    found: list[str] = []
    cursor: str | None = None
    for _ in range(100):
        answer = ok(member.get("/contacts", params={**params, **({"cursor": cursor} if cursor else {})}))
        found += [contact["id"] for contact in answer["data"]]
        cursor = answer["meta"]["nextCursor"]
        if cursor is None:
            return found
    raise AssertionError("the list has no end")


class TestCursors:
    def test_what_was_there_is_told_once_while_others_write(self, team: Team) -> None:
        there = [team.owner.contact(firstName=f"C{number:02}")["id"] for number in range(12)]
        for order in ("createdAt", "firstName"):
            told: list[str] = []
            cursor: str | None = None
            while True:
                params = {
                    "sortBy": order,
                    "sortDirection": "desc",
                    "limit": 5,
                    **({"cursor": cursor} if cursor else {}),
                }
                answer = ok(team.owner.get("/contacts", params=params))
                told += [contact["id"] for contact in answer["data"]]
                team.owner.contact(firstName="C99")
                team.owner.contact(firstName="A00")
                cursor = answer["meta"]["nextCursor"]
                if cursor is None:
                    break
            assert [contact for contact in told if contact in there] == there[::-1]
            assert len(told) == len(set(told))

    def test_a_list_can_be_read_on_though_its_last_was_deleted(self, team: Team) -> None:
        ids = [team.owner.contact(firstName=f"C{number}")["id"] for number in range(4)]
        answer = ok(team.owner.get("/contacts?limit=2"))
        gone(team.owner.delete(f"/contacts/{ids[2]}"))
        rest = ok(team.owner.get(f"/contacts?limit=2&cursor={answer['meta']['nextCursor']}"))
        assert [contact["id"] for contact in rest["data"]] == [ids[1], ids[0]]

    def test_a_filter_holds_on_every_page(self, team: Team) -> None:
        for number in range(9):
            team.owner.contact(firstName=f"C{number}", source="web" if number % 2 else "fair")
        assert len(whole(team.owner, source="web", limit=2)) == 4
        assert len(whole(team.owner, search="c", limit=4)) == 9

    def test_one_of_another_order_is_refused(self, team: Team) -> None:
        for number in range(3):
            team.owner.contact(firstName=f"C{number}")
        cursor = ok(team.owner.get("/contacts?limit=1"))["meta"]["nextCursor"]
        for other in ({"sort": "name"}, {"sortDirection": "asc"}):
            answer = team.owner.get(f"/contacts?{urlencode({**other, 'cursor': cursor})}")
            refused(answer, 400, "cursor", says="another order")

    @pytest.mark.parametrize(
        "made",
        [
            "",
            "x",
            "!!!!",
            "ÄÖ",
            [],
            {},
            ["createdAt", True, "2026-03-15T10:30:00Z"],
            ["createdAt", True, "yesterday", "ID"],
            ["createdAt", True, "2026-03-15T10:30:00", "ID"],
            ["createdAt", True, 5, "ID"],
            ["createdAt", True, None, "ID"],
            ["createdAt", True, "2026-03-15T10:30:00Z", "somebody"],
            ["createdAt", True, "2026-03-15T10:30:00Z", 7],
            ["createdAt", "yes", "2026-03-15T10:30:00Z", "ID"],
            ["createdAt", True, "2026-03-15T10:30:00Z", "ID", "more"],
        ],
    )
    def test_a_made_up_one_is_refused(self, team: Team, made: Any) -> None:
        text = made if isinstance(made, str) else encoded(made)
        refused(team.owner.get("/contacts", params={"cursor": text}), 400, "cursor")

    @pytest.mark.parametrize("value", [5, True, "a\0b"])
    def test_a_made_up_one_for_a_text_is_refused(self, team: Team, value: Any) -> None:
        params = {"sort": "name", "cursor": encoded(["name", False, value, "ID"])}
        refused(team.owner.get("/contacts", params=params), 400, "cursor")

    def test_one_of_another_workspace_tells_nothing_of_it(self, team: Team, others: Team) -> None:
        for number in range(3):
            others.owner.contact(firstName=f"Theirs {number}")
        team.owner.contact(firstName="Ours")
        cursor = ok(others.owner.get("/contacts?limit=1&sort=name"))["meta"]["nextCursor"]
        assert names(team.owner, sort="name", cursor=cursor) == []


def encoded(parts: Any) -> str:
    text = json.dumps(parts).replace("ID", str(uuid4()))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


class TestQueryStrings:
    @pytest.mark.parametrize("query", ["pagesize=5", "search[]=a", "assigned=1", "%00=1", "=1", "a=1&limit=5"])
    def test_a_parameter_that_nobody_reads_is_refused(self, team: Team, query: str) -> None:
        refused(team.owner.get(f"/contacts?{query}"), 400, says="not a parameter of this operation")

    def test_what_is_read_from_the_path_is_no_parameter_of_the_query(self, team: Team) -> None:
        path = f"/contacts/{team.owner.contact()['id']}"
        for parameter in ("contact_id", "contactId"):
            refused(team.owner.get(path, params={parameter: str(uuid4())}), 400, parameter)

    @pytest.mark.parametrize("parameter", ["search", "q", "tag", "source", "company", "email", "sort", "cursor"])
    def test_nul_is_refused_by_name(self, team: Team, parameter: str) -> None:
        refused(team.owner.get(f"/contacts?{parameter}=a%00b"), 400, parameter)

    def test_the_workspace_may_be_named_in_it(self, team: Team, others: Team) -> None:
        team.owner.contact(firstName="A")
        assert names(team.owner, workspaceId=str(team.workspace_id)) == ["A"]
        refused(team.owner.get("/contacts", params={"workspaceId": str(others.workspace_id)}), 403)
        refused(team.owner.get("/contacts?workspaceId=ours"), 400)


class TestEmail:
    @pytest.mark.parametrize("asked", ["jürgen@exämple.de", "JÜRGEN@Exämple.de", " jürgen@exämple.de "])
    def test_an_address_is_found_whatever_its_case_and_with_its_accents(self, team: Team, asked: str) -> None:
        team.owner.contact(firstName="Jürgen", email="Jürgen@exämple.de")
        team.owner.contact(firstName="Jurgen", email="jurgen@example.de")
        assert names(team.owner, email=asked) == ["Jürgen"]


@pytest.mark.parametrize("name", ["wanted", "asked", "services"])
def test_how_the_code_calls_things_is_no_parameter(team: Team, name: str) -> None:
    assert team.owner.get(f"/contacts?{name}=1").status_code == 400


@pytest.mark.parametrize(
    ("query", "named", "beside"),
    [
        ("limit=10&pageSize=20", "pageSize", "limit"),
        ("pageSize=10&per_page=20", "per_page", "pageSize"),
        ("sort=email&sortBy=lastName", "sortBy", "sort"),
        ("sort=email&order_by=lastName", "order_by", "sort"),
        ("sortDirection=asc&sortDir=desc", "sortDir", "sortDirection"),
        ("page=2&offset=10", "offset", "page"),
        ("page=2&cursor=x", "cursor", "page"),
        ("offset=10&cursor=x", "cursor", "offset"),
    ],
)
def test_what_contradicts_another_parameter_is_refused_by_its_name(
    team: Team, query: str, named: str, beside: str
) -> None:
    refused(team.owner.get(f"/contacts?{query}"), 400, named, says=f"must not be given beside {beside}")


@pytest.mark.parametrize("query", ["limit=10&pageSize=10", "sort=email&sortBy=email", "page=1&offset=10"])
def test_what_says_the_same_twice_is_taken(team: Team, query: str) -> None:
    ok(team.owner.get(f"/contacts?{query}"))


@pytest.mark.parametrize("path", ["/contacts", "/companies", "/tags", "/deals", "/pipelines", "/segments", "/tasks"])
def test_more_words_than_are_searched_for_are_refused(team: Team, path: str) -> None:
    ok(team.owner.get(path, params={"search": " ".join(["word"] * 10)}))
    refused(team.owner.get(path, params={"search": " ".join(["word"] * 11)}), 400, "search", says="at most 10 words")
