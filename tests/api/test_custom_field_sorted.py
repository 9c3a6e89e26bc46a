"""Lists are sorted by custom fields that are defined and have one value, and contacts by whatever they have."""

from __future__ import annotations

from typing import Any

import pytest

from projections.table import listing
from tests.api.asserting import ok, refused
from tests.api.team import Team, created
from tests.api.test_custom_field import define

VALUES: dict[str, tuple[str, list[Any]]] = {
    "score": ("number", [-1, 0.5, 9, 100]),
    "since": ("date", ["1984-11-02", "2024-01-15", "2024-02-01"]),
    "met": ("datetime", ["2026-03-15T00:30:00+02:00", "2026-03-14T22:30:00.5Z", "2026-03-14T22:30:01Z"]),
    "motto": ("text", ["Able", "baker", "Charlie", "z" * 255]),
    "vip": ("boolean", [False, True]),
}
"""By key: their type, and values in order."""


def one_by_one(team: Team, path: str, sort: str, **more: Any) -> list[Any]:
    """The names in the list, by cursor, one a page."""
    names, cursor = [], None
    while True:
        params = {"sort": sort, "limit": 1, **more, **({"cursor": cursor} if cursor else {})}
        answer = ok(team.owner.get(path, params=params))
        names += [found["name"] for found in answer["data"]]
        cursor = answer["meta"]["nextCursor"]
        if cursor is None:
            return names


@pytest.mark.parametrize("key", VALUES)
def test_contacts_are_sorted_as_what_the_field_is_without_a_value_last(team: Team, key: str) -> None:
    kind, values = VALUES[key]
    define(team, key=key, type=kind)
    team.owner.contact(firstName="none")
    for place in (1, 0, *range(2, len(values))):
        team.owner.contact(firstName=str(place), customFields={key: values[place]})
    names = [*map(str, range(len(values))), "none"]
    assert [found["name"] for found in team.owner.listed("/contacts", sort=f"custom.{key}")] == names
    assert one_by_one(team, "/contacts", f"custom.{key}") == names
    assert one_by_one(team, "/contacts", f"-custom.{key}") == names[::-1]
    second = team.owner.listed("/contacts", sort=f"custom.{key}", sortDirection="desc", limit=2, page=2)
    assert [found["name"] for found in second] == names[::-1][2:4]


OWN: dict[str, list[Any]] = {
    "phone": ["+14155552671", "+493012345678"],
    "type": ["organization", "person"],
    "status": ["ACTIVE", "ARCHIVED", "INACTIVE"],
    "birthday": ["1984-11-02", "1990-05-15"],
    "address": ["2 Elm Street", "elm street 1", "Oak Avenue"],
    "city": ["Berlin", "mechelen", "Zürich"],
    "state": ["BE", "NY"],
    "zipcode": ["10001", "2800"],
    "country": ["Belgium", "germany"],
    "jobTitle": ["brewer", "Buyer"],
    "language": ["de", "nl-BE"],
    "website": ["https://a.example.com", "https://b.example.com"],
    "notes": ["a" * 1000, "b"],
}
"""By field of a contact that no index has in order: values in order."""


@pytest.mark.parametrize("field", OWN)
def test_contacts_are_sorted_by_any_other_field_of_theirs(team: Team, field: str) -> None:
    for place, value in reversed([*enumerate(OWN[field])]):
        team.owner.contact(firstName=str(place), **{field: value})
    names = [str(place) for place in range(len(OWN[field]))]
    assert one_by_one(team, "/contacts", field) == names
    assert one_by_one(team, "/contacts", f"-{field}") == names[::-1]
    answer = team.owner.get("/contacts/search", params={"order_by": field, "firstName": names[0]})
    assert [found["name"] for found in ok(answer)["data"]] == names[:1]


def test_a_birthday_that_is_not_known_comes_last_and_a_text_that_is_not_first(team: Team) -> None:
    team.owner.contact(firstName="none")
    team.owner.contact(firstName="some", birthday="1984-11-02", city="Berlin")
    assert one_by_one(team, "/contacts", "birthday") == ["some", "none"]
    assert one_by_one(team, "/contacts", "-birthday") == one_by_one(team, "/contacts", "city") == ["none", "some"]


def test_the_key_of_a_custom_field_is_enough_unless_a_field_is_called_so(team: Team) -> None:
    for key in ("score", "city"):
        define(team, key=key, type="number")
    for name, score in (("high", 10), ("low", 9)):
        team.owner.contact(firstName=name, city=name, customFields={"score": score, "city": score})
    assert one_by_one(team, "/contacts", "score") == ["low", "high"]
    assert one_by_one(team, "/contacts", "city") == ["high", "low"]
    assert one_by_one(team, "/contacts", "custom.city") == ["low", "high"]
    answer = team.owner.get("/contacts/search", params={"order_by": "score", "per_page": 15})
    assert [found["name"] for found in ok(answer)["data"]] == ["low", "high"]


def test_what_is_filtered_or_searched_is_sorted_so_too(team: Team) -> None:
    define(team, key="score", type="number")
    for number in (3, 1, 2):
        team.owner.contact(
            firstName=f"N{number}", source="fair" if number < 3 else "web", customFields={"score": number}
        )
    assert one_by_one(team, "/contacts", "custom.score", source="fair") == ["N1", "N2"]
    assert one_by_one(team, "/contacts", "-custom.score", search="n") == ["N3", "N2", "N1"]
    found = ok(team.owner.post("/contacts/search", {"sort": "-custom.score"}))["data"]
    assert [contact["name"] for contact in found] == ["N3", "N2", "N1"]
    saved = {"views": [{"name": "High", "query": {"groups": []}, "sort": "-custom.score"}]}
    ok(team.owner.ask("PUT", "/contacts/views", json=saved))
    saved["views"][0]["sort"] = "custom.planet"
    refused(team.owner.ask("PUT", "/contacts/views", json=saved), 422, "views[0].sort")


def test_companies_and_deals_are_sorted_by_their_own(team: Team) -> None:
    for entity in ("company", "deal"):
        define(team, key="seats", type="number", entity=entity)
    pipeline = created(team.owner.post("/pipelines", {"name": "Sales", "stages": [{"name": "New"}]}))
    (stage,) = team.owner.listed(f"/pipelines/{pipeline['id']}/stages")
    deal = {"value": 0, "pipelineId": pipeline["id"], "stageId": stage["id"]}
    for seats in (9, 100, 10):
        team.owner.company(f"C{seats}", customFields={"seats": seats})
        created(team.owner.post("/deals", {**deal, "name": f"D{seats}", "customFields": {"seats": seats}}))
    assert one_by_one(team, "/companies", "-custom.seats") == ["C100", "C10", "C9"]
    assert one_by_one(team, "/deals", "custom.seats") == ["D9", "D10", "D100"]
    refused(team.owner.get("/contacts", params={"sort": "custom.seats"}), 422, "sort")


def test_what_has_several_values_or_is_not_defined_is_refused(team: Team) -> None:
    define(team, key="likes", type="multi_select", options=["hops", "malt"])
    team.owner.contact(customFields={"free": 1})
    for key in ("likes", "free", "none", "a'b", ""):
        refused(team.owner.get("/contacts", params={"sort": f"custom.{key}"}), 422, "sort", says="custom.<key>")
    refused(team.owner.get("/tags", params={"sort": "custom.likes"}), 422, "sort")


def test_what_was_there_before_a_definition_and_is_not_of_it_is_sorted_like_nothing(team: Team) -> None:
    for name, value in (("many", "many"), ("list", [1, 2]), ("2", 2), ("1", 1)):
        team.owner.contact(firstName=name, customFields={"score": value})
    define(team, key="score", type="number")
    assert one_by_one(team, "/contacts", "custom.score")[:2] == ["1", "2"]
    assert len(one_by_one(team, "/contacts", "-custom.score")) == 4


def test_more_than_are_sorted_are_refused_until_a_filter_finds_less(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "SORTED", 2)
    define(team, key="score", type="number")
    for number in (3, 1, 2):
        team.owner.contact(
            firstName=f"N{number}", source="fair" if number < 3 else "web", customFields={"score": number}
        )
    refused(team.owner.get("/contacts", params={"sort": "custom.score"}), 422, "sort", says="at most")
    assert one_by_one(team, "/contacts", "custom.score", source="fair") == ["N1", "N2"]


def test_who_sees_only_what_is_theirs_sees_only_that_in_any_order(team: Team) -> None:
    define(team, key="score", type="number")
    team.owner.contact(customFields={"score": 1})
    mine = team.owner.contact(assignedTo=str(team.limited.account_id), customFields={"score": 2})
    assert [found["id"] for found in team.limited.listed("/contacts", sort="custom.score")] == [mine["id"]]
