"""Amounts in the past of records: told as the record told them then, whatever its attributes have become since."""

from __future__ import annotations

from typing import Any

import pytest

from eventstore.database import Db, Pool, reading
from projections import activity, history
from projections.activity import ActivityQuery
from projections.catalogue import TABLES
from projections.history import Subject
from projections.object_record import OBJECT_RECORDS
from schemas.wire.page import PageRequest
from tests.api.asserting import gone, ok
from tests.api.conftest import Keep
from tests.api.team import Team, created
from tests.api.test_object_record import record
from tests.api.test_object_type import defined

AMOUNTS = [("USD", 42000.5, 4200050), ("JPY", 42000, 42000), ("KWD", 42000.505, 42000505), ("USD", -0.01, -1)]
ATTRIBUTES = "/objects/projects/attributes"


def has(currency: str) -> dict[str, Any]:
    return {"name": "Value", "type": "currency", "currency": currency}


def changed(team: Team, path: str, value: Any) -> None:
    ok(team.owner.patch(path, {"attributes": {"Value": value}}))


def end(team: Team) -> str:
    return str(team.owner.listed("/activities", limit=1)[0]["seq"])


def trail(team: Team, one: dict[str, Any]) -> list[tuple[Any, Any]]:
    """From and to of the value, the oldest first: as activities and the history have it alike."""
    found = team.owner.listed("/activities", entityId=one["id"])
    told = team.owner.listed(f"/objects/{one['objectTypeId']}/records/{one['id']}/history")
    changes = [entry["changes"].get("attributes", {}) for entry in (*found, *told)]
    values = [((change.get("from") or {}).get("Value"), (change.get("to") or {}).get("Value")) for change in changes]
    of_activities, of_history = values[: len(found)], values[len(found) :]
    assert of_activities == [
        (None, None) if entry["action"] == "deleted" else pair for entry, pair in zip(found, of_history, strict=True)
    ], "which have nothing of what a record was when it ended"
    return of_history[::-1]


def diff(team: Team, path: str, since: str, until: str) -> dict[str, Any]:
    found: dict[str, Any] = ok(team.owner.get(f"{path}/diff", params={"from": since, "to": until}))["data"]["changes"]
    return found


def why(team: Team, path: str, field: str = "attributes.Value", **params: Any) -> tuple[Any, Any]:
    found = ok(team.owner.get(f"{path}/explain", params={"field": field, **params}))["data"]
    return found["was"], found["value"]


@pytest.mark.parametrize(("currency", "amount", "least"), AMOUNTS)
def test_an_amount_is_told_in_whole_units_wherever_its_past_is_and_in_the_smallest_in_the_log(
    team: Team, keep: Keep, currency: str, amount: float, least: int
) -> None:
    defined(team, attributes=[has(currency)])
    path = f"/objects/projects/records/{(one := record(team, Value=amount))['id']}"
    made = end(team)
    changed(team, path, 7)
    now = end(team)
    changed(team, path, None)
    gone(team.owner.delete(path))
    assert trail(team, one) == [(None, amount), (amount, 7), (7, None), (None, None)]
    assert diff(team, path, "0", made)["attributes.Value"] == {"from": None, "to": amount}
    assert diff(team, path, made, now) == {"attributes.Value": {"from": amount, "to": 7}}
    assert why(team, path, asOf=made) == (None, amount)
    assert why(team, path, asOf=now) == (amount, 7)
    assert why(team, path) == (7, None)
    assert why(team, path, "attributes", asOf=now) == ({"Value": amount}, {"Value": 7})
    logged = ok(team.owner.get("/log", params={"after": int(made) - 1, "limit": 1}))["data"][0]
    assert logged["data"]["attributes"] == {"Value": least}
    keep(team)
    assert ok(team.owner.get(path, params={"asOf": made}))["data"]["attributes"] == {"Value": amount}


def test_what_a_record_was_worth_when_it_ended_is_told_though_its_type_went_with_it(team: Team) -> None:
    defined(team, attributes=[has("USD")])
    one = record(team, Value=42000.5)
    gone(team.owner.delete("/objects/projects"))
    assert trail(team, one) == [(None, 42000.5), (42000.5, None)]


def test_of_values_by_key_those_of_a_currency_alone_are_amounts(team: Team) -> None:
    size = {"name": "Size", "type": "number"}
    defined(team, attributes=[has("USD"), {**has("JPY"), "name": "Cost"}, size])
    values: dict[str, Any] = {"Value": 1.5, "Cost": 150, "Size": 150, "free": 150, "Many": [150]}
    path = f"/objects/projects/records/{(one := record(team, **values))['id']}"
    nothing = dict.fromkeys(values)
    ok(team.owner.patch(path, {"attributes": nothing}))
    for found in (team.owner.listed(f"{path}/history"), team.owner.listed("/activities", entityId=one["id"])):
        assert found[0]["changes"]["attributes"] == {"from": values, "to": nothing}
    assert {name: change["from"] for name, change in diff(team, path, found[1]["seq"], end(team)).items()} == {
        f"attributes.{key}": value for key, value in values.items()
    }


def test_what_was_of_a_currency_is_told_in_it_when_its_key_has_come_to_mean_something_else(
    team: Team, keep: Keep
) -> None:
    defined(team, attributes=[has("USD")])
    attribute = team.owner.listed(ATTRIBUTES)[0]
    path = f"/objects/projects/records/{(one := record(team, Value=42000.5))['id']}"
    dollars = end(team)
    gone(team.owner.delete(f"{ATTRIBUTES}/{attribute['id']}"))
    changed(team, path, 4200050)
    free = end(team)
    changed(team, path, None)
    attribute = created(team.owner.post(ATTRIBUTES, {"name": "Value", "type": "number"}))
    changed(team, path, 42000.5)
    number = end(team)
    changed(team, path, None)
    ok(team.owner.patch(f"{ATTRIBUTES}/{attribute['id']}", {"type": "currency", "currency": "KWD"}))
    changed(team, path, 4200.05)
    dinars = end(team)
    values = {dollars: 42000.5, free: 4200050, number: 42000.5, dinars: 4200.05}
    assert [now for _, now in trail(team, one) if now is not None] == [*values.values()]
    assert [was for was, _ in trail(team, one) if was is not None] == [*values.values()][:-1]
    keep(team)
    for seq, value in values.items():
        assert ok(team.owner.get(path, params={"asOf": seq}))["data"]["attributes"] == {"Value": value}
        assert why(team, path, asOf=seq) == (None, value)
    assert diff(team, path, dollars, free) == {"attributes.Value": {"from": 42000.5, "to": 4200050}}
    assert diff(team, path, dollars, number) == {}
    assert diff(team, path, free, dinars) == {"attributes.Value": {"from": 4200050, "to": 4200.05}}


def test_another_type_has_attributes_of_its_own(team: Team) -> None:
    defined(team, attributes=[has("USD")])
    defined(team, "leases", attributes=[has("JPY")])
    assert trail(team, record(team, Value=150)) == trail(team, record(team, "Flat", "leases", Value=150))


def test_a_page_of_many_kinds_asks_no_more_for_many_records_and_nothing_for_none(
    team: Team, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    defined(team, attributes=[has("USD")])
    made = [record(team, Value=1.5) for _ in range(3)]
    team.owner.tag("VIP"), team.owner.contact(), team.owner.company(), team.owner.deal(value=1.5)
    asked: list[Any] = []
    watched: list[Db] = []  # the service goes on in the same process
    execute = Db.execute

    def counted(*given: Any, **more: Any) -> Any:
        if given[0] in watched:
            asked.append(given[1])
        return execute(*given, **more)

    monkeypatch.setattr(Db, "execute", counted)

    def page(limit: int, **wanted: Any) -> int:
        with reading(pool, team.workspace_id) as conn:
            asked.clear()
            watched[:] = [conn]
            found, _, _ = activity.listed(conn, TABLES, PageRequest(limit=limit), ActivityQuery(**wanted))
            assert len(found) == limit
            return len(asked)

    assert page(1, entity_type="object_record") == page(3, entity_type="object_record")
    assert page(1, entity_type="object_record") == page(1, entity_type="contact") + 2
    assert page(1, entity_type="contact") == page(1, entity_type="deal")

    def past(times: int) -> int:
        with reading(pool, team.workspace_id) as conn:
            asked.clear()
            watched[:] = [conn]
            subject = Subject(OBJECT_RECORDS, made[0]["id"])
            found, _, _ = history.listed(conn, team.services.store.mapper, subject, PageRequest(limit=10))
            assert len(found) == times
            return len(asked)

    once = past(1)
    changed(team, f"/objects/projects/records/{made[0]['id']}", 2)
    assert past(2) == once
    kinds = [(entry["entityType"], entry["changes"]) for entry in team.owner.listed("/activities", limit=8)]
    assert kinds[0] == ("object_record", {"attributes": {"from": {"Value": 1.5}, "to": {"Value": 2}}})
    assert [changes["value"]["to"] for kind, changes in kinds if kind == "deal"] == [1.5]
