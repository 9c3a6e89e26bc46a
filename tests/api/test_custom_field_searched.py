"""What custom fields say in words is found by a search, beside what else is looked in."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.asserting import gone, ok
from tests.api.conftest import Keep
from tests.api.team import Member, Team
from tests.api.test_as_of import end
from tests.api.test_contact_search import SEARCH
from tests.api.test_custom_field import define

TYPES: dict[str, dict[str, Any]] = {
    "motto": {"type": "text", "maxLength": 5000},
    "mail": {"type": "email"},
    "mobile": {"type": "phone"},
    "site": {"type": "url"},
    "level": {"type": "select", "options": ["Größe XL", "Gold"]},
    "likes": {"type": "multi_select", "options": ["hops", "malt beer"]},
    "brew": {"type": "pick_list", "options": ["Lager", "Stout"]},
    "score": {"type": "number"},
    "since": {"type": "date"},
    "met": {"type": "datetime"},
    "vip": {"type": "boolean"},
}
VALUES: dict[str, Any] = {
    "motto": "Per Áspera\nad astra",
    "mail": "Ada@Zymurgy.example",
    "mobile": "(415) 555-2671",
    "site": "https://kettle.example.com/about",
    "level": "größe xl",
    "likes": ["hops", "malt beer"],
    "brew": "Stout",
    "score": 4711,
    "since": "2024-01-15",
    "met": "2026-03-15T00:30:00+02:00",
    "vip": True,
    "anything": "Löwenbräu",
}
MAKERS = {"contact": Member.contact, "company": Member.company, "deal": Member.deal}
PATHS = {"contact": "/contacts", "company": "/companies", "deal": "/deals"}

FOUND = (
    "aspera", "PER ÁSP", "astra", "ada@zymurgy", "4155552671", "+1 415 555", "(415) 555-2671", "kettle.example", "grosse xl",
    "Größe", "hops", "malt hops", "stout", "lowenbrau", "wanted stout",
)  # fmt: skip
NOT_FOUND = ("gold", "lager", "4711", "2024-01-15", "2026-03-14", "22:30", "true", "hops nobody", "415-556")


@pytest.fixture(params=PATHS)
def entity(request: pytest.FixtureRequest, team: Team) -> str:
    """One of each kind of thing that has custom fields: two of them there are, of which one has values."""
    found: str = request.param
    for key, more in TYPES.items():
        define(team, key=key, entity=found, **more)
    MAKERS[found](team.owner, name="Wanted", customFields=VALUES)
    MAKERS[found](team.owner, name="Other")
    return found


def names(team: Team, entity: str, text: str, **more: Any) -> list[str]:
    return [found["name"] for found in team.owner.listed(PATHS[entity], search=text, **more)]


def test_it_is_found_by_words_of_text_addresses_numbers_and_options(team: Team, entity: str) -> None:
    assert {text: names(team, entity, text) for text in FOUND} == {text: ["Wanted"] for text in FOUND}


def test_it_is_not_found_by_numbers_times_or_what_is_not_selected(team: Team, entity: str) -> None:
    assert {text: names(team, entity, text) for text in NOT_FOUND} == {text: [] for text in NOT_FOUND}


def test_it_is_found_by_what_it_has_now(team: Team) -> None:
    ada = team.owner.contact(name="Ada", customFields={"plan": "gold", "seat": "window"})
    ok(team.owner.patch(f"/contacts/{ada['id']}", {"customFields": {"plan": "silver", "seat": None}}))
    assert [names(team, "contact", text) for text in ("gold", "window", "silver")] == [[], [], ["Ada"]]
    ok(team.owner.ask("PUT", f"/contacts/{ada['id']}/custom/plan", json={"value": "bronze"}))
    assert [names(team, "contact", text) for text in ("silver", "bronze")] == [[], ["Ada"]]


def test_the_values_of_a_deleted_field_are_not_found(team: Team) -> None:
    field = define(team, key="motto", type="text")
    team.owner.contact(name="Ada", customFields={"motto": "aspera"})
    assert names(team, "contact", "aspera") == ["Ada"]
    gone(team.owner.delete(f"/custom-fields/{field['id']}"))
    assert names(team, "contact", "aspera") == []


def test_an_option_that_is_called_otherwise_is_found_where_it_was_selected_under_its_former_name(team: Team) -> None:
    field = define(team, key="level", type="select", options=["Gold"])
    team.owner.contact(name="Before", customFields={"level": "Gold"})
    ok(team.owner.patch(f"/custom-fields/{field['id']}", {"options": ["Platinum"]}))
    team.owner.contact(name="After", customFields={"level": "Platinum"})
    assert names(team, "contact", "gold") == ["Before"]
    assert names(team, "contact", "platinum") == ["After"]


def test_a_related_contact_is_not_found_by_its_id(team: Team) -> None:
    define(team, key="friend", type="related")
    ada = team.owner.contact(name="Ada")
    team.owner.contact(name="Ben", customFields={"friend": ada["id"]})
    assert names(team, "contact", ada["id"]) == names(team, "contact", ada["id"][:8]) == []


def test_words_are_found_beside_conditions_and_other_filters(team: Team) -> None:
    for name, source in (("Ada", "fair"), ("Ben", "web")):
        team.owner.contact(name=name, source=source, customFields={"motto": "Per Aspera"})
    fair = {"groups": [{"conditions": [{"field": "source", "op": "eq", "value": "fair"}]}]}
    assert [found["name"] for found in ok(team.owner.post(SEARCH, {"q": "aspera", "query": fair}))["data"]] == ["Ada"]
    assert [found["name"] for found in ok(team.owner.post(SEARCH, {"q": "aspera", "sort": "name"}))["data"]] == [
        "Ada",
        "Ben",
    ]
    assert [found["name"] for found in team.owner.listed(SEARCH, search="aspera", source="web")] == ["Ben"]
    assert names(team, "contact", "ben aspera") == ["Ben"]


def test_a_member_finds_only_what_they_may_see(team: Team) -> None:
    team.owner.contact(name="Theirs", customFields={"motto": "aspera"}, assignedTo=str(team.limited.account_id))
    team.owner.contact(name="Hidden", customFields={"motto": "aspera"})
    assert [found["name"] for found in team.limited.listed("/contacts", search="aspera")] == ["Theirs"]


def test_a_long_text_is_found_by_how_it_begins(team: Team) -> None:
    define(team, key="story", type="text", maxLength=20_000)
    team.owner.contact(name="Ada", customFields={"story": "begins" + " and" * 1_000 + " ends"})
    assert names(team, "contact", "begins") == ["Ada"]
    assert names(team, "contact", "ends") == []


def test_it_is_found_by_what_it_had_as_of_then(team: Team, keep: Keep) -> None:
    ada = team.owner.contact(name="Ada", customFields={"plan": "gold"})
    before = end(team)
    ok(team.owner.patch(f"/contacts/{ada['id']}", {"customFields": {"plan": "silver"}}))
    keep(team)
    assert names(team, "contact", "gold", asOf=str(before)) == ["Ada"]
    assert names(team, "contact", "silver", asOf=str(before)) == names(team, "contact", "gold") == []
