"""Custom values over HTTP: the store of tokens that messages name."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from application import custom_value as values
from domain.custom_value import MAX_RENDERED, MAX_VALUE
from domain.kernel import Refused
from eventstore.database import reading
from tests.api.asserting import gone, ok, refused
from tests.api.team import Member, Team


def put(who: Member, key: str, value: object) -> dict[str, Any]:
    found: dict[str, Any] = ok(who.ask("PUT", f"/custom-values/{key}", json={"value": value}))["data"]
    return found


def rendered(team: Team, written: str) -> str:
    with reading(team.services.pool, team.workspace_id) as conn:
        return values.render(conn, written)


def test_a_token_is_made_or_replaced_by_its_key(team: Team) -> None:
    made = put(team.owner, "sender", "Olga")
    assert (made["key"], made["value"], made["token"], made["version"]) == (
        "sender",
        "Olga",
        "{{custom_values.sender}}",
        1,
    )
    again = put(team.owner, "sender", "Olga of Acme")
    assert (again["id"], again["value"], again["version"]) == (made["id"], "Olga of Acme", 2)
    assert team.owner.shown("/custom-values/sender") == again


def test_they_are_listed_in_order_of_key(team: Team) -> None:
    for key in ("b", "a", "c"):
        put(team.owner, key, key.upper())
    assert [(found["key"], found["value"]) for found in team.owner.listed("/custom-values")] == [
        ("a", "A"),
        ("b", "B"),
        ("c", "C"),
    ]


def test_one_that_is_deleted_stands_for_nothing_and_can_be_made_again(team: Team) -> None:
    put(team.owner, "sender", "Olga")
    assert rendered(team, "{{custom_values.sender}}") == "Olga"
    gone(team.owner.delete("/custom-values/sender"))
    assert rendered(team, "{{custom_values.sender}}") == "{{custom_values.sender}}"
    refused(team.owner.get("/custom-values/sender"), 404, says="custom value")
    refused(team.owner.delete("/custom-values/sender"), 404, says="custom value")
    assert put(team.owner, "sender", "Olga")["version"] == 1


@pytest.mark.parametrize(("given", "kept"), [(38, "38"), (0.5, "0.5"), (True, "true"), ("a\nb", "a\nb"), ("", "")])
def test_a_value_is_kept_as_the_text_that_it_stands_for(team: Team, given: object, kept: str) -> None:
    assert put(team.owner, "x", given)["value"] == kept


def test_what_is_not_acceptable_is_named(team: Team) -> None:
    def put_refused(path: str, body: object, *fields: str) -> None:
        refused(team.owner.ask("PUT", f"/custom-values/{path}", json=body), 422, *fields)

    put_refused("x", {"value": "x" * (MAX_VALUE + 1)}, "value")
    put_refused("x", {"value": None}, "value")
    put_refused("x", {}, "value")
    put_refused("x", {"value": "a", "other": 1}, "other")
    put_refused("two%20words", {"value": "a"}, "key")


def test_a_change_of_another_version_is_refused(team: Team) -> None:
    put(team.owner, "x", "a")
    stale = {"if-match": '"7"'}
    refused(team.owner.ask("PUT", "/custom-values/x", json={"value": "b"}, headers=stale), 412)
    refused(team.owner.ask("PUT", "/custom-values/new", json={"value": "b"}, headers=stale), 412)
    refused(team.owner.delete("/custom-values/x", headers=stale), 412)
    assert team.owner.shown("/custom-values/x")["value"] == "a"


def test_two_who_make_the_same_token_at_once_make_one(team: Team) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda number: put(team.owner, "x", f"v{number}"), range(8)))
    assert len({found["id"] for found in made}) == 1
    assert team.owner.listed("/custom-values")[0]["version"] == 8


def test_a_text_is_filled_in_with_the_tokens_of_its_workspace_alone(team: Team, others: Team) -> None:
    put(team.owner, "sender", "Olga")
    put(others.owner, "sender", "Otto")
    put(others.owner, "theirs", "secret")
    assert rendered(team, "{{custom_values.sender}}: {{custom_values.theirs}}") == "Olga: {{custom_values.theirs}}"


def test_a_text_that_becomes_too_long_is_refused(team: Team) -> None:
    put(team.owner, "v", "x" * MAX_VALUE)
    with pytest.raises(Refused) as refusal:
        rendered(team, "{{custom_values.v}}" * (MAX_RENDERED // MAX_VALUE + 1))
    assert [detail.field for detail in refusal.value.details] == ["body"]


def test_a_workspace_has_a_limited_number_of_them(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "MAX_VALUES", 2)
    put(team.owner, "a", "1")
    put(team.owner, "b", "2")
    refused(team.owner.ask("PUT", "/custom-values/c", json={"value": "3"}), 422, says="at most 2")
    assert put(team.owner, "a", "4")["version"] == 2
    gone(team.owner.delete("/custom-values/b"))
    put(team.owner, "c", "3")


def test_who_may_only_read_makes_none(team: Team) -> None:
    put(team.owner, "x", "a")
    refused(team.viewer.ask("PUT", "/custom-values/x", json={"value": "b"}), 403)
    assert team.viewer.shown("/custom-values/x")["value"] == "a"
