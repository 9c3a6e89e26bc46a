"""The history of a thing that has changed often: what a page costs does not depend on where in the history it is."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

import pytest

from domain.contact import CONTACT, UpdateContact
from eventstore.append import Origin
from eventstore.database import Db
from eventstore.reader import Happened, read_stream
from eventstore.work import Work
from projections import history
from schemas.log import Actor
from tests.api.asserting import gone, ok
from tests.api.conftest import Keep
from tests.api.team import Team

CHANGES = 60
LIMIT = 7


def often(team: Team, contact_id: str, times: int) -> None:
    def change(unit: Work) -> None:
        for time in range(times):
            unit.execute(CONTACT, UUID(contact_id), UpdateContact(city=f"City {time}"))

    team.services.store.run(Origin(team.workspace_id, Actor(type="system")), change, bulk=True)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many events are read of a stream, each time that it is."""
    numbers: list[int] = []

    def counted(*arguments: Any, **bounds: Any) -> list[Happened]:
        found = read_stream(*arguments, **bounds)
        numbers.append(len(found))
        return found

    monkeypatch.setattr(history, "read_stream", counted)
    return numbers


def pages(team: Team, path: str, limit: int = LIMIT) -> list[list[dict[str, Any]]]:
    """All of them, by cursor."""
    asked = partial(team.owner.get, f"{path}/history")
    answer = ok(asked(params={"limit": limit}))
    found = [answer["data"]]
    while cursor := answer["meta"]["nextCursor"]:
        answer = ok(asked(params={"limit": limit, "cursor": cursor}))
        found.append(answer["data"])
    return found


def test_a_page_reads_no_more_events_than_it_tells_of_wherever_it_is(team: Team, keep: Keep, read: list[int]) -> None:
    path = f"/contacts/{(contact := team.owner.contact())['id']}"
    often(team, contact["id"], CHANGES)
    keep(team)
    told = pages(team, path)
    assert read == [len(page) for page in told]
    versions = [entry["version"] for page in told for entry in page]
    assert versions == [*range(CHANGES + 1, 0, -1)]
    read.clear()
    (entry,) = team.owner.listed(f"{path}/history", limit=1, page=CHANGES - 10)
    assert (entry["version"], read) == (12, [1])


def test_it_is_the_same_where_the_past_is_not_kept_yet(team: Team, keep: Keep) -> None:
    path = f"/contacts/{(contact := team.owner.contact(customFields={'a': 1}))['id']}"
    often(team, contact["id"], LIMIT + 1)
    ok(team.owner.patch(path, {"customFields": {"a": None, "b": [2]}, "dnc": True}))
    asked = ({"from": "0"}, {"from": str(end(team.owner.listed(f"{path}/history"), LIMIT))})
    before = pages(team, path), [ok(team.owner.get(f"{path}/diff", params=moments)) for moments in asked]
    keep(team)
    assert (pages(team, path), [ok(team.owner.get(f"{path}/diff", params=moments)) for moments in asked]) == before


def end(entries: list[dict[str, Any]], version: int) -> int:
    """Where the log ended at a version."""
    return int(next(entry["seq"] for entry in entries if entry["version"] == version))


def test_what_differs_is_told_without_reading_what_lies_between(team: Team, keep: Keep, read: list[int]) -> None:
    path = f"/contacts/{(contact := team.owner.contact())['id']}"
    often(team, contact["id"], CHANGES)
    keep(team)
    found = ok(team.owner.get(f"{path}/diff", params={"from": team.owner.listed(f"{path}/history")[-1]["seq"]}))["data"]
    assert found["changes"] == {"city": {"from": found["changes"]["city"]["from"], "to": f"City {CHANGES - 1}"}}
    assert read[1:] == []


def test_why_a_field_is_as_it_is_reads_back_no_farther_than_to_where_it_was_set(
    team: Team, keep: Keep, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "BATCH", 5)
    path = f"/contacts/{(contact := team.owner.contact())['id']}"
    often(team, contact["id"], CHANGES)
    ok(team.owner.patch(path, {"firstName": "Eve"}))
    often(team, contact["id"], 8)
    keep(team)
    found = ok(team.owner.get(f"{path}/explain", params={"field": "firstName"}))["data"]
    assert (found["value"], found["chain"][0]["event"]) == ("Eve", "contact.updated")
    assert read == [5, 5]


def test_what_has_ended_is_told_whole(team: Team, keep: Keep) -> None:
    path = f"/contacts/{(contact := team.owner.contact())['id']}"
    often(team, contact["id"], LIMIT)
    gone(team.owner.delete(path))
    keep(team)
    told = [entry for page in pages(team, path, 3) for entry in page]
    assert [entry["version"] for entry in told] == [*range(LIMIT + 2, 0, -1)]
    assert told[0]["changes"]["city"] == {"from": f"City {LIMIT - 1}", "to": None}


def test_a_past_of_another_version_is_not_read(team: Team, keep: Keep, owner: Db, read: list[int]) -> None:
    path = f"/contacts/{(contact := team.owner.contact())['id']}"
    often(team, contact["id"], CHANGES)
    keep(team)
    other = "UPDATE projection_versions SET version = version {} 1 WHERE name = 'past'"
    owner.execute(other.format("+").encode())
    try:
        assert len(team.owner.listed(f"{path}/history", limit=LIMIT)) == LIMIT
    finally:
        owner.execute(other.format("-").encode())
    assert read == [CHANGES + 1 - LIMIT, LIMIT]
